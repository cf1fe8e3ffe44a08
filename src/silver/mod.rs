//! Silver from bronze, as far as it needs no lake: bronze rows in, judged rows out.
//!
//! [`prepare`] turns the lazy frame of one bronze table into one of typed rows, each of which is either good or carries
//! the reasons why it is not; [`split`] parts a batch of that stream in rows for the silver table and rows for its
//! quarantine. Everything is elementwise, so the streaming engine runs it in bounded memory. The order of what happens
//! to an event and the names of the rules stand in docs/silver.md.

mod cast;
mod columns;
mod flow;
mod json;
mod land;
mod nested;
mod nulls;
mod places;
mod prepare;
mod read;
mod reason;
mod rules;
mod split;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

pub use columns::{lineage_columns, order_columns, output_columns, quarantine_columns};
pub use places::{EVENT_TIME, places};
pub use prepare::{Prepared, prepare};
pub use split::{split, with_run};
