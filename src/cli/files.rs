//! `lakesmith files`

use serde::Serialize;

use super::args::{FilesArgs, Global};
use super::failure::{FAILED, Failure, Outcome};
use super::ui;
use crate::delta::Lake;
use crate::name::TableName;
use crate::plan::{Ledger, Verdict};
use crate::project::{Definition, Project, Source};
use crate::run::{self, Judged};

/// A landing file as the user sees it.
#[derive(Serialize)]
struct Line {
    table: TableName,
    path: String,
    state: &'static str,
    batch: Option<i64>,
    rows: Option<i64>,
    malformed: Option<i64>,
    size: u64,
    reason: Option<String>,
}

pub async fn carry_out(global: &Global, args: &FilesArgs) -> Outcome {
    let project = super::project(global)?;
    let sources = sources(&project, &args.select)?;
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    if !args.ignore.is_empty() {
        run::ignore(&project, &lake, &sources, &args.ignore).await?;
    }
    let mut lines = Vec::new();
    for (name, source) in &sources {
        let seen = run::look_at_landing(&project, &lake, name, source).await?;
        lines.extend(seen.files.iter().map(|file| line(name, file, &seen.ledger)));
        lines.extend(seen.refused.iter().map(|file| Line {
            table: name.clone(),
            path: file.path.clone(),
            state: "set_aside",
            batch: None,
            rows: None,
            malformed: None,
            size: 0,
            reason: Some(file.reason.clone()),
        }));
    }
    if global.json {
        ui::answer_json(&serde_json::json!({ "files": lines }));
    } else {
        print(&lines);
    }
    Ok(if lines.iter().any(|l| l.state == "set_aside") { FAILED } else { 0 })
}

fn sources(project: &Project, select: &[String]) -> Result<Vec<(TableName, Source)>, Failure> {
    let tables = super::selected(project, select)?;
    let sources = tables.into_iter().filter_map(|name| match &project.tables.get(&name)?.definition {
        Definition::Bronze(source) => Some((name, source.clone())),
        _ => None,
    });
    Ok(sources.collect())
}

fn line(table: &TableName, file: &Judged, ledger: &Ledger) -> Line {
    let last = ledger.last.get(&file.stat.path);
    let (state, reason) = match &file.verdict {
        Verdict::Known => (last.map_or("taken", |l| l.state.as_str()), last.and_then(|l| l.reason.clone())),
        Verdict::StillAside(why) | Verdict::SetAside(why) => ("set_aside", Some(why.clone())),
        Verdict::Left(why) => ("left", Some(why.clone())),
        Verdict::Take | Verdict::Hash | Verdict::Skip => ("new", None),
    };
    let taken = last.filter(|_| file.verdict == Verdict::Known);
    Line {
        table: table.clone(),
        path: file.stat.path.clone(),
        state,
        batch: taken.and_then(|l| l.batch),
        rows: taken.and_then(|l| l.rows),
        malformed: taken.and_then(|l| l.malformed),
        size: file.stat.size,
        reason,
    }
}

fn print(lines: &[Line]) {
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|l| {
            vec![
                l.table.to_string(),
                l.path.clone(),
                l.state.to_string(),
                number(l.batch),
                number(l.rows),
                number(l.malformed),
                ui::thousands(l.size),
                l.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let header = ["table", "file", "state", "batch", "rows", "malformed", "bytes", "reason"];
    ui::answer(&ui::table(&header, &rows, &[false, false, false, true, true, true, true, false]));
}
