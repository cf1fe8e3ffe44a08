//! What people see of `backfill`.

use super::{made, seen};
use crate::support::{Project, assert_accounted, table};

fn redefined() -> Project {
    let project = made();
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write("layers/silver/events.yaml", format!("{silver}steps:\n  - derive: {{ kind: upper(kind) }}\n"));
    project
}

#[test]
fn a_backfill_and_what_follows() {
    let project = redefined();
    let days = ["backfill", "silver.events+", "--from", "2026-01-01", "--to", "2026-01-03", "--chunk", "1d", "--yes"];
    assert_seen!(&project, &days, @r"
    exit 0
     table           action     version   rows                                                                                     seconds
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     silver.events   backfill         2   2 updated, 1 unchanged, 2 superseded, 1 quarantined, chunks: 1 changed, 1 as they were      [S]
     gold.totals     merge            1   2 inserted, 2 deleted                                                                       [S]
    --- stderr
    `silver.events` refused 1 row; see: lakesmith -C [DIR] quarantine silver.events
    run [RUN]: 2 of 2 tables written
    ");
    assert_seen!(&project, &["history", "silver.events"], @r"
    exit 0
     version   when (UTC)            action     rows                                              from              definition           run
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
           2   [WHEN             ]   backfill   2 read, 1 unchanged, 1 superseded                 bronze.events@0   [HASH]   (today's)   [RUN]
           1   [WHEN             ]   backfill   4 read, 2 updated, 1 superseded, 1 quarantined    bronze.events@0   [HASH]   (today's)   [RUN]
           0   [WHEN             ]   merge      5 read, 2 inserted, 1 superseded, 2 quarantined   bronze.events@0   c81f6aca             [RUN]
    --- stderr
    ");
    let days: Vec<&str> = days.into_iter().chain(["--json"]).collect();
    let report = project.json(&days[..days.len() - 1], 0);
    assert_accounted(&report);
    assert_eq!(table(&report, "silver.events")["status"], "unchanged");
    let chunks = table(&report, "silver.events")["chunks"].as_array().unwrap();
    assert_eq!(chunks.len(), 2);
    assert_eq!(
        (&chunks[0]["from"], &chunks[0]["to"]),
        (&"2026-01-01T00:00:00Z".into(), &"2026-01-02T00:00:00Z".into())
    );
    assert_eq!((&chunks[1]["status"], &chunks[1]["version"]), (&"unchanged".into(), &4.into()));
    assert!(chunks[0]["rows"]["read"].is_number() && chunks[0]["seconds"].is_number());
}

#[test]
fn a_backfill_that_makes_no_sense_is_told() {
    let project = made();
    assert_seen!(&project, &["backfill", "silver.events", "--from", "2026-01-01", "--to", "2026-02-01"], @r"
    exit 2
    --- stderr
    error: a backfill publishes a range of rows anew, and there is nobody here to ask
    hint: say --yes
    ");
    assert_seen!(&project, &["backfill", "gold.totals", "--from", "2026-01-01", "--to", "2026-02-01"], @r"
    exit 2
    --- stderr
    error: `gold.totals` has no `event_time`, so there are no ranges of it
    hint: name its column in `event_time`, or make all of it anew: lakesmith rebuild gold.totals
    ");
    assert_seen!(&project, &["backfill", "bronze", "--from", "2026-01-01", "--to", "2026-02-01"], @r"
    exit 2
    --- stderr
    error: bronze is never made anew: all else is made from it
    hint: select silver or gold tables with an `event_time`
    ");
    assert_seen!(&project, &["backfill", "silver", "--from", "2026-01-01", "--to", "2026-01-01"], @r"
    exit 2
    --- stderr
    error: there is no time between `--from 2026-01-01` and `--to 2026-01-01`: `--to` is the first time beyond
    ");
    assert_seen!(&project, &["backfill", "silver", "--from", "January", "--to", "2026-01-01"], @r"
    exit 2
    --- stderr
    error: `--from January` is no time; write a date (2026-10-01) or a time (2026-10-01T06:00:00Z; without a zone in the project's)
    ");
    assert_seen!(&project, &["run", "gold", "--from", "2026-01-01", "--to", "2026-01-02"], @r"
    exit 2
    --- stderr
    error: none of these tables can be loaded by ranges
    hint: only a silver table that reads bronze and has an `event_time` is loaded by ranges
    ");
    let said =
        project.lakesmith(&["backfill", "silver", "--from", "2026-01-01", "--to", "2026-01-02", "--chunk", "1h"]);
    assert!(said.code == 2 && said.stderr.contains("1d, 2w, 1mo"), "{said:?}");
    let said = project.lakesmith(&["run", "--from", "2026-01-01"]);
    assert!(said.code == 2 && said.stderr.contains("--to"), "{said:?}");
}

#[test]
fn a_type_that_changed_wants_a_rebuild() {
    let project = made();
    let contract = std::fs::read_to_string(project.path("schemas/events.odcs.yaml")).unwrap();
    project.write("schemas/events.odcs.yaml", contract.replace("decimal(12,2)", "decimal(12,3)"));
    assert_seen!(&project, &["backfill", "silver.events", "--from", "2026-01-01", "--to", "2026-02-01", "-y"], @r"
    exit 1
     table           action   version   rows   seconds
    ───────────────────────────────────────────────────
     silver.events   failed         0             [S]
    --- stderr
    error: `silver.events`: the column `amount` is decimal(12,2) and cannot become decimal(12,3) while rows stay; rebuild the table to change it
    run [RUN]: 0 of 1 table written, 1 failed
    next: mend what failed, then the same command again does what is left; to read this again: lakesmith -C [DIR] runs [RUN]
    ");
}

#[test]
fn a_long_history_is_loaded_by_ranges() {
    let project = Project::small();
    project.write("landing/events/1.csv", super::MIXED);
    let load = ["run", "--from", "2026-01-01", "--to", "2026-03-01", "--chunk", "1mo"];
    assert_seen!(&project, &load, @r"
    exit 0
     table           action     version   rows                                                                         seconds
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append           0   5 inserted from 1 file                                                          [S]
     silver.events   backfill         1   2 inserted, 1 superseded, 1 quarantined, chunks: 1 changed, 1 as they were      [S]
     gold.totals     merge            0   2 inserted                                                                      [S]
    --- stderr
    `silver.events` refused 1 row; see: lakesmith -C [DIR] quarantine silver.events
    run [RUN]: 3 of 3 tables written
    ");
    assert_seen!(&project, &["run"], @r"
    exit 0
     table           action   version   rows                          seconds
    ──────────────────────────────────────────────────────────────────────────
     bronze.events   –              0   no new files                     [S]
     silver.events   merge          2   3 superseded, 2 quarantined      [S]
     gold.totals     merge          1   no rows                          [S]
    --- stderr
    `silver.events` refused 2 rows; see: lakesmith -C [DIR] quarantine silver.events
    run [RUN]: 2 of 3 tables written
    ");
}
