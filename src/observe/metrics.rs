//! Metrics in Prometheus' text format, for node_exporter's textfile collector:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use super::Finished;
use crate::name::Layer;
use crate::report::{Status, TableReport};
use crate::run::TableStatus;

/// A family of samples, all of them gauges.
struct Family<'a> {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, &'a str)>, f64)>,
}

/// Everything that is measured, as text.
pub fn text(told: &Finished) -> String {
    let mut families = of_run(told);
    families.extend(of_tables(told));
    families.extend(of_statuses(told));
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let _ = writeln!(text, "# HELP {} {}\n# TYPE {} gauge", family.name, family.help, family.name);
        for (labels, value) in &family.samples {
            let project = [("project", told.project.name.as_str()), ("environment", &told.project.environment.name)];
            let labels = project.iter().chain(labels).map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
            let _ = writeln!(text, "{}{{{}}} {value}", family.name, labels.collect::<Vec<_>>().join(","));
        }
    }
    text
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn of_run<'a>(told: &'a Finished) -> Vec<Family<'a>> {
    let failed = told.report.tables.iter().filter(|table| table.error.is_some()).count();
    let one = |name, help, value| Family { name, help, samples: vec![(vec![("command", told.command)], value)] };
    vec![
        Family {
            name: "lakesmith_build_info",
            help: "The version of lakesmith that ran last.",
            samples: vec![(vec![("version", env!("CARGO_PKG_VERSION"))], 1.0)],
        },
        one("lakesmith_run_finished_timestamp_seconds", "When the last run was over.", seconds(told.at)),
        one(
            "lakesmith_run_duration_seconds",
            "How long the last run took.",
            (told.at - told.started_at).as_seconds_f64(),
        ),
        one("lakesmith_run_tables", "Tables of the last run.", told.report.tables.len() as f64),
        one("lakesmith_run_failed_tables", "Tables of the last run that failed or set files aside.", failed as f64),
    ]
}

type OfTable = fn(&TableReport) -> Option<f64>;

/// What the last run did to each of its tables.
fn of_tables<'a>(told: &'a Finished) -> Vec<Family<'a>> {
    let measured: [(&'static str, &'static str, OfTable); 8] = [
        ("lakesmith_table_failed", "1 if the table failed in the last run, else 0.", |t| {
            Some(f64::from(t.status == Status::Failed))
        }),
        ("lakesmith_table_duration_seconds", "How long the last run worked on the table.", |t| Some(t.seconds)),
        (
            "lakesmith_table_rows_read",
            "Rows that the last run read for the table; of a table made from tables, those that it computed.",
            |t| Some(t.rows.read as f64),
        ),
        ("lakesmith_table_rows_written", "Rows that the last run inserted, updated or deleted.", |t| {
            Some((t.rows.inserted + t.rows.updated + t.rows.deleted) as f64)
        }),
        ("lakesmith_table_rows_refused", "Rows that the last run put into quarantine.", |t| {
            Some(t.rows.quarantined as f64)
        }),
        ("lakesmith_table_quarantine_ratio", "Refused rows of the last run, as a share of those that it read.", |t| {
            (t.rows.read > 0).then(|| t.rows.quarantined as f64 / t.rows.read as f64)
        }),
        ("lakesmith_table_rows_per_second", "Rows that the last run read for the table in a second.", |t| {
            (t.rows.read > 0 && t.seconds > 0.0 && reads_files_or_bronze(t)).then(|| t.rows.read as f64 / t.seconds)
        }),
        ("lakesmith_table_files_set_aside", "Landing files that could not be taken in.", |t| {
            (t.table.layer == Layer::Bronze).then_some(t.files.set_aside.len() as f64)
        }),
    ];
    let family = |(name, help, of): (&'static str, &'static str, OfTable)| {
        let samples = told.report.tables.iter().zip(&told.names).filter_map(|(t, n)| Some((labels(n), of(t)?)));
        Family { name, help, samples: samples.collect() }
    };
    measured.into_iter().map(family).collect()
}

fn labels(name: &str) -> Vec<(&'static str, &str)> {
    let layer = name.split_once('.').map_or("", |(layer, _)| layer);
    vec![("table", name), ("layer", layer)]
}

/// Of the others only the rows that come out are counted.
fn reads_files_or_bronze(told: &TableReport) -> bool {
    told.table.layer == Layer::Bronze || told.inputs.iter().any(|input| input.table.layer == Layer::Bronze)
}

type OfStatus = fn(&TableStatus, &Finished) -> Option<f64>;

/// How all tables are.
fn of_statuses<'a>(told: &'a Finished) -> Vec<Family<'a>> {
    let measured: [(&'static str, &'static str, OfStatus); 7] = [
        ("lakesmith_table_changed_timestamp_seconds", "When rows of the table changed last.", |t, _| {
            t.changed_at.map(seconds)
        }),
        ("lakesmith_table_freshness_lag_seconds", "How long ago that was when the last run was over.", |t, told| {
            Some((told.at - t.changed_at?).as_seconds_f64().max(0.0))
        }),
        ("lakesmith_table_rows", "Rows of the table.", |t, _| Some(t.rows? as f64)),
        ("lakesmith_table_bytes", "Bytes of the table's data files.", |t, _| Some(t.bytes? as f64)),
        ("lakesmith_table_quarantined_rows", "Rows in the table's quarantine.", |t, _| Some(t.quarantined? as f64)),
        ("lakesmith_table_behind", "Batches and versions of its inputs that the table has not read.", |t, _| {
            Some(t.lag.values().map(|n| n.unsigned_abs()).sum::<u64>() as f64)
        }),
        ("lakesmith_table_unreadable", "1 if the table could not be looked at, else 0.", |t, _| {
            Some(f64::from(t.error.is_some()))
        }),
    ];
    let family = |(name, help, of): (&'static str, &'static str, OfStatus)| {
        let samples = told.statuses.iter().zip(&told.status_names);
        let samples = samples.filter_map(|(t, n)| Some((labels(n), of(t, told)?)));
        Family { name, help, samples: samples.collect() }
    };
    measured.into_iter().map(family).collect()
}

fn seconds(at: chrono::DateTime<chrono::Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

/// Whoever reads the file sees all of the old or all of the new.
///
/// # Errors
/// The folder cannot be written to.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    // the collector reads what ends in .prom
    let mut file = tempfile::Builder::new().prefix(".lakesmith-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    readable(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The exporter is another user.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_as_the_format_has_it() {
        assert_eq!(escaped("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
    }
}
