use super::*;

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn commit(hours: i64, adds: &[&str], removes: &[&str]) -> NamedCommit {
    NamedCommit { at: at(hours), adds: names(adds), removes: names(removes), txns: BTreeMap::new() }
}

fn stored(path: &str, hours: i64) -> Stored {
    Stored { path: path.into(), bytes: 1, modified_at: at(hours), within: true }
}

const NONE: &BTreeSet<String> = &BTreeSet::new();

fn known<'a>(commits: &'a BTreeMap<i64, NamedCommit>, needed: &[&str]) -> Known<'a> {
    let (needed, now) = (names(needed), at(1000));
    Known { needed, commits, elsewhere: NONE, partition_by: &[], spare_unnamed: false, now }
}

fn deleted(files: &[Stored], known: &Known) -> Vec<String> {
    judge(files.to_vec(), known).delete.into_iter().map(|file| file.path).collect()
}

#[test]
fn a_version_is_kept_that_was_the_newest_one_within_the_span() {
    let commits = BTreeMap::from([10, 20, 30].map(|h| (h / 10, commit(h, &[], &[]))));
    let first = |hours| first_kept(&commits, 3, at(hours));
    assert_eq!((first(31), first(30), first(29), first(20), first(19)), (3, 3, 2, 2, 1));
    assert_eq!(
        (first(10), first(9)),
        (1, 0),
        "before version 1 stood version 0, of which the log says nothing any more"
    );
    assert_eq!(first_kept(&BTreeMap::new(), 7, at(0)), 7);
}

#[test]
fn clocks_that_differ_widen_the_span() {
    let commits = BTreeMap::from([(0, 10), (1, 50), (2, 20), (3, 30)].map(|(v, h)| (v, commit(h, &[], &[]))));
    assert_eq!(first_kept(&commits, 3, at(40)), 0, "version 1 says that it came at 50");
    assert_eq!(first_kept(&commits, 3, at(50)), 3);
}

#[test]
fn what_went_before_the_span_goes_and_what_no_commit_names_after_a_day() {
    let commits =
        BTreeMap::from([(0, commit(1, &["a", "a.parquet"], &[])), (1, commit(2, &["b.parquet"], &["a.parquet"]))]);
    let files = [
        stored("a.parquet", 999),
        stored("b.parquet", 1),
        stored("staged.parquet", 977),
        stored("left.parquet", 976),
        stored("x/deletion_vector_1.bin", 1),
    ];
    let known = known(&commits, &["b.parquet"]);
    assert_eq!(deleted(&files, &known), ["a.parquet", "left.parquet", "x/deletion_vector_1.bin"]);
    assert_eq!(judge(files.to_vec(), &known).unnamed, 1);
    let spared = Known { spare_unnamed: true, ..known };
    assert_eq!(deleted(&files, &spared), ["a.parquet"]);
    assert_eq!(judge(files.to_vec(), &spared).unnamed, 3);
}

#[test]
fn what_is_not_the_tables_is_left() {
    let commits = BTreeMap::new();
    let hidden = ["_change_data/c.parquet", ".x.parquet", "a/_tmp/c.parquet", "_batch=1/c.parquet", "_SUCCESS"];
    let unknown = ["notes.txt", "c.parquet.crc", "c.PARQUET", "x.bin", "parquet", "c.csv"];
    let files: Vec<Stored> = hidden.iter().chain(&unknown).map(|path| stored(path, 1)).collect();
    let judged = judge(files.clone(), &known(&commits, &[]));
    assert_eq!((judged.delete, judged.unnamed, judged.unknown), (Vec::new(), 0, unknown.len()));
    let partition_by = ["_batch".to_owned()];
    let partitioned = Known { partition_by: &partition_by, ..known(&commits, &[]) };
    assert_eq!(deleted(&files, &partitioned), ["_batch=1/c.parquet"], "a partition of this table");
    let beyond = Stored { within: false, ..stored("link/c.parquet", 1) };
    assert_eq!(judge(vec![beyond], &known(&commits, &[])).unknown, 1, "a link leads out of the table");
}

#[test]
fn a_name_that_the_log_has_elsewhere_is_needed_everywhere() {
    let (commits, elsewhere) = (BTreeMap::new(), names(&["c.parquet"]));
    let known = Known { elsewhere: &elsewhere, ..known(&commits, &[]) };
    assert_eq!(deleted(&[stored("p=1/c.parquet", 1), stored("d.parquet", 1)], &known), ["d.parquet"]);
}

#[test]
fn versions_are_readable_as_far_back_as_no_file_of_them_is_missing() {
    let commits = BTreeMap::from([
        (0, commit(1, &["a"], &[])),
        (1, commit(2, &["b"], &["a"])),
        (2, commit(3, &["c"], &[])),
        (3, commit(4, &["d"], &["b"])),
    ]);
    let oldest = |left: &[&str]| oldest_readable(&commits, 3, &left.iter().copied().collect());
    assert_eq!((oldest(&["a", "b", "c", "d"]), oldest(&["b", "c", "d"]), oldest(&["a", "c", "d"])), (0, 1, 3));
    let cleaned: BTreeMap<_, _> = commits.clone().into_iter().filter(|(version, _)| *version > 1).collect();
    assert_eq!(oldest_readable(&cleaned, 3, &["a", "b", "c", "d"].into_iter().collect()), 1);
}

#[test]
fn what_a_dead_process_was_writing_goes_after_a_day_whatever_the_log_tells() {
    let name = |folder: &str| format!("{folder}.lakesmith-tmp-0190");
    let files = ["", "_delta_log/", "day=1/"].map(name);
    let [old, young] = [976, 977].map(|hours| files.clone().map(|path| stored(&path, hours)));
    let commits = BTreeMap::new();
    let known = Known { spare_unnamed: true, ..known(&commits, &[]) };
    assert_eq!(deleted(&old, &known), files);
    assert_eq!(judge(young.to_vec(), &known), Judged { unnamed: 3, ..Judged::default() });
}
