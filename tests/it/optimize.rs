//! Files that were rearranged: what reads them goes on as if nothing had happened.

use std::collections::BTreeMap;

use lakesmith::delta::{self, Lake};
use serde_json::json;

use crate::support::{Project, table};

fn lake(project: &Project) -> Lake {
    Lake::open(project.path("lake").to_str().unwrap(), &BTreeMap::new()).unwrap()
}

/// One event each of `kinds` many kinds.
fn events(first_id: usize, kinds: usize) -> String {
    let rows = (first_id..first_id + kinds).map(|id| format!("{id},k{},1.00,2026-01-01T00:00:00Z\n", id % kinds));
    ["id,kind,amount,at\n".to_owned()].into_iter().chain(rows).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn gold_stays_incremental_when_its_input_was_compacted_between_two_runs() {
    let project = Project::small();
    for file in 0..2 {
        project.write(&format!("landing/events/{file}.csv"), events(100 * file, 20));
        project.run(0);
    }
    let silver = lake(&project).table("silver/events");
    let before = silver.snapshot().await.unwrap().unwrap();
    assert_eq!(before.files().len(), 2);
    delta::compact(&before, serde_json::Map::new()).await.unwrap().unwrap();
    for file in before.files() {
        std::fs::remove_file(project.path("lake/silver/events").join(file.path())).unwrap();
    }

    project.write("landing/events/9.csv", "id,kind,amount,at\n900,k3,1.00,2026-01-01T00:00:00Z\n");
    let report = project.run(0);
    let gold = table(&report, "gold.totals");
    assert_eq!(gold["note"], "new in `silver.events`; incremental: 1 of 20 groups");
    assert_eq!(gold["rows"]["updated"], 1);
    let totals = project.query("SELECT events, count(*) AS kinds FROM gold.totals GROUP BY events ORDER BY events");
    assert_eq!(totals, [json!({ "events": 2, "kinds": 19 }), json!({ "events": 3, "kinds": 1 })]);
}
