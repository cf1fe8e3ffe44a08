//! What people see of past runs.

use super::{mixed, seen};
use crate::support::Project;

macro_rules! assert_runs {
    ($project:expr, $args:expr, @$snapshot:literal) => {
        let filters = [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[RUN]"),
            (r"[0-9a-f]{8}-[0-9a-f]{4}", "[RUN        ]"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[WHEN             ]"),
            (r"(?m) +[\d.]+ s$", "   [S]"),
            (r"\d+ s ago", "[AGO]"),
            (r"[\d.]+ MB at most", "[MB] at most"),
            (r" +[\d.]+ k?B", "   [SIZE]"),
            (r"lakesmith  [\d.]+", "lakesmith  [VERSION]"),
        ];
        insta::with_settings!({ filters => filters }, {
            insta::assert_snapshot!(seen($project, $args), @$snapshot);
        });
    };
}

fn id(project: &Project) -> String {
    project.json(&["runs", "-n", "1"], 0)["runs"][0]["run_id"].as_str().unwrap().to_owned()
}

#[test]
fn runs_before_and_after_the_first() {
    let project = mixed();
    assert_runs!(&project, &["runs"], @r"
    exit 0
    --- stderr
    nothing has run yet; to begin: lakesmith -C [DIR] run
    ");
    project.run(1);
    assert_runs!(&project, &["runs"], @r"
    exit 0
     run             began (UTC)           command   status   what                                                took
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     [RUN        ]   [WHEN             ]   run       failed   bronze.events set files aside, 3 tables changed   [S]
    --- stderr
    more of one: lakesmith -C [DIR] runs [RUN        ]
    ");
    assert_runs!(&project, &["runs", "--table", "gold.nothing"], @r"
    exit 0
    --- stderr
    no such run
    ");
    assert_runs!(&project, &["runs", &id(&project)[..13]], @r"
    exit 0
    run        [RUN]
    command    run
    status     failed: bronze.events set files aside, 3 tables changed
    began      [WHEN             ] UTC, [AGO]
    took   [S]
    memory     [MB] at most
    lakesmith  [VERSION]

     table           action   version   rows                                       read   written     took
    ───────────────────────────────────────────────────────────────────────────────────────────────────────
     bronze.events   append         0   5 inserted   [SIZE]   [SIZE]   [S]
     silver.events   merge          0   2 inserted, 1 superseded, 2 quarantined   [SIZE]   [S]
     gold.totals     merge          0   2 inserted   [SIZE]   [S]

    What failed
      bronze.events: 1 file is set aside: events/broken.csv: the header is no text in the file's encoding; is `csv.encoding` right?

    Notes
      silver.events: first load
      gold.totals: first load

    Made from
      silver.events: bronze.events@0
      gold.totals: silver.events@0
    --- stderr
    rows that `silver.events` refused: lakesmith -C [DIR] quarantine silver.events
    to try again: lakesmith -C [DIR] run
    ");
    assert_runs!(&project, &["runs", "abc"], @r"
    exit 2
    --- stderr
    error: the history tells of no run `abc`
    hint: a run that changed nothing, or that was killed, is not in it; those that are: lakesmith -C [DIR] runs
    ");
    assert_runs!(&project, &["runs", "--since", "soon"], @r"
    exit 2
    --- stderr
    error: `--since soon` is no time: 7d, 36h, or write a date (2026-10-01) or a time (2026-10-01T06:00:00Z; without a zone in the project's)
    ");
}
