//! What a file may be at most. Each of these would take memory, time or disk without end.

use std::io::Write;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use polars::prelude::{ParquetWriter, df};

use super::*;
use crate::bronze::parquet::copy;
use crate::bronze::place::Place;
use crate::bronze::read::Fault;
use crate::bronze::stored::{Packing, Stored};
use crate::project::Limits;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn csv() -> Format {
    Format::Csv(CsvOptions::default())
}

fn limited(limits: Limits) -> ReadOptions {
    ReadOptions { limits, ..ReadOptions::default() }
}

fn refused(name: &str, bytes: &[u8], format: &Format, options: &ReadOptions) -> String {
    match Cage::new(name, bytes).read(format, None, options) {
        Err(ReadError::Unreadable { reason, .. }) => reason,
        other => panic!("{name}: {:?}", other.map(|taken| taken.summary)),
    }
}

#[test]
fn a_bomb_is_stopped_by_what_it_unpacks_to() {
    let lines = [b"id,name\n".as_slice(), &b"1,a\n".repeat(1 << 20)].concat();
    let nul = [b"id,name\n".as_slice(), &vec![0; 4 << 20]].concat();
    for bytes in [&lines, &nul] {
        for (name, packed) in [("a.csv.gz", gzip(bytes)), ("a.csv.zst", zstd::encode_all(&bytes[..], 1).unwrap())] {
            let reason = refused(name, &packed, &csv(), &ReadOptions::default());
            assert!(reason.contains("more than 200 times") && reason.contains("limits: { ratio: "), "{reason}");
            let reason = refused(name, &packed, &csv(), &limited(Limits { size: 1 << 21, ..Limits::NONE }));
            assert!(reason.contains("more than 2.1 MB") && reason.contains("limits: { size: "), "{reason}");
            let taken = Cage::new(name, &packed).read(&csv(), None, &limited(Limits { line: 1 << 26, ..Limits::NONE }));
            assert!(taken.is_ok(), "{name}: what is allowed is taken");
        }
    }
    let reason = refused("a.csv", &lines, &csv(), &limited(Limits { size: 1 << 21, ..Limits::default() }));
    assert!(reason.contains("more than 2.1 MB"), "{reason}");
}

#[test]
fn a_small_file_is_no_bomb() {
    let lines = [b"id,name\n".as_slice(), &b"1,a\n".repeat(200_000)].concat();
    let packed = gzip(&lines);
    assert!(lines.len() / packed.len() > 200);
    assert_eq!(
        Cage::new("a.csv.gz", &packed).read(&csv(), None, &ReadOptions::default()).unwrap().summary.rows,
        200_000
    );
}

#[test]
fn a_bomb_in_json_or_around_parquet_is_one_too() {
    let reason = refused("a.ndjson.gz", &gzip(&b"{}\n".repeat(1 << 20)), &Format::Ndjson, &ReadOptions::default());
    assert!(reason.contains("decompression bomb"), "{reason}");
    let reason = refused("a.parquet.gz", &gzip(&vec![0; 1 << 22]), &Format::Parquet, &ReadOptions::default());
    assert!(reason.contains("decompression bomb"), "{reason}");
}

#[test]
fn what_a_parquet_file_takes_in_memory_is_told_by_its_footer() {
    let mut bytes = Vec::new();
    let mut frame = df!("a" => vec![7i64; 100_000], "b" => vec!["seven"; 100_000]).unwrap();
    ParquetWriter::new(&mut bytes).with_row_group_size(Some(100_000)).finish(&mut frame).unwrap();
    let options = ReadOptions { row_group: 1_000_000, ..ReadOptions::default() };
    match Cage::new("a.parquet", &bytes).read(&Format::Parquet, None, &options) {
        Err(ReadError::TooLarge { reason, .. }) => {
            assert!(reason.contains("a row group of it takes 1.6 MB in memory"), "{reason}");
        }
        other => panic!("{:?}", other.map(|taken| taken.summary)),
    }
    let options = limited(Limits { size: 1_000_000, ..Limits::default() });
    let reason = refused("a.parquet", &bytes, &Format::Parquet, &options);
    assert!(reason.contains("more than 1 MB unpacked"), "{reason}");
}

#[test]
fn narrow_values_take_less_memory() {
    let mut bytes = Vec::new();
    let mut frame = df!("a" => vec![true; 100_000], "b" => vec![7i32; 100_000], "c" => vec![7f32; 100_000]).unwrap();
    ParquetWriter::new(&mut bytes).with_row_group_size(Some(100_000)).finish(&mut frame).unwrap();
    let options = ReadOptions { row_group: 820_000, ..ReadOptions::default() };
    assert_eq!(Cage::new("a.parquet", &bytes).read(&Format::Parquet, None, &options).unwrap().summary.rows, 100_000);
}

#[test]
fn a_full_disk_is_not_the_fault_of_the_file_that_is_unpacked() {
    let cage = Cage::new("a.parquet.gz", &gzip(&[7; 100]));
    let place = Place::File(cage.folder.path().join("a.parquet.gz"));
    let stored = || Stored::open(&place, Packing::Gzip).unwrap();
    let mut room = [0; 10];
    match copy(&mut stored(), &mut &mut room[..]) {
        Err(Fault::Machine(reason)) => assert!(reason.contains("TMPDIR"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(copy(&mut stored(), &mut Vec::new()), Ok(()));
}

#[test]
fn a_header_of_a_million_names_is_none() {
    let reason = refused("a.csv", &b"a,".repeat(1_000_000), &csv(), &ReadOptions::default());
    assert!(reason.contains("1000001 fields"), "{reason}");
}

#[test]
fn a_file_that_has_become_a_pipe_or_a_link_does_not_stop_the_run() {
    let cage = Cage::new("a.csv", b"id\n1\n");
    let path = cage.folder.path().join("a.csv");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (sender, receiver) = channel();
    let opened = path.clone();
    std::thread::spawn(move || sender.send(Stored::open(&Place::File(opened), Packing::Plain).map(drop)));
    let opened = receiver.recv_timeout(Duration::from_secs(20)).expect("it waits for a writer");
    assert!(opened.unwrap_err().to_string().contains("is not a regular file"));

    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
    assert!(Stored::open(&Place::File(path), Packing::Plain).is_err(), "a link that was none before is not followed");
}
