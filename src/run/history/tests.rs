use std::collections::BTreeMap;

use super::past::newest;
use super::*;
use crate::report::PastRun;

/// Columns that the first version of the table had.
const FIRST_COLUMNS: usize = 19;

struct Disk {
    dir: tempfile::TempDir,
    lake: Lake,
}

impl Disk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open(dir.path().to_str().unwrap(), &BTreeMap::new()).unwrap();
        Disk { dir, lake }
    }

    async fn snapshot(&self) -> Snapshot {
        self.lake.table(RUNS).snapshot().await.unwrap().unwrap()
    }

    async fn runs(&self, wanted: WantedRuns) -> Result<Vec<PastRun>> {
        newest(self.snapshot().await, &wanted).await
    }
}

fn author(second: i64) -> Author {
    let started_at = DateTime::from_timestamp(1_760_000_000 + second, 0).unwrap();
    Author { run_id: format!("{:012x}", started_at.timestamp_millis()), started_at, command: "run" }
}

fn line(table: &str, error: Option<&str>) -> Line {
    let report = match error {
        Some(error) => TableReport::failed(table.parse().unwrap(), Action::Merge, None, error),
        None => TableReport {
            status: Status::Succeeded,
            action: Action::Append,
            rows: RowCounts { read: 3, inserted: 2, quarantined: 1, ..RowCounts::default() },
            ..TableReport::unchanged(table.parse().unwrap(), Some(4), "why")
        },
    };
    Line::from(&report)
}

fn ids(runs: &[PastRun]) -> Vec<&str> {
    runs.iter().map(|run| run.run_id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_fewer_columns_is_read_and_widened_and_one_of_more_is_kept() {
    let disk = Disk::new();
    let table = disk.lake.table(RUNS);
    let mut old = schema();
    old.columns.truncate(FIRST_COLUMNS);
    assert_eq!(old.columns.last().unwrap().name, "rows_deleted");
    old.columns.push(Col::new("of_a_later_version", Type::String));
    let names: Vec<_> = old.columns.iter().map(|column| polars::prelude::col(column.name.as_str())).collect();
    let first = frame(&author(0), vec![(line("silver.a", None), Commits::default())]).unwrap().lazy();
    let first = first.with_column(lit("x").alias("of_a_later_version")).select(names);
    let adds = table.write(first, &old).await.unwrap();
    table.create(&old, Change { adds, ..Change::default() }).await.unwrap();

    let wanted = || WantedRuns { limit: 9, ..WantedRuns::default() };
    let before = disk.runs(wanted()).await.unwrap();
    assert_eq!((before.len(), before[0].command.as_deref(), before[0].peak_memory_bytes), (1, None, None));
    assert_eq!(before[0].tables[0].rows.quarantined, 1);

    record(&disk.lake, author(1), [line("silver.a", Some("no"))].into_iter()).await;
    let after = disk.runs(wanted()).await.unwrap();
    assert_eq!(after[1..], before[..]);
    assert_eq!((after[0].command.as_deref(), after[0].is_failed()), (Some("run"), true));
    let snapshot = disk.snapshot().await;
    let columns: Vec<_> = snapshot.schema().columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns.len(), schema().columns.len() + 1, "{columns:?}");
    assert_eq!(columns[FIRST_COLUMNS], "of_a_later_version");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_runs_are_told_without_reading_the_others() {
    let disk = Disk::new();
    for second in 0..40 {
        let bad = (second % 10 == 0).then_some("no");
        record(&disk.lake, author(second), [line("silver.a", None), line("gold.b", bad)].into_iter()).await;
    }
    let of = |limit| WantedRuns { limit, ..WantedRuns::default() };
    let all = disk.runs(of(100)).await.unwrap();
    assert_eq!(all.len(), 40);
    assert!(all.is_sorted_by(|a, b| a.started_at > b.started_at));
    assert_eq!(all[0].tables.len(), 2);

    let failed = disk.runs(WantedRuns { failed: true, ..of(100) }).await.unwrap();
    assert_eq!(ids(&failed), [30, 20, 10, 0].map(|n| author(n).run_id));
    let table = disk.runs(WantedRuns { failed: true, table: Some("silver.a".into()), ..of(100) }).await.unwrap();
    assert_eq!(table, []);
    let since = disk.runs(WantedRuns { since: Some(author(37).started_at), ..of(100) }).await.unwrap();
    assert_eq!(ids(&since), [39, 38, 37].map(|n| author(n).run_id));
    let one = disk.runs(WantedRuns { run_id: Some(author(7).run_id), ..of(2) }).await.unwrap();
    assert_eq!(ids(&one), [author(7).run_id]);

    let snapshot = disk.snapshot().await;
    for file in &snapshot.files()[..20] {
        std::fs::remove_file(disk.dir.path().join(RUNS).join(file.path())).unwrap();
    }
    assert_eq!(disk.runs(of(10)).await.unwrap(), all[..10]);
    assert!(disk.runs(of(100)).await.is_err(), "the files that were deleted hold the others");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_history_are_few_and_small() {
    let disk = Disk::new();
    for second in 0..=i64::try_from(optimize::MANY_FILES).unwrap() {
        record(&disk.lake, author(second), [line("silver.a", None)].into_iter()).await;
    }
    assert!(disk.snapshot().await.files().len() < 5);
    let runs = disk.runs(WantedRuns { limit: 100, ..WantedRuns::default() }).await.unwrap();
    assert_eq!(runs.len(), optimize::MANY_FILES + 1);
}
