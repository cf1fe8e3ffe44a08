//! Frames through Polars' streaming engine, a batch at a time.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use polars::prelude::*;

use super::error::{Error, Result};

/// Rows in a batch: large enough for the writer, small enough to hold a few per core.
const BATCH_ROWS: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// Computes `frame` and hands it over in batches, in order. Blocks. Ends at the first error, which it returns.
pub fn for_each_batch(frame: LazyFrame, each: impl FnMut(DataFrame) -> Result<()> + Send + 'static) -> Result<()> {
    let failure = std::sync::Arc::new(Mutex::new(None::<Error>));
    let (each, slot) = (Mutex::new(each), failure.clone());
    let callback = PlanCallback::new(move |batch: DataFrame| {
        let mut each = each.lock().map_err(|_| polars_err!(ComputeError: "a batch failed"))?;
        (*each)(batch).map(|()| false).map_err(|error| {
            let text = error.to_string();
            if let Ok(mut slot) = slot.lock() {
                slot.get_or_insert(error);
            }
            polars_err!(ComputeError: "{text}")
        })
    });
    let ran = frame.sink_batches(callback, true, Some(BATCH_ROWS))?.collect_with_engine(Engine::Streaming);
    match failure.lock().ok().and_then(|mut slot| slot.take()) {
        Some(error) => Err(error),
        None => Ok(ran.map(|_| ())?),
    }
}

/// Computes a frame that is known to be small: keys, counts, ledgers. Blocks.
pub fn collect(frame: LazyFrame) -> Result<DataFrame> {
    Ok(frame.collect_with_engine(Engine::Streaming)?.unwrap_single())
}

/// The number of rows of a frame. Blocks.
pub fn count(frame: LazyFrame) -> Result<u64> {
    let counted = collect(frame.select([len().alias("rows")]))?;
    let rows = counted.column("rows")?.cast(&DataType::UInt64)?;
    Ok(rows.u64()?.get(0).unwrap_or(0))
}
