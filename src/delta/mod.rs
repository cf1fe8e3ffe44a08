//! The only place that names deltalake or arrow: open, scan, write, commit, diff, merge, query.
//!
//! A [`Lake`] holds [`Table`]s. A [`Snapshot`] is a table at one version; everything that is decided about a table is
//! decided on one snapshot, and a [`Change`] is committed against exactly that snapshot or refused with
//! [`Error::Lost`]. A [`Writer`] writes [`DataFile`]s, which nobody sees until a commit names them.

mod bridge;
mod cancel;
mod check;
mod commit;
mod damage;
mod diff;
mod disk;
mod error;
mod evolve;
mod file;
mod head;
mod history;
mod lake;
mod links;
mod log;
mod merge;
mod named;
mod normalise;
mod overlay;
mod pairs;
mod partition;
mod pin;
mod query;
mod read;
mod rearrange;
mod repair;
mod restore;
mod rewrite;
mod rows;
mod scan;
mod schema;
mod side;
mod snapshot;
mod span;
mod spread;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub use check::{FileHealth, remedy};
pub use commit::{Change, Operation};
pub use damage::{is_elsewhere, with_advice};
pub use diff::{FileDiff, RowDiff, file_diff, replacement_diff, row_diff, side_diff, uncertain_rows};
pub use error::{Error, root_cause};
pub use evolve::common;
pub use file::DataFile;
pub use head::Head;
pub use history::CommitRecord;
pub use lake::{ETag, Lake};
pub use log::Unusable;
pub use merge::{MergeRows, MergeSpec, Merged, Scope, Standing, merge};
pub use named::{NamedCommit, NamedFiles};
pub use overlay::Scratch;
pub use pairs::{AFTER, BEFORE, NUMBER, after, before, differs};
pub use pin::{PINS, Pin};
pub use query::query;
pub use rearrange::{Layout, Rearranged, compact, rearrange, untidy};
pub use repair::{Fault, LogHealth, Remedy};
pub use restore::{Restoration, way_back};
pub use scan::{FILE_COLUMN, ROW_COLUMN};
pub use schema::TableSchema;
pub use side::Side;
pub use snapshot::Snapshot;
pub use stored::Stored;
pub use table::{Stamp, Table, repair as repair_command};
pub use write::Writer;

pub use crate::name::At;
