//! Tables made from tables, and what follows a backfill.

use lakesmith::report::Action;

use super::{Asked, backfill, lake, of, run, sound, statuses};
use crate::lake::{now, rows};
use crate::support::Project;

const JANUARY: Asked<'_> = Asked { select: "gold.days", from: "2026-01-01", to: "2026-02-01", chunk: None };

/// Sums of days.
fn days(key: &str, factor: u32) -> String {
    match key {
        // one row per day
        "day" => format!(
            "from: silver.events\nevent_time: day\nsteps:\n  - group_by: {{ day: \"cast(at as date)\" }}\n    \
             aggregate: {{ amount: sum(amount * {factor}), events: count(*) }}\n"
        ),
        // the range is not to be told by the key
        "kind" => format!(
            "from: silver.events\nevent_time: day\nsteps:\n  - group_by: [kind]\n    \
             aggregate: {{ day: max(at), amount: sum(amount * {factor}) }}\n"
        ),
        // rows as they come
        _ => format!(
            "from: silver.events\nevent_time: day\nsteps:\n  - select: {{ kind: kind, day: at, amount: amount * {factor} }}\n"
        ),
    }
}

async fn made(key: &str) -> Project {
    let project = Project::small();
    project.write(
        "landing/events/1.csv",
        "id,kind,amount,at
1,a,1.00,2025-12-31T12:00:00Z
2,b,2.00,2026-01-01T00:00:00Z
3,b,3.00,2026-01-31T23:59:59Z
4,c,4.00,2026-02-01T00:00:00Z
5,c,4.00,2026-02-01T00:00:00Z
",
    );
    project.write("layers/gold/days.yaml", days(key, 1));
    sound(run(project.root(), &lake(&project), "bronze.events+").await);
    project
}

async fn amounts(project: &Project) -> Vec<String> {
    rows(&lake(project), "gold/days", &["amount"]).await.into_iter().map(|row| row[0].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_a_derived_table_becomes_that_of_its_definition() {
    for (key, expected) in [
        ("day", ["1.00", "10.00", "15.00", "8.00"].as_slice()),
        ("kind", &["1.00", "25.00", "8.00"]),
        ("", &["1.00", "10.00", "15.00", "4.00", "4.00"]),
    ] {
        let project = made(key).await;
        let (root, lake) = (project.root(), lake(&project));
        let version = now(&lake, "gold/days").await.unwrap().version();
        let same = sound(backfill(root, &lake, JANUARY).await);
        assert_eq!(statuses(of(&same, "gold.days")), ["unchanged"]);
        assert_eq!(now(&lake, "gold/days").await.unwrap().version(), version);

        // What silver has got since the table was made from it does not count.
        project.write("landing/events/2.csv", "id,kind,amount,at\n9,z,9.00,2026-01-15T00:00:00Z\n");
        sound(run(root, &lake, "+silver.events").await);
        project.write("layers/gold/days.yaml", days(key, 5));
        sound(backfill(root, &lake, JANUARY).await);
        let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(amounts(&project).await, expected, "{key}");
        assert_eq!(now(&lake, "gold/days").await.unwrap().property("lakesmith.mixed"), Some("true"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_below_follow() {
    let project = made("day").await;
    let (root, lake) = (project.root(), lake(&project));
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    project.write(
        "layers/silver/events.yaml",
        format!("{silver}steps:\n  - derive: {{ amount: \"cast(amount * 100 as decimal(12,2))\" }}\n"),
    );
    let report = sound(backfill(root, &lake, Asked { select: "silver.events+", ..JANUARY }).await);
    assert_eq!(of(&report, "silver.events").rows.updated, 2, "{report:#?}");
    let gold = of(&report, "gold.days");
    assert_eq!((gold.action, gold.chunks.len(), gold.rows.updated), (Action::Merge, 0, 2));
    assert_eq!(amounts(&project).await, ["1.00", "200.00", "300.00", "8.00"]);
    assert_eq!(rows(&lake, "gold/totals", &["kind", "amount"]).await, [["a", "1.00"], ["b", "500.00"], ["c", "8.00"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_below_whose_definition_changed_is_backfilled_and_then_follows() {
    let project = made("day").await;
    let (root, lake) = (project.root(), lake(&project));
    sound(run(root, &lake, "silver.events").await);
    project.write("layers/gold/days.yaml", days("day", 5));
    let report = sound(backfill(root, &lake, Asked { select: "silver.events gold.days", ..JANUARY }).await);
    assert_eq!(statuses(of(&report, "gold.days")), ["succeeded"]);
    assert_eq!(amounts(&project).await, ["1.00", "10.00", "15.00", "8.00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_derived_table_is_not_loaded_by_ranges() {
    let project = made("day").await;
    std::fs::remove_dir_all(project.path("lake/gold/days")).unwrap();
    let report = backfill(project.root(), &lake(&project), JANUARY).await;
    let error = of(&report, "gold.days").error.clone().unwrap();
    assert!(error.contains("lakesmith run gold.days"), "{error}");
}
