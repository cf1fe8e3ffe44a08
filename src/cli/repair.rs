//! `lakesmith repair TABLE`

use super::args::{Global, RepairArgs};
use super::failure::{Complaint, FAILED, Failure, Outcome};
use super::{ask, interrupt, show, ui, words};
use crate::delta::Lake;
use crate::report::{RepairReport, Repaired};
use crate::run::{Error, Repair, RepairPlace};

pub async fn carry_out(global: &Global, args: &RepairArgs) -> Outcome {
    let project = super::project(global)?;
    let lake = Lake::open(&project.environment.lake, &project.environment.storage)?;
    let place = match RepairPlace::parse(&project, &args.table) {
        Some(place) => place,
        None => RepairPlace::Table(show::known(&project, &args.table)?),
    };
    let repair = Repair { project, lake, place };
    let found = repair.survey().await?;
    let takes_back = found.lost.is_some() || found.takes_back;
    if args.dry_run || found.status != Repaired::Mended {
        return Ok(tell(global, &RepairReport { dry_run: args.dry_run, ..found }));
    }
    if takes_back && !args.yes {
        if !global.json {
            print(&found);
        }
        if !ask::agreed("Do this?", "a repair that takes back what a commit did cannot be undone")? {
            return Err(Failure::wrong("nothing was done"));
        }
    }
    let done = interrupt::or(repair.carry_out(), "repair it again").await?.map_err(refusal)?;
    Ok(tell(global, &done))
}

fn refusal(error: Error) -> Failure {
    match error {
        Error::Refused(why) => Failure::failed(why),
        other => other.into(),
    }
}

fn tell(global: &Global, report: &RepairReport) -> u8 {
    if global.json {
        ui::answer_json(report);
    } else if !global.quiet || report.status != Repaired::Sound {
        print(report);
    }
    if let Some(error) = &report.error {
        ui::print_error(&Complaint::from(error.as_str()));
    }
    if report.status == Repaired::Damaged { FAILED } else { 0 }
}

fn print(report: &RepairReport) {
    let name = &report.table;
    if report.version.is_none() && report.faults.is_empty() {
        ui::answer(&format!("`{name}` has not been made yet"));
        return;
    }
    for fault in &report.faults {
        for file in &fault.files {
            ui::answer(&format!("_delta_log/{file} {}", words::clean_line(&fault.what)));
        }
        let did = if fault.mended { "done" } else { "to do" };
        ui::answer(&format!("  {did}: {}", fault.remedy));
    }
    if let Some(lost) = &report.lost {
        ui::answer(&format!("batches after {} and before {} are gone from `{name}`", lost.after, lost.before));
        for file in &lost.files {
            let rows = file.rows.and_then(|rows| u64::try_from(rows).ok()).unwrap_or_default();
            let rows = words::count(rows, "record");
            let told = match file.in_landing {
                true => "it is in the landing folder, and the next run takes it in",
                false => "it is no longer in the landing folder: they are lost",
            };
            ui::answer(&format!("  {}, {rows}: {told}", words::clean_line(&file.path)));
        }
    }
    report.notes.iter().for_each(|note| ui::answer(note));
    ui::answer(&last_line(report));
}

fn last_line(report: &RepairReport) -> String {
    let name = &report.table;
    match (report.status, report.dry_run, report.version) {
        (Repaired::Sound, _, Some(version)) => format!("the log of `{name}` is sound; it is at version {version}"),
        (Repaired::Mended, true, _) => format!("`{name}` would be mended"),
        (Repaired::Mended, false, Some(version)) if report.lost.is_some() => {
            format!("`{name}` is mended; version {version}, which it is at now, notes what was lost")
        }
        (Repaired::Mended, false, Some(version)) => format!("`{name}` is mended; it is at version {version}"),
        (Repaired::Mended, false, None) => format!("`{name}` is mended: it is to be made anew"),
        (Repaired::Damaged, ..) => format!("`{name}` is damaged"),
        (_, _, None) => format!("`{name}` is not there"),
    }
}
