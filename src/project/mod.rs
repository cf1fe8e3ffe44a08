//! `lakesmith.yaml`, `layers/` and `schemas/`, read into a checked [`Project`].
//!
//! A file becomes a tree of YAML nodes that know their places (`yaml`), the tree what its author wrote (`declared`), and
//! that, once names are resolved, what it means (`model`). Every stage collects what is wrong and goes on.

mod columns;
mod contract;
mod declared;
mod declared_step;
mod derived;
mod events;
mod events_columns;
mod events_source;
mod expand;
mod fault;
mod guard;
mod hash;
mod init;
mod known;
mod layers;
mod limits;
mod lineage;
mod load;
mod model;
mod observe;
mod optimize;
mod reader;
mod resolve;
mod select;
mod settings;
mod source;
mod spelling;
mod sql_names;
#[cfg(test)]
mod tests;
mod typing;
mod typing_join;
mod yaml;

pub use fault::Fault;
pub use hash::{EXPRESSIONS_VERSION, definition_hash};
pub use init::{InitError, init};
pub use known::{Known, Question};
pub use lineage::ColumnLineage;
pub use load::{Checked, check, environment, load};
pub use model::{
    ChangedFiles, Contract, CsvOptions, Definition, Derived, Environment, EventColumn, EventInput, Events, Format,
    Guard, Limits, OnChange, Optimize, Project, Property, Rule, SameContent, Secret, Source, Table,
};
pub use observe::{AlertForm, Observe, Occasion, OpenLineage, Webhook};
pub use select::select;
pub use source::span;
pub use spelling::{closest, did_you_mean};
