use std::io::Write;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use polars::prelude::{DataType, TimeUnit, TimeZone};

use super::*;

const TEXT: &[u8] = b"a,b\n1,2\n3,4\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn csv() -> Format {
    Format::Csv(csv_options())
}

fn take(name: &str, bytes: &[u8]) -> Result<Taken, ReadError> {
    Cage::new(name, bytes).read(&csv(), None, &ReadOptions::default())
}

#[test]
fn compressed_files_are_unpacked_and_hashed_as_stored() {
    let expected = [good(&["1", "2"]), good(&["3", "4"])];
    let members = [gzip(&TEXT[..6]), gzip(&TEXT[6..])].concat();
    let zstd = zstd::encode_all(TEXT, 1).unwrap();
    for (name, bytes) in
        [("a.csv", TEXT.to_vec()), ("a.csv.gz", gzip(TEXT)), ("a.csv.GZ", members), ("a.csv.zst", zstd)]
    {
        let cage = Cage::new(name, &bytes);
        let taken = cage.read(&csv(), None, &ReadOptions::default()).unwrap();
        assert_eq!(taken.rows(), expected, "{name}");
        assert_eq!(taken.summary.blake3, blake3::hash(&bytes).to_hex().as_str());
        assert_eq!(hash_file(&cage.landing, &cage.file).unwrap(), taken.summary.blake3);
        assert_eq!(columns_of(&cage.landing, &cage.file, &csv(), &ReadOptions::default()).unwrap().len(), 2);
    }
}

#[test]
fn a_damaged_or_misnamed_file_is_unreadable() {
    let packed = gzip(&TEXT.repeat(9999));
    assert_eq!(reason(take("a.csv.gz", &packed[..packed.len() / 2])), "the gzip stream is cut off");
    assert_eq!(reason(take("a.csv.gz", &packed[..packed.len() - 1])), "the gzip stream is cut off");
    assert_eq!(reason(take("a.csv.gz", b"")), "the gzip stream is cut off");
    let mut flipped = packed.clone();
    let end = flipped.len() - 6;
    flipped[end] ^= 1;
    assert!(reason(take("a.csv.gz", &flipped)).starts_with("the gzip stream is damaged"));
    assert!(reason(take("a.csv.gz", TEXT)).starts_with("the gzip stream is damaged"));
    assert!(reason(take("a.csv.gz", &[&gzip(TEXT)[..], b"garbage"].concat())).contains("gzip stream"));
    let zstd = zstd::encode_all(TEXT, 1).unwrap();
    assert_eq!(reason(take("a.csv.zst", &zstd[..zstd.len() - 3])), "the zstd stream is cut off");
    assert!(reason(take("a.csv", &packed)).contains("`.gz`"));
    assert!(reason(take("a.csv", &zstd)).contains("`.zst`"));
}

#[test]
fn a_file_that_changes_is_left_for_the_next_run() {
    let changed = |result: Result<Taken, ReadError>| matches!(result, Err(ReadError::ChangedWhileRead { .. }));
    let options = ReadOptions { block_size: 4, ..ReadOptions::default() };
    let cage = Cage::new("a.csv", TEXT);
    let path = cage.folder.path().join("a.csv");

    let mut reader = read(&cage.landing, &cage.file, &csv(), None, &options).unwrap();
    assert!(reader.next().unwrap().is_ok());
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"5,6\n").unwrap();
    assert!(matches!(reader.by_ref().last(), Some(Err(ReadError::ChangedWhileRead { .. }))));
    assert_eq!(reader.summary(), None);
    assert!(reader.next().is_none());

    // Changed since it was listed; then the same size and time, but another file.
    assert!(changed(cage.read(&csv(), None, &options)));
    let listed = Cage { file: cage.landing.stat("a.csv").unwrap(), ..cage };
    let mut reader = read(&listed.landing, &listed.file, &csv(), None, &options).unwrap();
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::write(path.with_extension("new"), b"a,b\n1,2\n3,4\n5,7\n").unwrap();
    std::fs::rename(path.with_extension("new"), &path).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert!(matches!(reader.by_ref().last(), Some(Err(ReadError::ChangedWhileRead { .. }))));

    std::fs::remove_file(&path).unwrap();
    assert!(changed(listed.read(&csv(), None, &options)));
}

#[test]
fn a_touched_file_has_its_old_hash() {
    let cage = Cage::new("a.csv", TEXT);
    let before = hash_file(&cage.landing, &cage.file).unwrap();
    let later = SystemTime::now() + Duration::from_secs(9);
    std::fs::File::options().write(true).open(cage.folder.path().join("a.csv")).unwrap().set_modified(later).unwrap();
    let now = cage.landing.stat("a.csv").unwrap();
    assert_ne!(now, cage.file);
    assert_eq!(hash_file(&cage.landing, &now).unwrap(), before);
}

#[test]
fn a_truncated_file_that_is_still_being_copied_is_not_to_blame() {
    let packed = gzip(&TEXT.repeat(99_999));
    let cage = Cage::new("a.csv.gz", &packed[..packed.len() / 2]);
    let options = ReadOptions { block_size: 4, ..ReadOptions::default() };
    let mut reader = read(&cage.landing, &cage.file, &csv(), None, &options).unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(cage.folder.path().join("a.csv.gz")).unwrap();
    file.write_all(&packed[packed.len() / 2..packed.len() - 8]).unwrap();
    let last = reader.by_ref().last().unwrap();
    assert!(matches!(last, Err(ReadError::ChangedWhileRead { .. })), "{last:?}");
}

#[test]
fn lineage_stands_first() {
    let taken = take("a.csv", TEXT).unwrap();
    let at: DateTime<Utc> = "2026-01-02T03:04:05.000006Z".parse().unwrap();
    let frame = with_lineage(taken.frames[0].clone(), 7, "o/a.csv", at).unwrap();
    let names: Vec<&str> = frame.get_column_names().into_iter().map(|name| name.as_str()).collect();
    assert_eq!(names, [&ADDED[..], &["a", "b"]].concat());
    let types: Vec<DataType> = added_columns().iter().map(|c| c.ty.to_polars()).collect();
    assert_eq!(frame.dtypes()[..5], types);
    assert_eq!(frame.dtypes()[3], DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)));
    let row: Vec<String> = frame.get_row(1).unwrap().0.iter().filter_map(text).collect();
    assert_eq!(row, ["7", "o/a.csv", "2", "2026-01-02 03:04:05.000006 UTC", "3", "4"]);
    let empty =
        with_lineage(frame.slice(0, 0).drop_many(["_batch", "_source_file", "_ingested_at"]), 7, "x", at).unwrap();
    assert_eq!((empty.height(), empty.width()), (0, 7));
}
