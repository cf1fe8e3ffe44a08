//! What people see of the commands that keep old versions and of the one that lets them go.

use super::{made, seen};

#[test]
fn pins_are_set_listed_and_taken() {
    let project = made();
    assert_seen!(&project, &["pin"], @r"
    exit 0
    --- stderr
    no pins; to set one: lakesmith -C [DIR] pin TABLE@VERSION --as NAME
    ");
    assert_seen!(&project, &["pin", "silver.events@0", "--as", "first-load"], @r"
    exit 0
    silver.events@0 is now silver.events@first-load
    --- stderr
    ");
    assert_seen!(&project, &["pin", "silver.events@0", "--as", "first-load"], @r"
    exit 0
    silver.events@0 was already silver.events@first-load
    --- stderr
    ");
    assert_seen!(&project, &["pin"], @r"
    exit 0
     table           version   name         pinned at (UTC)
    ────────────────────────────────────────────────────────────
     silver.events         0   first-load   [WHEN             ]
    --- stderr
    ");
    assert_seen!(&project, &["status", "silver.events"], @r"
    exit 0
     table           version   rows   changed   behind   quarantined   remarks
    ───────────────────────────────────────────────────────────────────────────────────────────
     silver.events         1      2  [AGO]                        2   pinned: 0 as first-load
    --- stderr
    ");
    let history = project.lakesmith(&["history", "silver.events"]).stdout;
    assert!(history.contains("merge; pinned as first-load"), "{history}");
    assert_seen!(&project, &["unpin", "silver.events", "first-load"], @r"
    exit 0
    silver.events@0 is no longer silver.events@first-load
    --- stderr
    ");
}

#[test]
fn vacuum_shows_what_it_deletes_and_what_it_keeps() {
    let project = made();
    project.json(&["pin", "gold.totals@0", "--as", "first"], 0);
    for _ in 0..2 {
        project.json(&["rebuild", "silver.events+", "--yes"], 0);
    }
    assert_seen!(&project, &["vacuum"], @r"
    exit 0
     table               files deleted   bytes   readable   kept besides   left alone
    ──────────────────────────────────────────────────────────────────────────────────
     bronze.events                   0       0          0
     silver.events                   0       0        0–2
     quarantine.events               0       0        0–2
     gold.totals                     0       0        0–3
     lakesmith.ledger                0       0          0
     lakesmith.runs                  0       0        0–3
    --- stderr
    nothing to delete
    ");
    let forced = ["vacuum", "gold", "--retain", "0s", "--force"];
    assert_seen!(&project, &[&forced[..], &["--dry-run"]].concat(), @r"
    exit 0
     table         files to delete   bytes   readable   kept besides    left alone
    ───────────────────────────────────────────────────────────────────────────────
     gold.totals                 1     613          3   0 (pin first)
    --- stderr
    a vacuum would delete 1 file, 613 bytes
    ");
    assert_seen!(&project, &forced, @r"
    exit 2
    --- stderr
    error: a vacuum deletes files for good, and there is nobody here to ask
    hint: say --yes; --dry-run shows what it would delete
    ");
    assert_seen!(&project, &[&forced[..], &["--yes"]].concat(), @r"
    exit 0
     table         files deleted   bytes   readable   kept besides    left alone
    ─────────────────────────────────────────────────────────────────────────────
     gold.totals               1     613          3   0 (pin first)
    --- stderr
    deleted 1 file, 613 bytes
    ");
    assert_seen!(&project, &["vacuum", "gold", "--retain", "1d"], @r"
    exit 2
    --- stderr
    error: --retain keeps the old versions of `gold.totals` for less than 7 days: someone may still read one, or want it back. Say --force if that is meant, or pin what is to stay
    ");
}
