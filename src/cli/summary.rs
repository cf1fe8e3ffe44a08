//! What a run did, for someone who is tired.

use super::args::Global;
use super::failure::{Complaint, Failure, Outcome};
use super::table::{Column, table};
use super::{runs, ui, words};
use crate::observe::Watch;
use crate::report::{Action, ChunkReport, ChunkStatus, FileNote, RowCounts, RunReport, Status, TableReport};

/// Files named per table; the rest is counted.
const FILES_SHOWN: usize = 10;

/// Prints what came of a run, then tells others; gives the exit code.
pub async fn conclude(global: &Global, watch: Watch, report: Result<RunReport, Failure>) -> Outcome {
    if let Ok(report) = &report {
        print(global, report);
    }
    watch.finish(report.as_ref().ok()).await;
    Ok(report?.exit_code())
}

/// Prints a report: the tables on stdout, what went wrong and what to look at on stderr.
pub fn print(global: &Global, report: &RunReport) {
    let for_people = !global.json && !global.quiet;
    if global.json {
        ui::answer_json(report);
    } else if for_people {
        ui::answer(&tables(report, ui::width()));
    }
    for table in &report.tables {
        errors(global, table).iter().for_each(ui::print_error);
        if for_people {
            remarks(global, table).iter().for_each(|line| ui::tell(line));
        }
    }
    if for_people {
        ui::tell(&last_line(report));
        next(global, report).iter().for_each(|line| ui::tell(line));
    }
}

/// The tables of a report, for people.
pub fn tables(report: &RunReport, width: Option<u16>) -> String {
    let rows: Vec<Vec<String>> = report.tables.iter().map(row).collect();
    let columns = [
        Column::Name("table"),
        Column::State("action"),
        Column::Number("version"),
        Column::Text("rows"),
        Column::Number("seconds"),
    ];
    table(&columns, &rows, width)
}

fn row(table: &TableReport) -> Vec<String> {
    let action = match (table.status, table.action) {
        _ if table.is_skipped() => "skipped",
        (Status::Failed, _) => "failed",
        (_, Action::None) => "–",
        (_, action) => action.as_str(),
    };
    let version = table.version.map(|v| v.to_string()).unwrap_or_default();
    vec![table.table.to_string(), action.into(), version, rows(table), format!("{:.2}", table.seconds)]
}

fn rows(table: &TableReport) -> String {
    let files = &table.files;
    let mut parts = vec![match (table.status, table.action) {
        (Status::Failed, _) => String::new(),
        (_, Action::None | Action::Restore) => table.note.clone().unwrap_or_default(),
        (_, Action::Append) if files.taken > 0 => {
            format!("{} from {}", counts(&table.rows), words::count(files.taken, "file"))
        }
        _ => counts(&table.rows),
    }];
    parts.extend(chunks(&table.chunks));
    if !files.set_aside.is_empty() {
        parts.push(format!("{} set aside", words::count(files.set_aside.len() as u64, "file")));
    }
    if !files.left.is_empty() {
        parts.push(format!("{} left for the next run", words::count(files.left.len() as u64, "file")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// What became of several chunks.
fn chunks(chunks: &[ChunkReport]) -> Option<String> {
    let words = [
        (ChunkStatus::Succeeded, "changed"),
        (ChunkStatus::Unchanged, "as they were"),
        (ChunkStatus::Skipped, "done before"),
        (ChunkStatus::Failed, "failed"),
    ];
    let count = |status| chunks.iter().filter(|chunk| chunk.status == status).count();
    let counted = words.map(|(status, word)| (count(status), word));
    let parts = counted.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>();
    (chunks.len() > 1).then(|| format!("chunks: {}", parts.join(", ")))
}

/// The counts that are not 0, in words.
pub fn counts(rows: &RowCounts) -> String {
    let named = [
        (rows.inserted, "inserted"),
        (rows.updated, "updated"),
        (rows.deleted, "deleted"),
        (rows.unchanged, "unchanged"),
        (rows.superseded, "superseded"),
        (rows.filtered, "filtered"),
        (rows.quarantined, "quarantined"),
    ];
    let parts: Vec<_> =
        named.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", words::thousands(*n))).collect();
    if parts.is_empty() { "no rows".into() } else { parts.join(", ") }
}

/// What went wrong with a table itself; what was skipped for another's sake stands in the last line.
pub fn errors(global: &Global, table: &TableReport) -> Vec<Complaint> {
    if !table.files.set_aside.is_empty() {
        return vec![set_aside(global, table)];
    }
    let error = table.error.iter().filter(|_| !table.is_skipped());
    error.map(|error| Complaint::of_table(&table.table, error)).collect()
}

fn set_aside(global: &Global, table: &TableReport) -> Complaint {
    let files = &table.files.set_aside;
    let verb = if files.len() == 1 { "is" } else { "are" };
    let mut message = format!("`{}`: {} {verb} set aside", table.table, words::count(files.len() as u64, "file"));
    listed(files).iter().for_each(|line| message.push_str(&format!("\n{line}")));
    let path = match files.as_slice() {
        [one] if words::clean_line(&one.path) == one.path => words::shell(&one.path),
        _ => "PATH".to_string(),
    };
    let settle = ui::command(global, &format!("files --ignore {path}"));
    Complaint::from(message).with_hint(format!("mend or remove what is set aside, or settle it: {settle}"))
}

fn listed(files: &[FileNote]) -> Vec<String> {
    let line = |file: &FileNote| format!("  {}: {}", words::clean_line(&file.path), words::clean_line(&file.reason));
    let mut lines: Vec<String> = files.iter().take(FILES_SHOWN).map(line).collect();
    if files.len() > FILES_SHOWN {
        lines.push(format!("  … and {} more", words::thousands((files.len() - FILES_SHOWN) as u64)));
    }
    lines
}

/// What is no error and yet worth a look.
fn remarks(global: &Global, table: &TableReport) -> Vec<String> {
    let mut lines = Vec::new();
    if !table.files.left.is_empty() {
        lines.push(format!("`{}` leaves for the next run:", table.table));
        lines.extend(listed(&table.files.left));
    }
    if let [.., done, ChunkReport { status: ChunkStatus::Failed, .. }] = table.chunks.as_slice() {
        let until = done.to.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        lines.push(format!("`{}` is done until {until}; the same command goes on from there", table.table));
    }
    if table.rows.quarantined > 0 && table.status == Status::Succeeded {
        let rows = words::count(table.rows.quarantined, "row");
        let see = ui::command(global, &format!("quarantine {}", table.table));
        lines.push(format!("`{}` refused {rows}; see: {see}", table.table));
    }
    lines
}

fn last_line(report: &RunReport) -> String {
    let count = |f: &dyn Fn(&TableReport) -> bool| report.tables.iter().filter(|t| f(t)).count() as u64;
    let written = count(&TableReport::changed);
    let skipped = count(&TableReport::is_skipped);
    let failed = count(&|t| t.status == Status::Failed) - skipped;
    let aside: u64 = report.tables.iter().map(|t| t.files.set_aside.len() as u64).sum();
    let all = words::count(report.tables.len() as u64, "table");
    let left = count(&TableReport::is_left);
    let mut parts = vec![match (report.status, written) {
        (Status::Unchanged, _) if left == 0 => "nothing to do".to_string(),
        (_, n) => format!("{n} of {all} written"),
    }];
    if left > 0 {
        parts.push(format!("{left} left to another run"));
    }
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    if skipped > 0 {
        parts.push(format!("{skipped} skipped because of that"));
    }
    if aside > 0 {
        parts.push(format!("{} set aside", words::count(aside, "file")));
    }
    format!("run {}: {}", report.run_id, parts.join(", "))
}

/// What to do when something failed.
fn next(global: &Global, report: &RunReport) -> Option<String> {
    let failed = report.tables.iter().filter(|table| table.status == Status::Failed && !table.is_skipped());
    let (guarded, failed): (Vec<_>, Vec<_>) = failed.partition(|table| table.guard.is_some());
    let more = ui::command(global, &format!("runs {}", runs::short(&report.run_id)));
    match (failed.len(), guarded.len()) {
        (0, 0) => None,
        (0, _) => Some(format!("next: see what the guard stopped; if it is right so, say --yes; again: {more}")),
        (n, _) => {
            let what = if n == 1 { "what failed" } else { "those that failed" };
            Some(format!(
                "next: mend {what}, then the same command again does what is left; to read this again: {more}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{Layer, TableName};

    fn name(layer: Layer) -> TableName {
        TableName { layer, name: "orders".into() }
    }

    #[test]
    fn the_last_line_says_how_it_went() {
        let idle = || TableReport::unchanged(name(Layer::Bronze), Some(3), "no new files");
        let last = |tables| last_line(&RunReport::new("r".into(), tables));
        assert_eq!(last(vec![idle()]), "run r: nothing to do");
        let left = TableReport::left_to(name(Layer::Silver), "other", chrono::DateTime::UNIX_EPOCH);
        assert_eq!(left.note.as_deref(), Some("run other is at work on it; its claim ends at 00:00:00Z"));
        assert_eq!(last(vec![idle(), left]), "run r: 0 of 2 tables written, 1 left to another run");
        let failed = TableReport::failed(name(Layer::Silver), Action::Merge, None, "no");
        let skipped = TableReport::skipped(name(Layer::Gold), &name(Layer::Silver));
        assert_eq!(
            last(vec![idle(), failed, skipped]),
            "run r: 0 of 3 tables written, 1 failed, 1 skipped because of that"
        );
    }

    #[test]
    fn a_long_list_of_files_is_cut_and_counted() {
        let note = |i| FileNote { path: format!("{i}.csv"), reason: "no".into() };
        let lines = listed(&(0..12).map(note).collect::<Vec<_>>());
        assert_eq!((lines.len(), lines[10].as_str()), (11, "  … and 2 more"));
    }
}
