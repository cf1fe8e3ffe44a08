//! Bronze: new files in, every record exactly once. Data first, then the bronze commit, then the ledger: bronze is the
//! truth, and a run that finds the ledger behind completes it from bronze.

use serde_json::{Map, Value, json};

use super::error::Result;
use super::intake::{self, Intake, Taken};
use super::landing::{self, Judged, Seen, line};
use super::ledger::{self, Lines};
use super::protocol::{BATCH, folder};
use super::{Run, heal, lost};
use crate::delta::{Change, Error, Head, Operation, Snapshot};
use crate::name::TableName;
use crate::plan::{FileState, Ledger, LedgerEntry, Verdict, read_as};
use crate::project::Source;
use crate::report::{Action, FileCounts, FileNote, Status, TableReport};
use crate::secrets;

/// A report, if there is nothing to write.
pub async fn idle(run: &Run, name: &TableName, source: &Source) -> Result<Option<TableReport>> {
    let seen = landing::look(&run.project, &run.book, name, source).await?;
    Ok(seen.is_idle().then(|| report(name, &seen, &Intake::default())))
}

/// Takes in what is new. Fails with `Lost` when another writer was faster.
pub async fn advance(run: &Run, name: &TableName, source: &Source) -> Result<TableReport> {
    // The readers first: what they have read is in bronze by the time that it is looked at.
    let readers = lost::readers(&run.project, &run.lake, name).await?;
    let mut seen = landing::look(&run.project, &run.book, name, source).await?;
    lost::check(name, &readers, &seen)?;
    // Again and again: another run may be between its two commits at each look, and its files would be taken twice.
    while seen.unlisted_after.is_some() {
        heal::ledger(run, &seen).await?;
        seen = landing::look(&run.project, &run.book, name, source).await?;
    }
    if seen.is_idle() {
        return Ok(report(name, &seen, &Intake::default()));
    }
    let base = base(run, name, &seen).await?;
    let batch = seen.last_batch() + 1;
    let intake = intake::read(run, name, source, (&seen, base.as_ref()), batch).await?;
    let mut done = report(name, &seen, &intake);
    let mut owner = seen.owner.clone();
    if !intake.taken.is_empty() {
        let (version, id) = commit(run, name, base.as_ref(), &intake, batch).await?;
        owner.id = id;
        done.version = Some(version);
        done.action = Action::Append;
        done.status = Status::Succeeded;
        done.note = None;
    }
    let entries = lines(source, &seen, &intake, batch);
    let is_new = |entry: &&LedgerEntry| intake.set_aside.iter().any(|(file, _)| file.stat.path == entry.path);
    done.files.newly_set_aside = entries.iter().filter(is_new).count() as u64;
    if !entries.is_empty() {
        let batch = (!intake.taken.is_empty()).then_some(batch);
        let lines = Lines { owner, entries, batch, run_id: run.id.clone(), at: run.started_at };
        ledger::append(&run.lake, &lines).await?;
    }
    Ok(done)
}

/// The version of bronze that was looked at, to be committed against.
async fn base(run: &Run, name: &TableName, seen: &Seen) -> Result<Option<Snapshot>> {
    let base = run.lake.table(&folder(name)).snapshot().await?;
    if base.as_ref().map(Snapshot::head) != seen.bronze.as_ref() {
        let version = base.map_or(0, |base| base.version());
        return Err(Error::lost(&folder(name), version).into());
    }
    Ok(base)
}

async fn commit(
    run: &Run,
    name: &TableName,
    base: Option<&Snapshot>,
    intake: &Intake,
    batch: i64,
) -> Result<(i64, String)> {
    let table = run.lake.table(&folder(name));
    let change = Change {
        adds: intake.data.clone(),
        txns: vec![(BATCH.to_string(), batch)],
        schema: Some(intake.schema.clone()),
        properties: [("delta.appendOnly".to_string(), "true".to_string())].into(),
        operation: Operation::Append,
        note: note(run, intake, batch),
        ..Change::default()
    };
    let Some(base) = base else {
        let version = table.create(&intake.schema, change).await?;
        let made = table.snapshot().await?;
        return Ok((version, made.map(|s| s.table_id().to_string()).unwrap_or_default()));
    };
    Ok((table.commit(base, change).await?, base.table_id().to_string()))
}

/// The batch's files stand in its commit, so that the ledger can be made from bronze again.
fn note(run: &Run, intake: &Intake, batch: i64) -> Map<String, Value> {
    let files: Vec<Value> = intake.taken.iter().map(Taken::to_json).collect();
    let rows: i64 = intake.taken.iter().map(|t| t.rows).sum();
    let mut note = Map::new();
    note.insert("run_id".into(), json!(run.id));
    note.insert("action".into(), json!("append"));
    note.insert("batch".into(), json!(batch));
    note.insert("files".into(), Value::Array(files));
    note.insert("rows".into(), json!({ "inserted": rows }));
    note
}

fn lines(source: &Source, seen: &Seen, intake: &Intake, batch: i64) -> Vec<LedgerEntry> {
    let taken = intake.taken.iter().map(|t| t.to_entry(batch));
    let aside = intake.set_aside.iter().map(|(file, reason)| aside(source, file, reason));
    // what is tried again each time is noted once
    let aside = aside.filter(|line| seen.ledger.last.get(&line.path).is_none_or(|last| !last.says(line)));
    let skipped = seen.files.iter().filter(|f| f.verdict == Verdict::Skip).chain(&intake.skipped).map(|file| {
        let reason = "the same bytes were taken under another name".to_string();
        line(&file.stat, FileState::Skipped, file.blake3.clone(), Some(reason))
    });
    let mut lines: Vec<_> = taken.chain(aside).chain(skipped).collect();
    if !lines.is_empty() {
        lines.extend(seen.files.iter().filter_map(|file| touched(source, &seen.ledger, file)));
    }
    lines
}

fn aside(source: &Source, file: &Judged, reason: &str) -> LedgerEntry {
    let line = line(&file.stat, FileState::SetAside, file.blake3.clone(), Some(reason.to_string()));
    LedgerEntry { read_as: Some(read_as(source)), ..line }
}

/// A file that had to be hashed to be known. Noted only beside something else, for nothing has changed (I7); then it
/// need not be hashed again.
fn touched(source: &Source, ledger: &Ledger, file: &Judged) -> Option<LedgerEntry> {
    let blake3 = file.blake3.clone()?;
    if let Verdict::StillAside(reason) = &file.verdict {
        return Some(aside(source, file, reason));
    }
    let known = ledger.known(&file.stat.path).filter(|_| file.verdict == Verdict::Known)?;
    let state = if known.state == FileState::Taken { FileState::Touched } else { known.state };
    Some(line(&file.stat, state, Some(blake3), known.reason.clone()))
}

fn report(name: &TableName, seen: &Seen, intake: &Intake) -> TableReport {
    let mut files = FileCounts { taken: intake.taken.len() as u64, ..FileCounts::default() };
    // reports and alerts tell it as it is here
    let note =
        |path: &str, reason: &str| FileNote { path: path.to_string(), reason: secrets::masked(reason).into_owned() };
    for file in &seen.files {
        match &file.verdict {
            Verdict::StillAside(why) => files.set_aside.push(note(&file.stat.path, why)),
            Verdict::Left(why) => files.left.push(note(&file.stat.path, why)),
            _ => {}
        }
    }
    files.set_aside.extend(intake.set_aside.iter().map(|(file, why)| note(&file.stat.path, why)));
    files.set_aside.extend(seen.refused.iter().cloned());
    files.left.extend(intake.left.iter().map(|(file, why)| note(&file.stat.path, why)));
    let version = seen.bronze.as_ref().map(Head::version);
    let mut report = TableReport::unchanged(name.clone(), version, "no new files");
    let rows: i64 = intake.taken.iter().map(|t| t.rows).sum();
    report.rows.read = u64::try_from(rows).unwrap_or(0);
    report.rows.inserted = report.rows.read;
    report.error = set_aside(&files.set_aside);
    report.note = Some(nothing_taken(&files));
    report.files = files;
    report
}

fn nothing_taken(files: &FileCounts) -> String {
    match files.left.len() {
        0 => "no new files".to_string(),
        1 => "no new files; 1 is left for the next run".to_string(),
        n => format!("no new files; {n} are left for the next run"),
    }
}

fn set_aside(files: &[FileNote]) -> Option<String> {
    let named: Vec<_> = files.iter().map(|f| format!("{}: {}", f.path, f.reason)).collect();
    match named.len() {
        0 => None,
        1 => Some(format!("1 file is set aside: {}", named.join(""))),
        n => Some(format!("{n} files are set aside: {}", named.join("; "))),
    }
}
