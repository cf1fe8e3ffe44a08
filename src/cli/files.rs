//! `lakesmith files`

use std::collections::BTreeSet;

use serde::Serialize;

use super::args::{FileState, FilesArgs, Global};
use super::failure::{Failure, Outcome};
use super::table::{Column, table};
use super::{interrupt, ui, words};
use crate::delta::Lake;
use crate::name::TableName;
use crate::plan::{self, Ledger, Verdict};
use crate::project::{Definition, Project, Source};
use crate::report::FileNote;
use crate::run::{self, Book, Judged};

/// A landing file as the user sees it.
#[derive(Serialize)]
struct Line {
    table: TableName,
    path: String,
    state: FileState,
    batch: Option<i64>,
    rows: Option<i64>,
    malformed: Option<i64>,
    size: Option<u64>,
    reason: Option<String>,
}

pub async fn carry_out(global: &Global, args: &FilesArgs) -> Outcome {
    let project = super::project(global)?;
    let sources = sources(&project, &args.select)?;
    let book = Book::new(&Lake::open(&project.environment.lake, &project.environment.storage)?);
    if !args.ignore.is_empty() {
        let work = run::ignore(&project, &book, &sources, &args.ignore);
        let settled = interrupt::or(work, "some may be settled already; `files` lists those that are not").await?;
        settled.map_err(|error| match error {
            run::Error::Refused(why) => Failure::wrong(why),
            other => other.into(),
        })?;
    }
    let mut lines = Vec::new();
    for (name, source) in &sources {
        let seen = run::look_at_landing(&project, &book, name, source).await?;
        lines.extend(seen.files.iter().map(|file| line(name, file, &seen.ledger)));
        lines.extend(seen.refused.iter().map(|file| refused(name, file)));
    }
    lines.retain(|line| args.state.is_empty() || args.state.contains(&line.state));
    if global.json {
        ui::answer_json(&serde_json::json!({ "files": lines }));
    } else {
        print(&lines);
        advise(global, &lines);
    }
    Ok(0)
}

fn sources(project: &Project, select: &[String]) -> Result<Vec<(TableName, Source)>, Failure> {
    let tables: BTreeSet<TableName> = super::selected(project, select)?;
    let sources: Vec<_> = tables
        .into_iter()
        .filter_map(|name| match &project.tables.get(&name)?.definition {
            Definition::Bronze(source) => Some((name, source.clone())),
            _ => None,
        })
        .collect();
    if sources.is_empty() && !select.is_empty() {
        return Err(Failure::wrong("only bronze tables have files; select one, or what stands below it: `+gold.…`"));
    }
    Ok(sources)
}

fn line(table: &TableName, file: &Judged, ledger: &Ledger) -> Line {
    let known = ledger.known(&file.stat.path).filter(|_| file.verdict == Verdict::Known);
    let aside = ledger.last.get(&file.stat.path).filter(|last| last.is_tried_again(&file.stat));
    let (state, reason) = match &file.verdict {
        Verdict::Known => (known.map_or(FileState::Taken, |l| l.state.into()), known.and_then(|l| l.reason.clone())),
        Verdict::StillAside(why) | Verdict::SetAside(why) => (FileState::SetAside, Some(why.clone())),
        Verdict::Left(why) => (FileState::Left, Some(why.clone())),
        // what was too large is tried again by each run
        Verdict::Take if aside.is_some() => (FileState::SetAside, aside.and_then(|last| last.reason.clone())),
        Verdict::Take | Verdict::Hash | Verdict::Skip => (FileState::New, None),
    };
    Line {
        table: table.clone(),
        path: file.stat.path.clone(),
        state,
        batch: known.and_then(|l| l.batch),
        rows: known.and_then(|l| l.rows),
        malformed: known.and_then(|l| l.malformed),
        size: Some(file.stat.size),
        reason,
    }
}

/// What matches and is never opened.
fn refused(table: &TableName, file: &FileNote) -> Line {
    Line {
        table: table.clone(),
        path: file.path.clone(),
        state: FileState::SetAside,
        batch: None,
        rows: None,
        malformed: None,
        size: None,
        reason: Some(file.reason.clone()),
    }
}

impl From<plan::FileState> for FileState {
    fn from(state: plan::FileState) -> Self {
        match state {
            plan::FileState::Taken | plan::FileState::Touched => FileState::Taken,
            plan::FileState::SetAside => FileState::SetAside,
            plan::FileState::Ignored => FileState::Ignored,
            plan::FileState::Skipped => FileState::Skipped,
            plan::FileState::Lost => FileState::New,
        }
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
                l.state.as_str().to_string(),
                number(l.batch),
                number(l.rows),
                number(l.malformed),
                l.size.map(words::thousands).unwrap_or_default(),
                l.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let columns = [
        Column::Name("table"),
        Column::Name("file"),
        Column::State("state"),
        Column::Number("batch"),
        Column::Number("rows"),
        Column::Number("malformed"),
        Column::Number("bytes"),
        Column::Text("reason"),
    ];
    ui::answer(&table(&columns, &rows, ui::width()));
}

fn advise(global: &Global, lines: &[Line]) {
    let aside = lines.iter().filter(|l| l.state == FileState::SetAside).count() as u64;
    if aside > 0 && !global.quiet {
        let settle = ui::command(global, "files --ignore PATH");
        ui::tell(&format!(
            "{} set aside: mend or remove what is set aside, or settle it: {settle}",
            words::count(aside, "file")
        ));
    }
}
