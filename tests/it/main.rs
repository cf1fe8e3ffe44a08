//! All integration tests, one binary.

// Functions that tests share are not `#[test]`s, which clippy.toml excepts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backfill;
mod broken;
mod cli;
mod commits;
mod conflicts;
mod docs;
mod exports;
mod faulty;
mod files;
mod follow;
mod fuzz;
mod hostile;
mod house;
mod idle;
mod known;
mod lake;
mod memory;
mod numbers;
mod observe;
mod optimize;
mod promises;
mod races;
mod readme;
mod rebuild;
mod recovery;
mod rehearsal;
mod restore;
mod run;
mod runs;
mod secrets;
mod service;
mod signals;
mod single_faults;
mod support;
mod tables;
mod travel;
mod vacuum;
mod verify;
mod zoo;
