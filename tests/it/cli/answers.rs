//! What people see of each command.

use super::{MIXED, made, mixed, seen};
use crate::support::Project;

#[test]
fn init_writes_a_project_that_runs_at_once() {
    let project = Project::empty();
    assert_seen!(&project, &["init", "shop"], @r"
    exit 0
    wrote [DIR]/shop/lakesmith.yaml
    wrote [DIR]/shop/layers/bronze/customers.yaml
    wrote [DIR]/shop/layers/bronze/orders.yaml
    wrote [DIR]/shop/layers/silver/customers.yaml
    wrote [DIR]/shop/layers/silver/orders.yaml
    wrote [DIR]/shop/layers/gold/daily_revenue.yaml
    wrote [DIR]/shop/schemas/customers.odcs.yaml
    wrote [DIR]/shop/schemas/orders.odcs.yaml
    wrote [DIR]/shop/landing/customers/2026-01-01.ndjson
    wrote [DIR]/shop/landing/orders/2026-01-01.csv
    wrote [DIR]/shop/landing/orders/2026-01-02.csv
    wrote [DIR]/shop/.gitignore
    --- stderr
    Next: lakesmith -C [DIR]/shop run
    ");
    let shop = project.path("shop").display().to_string();
    let said = project.lakesmith(&["-C", &shop, "run"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("gold.daily_revenue"), "{said:?}");
    assert_seen!(&project, &["init", "shop"], @r"
    exit 2
    --- stderr
    error: `[DIR]/shop/lakesmith.yaml` is there already; choose a new directory
    ");
}

#[test]
fn check() {
    assert_seen!(&mixed(), &["check"], @r"
    exit 0
    small: 3 tables, no faults
    --- stderr
    ");
}

#[test]
fn warnings_are_told_by_check_and_mentioned_by_run() {
    let project = mixed();
    let contract = std::fs::read_to_string(project.path("schemas/events.odcs.yaml")).unwrap();
    project.write(
        "schemas/events.odcs.yaml",
        contract.replace("name: kind, logicalType: string", "name: kind, logicalType: string, unique: true"),
    );
    assert_seen!(&project, &["check"], @r"
    exit 0
    small: 3 tables, no faults, 1 warning
    --- stderr
    warning: that `kind` is unique is not enforced
      --> schemas/events.odcs.yaml:11:44
    hint: only a `key` of this one column makes it so
    ");
    let said = project.lakesmith(&["run"]);
    assert!(said.stderr.contains("`check` has 1 warning"), "{said:?}");
}

#[test]
fn plan_run_and_run_again() {
    let project = mixed();
    assert_seen!(&project, &["plan"], @r"
    exit 0
     table           action         rows   why
    ─────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append                2 new files
     silver.events   merge                 `bronze.events` is about to change
     gold.totals     merge (full)          `silver.events` is about to change; there is no table yet

    bronze.events takes in:
      events/1.csv
      events/broken.csv
    --- stderr
    a run would write 3 of 3 tables
    ");
    assert_seen!(&project, &["run"], @r"
    exit 1
     table           action   version   rows                                       seconds
    ───────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append         0   5 inserted from 1 file, 1 file set aside      [S]
     silver.events   merge          0   2 inserted, 1 superseded, 2 quarantined       [S]
     gold.totals     merge          0   2 inserted                                    [S]
    --- stderr
    error: `bronze.events`: 1 file is set aside
      events/broken.csv: the header is no text in the file's encoding; is `csv.encoding` right?
    hint: mend or remove what is set aside, or settle it: lakesmith -C [DIR] files --ignore events/broken.csv
    `silver.events` refused 2 rows; see: lakesmith -C [DIR] quarantine silver.events
    run [RUN]: 3 of 3 tables written, 1 file set aside
    ");
    assert_seen!(&project, &["run"], @r"
    exit 1
     table           action   version   rows                             seconds
    ─────────────────────────────────────────────────────────────────────────────
     bronze.events   –              0   no new files, 1 file set aside      [S]
     silver.events   –              0   its inputs have nothing new         [S]
     gold.totals     –              0   its inputs have nothing new         [S]
    --- stderr
    error: `bronze.events`: 1 file is set aside
      events/broken.csv: the header is no text in the file's encoding; is `csv.encoding` right?
    hint: mend or remove what is set aside, or settle it: lakesmith -C [DIR] files --ignore events/broken.csv
    run [RUN]: 0 of 3 tables written, 1 file set aside
    ");
    assert_seen!(&project, &["plan"], @r"
    exit 0
     table           action   rows   why
    ─────────────────────────────────────────────────────────────
     bronze.events   –               no new files
     silver.events   –               its inputs have nothing new
     gold.totals     –               its inputs have nothing new

    bronze.events has set aside:
      events/broken.csv: the header is no text in the file's encoding; is `csv.encoding` right?
    --- stderr
    a run would write nothing, 1 file set aside
    ");
}

#[test]
fn a_plan_says_what_will_be_computed_and_why() {
    let project = made();
    project.write("landing/events/2.csv", "id,kind,amount,at\n9,b,1.00,2026-02-01T00:00:00Z\n");
    assert_seen!(&project, &["plan"], @r"
    exit 0
     table           action                rows   why
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append                       1 new file
     silver.events   merge                        `bronze.events` is about to change
     gold.totals     merge (incremental)          `silver.events` is about to change; only the groups touched

    bronze.events takes in:
      events/2.csv
    --- stderr
    a run would write 3 of 3 tables
    ");
    project.json(&["run", "bronze"], 0);
    assert_seen!(&project, &["plan"], @r"
    exit 0
     table           action                rows   why
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   –                            no new files
     silver.events   merge                    1   new in `bronze.events`
     gold.totals     merge (incremental)          `silver.events` is about to change; only the groups touched
    --- stderr
    a run would write 2 of 3 tables
    ");
    let gold = std::fs::read_to_string(project.path("layers/gold/totals.yaml")).unwrap();
    project.write("layers/gold/totals.yaml", gold.replace("sum(amount)", "max(amount)"));
    assert_seen!(&project, &["plan", "gold"], @r"
    exit 0
     table         action    rows   why
    ───────────────────────────────────────────────────────
     gold.totals   rebuild          its definition changed
    --- stderr
    a run would write 1 of 1 table
    ");
}

#[test]
fn status_history_files_and_quarantine() {
    let project = mixed();
    assert_seen!(&project, &["status"], @r"
    exit 0
     table           version   rows   changed   behind   quarantined   remarks
    ────────────────────────────────────────────────────────────────────────────────
     bronze.events         –                                           not made yet
     silver.events         –                                       0   not made yet
     gold.totals           –                                           not made yet
    --- stderr
    ");
    project.run(1);
    assert_seen!(&project, &["status"], @r"
    exit 0
     table           version   rows   changed   behind   quarantined   remarks
    ───────────────────────────────────────────────────────────────────────────
     bronze.events         0      5  [AGO]  
     silver.events         0      2  [AGO]                        2
     gold.totals           0      2  [AGO]  
    --- stderr
    ");
    assert_seen!(&project, &["history", "silver.events"], @r"
    exit 0
     version   when (UTC)            action   rows                                              from              definition           run
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
           0   [WHEN             ]   merge    5 read, 2 inserted, 1 superseded, 2 quarantined   bronze.events@0   [HASH]   (today's)   [RUN]
    --- stderr
    ");
    assert_seen!(&project, &["files"], @r"
    exit 0
     table           file                state       batch   rows   malformed   bytes   reason
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   events/1.csv        taken           1      5           1     141
     bronze.events   events/broken.csv   set_aside                                  6   the header is no text in the file's encoding; is `csv.encoding` right?
    --- stderr
    1 file set aside: mend or remove what is set aside, or settle it: lakesmith -C [DIR] files --ignore PATH
    ");
    assert_seen!(&project, &["quarantine", "silver.events"], @r#"
    exit 0
     batch   file           row   reasons                as received
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         1   events/1.csv     4   amount: type '1.005'   {"id":"3","kind":"c","amount":"1.005","at":"2026-01-01T00:00:00Z"}
         1   events/1.csv     5   malformed '4'          4
    --- stderr
    "#);
    project.write("landing/events/2.csv", MIXED);
    project.json(&["run", "bronze"], 1);
    let status = project.lakesmith(&["status", "silver"]);
    assert!(status.stdout.contains("1 batch of bronze.events"), "{status:?}");
}

#[test]
fn a_file_that_is_set_aside_is_named_until_it_is_settled() {
    let project = mixed();
    project.run(1);
    assert_seen!(&project, &["files", "--state", "set_aside", "--ignore", "events/broken.csv"], @r"
    exit 0
     table   file   state   batch   rows   malformed   bytes   reason
    ──────────────────────────────────────────────────────────────────
    --- stderr
    ");
    assert_seen!(&project, &["run", "-q"], @r"
    exit 0
    --- stderr
    ");
    project.write("landing/events/broken.csv", b"\xff\xfe\x00still broken");
    assert_eq!(project.lakesmith(&["run", "-q"]).code, 1);
}

#[test]
fn rows_as_table_csv_and_json() {
    let project = made();
    assert_seen!(&project, &["show", "bronze.events", "-n", "2"], @r"
    exit 0
     _batch   _source_file   _source_row   _ingested_at                  _malformed   id   kind   amount   at
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
          1   events/1.csv             1   [WHEN                    ]   NULL         1    a      1.10     2026-01-01T00:00:00Z
          1   events/1.csv             2   [WHEN                    ]   NULL         2    b      2.20     2026-01-01T00:00:00Z
    --- stderr
    2 of 5 rows, in no particular order; -n shows more
    ");
    assert_seen!(&project, &["query", "SELECT * FROM silver.events ORDER BY id"], @r"
    exit 0
     id   kind   amount   at                     _batch   _source_file   _source_row
    ─────────────────────────────────────────────────────────────────────────────────
      1   a        1.10   2026-01-01T00:00:00Z        1   events/1.csv             1
      2   b        2.30   2026-01-02T00:00:00Z        1   events/1.csv             3
    --- stderr
    ");
    assert_seen!(&project, &["query", "SELECT * FROM gold.\"totals@0\" ORDER BY kind", "--format", "json"], @r#"
    exit 0
    [
      {"kind": "a", "events": 1, "amount": 1.10},
      {"kind": "b", "events": 1, "amount": 2.30}
    ]
    --- stderr
    "#);
    assert_seen!(&project, &["query", "SELECT kind, amount FROM gold.totals ORDER BY kind", "--format", "csv"], @r"
    exit 0
    kind,amount
    a,1.10
    b,2.30
    --- stderr
    ");
    let runs = "SELECT \"table\", action, rows_read FROM lakesmith.runs ORDER BY rows_read DESC, \"table\"";
    assert_seen!(&project, &["query", runs], @r"
    exit 0
     table           action   rows_read
    ────────────────────────────────────
     bronze.events   append           5
     silver.events   merge            5
     gold.totals     merge            2
    --- stderr
    ");
    let ledger = "SELECT path, state, batch, \"rows\", malformed FROM lakesmith.ledger";
    assert_seen!(&project, &["query", ledger], @r"
    exit 0
     path           state   batch   rows   malformed
    ─────────────────────────────────────────────────
     events/1.csv   taken       1      5           1
    --- stderr
    ");
}

#[test]
fn rebuild_publishes_a_version_more() {
    let project = made();
    assert_seen!(&project, &["rebuild", "silver.events+", "--yes"], @r"
    exit 0
     table           action    version   rows                                      seconds
    ───────────────────────────────────────────────────────────────────────────────────────
     silver.events   rebuild         1   2 inserted, 1 superseded, 2 quarantined      [S]
     gold.totals     rebuild         1   2 inserted                                   [S]
    --- stderr
    `silver.events` refused 2 rows; see: lakesmith -C [DIR] quarantine silver.events
    run [RUN]: 2 of 2 tables written
    ");
    let versions = project.json(&["history", "silver.events"], 0)["versions"].as_array().unwrap().len();
    assert_eq!(versions, 2);
}

#[test]
fn verify() {
    let project = made();
    assert_seen!(&project, &["verify", "--deep"], @r"
    exit 0
     table           status   version   rows   made from                  remarks
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   equal          0      5                              1 file in the ledger; 1 data file hashed; 5 records of 1 landing file compared
     silver.events   equal          0      2   bronze.events to batch 1   5 events: 2 kept, 1 superseded, 2 quarantined; 2 data files hashed
     gold.totals     equal          0      2   silver.events@0            1 data file hashed
    --- stderr
    3 tables: 3 equal
    ");
    std::fs::remove_file(project.path("landing/events/1.csv")).unwrap();
    project.write(
        "layers/gold/totals.yaml",
        "from: silver.events\nsteps:\n  - group_by: { kind: kind }\n    aggregate: { n: count(*) }\n",
    );
    assert_seen!(&project, &["verify", "--deep"], @r"
    exit 0
     table           status   version   rows   made from                  remarks
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   equal          0      5                              1 file in the ledger; 1 data file hashed; 0 records of 0 landing files compared, 1 gone
     silver.events   equal          0      2   bronze.events to batch 1   5 events: 2 kept, 1 superseded, 2 quarantined; 2 data files hashed
     gold.totals     stale          0      2                              1 data file hashed
    --- stderr
    warning: `gold.totals` was not verified, it is stale: its definition has changed since its rows were computed
    hint: to bring it up to date: lakesmith -C [DIR] run +gold.totals
    3 tables: 2 equal, 1 stale
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_shows_what_is_different() {
    let project = made();
    let lake = lakesmith::delta::Lake::open(project.path("lake").to_str().unwrap(), &Default::default()).unwrap();
    for folder in ["bronze/events", "silver/events"] {
        let old = crate::lake::now(&lake, folder).await.unwrap();
        let rows = old.scan().unwrap().filter(polars::prelude::col("_source_row").neq(polars::prelude::lit(3)));
        let adds = old.table().write(rows, old.schema()).await.unwrap();
        let change =
            lakesmith::delta::Change { adds, removes: old.files().to_vec(), rearranges: true, ..Default::default() };
        old.table().commit(&old, change).await.unwrap();
    }
    assert_seen!(&project, &["verify"], @r"
    exit 1
     table           status      version   rows   made from                  remarks
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   different         1      4                              1 file in the ledger
     silver.events   different         1      1   bronze.events to batch 1   4 events: 2 kept, 2 quarantined
     gold.totals     equal             0      2   silver.events@0            behind by 1 version of silver.events

    silver.events: as it is → what its inputs give
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               1       2       1         0         0

     sum of   difference
    ─────────────────────
     amount        +2.20

    added:
     id   kind   amount   at
    ───────────────────────────────────────────
      2   b        2.20   2026-01-01T00:00:00Z
    --- stderr
    error: `bronze.events` is not what the ledger says: 1 file
      events/1.csv: 1 missing, the first being record 3 of 5; records in batch 1: 5 by the ledger, 4 in bronze
    hint: what wrote to it: lakesmith -C [DIR] history bronze.events
    error: `silver.events` is not what its inputs give
    hint: what wrote to it: lakesmith -C [DIR] history silver.events; whether a data file is damaged: lakesmith -C [DIR] verify --deep +silver.events; to make it anew: lakesmith -C [DIR] rebuild silver.events+
    3 tables: 1 equal, 2 different
    ");
}
