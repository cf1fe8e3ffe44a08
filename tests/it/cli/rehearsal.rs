//! What people see of a dry run.

use super::{made, mixed, seen};
use crate::support::Project;

const MENDED: &str = "from: bronze.events
contract: schemas/events.odcs.yaml
key: [id]
latest_by: [at]
event_time: at
steps:
  - where: kind <> 'a'
  - derive: { amount: amount * 2 }
";

fn mended() -> Project {
    let project = made();
    project.write("layers/silver/events.yaml", MENDED);
    project
}

#[test]
fn a_dry_run_of_a_rebuild() {
    assert_seen!(&mended(), &["rebuild", "silver.events+", "--dry-run"], @r"
    exit 0
     table           action    version   rows                                                  seconds
    ───────────────────────────────────────────────────────────────────────────────────────────────────
     silver.events   rebuild         0   1 inserted, 1 superseded, 1 filtered, 2 quarantined      [S]
     gold.totals     rebuild         0   1 inserted                                               [S]

    silver.events: version 0 ([WHEN             ]) → not published, by id
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               2       1       0         1         1

     column   changed
    ──────────────────
     amount         1

     sum of   before   after   difference
    ──────────────────────────────────────
     amount     3.40    4.60        +1.20

    changed:
     id   column   before   after
    ──────────────────────────────
      2   amount   2.30     [S]

    removed:
     id   kind   amount   at
    ───────────────────────────────────────────
      1   a        1.10   2026-01-01T00:00:00Z

    gold.totals: version 0 ([WHEN             ]) → not published, by kind
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               2       1       0         1         1

     column   changed
    ──────────────────
     amount         1

     sum of   before   after   difference
    ──────────────────────────────────────
     events        2       1           -1
     amount     3.40    4.60        +1.20

    changed:
     kind   column   before   after
    ────────────────────────────────
     b      amount   2.30     [S]

    removed:
     kind   events   amount
    ────────────────────────
     a           1     [S]
    --- stderr
    dry run: 2 of 2 tables would be written; nothing was published
    ");
}

#[test]
fn a_plan_with_what_it_would_change() {
    let project = mixed();
    assert_seen!(&project, &["plan", "--diff"], @r"
    exit 1
     table           action         rows   why
    ─────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append                2 new files
     silver.events   merge                 `bronze.events` is about to change
     gold.totals     merge (full)          `silver.events` is about to change; there is no table yet

    bronze.events takes in:
      events/1.csv
      events/broken.csv

     table           action   version   rows                                       seconds
    ───────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append             5 inserted from 1 file, 1 file set aside      [S]
     silver.events   merge              2 inserted, 1 superseded, 2 quarantined       [S]
     gold.totals     merge              2 inserted                                    [S]

    silver.events: not there → not published, by id
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               0       2       2         0         0

     sum of   before   after   difference
    ──────────────────────────────────────
     amount     0.00    3.40        +3.40

    added:
     id   kind   amount   at
    ───────────────────────────────────────────
      1   a        1.10   2026-01-01T00:00:00Z
      2   b        2.30   2026-01-02T00:00:00Z

    quarantine: 0 → 2 rows

    gold.totals: not there → not published, by kind
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               0       2       2         0         0

     sum of   before   after   difference
    ──────────────────────────────────────
     events        0       2           +2
     amount     0.00    3.40        +3.40

    added:
     kind   events   amount
    ────────────────────────
     a           1     [S]
     b           1     [S]
    --- stderr
    error: `bronze.events`: 1 file is set aside
      events/broken.csv: the header is no text in the file's encoding; is `csv.encoding` right?
    hint: mend or remove what is set aside, or settle it: lakesmith -C [DIR] files --ignore events/broken.csv
    dry run: 3 of 3 tables would be written; nothing was published
    ");
}

#[test]
fn what_the_guard_would_stop_is_a_warning() {
    let project = made();
    project.write("layers/silver/events.yaml", MENDED.replace("kind <> 'a'", "kind = 'z'"));
    assert_seen!(&project, &["rebuild", "silver.events", "--dry-run"], @r"
    exit 3
     table           action    version   rows                        seconds
    ─────────────────────────────────────────────────────────────────────────
     silver.events   rebuild         0   3 filtered, 2 quarantined      [S]

    silver.events: version 0 ([WHEN             ]) → not published, by id
     rows before   after   added   removed   changed
    ─────────────────────────────────────────────────
               2       0       0         2         0

     sum of   before   after   difference
    ──────────────────────────────────────
     amount     3.40    0.00        -3.40

    removed:
     id   kind   amount   at
    ───────────────────────────────────────────
      1   a        1.10   2026-01-01T00:00:00Z
      2   b        2.30   2026-01-02T00:00:00Z
    --- stderr
    warning: `silver.events`: the guard would stop it: of its 2 rows 0 would be left, and no table may become empty (`guard:` in the project or the table's file); to do it all the same: --yes
    dry run: 1 of 1 table would be written; nothing was published
    ");
}
