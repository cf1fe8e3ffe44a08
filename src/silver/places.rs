//! Which key and time each event speaks of, whatever becomes of it.

use polars::prelude::{self as pl, LazyFrame, PolarsResult};

use crate::expr::Settings;
use crate::project::Events;

use super::cast::invalid;
use super::columns::{BATCH, SOURCE_FILE, SOURCE_ROW, column};
use super::prepare::{apply, settle_zeros};
use super::read;

/// The event time in a frame of [`places`].
pub const EVENT_TIME: &str = "(event time)";

/// Of each row of `events.from[source]`, also of those that a `where` drops or a rule refuses: the columns of the key,
/// [`EVENT_TIME`] where the table has one, and `_batch`, `_source_file`, `_source_row`. What cannot be cast or computed
/// is NULL. Only the columns that these need are read.
///
/// # Errors
/// As [`prepare`](super::prepare()).
pub fn places(events: &Events, source: usize, bronze: LazyFrame) -> PolarsResult<LazyFrame> {
    let timezone = events.timezone.parse();
    let timezone = timezone.map_err(|_| invalid(format!("`{}` is no time zone", events.timezone)))?;
    let (mut flow, _) = read::read(events, source, bronze, Settings { timezone })?;
    for step in &events.steps {
        apply(&mut flow, step)?;
    }
    settle_zeros(&mut flow);
    let mut selected: Vec<pl::Expr> = events.key.iter().map(|name| column(name)).collect();
    selected.extend(events.event_time.iter().map(|name| column(name).alias(EVENT_TIME)));
    selected.extend([BATCH, SOURCE_FILE, SOURCE_ROW].map(column));
    Ok(flow.frame.select(selected))
}
