//! All integration tests, one binary.

mod house;
mod known;
mod run;
mod support;
