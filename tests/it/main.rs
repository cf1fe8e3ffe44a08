//! All integration tests, one binary.

mod house;
mod run;
mod support;
