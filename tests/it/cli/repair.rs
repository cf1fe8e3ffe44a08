//! What people see of `repair`.

use super::{made, seen};

#[test]
fn a_log_is_looked_at_and_mended() {
    let project = made();
    assert_seen!(&project, &["repair", "silver.events"], @r"
    exit 0
    the log of `silver.events` is sound; it is at version 0
    --- stderr
    ");
    project.write("lake/silver/events/_delta_log/00000000000000000000.json", "");
    assert_seen!(&project, &["repair", "silver.events", "--dry-run"], @r"
    exit 0
    _delta_log/00000000000000000000.json is empty
      to do: it is put aside; the table is not made then
    next: `lakesmith run` does again what the commit did
    `silver.events` would be mended
    --- stderr
    ");
    assert_seen!(&project, &["repair", "silver.events"], @r"
    exit 2
    _delta_log/00000000000000000000.json is empty
      to do: it is put aside; the table is not made then
    next: `lakesmith run` does again what the commit did
    `silver.events` would be mended
    --- stderr
    error: a repair that takes back what a commit did cannot be undone, and there is nobody here to ask
    hint: say --yes
    ");
    assert_seen!(&project, &["repair", "silver.events", "--yes"], @r"
    exit 0
    _delta_log/00000000000000000000.json is empty
      done: it is put aside; the table is not made then
    next: `lakesmith run` does again what the commit did
    `silver.events` is mended: it is to be made anew
    --- stderr
    ");
    assert_seen!(&project, &["repair", "orders"], @r"
    exit 2
    --- stderr
    error: there is no table `orders`
    hint: tables are bronze.events, silver.events, gold.totals
    ");
}
