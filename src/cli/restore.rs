//! `lakesmith restore`

use super::args::{Global, RestoreArgs};
use super::failure::{Complaint, Failure, Outcome};
use super::progress::Progress;
use super::{ask, interrupt, show, summary, ui, words};
use crate::delta::At;
use crate::name::{Layer, TableName};
use crate::observe::Observer;
use crate::project::Project;
use crate::run::{self, Outlook, Restore, Return, Run};

pub async fn carry_out(global: &Global, args: &RestoreArgs) -> Outcome {
    let project = super::project(global)?;
    super::mention_warnings(global, &project);
    let progress = Progress::new(global);
    let observer = Observer::new(&project);
    let run = Run::new(project.clone(), observer.listener(progress.listener()))?;
    let (name, at, below) = asked(global, &run, args).await?;
    let (report, watch) = if args.release {
        if at.is_some() {
            return Err(Failure::wrong("`--release` lets runs go on with the table as it is: it takes no version"));
        }
        let tables = if below { with_below(&project, &name)? } else { vec![name] };
        let watch = observer.watch(&run, "restore");
        (interrupt::or_done(run.clone().release(&tables)).await, watch)
    } else {
        let at = at.ok_or_else(|| no_version(global, &name))?;
        let mut restore = Restore { table: name.clone(), at, below, hold: args.hold };
        let outlook = Outlook::of(&run, &restore).await.map_err(|error| refused(global, &name, error))?;
        if args.dry_run {
            return Ok(tell(global, &outlook));
        }
        if !args.yes && !outlook.changes_nothing() && !agreed(&outlook)? {
            return Err(Failure::wrong("nothing was done"));
        }
        // What a time meant when the question was put, it means still.
        restore.at = outlook.tables.first().and_then(|table| table.to).map_or(at, At::Version);
        let watch = observer.watch(&run, "restore");
        (interrupt::or_done(run.clone().restore(&restore)).await, watch)
    };
    progress.finish();
    summary::conclude(global, watch, report).await
}

/// Reads `silver.orders@3`, `silver.orders@3+` and `silver.orders@3 +`; the `+` may also stand behind the table's name.
async fn asked(global: &Global, run: &Run, args: &RestoreArgs) -> Result<(TableName, Option<At>, bool), Failure> {
    let project = &run.project;
    let (text, behind) = args.table.strip_suffix('+').map_or((args.table.as_str(), false), |text| (text, true));
    let (name, version) = text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
    let (name, within) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
    if let Some(table) = name.strip_prefix("quarantine.") {
        let error = Complaint::from(format!("`{name}` goes back with the table that refused its rows"));
        return Err(Failure::wrong(error.with_hint(format!("e.g. `restore silver.{table}@3`"))));
    }
    let text = version.map_or(name.to_string(), |version| format!("{name}@{version}"));
    let (name, at) = show::table_at(project, &run.lake, &text).await?;
    if name.layer == Layer::Bronze {
        return Err(bronze(global, project, &name, version));
    }
    Ok((name, at, behind || within || args.below.is_some()))
}

fn bronze(global: &Global, project: &Project, name: &TableName, version: Option<&str>) -> Failure {
    let message = format!(
        "`{name}` does not go back: it holds all that was received, and its files would not be taken in a second time"
    );
    let readers: Vec<_> = project.readers(name).iter().map(|reader| format!("{reader}+")).collect();
    if readers.is_empty() {
        return Failure::wrong(message);
    }
    let from = format!("{name}@{}", version.unwrap_or("VERSION"));
    let rebuild = ui::command(global, &format!("rebuild {} --from {from}", readers.join(" ")));
    Failure::wrong(Complaint::from(message).with_hint(format!("to make what reads it as of then: {rebuild}")))
}

fn with_below(project: &Project, name: &TableName) -> Result<Vec<TableName>, Failure> {
    let tables = super::selected(project, &[format!("{name}+")])?;
    Ok(project.order.iter().filter(|table| tables.contains(*table)).cloned().collect())
}

fn no_version(global: &Global, name: &TableName) -> Failure {
    let error = Complaint::from(format!("to which version? e.g. `restore {name}@3`"));
    Failure::wrong(error.with_hint(format!("its versions: {}", ui::command(global, &format!("history {name}")))))
}

/// Why it cannot be done, once with the table's name.
fn refused(global: &Global, name: &TableName, error: run::Error) -> Failure {
    let run::Error::Refused(why) = &error else { return error.into() };
    match why.split_once("; its versions: ").or_else(|| why.split_once("; to make ")) {
        Some((message, _)) => {
            let hint = why.get(message.len() + 2..).unwrap_or_default();
            let hint = hint.replacen("lakesmith ", &ui::command(global, ""), 1);
            Failure::failed(Complaint::from(message).with_hint(hint))
        }
        None => Failure::failed(Complaint::of_table(name, why)),
    }
}

fn agreed(outlook: &Outlook) -> Result<bool, Failure> {
    let lines: Vec<String> = outlook.tables.iter().map(line).collect();
    ask::agreed(&format!("{}\nPublish?", lines.join("\n")), "a restore publishes an earlier version of the table")
}

fn tell(global: &Global, outlook: &Outlook) -> u8 {
    if global.json {
        ui::answer_json(outlook);
    } else {
        outlook.tables.iter().for_each(|table| ui::answer(&line(table)));
    }
    0
}

fn line(table: &Return) -> String {
    let (Some(to), Some(at)) = (table.to, table.at) else { return format!("{} {}", table.table, table.why) };
    if table.unchanged {
        return format!("{} is as it was at version {to}; {}", table.table, table.why);
    }
    let rows = |n: Option<u64>| n.map_or_else(|| "?".into(), words::thousands);
    let at = at.format("%Y-%m-%d %H:%M:%SZ");
    let (before, after) = (rows(table.rows_before), rows(table.rows_after));
    format!("{} goes back to version {to} of {at}: {before} → {after} rows; {}", table.table, table.why)
}
