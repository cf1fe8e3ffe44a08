//! A backfill that dies or is undone half-way.

use serde_json::Value;

use super::{Asked, backfill, lake, of, rebuild, run, sound, statuses};
use crate::faulty::{Death, Faulty};
use crate::lake::{let_claims_expire, now, rows};
use crate::support::Project;

const FOUR_DAYS: Asked<'_> = Asked { select: "silver.events", from: "2026-01-01", to: "2026-01-05", chunk: Some("1d") };
const COLUMNS: [&str; 4] = ["id", "kind", "amount", "at"];
const QUARANTINE: [&str; 4] = ["_batch", "_source_file", "_source_row", "_row"];

/// Events of four days, some of them refused, and then another definition.
async fn changed() -> Project {
    let project = Project::small();
    let day = |day: i64| format!("{day},k,{day}.00,2026-01-0{day}T06:00:00Z\n1{day},k,?,2026-01-0{day}T06:00:00Z\n");
    project.write("landing/events/1.csv", format!("id,kind,amount,at\n{}", (1..=4).map(day).collect::<String>()));
    sound(run(project.root(), &lake(&project), "bronze.events+").await);
    redefine(&project, "upper(kind)");
    project
}

fn redefine(project: &Project, kind: &str) {
    let silver = std::fs::read_to_string(project.path("layers/silver/events.yaml")).unwrap();
    let silver = silver.split("steps:").next().unwrap().to_owned();
    project.write("layers/silver/events.yaml", format!("{silver}steps:\n  - derive: {{ kind: {kind} }}\n"));
}

async fn kinds(project: &Project) -> String {
    let rows = rows(&lake(project), "silver/events", &["id", "kind"]).await;
    rows.into_iter().map(|row| row[1].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_at_any_change_is_made_good_by_asking_again() {
    let healthy = changed().await;
    let disk = Faulty::healthy();
    sound(backfill(healthy.root(), &disk.lake(&healthy.path("lake")), FOUR_DAYS).await);
    let expected = rows(&lake(&healthy), "silver/events", &COLUMNS).await;
    let refused = rows(&lake(&healthy), "quarantine/events", &QUARANTINE).await;
    assert_eq!((expected.len(), refused.len(), kinds(&healthy).await.as_str()), (4, 4, "KKKK"));

    let mut skipped = std::collections::BTreeSet::new();
    for after in (0..disk.changes()).step_by(3) {
        let last_arrives = after % 2 == 0;
        let project = changed().await;
        let death = Death { after, last_arrives, blind: after % 4 == 0 };
        let report = backfill(project.root(), &Faulty::dying(death).lake(&project.path("lake")), FOUR_DAYS).await;
        let begun = of(&report, "silver.events").chunks.len();
        let_claims_expire(&project.path("lake"));
        let report = sound(backfill(project.root(), &lake(&project), FOUR_DAYS).await);
        let statuses = statuses(of(&report, "silver.events"));
        let done = statuses.iter().take_while(|status| **status == "skipped").count();
        assert!(statuses[done..].iter().all(|status| *status != "skipped"), "{statuses:?}");
        assert!(done <= begun, "{done} of {begun}");
        skipped.insert(done);
        assert_eq!(rows(&lake(&project), "silver/events", &COLUMNS).await, expected, "{death:?}");
        assert_eq!(rows(&lake(&project), "quarantine/events", &QUARANTINE).await, refused, "{death:?}");
    }
    assert!(skipped.len() > 2, "{skipped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_complete_is_done_anew_when_it_is_asked_for_again() {
    let project = changed().await;
    let lake = lake(&project);
    let first = sound(backfill(project.root(), &lake, FOUR_DAYS).await);
    assert_eq!(statuses(of(&first, "silver.events")), ["succeeded"; 4]);
    let again = sound(backfill(project.root(), &lake, FOUR_DAYS).await);
    assert_eq!(statuses(of(&again, "silver.events")), ["unchanged"; 4]);
    let other = Asked { chunk: Some("2d"), ..FOUR_DAYS };
    let other = sound(backfill(project.root(), &lake, other).await);
    assert_eq!(statuses(of(&other, "silver.events")), ["unchanged"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_count_as_done_until_something_may_have_undone_them() {
    type Undo = (&'static str, fn(&Project));
    let nothing: Undo = ("nothing", |_| ());
    let other_definition: Undo = ("definition", |project| redefine(project, "lower(kind)"));
    let foreign: Undo = ("foreign", foreign_write);
    let rebuilt: Undo = ("rebuild", |_| ());
    for (what, undo) in [nothing, other_definition, foreign, rebuilt] {
        let project = changed().await;
        let lake = lake(&project);
        dies_after_two(&project).await;
        undo(&project);
        if what == "rebuild" {
            sound(rebuild(project.root(), &lake, "silver.events").await);
        }
        let report = sound(backfill(project.root(), &lake, FOUR_DAYS).await);
        let statuses = statuses(of(&report, "silver.events"));
        let done = statuses.iter().filter(|status| **status == "skipped").count();
        assert_eq!(done, if what == "nothing" { 2 } else { 0 }, "{what}: {statuses:?}");
    }
}

/// The third chunk cannot be committed.
async fn dies_after_two(project: &Project) {
    let version = now(&lake(project), "silver/events").await.unwrap().version();
    let part = format!("silver/events/_delta_log/{:020}.json", version + 3);
    let disk = Faulty::refusing(Box::leak(part.into_boxed_str()));
    let report = backfill(project.root(), &disk.lake(&project.path("lake")), FOUR_DAYS).await;
    assert_eq!(statuses(of(&report, "silver.events")), ["succeeded", "succeeded", "failed"], "{report:#?}");
    let_claims_expire(&project.path("lake"));
}

/// A commit that changes rows and bears no note of ours, as another program would make it.
fn foreign_write(project: &Project) {
    let log = project.path("lake/silver/events/_delta_log");
    let last = std::fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
    let last = last.filter(|path| path.extension().is_some_and(|e| e == "json")).max().unwrap();
    let commit = std::fs::read_to_string(&last).unwrap();
    let actions: Vec<Value> = commit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The same files go and come again: rows are as they were, but nobody says so.
    let mut lines = vec![serde_json::json!({ "commitInfo": { "timestamp": 1, "operation": "WRITE" } })];
    lines.extend(actions.into_iter().filter(|action| action.get("add").is_some()));
    let number: i64 = last.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(log.join(format!("{:020}.json", number + 1)), text).unwrap();
}
