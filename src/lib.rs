//! lakesmith keeps a medallion lakehouse: files arrive, land unchanged in append-only bronze Delta tables, are cast,
//! judged and deduplicated into silver, and joined and aggregated into gold.
//!
//! The rooms of the house, in the order in which they may import one another (each only those after it):
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line: arguments in, tables and JSON out |
//! | [`observe`] | tells others of runs: events of lineage, metrics, alerts |
//! | [`run`] | carries out a plan, task by task; the only place that collects lazy frames |
//! | [`plan`] | pure: project, state of the tables and request in, plan out |
//! | [`report`] | what happened: accounting of rows, run reports, history |
//! | [`delta`] | the only place that knows Delta: open, scan, write, commit, diff, merge, query |
//! | [`bronze`], [`silver`], [`gold`] | files or lazy frames in, lazy frames out; know no Delta |
//! | [`bucket`] | object stores by their URLs |
//! | [`project`] | `lakesmith.yaml`, `layers/`, `schemas/` read into a checked project |
//! | [`steps`] | data-frame verbs (derive, where, join, …): checked against columns, applied to lazy frames |
//! | [`expr`] | SQL scalar expressions: text, typed tree, Polars expressions |
//! | [`memory`] | how much memory to work with |
//! | [`name`] | names of layers and tables |
//! | [`secrets`] | what messages must not tell |
//! | [`regular`] | files that are files, and no pipes or devices |

pub mod bronze;
pub mod bucket;
pub mod cli;
pub mod delta;
pub mod expr;
#[doc(hidden)]
pub mod fuzzing;
pub mod gold;
pub mod memory;
pub mod name;
pub mod observe;
pub mod plan;
pub mod project;
pub mod regular;
pub mod report;
pub mod run;
pub mod secrets;
pub mod silver;
pub mod spread;
pub mod steps;
