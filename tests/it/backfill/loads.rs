//! Tables that are loaded by ranges.

use lakesmith::report::Action;

use super::{Asked, backfill, carry_out, lake, of, rebuild, run, sound, statuses};
use crate::lake::{now, rows};
use crate::support::Project;

const JANUARY: Asked<'_> = Asked { select: "bronze.events+", from: "2026-01-01", to: "2026-02-01", chunk: Some("2w") };
const COLUMNS: [&str; 7] = ["id", "kind", "amount", "at", "_batch", "_source_file", "_source_row"];
const QUARANTINE: [&str; 4] = ["_batch", "_source_file", "_source_row", "_row"];

/// Events of two months; some keys have events in both, some events are refused.
fn history() -> Project {
    let project = Project::small();
    project.write(
        "landing/events/1.csv",
        "id,kind,amount,at
1,a,1.00,2026-01-03T00:00:00Z
2,a,2.00,2026-01-20T00:00:00Z
3,a,3.00,2026-01-20T00:00:00Z
3,b,3.50,2026-02-20T00:00:00Z
4,a,?,2026-01-05T00:00:00Z
4,b,4.00,2026-02-05T00:00:00Z
5,b,?,2026-02-05T00:00:00Z
6,b,6.00,2026-02-05T00:00:00Z
7,b,7.00,
,b,8.00,2026-01-05T00:00:00Z
",
    );
    project
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_completes_a_table_that_was_loaded_by_ranges() {
    let project = history();
    let (root, lake) = (project.root(), lake(&project));
    let report = sound(carry_out(root, &lake, JANUARY, true).await);
    let silver = of(&report, "silver.events");
    assert_eq!((silver.action, statuses(silver)), (Action::Backfill, vec!["succeeded", "succeeded", "unchanged"]));
    let ids = |rows: Vec<Vec<String>>| rows.into_iter().map(|row| row[0].clone()).collect::<String>();
    // 3 and 4 come along with events of February, for those are their latest.
    assert_eq!(ids(rows(&lake, "silver/events", &COLUMNS).await), "1234");
    assert_eq!(rows(&lake, "quarantine/events", &QUARANTINE).await.len(), 2);
    let loaded = now(&lake, "silver/events").await.unwrap();
    assert_eq!(loaded.property("lakesmith.mixed"), Some("true"));
    assert_eq!(rows(&lake, "gold/totals", &["kind", "events"]).await, [["a", "2"], ["b", "2"]]);

    // More arrives before the rest is asked for.
    project.write("landing/events/2.csv", "id,kind,amount,at\n1,c,1.10,2026-01-04T00:00:00Z\n");
    let february = Asked { from: "2026-02-01", to: "2026-03-01", chunk: None, ..JANUARY };
    sound(carry_out(root, &lake, february, true).await);
    assert_eq!(ids(rows(&lake, "silver/events", &COLUMNS).await), "12346");

    let report = sound(run(root, &lake, "bronze.events+").await);
    let silver = of(&report, "silver.events");
    assert_eq!((silver.action, silver.rows.read, silver.rows.inserted), (Action::Merge, 11, 1), "{silver:?}");
    let complete = now(&lake, "silver/events").await.unwrap();
    assert_eq!(complete.property("lakesmith.mixed"), Some("false"));
    let found = [rows(&lake, "silver/events", &COLUMNS).await, rows(&lake, "quarantine/events", &QUARANTINE).await];
    sound(rebuild(root, &lake, "silver.events").await);
    let anew = [rows(&lake, "silver/events", &COLUMNS).await, rows(&lake, "quarantine/events", &QUARANTINE).await];
    assert_eq!(found, anew);
    assert_eq!(found[0].len(), 6);

    // What is complete is run, not loaded.
    let report = sound(carry_out(root, &lake, JANUARY, true).await);
    assert!(of(&report, "silver.events").chunks.is_empty(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_two_definitions_stay_mixed_until_a_rebuild() {
    let project = history();
    let (root, lake) = (project.root(), lake(&project));
    sound(carry_out(root, &lake, JANUARY, true).await);
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write("layers/silver/events.yaml", format!("{silver}steps:\n  - derive: {{ kind: upper(kind) }}\n"));
    let february = Asked { select: "silver.events", from: "2026-02-01", to: "2026-03-01", chunk: None };
    sound(backfill(root, &lake, february).await);
    sound(run(root, &lake, "silver.events").await);
    let mixed = now(&lake, "silver/events").await.unwrap();
    assert_eq!(mixed.property("lakesmith.mixed"), Some("true"));
    sound(rebuild(root, &lake, "silver.events").await);
    let anew = now(&lake, "silver/events").await.unwrap();
    assert_eq!(anew.property("lakesmith.mixed"), Some("false"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_key_is_not_loaded_by_ranges() {
    let project = history();
    project.write(
        "layers/silver/events.yaml",
        "from: bronze.events\ncontract: schemas/events.odcs.yaml\nevent_time: at\n",
    );
    let (root, lake) = (project.root(), lake(&project));
    let report = carry_out(root, &lake, JANUARY, true).await;
    let error = of(&report, "silver.events").error.clone().unwrap();
    assert!(error.contains("no key") && error.contains("lakesmith run silver.events"), "{error}");
    assert!(now(&lake, "silver/events").await.is_none());
    sound(run(root, &lake, "silver.events").await);
    let report = sound(backfill(root, &lake, Asked { select: "silver.events", ..JANUARY }).await);
    assert_eq!(statuses(of(&report, "silver.events")), ["unchanged"; 3]);
}
