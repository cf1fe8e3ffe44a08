use std::time::Duration;

use super::*;

fn source(changed_files: ChangedFiles, same_content: SameContent) -> Source {
    let settle = Duration::from_secs(10);
    Source {
        path: "*.csv".into(),
        format: Format::Ndjson,
        changed_files,
        same_content,
        settle,
        limits: Limits::default(),
    }
}

fn file(mtime_s: i64) -> FileStat {
    FileStat { path: "a.csv".into(), size: 3, mtime_ns: mtime_s * 1_000_000_000, etag: None }
}

fn entry(state: FileState, hash: &str) -> LedgerEntry {
    LedgerEntry {
        entry: 1,
        path: "a.csv".into(),
        size: 3,
        mtime_ns: 5_000_000_000,
        etag: None,
        blake3: Some(hash.into()),
        batch: (state == FileState::Taken).then_some(1),
        rows: None,
        malformed: None,
        state,
        reason: Some("why".into()),
        read_as: (state == FileState::SetAside).then(|| read_as(&source(ChangedFiles::Reject, SameContent::Take))),
    }
}

fn judged(entries: Vec<LedgerEntry>, mtime_s: i64, same_content: SameContent) -> Verdict {
    let now = DateTime::from_timestamp(100, 0).unwrap();
    judge(&file(mtime_s), &Ledger::new(entries), &source(ChangedFiles::Reject, same_content), now)
}

#[test]
fn a_new_file_is_taken_once_it_has_settled() {
    assert_eq!(judged(vec![], 50, SameContent::Take), Verdict::Take);
    assert_eq!(judged(vec![], 50, SameContent::Skip), Verdict::Hash);
    assert!(matches!(judged(vec![], 95, SameContent::Take), Verdict::Left(_)));
}

#[test]
fn a_known_stat_needs_no_bytes() {
    assert_eq!(judged(vec![entry(FileState::Taken, "x")], 5, SameContent::Take), Verdict::Known);
    let aside = judged(vec![entry(FileState::SetAside, "x")], 5, SameContent::Take);
    assert_eq!(aside, Verdict::StillAside("why".into()));
    assert_eq!(judged(vec![entry(FileState::Taken, "x")], 6, SameContent::Take), Verdict::Hash);
}

#[test]
fn a_touch_is_no_change_and_other_bytes_follow_the_policy() {
    let ledger = Ledger::new(vec![entry(FileState::Taken, "x")]);
    let compared = |hash, changed| compare(&file(6), hash, &ledger, &source(changed, SameContent::Take));
    assert_eq!(compared("x", ChangedFiles::Reject), Verdict::Known);
    assert!(matches!(compared("y", ChangedFiles::Reject), Verdict::SetAside(_)));
    assert_eq!(compared("y", ChangedFiles::NewVersion), Verdict::Take);
}

#[test]
fn a_rejected_change_that_is_taken_back_is_known_again() {
    let rejected = LedgerEntry { entry: 2, mtime_ns: 6_000_000_000, ..entry(FileState::SetAside, "y") };
    let ledger = Ledger::new(vec![entry(FileState::Taken, "x"), rejected]);
    let compared = |hash| compare(&file(7), hash, &ledger, &source(ChangedFiles::Reject, SameContent::Take));
    assert_eq!(compared("x"), Verdict::Known);
    assert_eq!(compared("y"), Verdict::StillAside("why".into()));
}

#[test]
fn the_same_bytes_under_another_name_can_be_skipped() {
    let other = LedgerEntry { path: "b.csv".into(), ..entry(FileState::Taken, "x") };
    let ledger = Ledger::new(vec![other]);
    let compared = |same| compare(&file(6), "x", &ledger, &source(ChangedFiles::Reject, same));
    assert_eq!(compared(SameContent::Skip), Verdict::Skip);
    assert_eq!(compared(SameContent::Take), Verdict::Take);
}

#[test]
fn what_was_set_aside_is_tried_again_when_it_would_be_read_otherwise() {
    let ledger = Ledger::new(vec![entry(FileState::SetAside, "x")]);
    let now = DateTime::from_timestamp(100, 0).unwrap();
    let mut other = source(ChangedFiles::Reject, SameContent::Take);
    assert_eq!(judge(&file(5), &ledger, &other, now), Verdict::StillAside("why".into()));
    other.format = Format::Parquet;
    assert_eq!(judge(&file(5), &ledger, &other, now), Verdict::Hash);
    assert_eq!(compare(&file(5), "x", &ledger, &other), Verdict::Take);
}

#[test]
fn a_rejected_change_is_taken_once_changes_are_new_versions() {
    let rejected = LedgerEntry { entry: 2, mtime_ns: 6_000_000_000, ..entry(FileState::SetAside, "y") };
    let ledger = Ledger::new(vec![entry(FileState::Taken, "x"), rejected]);
    let now = DateTime::from_timestamp(100, 0).unwrap();
    let source = source(ChangedFiles::NewVersion, SameContent::Take);
    assert_eq!(judge(&file(6), &ledger, &source, now), Verdict::Hash);
    assert_eq!(compare(&file(6), "y", &ledger, &source), Verdict::Take);
}

#[test]
fn bytes_that_could_not_be_read_are_looked_at_each_time_and_noted_once() {
    let unread = LedgerEntry { blake3: None, ..entry(FileState::SetAside, "") };
    let ledger = Ledger::new(vec![unread]);
    let source = source(ChangedFiles::Reject, SameContent::Take);
    let now = DateTime::from_timestamp(100, 0).unwrap();
    assert_eq!(judge(&file(5), &ledger, &source, now), Verdict::Hash);
    assert_eq!(unreadable(&file(5), "no".into(), &ledger), Verdict::StillAside("no".into()));
    assert_eq!(unreadable(&file(5), "no".into(), &Ledger::default()), Verdict::SetAside("no".into()));
    assert_eq!(compare(&file(5), "x", &ledger, &source), Verdict::Take);
}

#[test]
fn a_file_that_was_taken_with_unknown_bytes_is_not_taken_twice_unsaid() {
    let ledger = Ledger::new(vec![LedgerEntry { blake3: None, ..entry(FileState::Taken, "") }]);
    let compared = |changed| compare(&file(6), "x", &ledger, &source(changed, SameContent::Take));
    assert!(matches!(compared(ChangedFiles::Reject), Verdict::SetAside(_)));
    assert_eq!(compared(ChangedFiles::NewVersion), Verdict::Take);
}

#[test]
fn a_mended_file_with_the_bytes_of_another_is_skipped() {
    let other = LedgerEntry { path: "b.csv".into(), ..entry(FileState::Taken, "x") };
    let ledger = Ledger::new(vec![other, LedgerEntry { entry: 2, ..entry(FileState::SetAside, "cut off") }]);
    let compared = compare(&file(6), "x", &ledger, &source(ChangedFiles::Reject, SameContent::Skip));
    assert_eq!(compared, Verdict::Skip);
}

#[test]
fn a_lost_batch_takes_what_was_said_since_and_nothing_of_other_files() {
    let line = |path: &str, state, batch| LedgerEntry { path: path.into(), batch, ..entry(state, "x") };
    let (taken, lost, touched) = (FileState::Taken, FileState::Lost, FileState::Touched);
    let lines = vec![
        line("a", taken, Some(1)),
        line("b", taken, Some(2)),
        line("a", taken, Some(2)),
        line("a", touched, None),
        line("b", touched, None),
        line("a", lost, Some(2)),
        // said twice, and of a batch that nobody knows
        line("a", lost, Some(2)),
        line("c", lost, Some(2)),
        line("a", taken, Some(3)),
    ];
    let hold: Vec<_> = that_hold(lines).into_iter().map(|line| (line.path, line.state, line.batch)).collect();
    let expected = [("a", taken, Some(1)), ("b", taken, Some(2)), ("b", touched, None), ("a", taken, Some(3))];
    assert_eq!(hold, expected.map(|(path, state, batch)| (path.to_owned(), state, batch)));
}
