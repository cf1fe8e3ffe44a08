//! Hashes of keys, held as plain numbers: a frame takes several times their bytes while it is sorted.

use std::num::NonZeroUsize;

use polars::prelude::{DataFrame, LazyFrame, PolarsResult, polars_bail};

use crate::delta::rows::fold;

/// Bytes that a hash takes: vectors are made somewhat larger than they probably will be.
pub(super) const WIDTH: u64 = 9;

/// The hashes that come more than once, each once, and how many rows have one of these. `frame` has one column (u64,
/// without NULL) and about so many rows.
pub(super) fn repeated(frame: LazyFrame, rows: u64) -> PolarsResult<(Vec<u64>, u64)> {
    let mut parts = collect(frame, usize::try_from(rows).unwrap_or_default())?;
    std::thread::scope(|scope| {
        for part in &mut parts {
            scope.spawn(|| part.sort_unstable());
        }
    });
    let (mut repeated, mut rows) = (Vec::new(), 0);
    for run in parts.iter().flat_map(|part| part.chunk_by(|a, b| a == b)).filter(|run| run.len() > 1) {
        repeated.push(run[0]);
        rows += run.len() as u64;
    }
    Ok((repeated, rows))
}

/// All hashes, parted by their upper bits, so that all cores can sort.
fn collect(frame: LazyFrame, rows: usize) -> PolarsResult<Vec<Vec<u64>>> {
    let parts = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).next_power_of_two().min(64);
    let room = rows / parts + rows / parts / 16 + 16;
    fold(frame, (0..parts).map(|_| Vec::with_capacity(room)).collect(), |parts: &mut Vec<_>, frame| fill(parts, frame))
}

fn fill(parts: &mut [Vec<u64>], frame: &DataFrame) -> PolarsResult<()> {
    let shift = u64::BITS - parts.len().trailing_zeros();
    for hash in frame.columns()[0].u64()?.iter() {
        let Some(hash) = hash else { polars_bail!(ComputeError: "a hash is NULL") };
        // Of one part there is nothing to shift.
        parts[hash.checked_shr(shift).unwrap_or(0) as usize].push(hash);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;

    #[test]
    fn what_comes_more_than_once_is_told_once() {
        let spread = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let all: Vec<u64> = (0..1000).map(|i| spread(i % 700)).chain([spread(3), spread(3)]).collect();
        let mut wanted: Vec<u64> = (0..300).map(spread).collect();
        wanted.sort_unstable();
        for expected in [0, 1000, 1_000_000] {
            let frame = df!("hash" => &all).unwrap().lazy();
            assert_eq!(repeated(frame, expected).unwrap(), (wanted.clone(), 602));
        }
        let none = df!("hash" => [1u64, 2, u64::MAX]).unwrap().lazy();
        assert_eq!(repeated(none, 3).unwrap(), (Vec::new(), 0));
        assert!(repeated(df!("hash" => [None::<u64>]).unwrap().lazy(), 1).is_err());
    }
}
