//! `lakesmith verify`

use super::args::{Global, VerifyArgs};
use super::failure::{Complaint, Outcome};
use super::progress::Progress;
use super::table::{Column, table};
use super::{difference, interrupt, status, ui, words};
use crate::name::Layer;
use crate::report::{
    DeepProof, FileNote, FilesProof, InputVersion, LandingProof, Proof, TableDiff, TableProof, VerifyReport,
};
use crate::run::Run;

/// Files named per table; `--json` names all.
const FILES_SHOWN: usize = 10;

pub async fn carry_out(global: &Global, args: &VerifyArgs) -> Outcome {
    let project = super::project(global)?;
    let tables = super::selected(&project, &args.select.select)?;
    let progress = Progress::new(global);
    let run = Run::new(project, progress.listener())?;
    let verified = interrupt::or(run.verify(&tables, args.deep), "nothing was written").await;
    progress.finish();
    let report = verified?;
    print(global, &report);
    Ok(report.exit_code())
}

fn print(global: &Global, report: &VerifyReport) {
    if global.json {
        ui::answer_json(report);
    } else {
        ui::answer(&tables(report));
        report.tables.iter().flat_map(differences).for_each(|text| ui::answer(&text));
    }
    report.tables.iter().flat_map(|table| complaints(global, table)).for_each(|error| ui::print_error(&error));
    report.lakesmith.iter().filter_map(damaged).for_each(|error| ui::print_error(&error));
    if !global.json && !global.quiet {
        report.tables.iter().filter_map(|table| warning(global, table)).for_each(|text| ui::print_warning(&text));
        ui::tell(&last_line(report));
    }
}

fn tables(report: &VerifyReport) -> String {
    let rows: Vec<Vec<String>> = report.tables.iter().map(row).collect();
    let columns = [
        Column::Name("table"),
        Column::State("status"),
        Column::Number("version"),
        Column::Number("rows"),
        Column::Text("made from"),
        Column::Text("remarks"),
    ];
    table(&columns, &rows, ui::width())
}

fn row(table: &TableProof) -> Vec<String> {
    vec![
        table.table.to_string(),
        table.status.as_str().to_string(),
        table.version.map_or_else(|| "–".into(), |version| version.to_string()),
        table.rows.map(words::thousands).unwrap_or_default(),
        table.inputs.iter().map(input).collect::<Vec<_>>().join(", "),
        remarks(table).join("; "),
    ]
}

fn input(input: &InputVersion) -> String {
    match input.batch {
        Some(batch) => format!("{} to batch {batch}", input.table),
        None => format!("{}@{}", input.table, input.version),
    }
}

fn remarks(table: &TableProof) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(events) = &table.events {
        let fates = [
            (events.kept, "kept"),
            (events.superseded, "superseded"),
            (events.filtered, "filtered"),
            (events.quarantined, "quarantined"),
        ];
        let fates = fates.iter().filter(|(n, _)| *n > 0).map(|(n, fate)| format!("{} {fate}", words::thousands(*n)));
        let fates: Vec<_> = fates.collect();
        remarks.push(format!("{}: {}", words::count(events.read, "event"), fates.join(", ")));
    }
    if let Some(ledger) = &table.ledger {
        remarks.push(format!("{} in the ledger", words::count(ledger.files, "file")));
    }
    if let Some(deep) = &table.deep {
        remarks.extend(hashed(&deep.files));
        remarks.extend(deep.landing.as_ref().map(landing));
    }
    let behind = table.behind.iter().filter_map(|(input, n)| status::behind(input, *n));
    remarks.extend(behind.map(|behind| format!("behind by {behind}")));
    remarks.extend(table.note.clone().filter(|_| table.status <= Proof::Missing));
    remarks
}

fn hashed(files: &[FilesProof]) -> Option<String> {
    let sum = |number: fn(&FilesProof) -> u64| files.iter().map(number).sum::<u64>();
    let (all, unhashed) = (sum(|f| f.files), sum(|f| f.unhashed));
    if files.is_empty() {
        return None;
    }
    let mut text = format!("{} hashed", words::count(all - unhashed, "data file"));
    if unhashed > 0 {
        text.push_str(&format!(", {} of other writers unhashed", words::thousands(unhashed)));
    }
    Some(text)
}

fn landing(landing: &LandingProof) -> String {
    let compared = words::count(landing.unchanged, "landing file");
    let mut text = format!("{} of {compared} compared", words::count(landing.records, "record"));
    let rest = [(landing.gone, "gone"), (landing.changed.len() as u64, "changed since")];
    for (n, what) in rest.iter().filter(|(n, _)| *n > 0) {
        text.push_str(&format!(", {} {what}", words::thousands(*n)));
    }
    text
}

/// The rows that differ, as `diff` prints them.
fn differences(table: &TableProof) -> Vec<String> {
    let quarantine = table.quarantine.as_ref().and_then(|quarantine| quarantine.diff.as_ref());
    let landing = table.deep.as_ref().and_then(|deep| deep.landing.as_ref()).and_then(|landing| landing.diff.as_ref());
    let all = [
        (table.diff.as_ref(), "what its inputs give"),
        (quarantine, "what the events give"),
        (landing, "what the landing files hold"),
    ];
    let told = all.iter().filter_map(|(diff, against)| Some(((*diff)?, against)));
    let text = |(diff, against): (&TableDiff, &&str)| {
        format!("\n{}: as it is → {against}\n{}", diff.table, difference::body(diff, ui::width()))
    };
    told.map(text).collect()
}

/// What is wrong with a table, and what to do.
fn complaints(global: &Global, table: &TableProof) -> Vec<Complaint> {
    let name = &table.table;
    let mut complaints = Vec::new();
    if let Some(error) = &table.error {
        complaints.push(Complaint::of_table(name, error));
    }
    let faults = table.ledger.iter().flat_map(|ledger| &ledger.faults).collect::<Vec<_>>();
    let history = ui::command(global, &format!("history {name}"));
    let unlike = files(&format!("`{name}` is not what the ledger says"), &faults);
    complaints.extend(unlike.map(|error| error.with_hint(format!("what wrote to it: {history}"))));
    if let Some(deep) = &table.deep {
        complaints.extend(deep.files.iter().filter_map(damaged));
        let faults = deep.landing.iter().flat_map(|landing| &landing.faults).collect::<Vec<_>>();
        complaints.extend(files(&format!("`{name}` cannot be compared with its landing files"), &faults));
    }
    let differs = table.diff.is_some() || table.quarantine.as_ref().is_some_and(|q| q.diff.is_some());
    let is_explained = table.deep.as_ref().is_some_and(DeepProof::has_damaged_data);
    if differs && !is_explained {
        let rebuild = ui::command(global, &format!("rebuild {name}+"));
        let deep = ui::command(global, &format!("verify --deep +{name}"));
        let damaged =
            if table.deep.is_none() { format!("whether a data file is damaged: {deep}; ") } else { String::new() };
        let error = Complaint::from(format!("`{name}` is not what its inputs give"));
        complaints.push(error.with_hint(format!("what wrote to it: {history}; {damaged}to make it anew: {rebuild}")));
    }
    if table.deep.as_ref().and_then(|deep| deep.landing.as_ref()).is_some_and(|landing| landing.diff.is_some()) {
        let error = Complaint::from(format!("`{name}` does not hold the records of its landing files"));
        complaints.push(error.with_hint("unless its `source` is read in another way than when they were taken in"));
    }
    complaints
}

fn damaged(proof: &FilesProof) -> Option<Complaint> {
    let complaint = files(&format!("`{}` is damaged", proof.folder), &proof.faults.iter().collect::<Vec<_>>())?;
    Some(match &proof.remedy {
        Some(remedy) => complaint.with_hint(remedy.clone()),
        None => complaint,
    })
}

fn files(what: &str, faults: &[&FileNote]) -> Option<Complaint> {
    if faults.is_empty() {
        return None;
    }
    let mut text = format!("{what}: {}", words::count(faults.len() as u64, "file"));
    for fault in faults.iter().take(FILES_SHOWN) {
        text.push_str(&format!("\n  {}: {}", words::clean_line(&fault.path), words::clean_line(&fault.reason)));
    }
    if faults.len() > FILES_SHOWN {
        text.push_str(&format!("\n  … and {} more", words::thousands((faults.len() - FILES_SHOWN) as u64)));
    }
    Some(text.into())
}

/// What was not proved, and why.
fn warning(global: &Global, table: &TableProof) -> Option<Complaint> {
    let name = &table.table;
    let changed = table.deep.iter().filter_map(|deep| deep.landing.as_ref()).flat_map(|landing| &landing.changed);
    let changed: Vec<_> = changed.collect();
    if !matches!(table.status, Proof::Stale | Proof::Mixed | Proof::Unverifiable) {
        return files(&format!("`{name}` was not compared with what has changed in the landing folder"), &changed);
    }
    let note = table.note.clone().unwrap_or_default();
    let warning = Complaint::from(format!("`{name}` was not verified, it is {}: {note}", table.status.as_str()));
    let hint = match table.status {
        _ if name.layer == Layer::Bronze => return Some(warning),
        // what must be done first is said
        Proof::Unverifiable if note.contains("`lakesmith ") => return Some(warning),
        Proof::Stale => format!("to bring it up to date: {}", ui::command(global, &format!("run +{name}"))),
        _ => format!("to make it anew: {}", ui::command(global, &format!("rebuild {name}"))),
    };
    Some(warning.with_hint(hint))
}

fn last_line(report: &VerifyReport) -> String {
    let all = [
        Proof::Equal,
        Proof::Different,
        Proof::Damaged,
        Proof::Failed,
        Proof::Mixed,
        Proof::Stale,
        Proof::Unverifiable,
        Proof::Missing,
    ];
    let count = |status: Proof| report.tables.iter().filter(|table| table.status == status).count() as u64;
    let counts = all.iter().map(|status| (count(*status), status.as_str())).filter(|(n, _)| *n > 0);
    let counts: Vec<_> = counts.map(|(n, status)| format!("{} {status}", words::thousands(n))).collect();
    format!("{}: {}", words::count(report.tables.len() as u64, "table"), counts.join(", "))
}
