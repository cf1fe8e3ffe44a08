//! What holds for any bytes. `fuzz/` hands them to cargo-fuzz, `tests/it/fuzz.rs` mutates its seeds; see
//! `docs/reliability.md`. Each target takes bytes and gives the promise that they break.

mod csv;
mod expression;
mod log;
mod parquet;
mod project;

pub use csv::csv;
pub use expression::expression;
pub use log::log;
pub use parquet::parquet;
pub use project::project;

/// What broke a promise.
type Broken = Result<(), String>;

/// A target.
pub type Target = fn(&[u8]) -> Broken;

/// All targets by the names of their seeds' folders.
pub const TARGETS: [(&str, Target); 5] =
    [("csv", csv), ("expression", expression), ("log", log), ("parquet", parquet), ("project", project)];

/// The machine is at fault, not the input.
fn trouble(error: &impl std::fmt::Display) -> String {
    format!("cannot fuzz: {error}")
}
