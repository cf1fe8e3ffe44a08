//! The first step of a merge: of source rows with the same key only the greatest takes part.

use polars::prelude::{
    Column, DataFrame, Expr, IntoLazy, JoinArgs, JoinType, PolarsResult, SortMultipleOptions, col, lit,
};

use super::hashes;
use super::lots::{HASH, Lot};
use super::rules::Rules;
use crate::delta::Error;
use crate::delta::rows::{Files, Keep, Marks, POSITION, collect};
use crate::memory::Memory;

/// Hashes that are held at once however much memory there is, and full tuples.
const MOST: u64 = 32_000_000;
const MOST_TUPLES: u64 = 8_000_000;

const LOST: &str = "lost";

/// The source rows that another row of the source beats; ties are broken by the position. Without an order any such
/// row is an error.
///
/// Keys are compared by a hash first: that holds 8 bytes a row, and full tuples only of keys that seem to come twice.
/// The keys are divided into as many lots as the memory asks for, one after the other.
pub(super) fn losers(source: &Files, source_rows: u64, rules: &Rules, memory: Memory) -> Result<Marks, Error> {
    let mut losers = Marks::default();
    let lots = memory.lots(source_rows, hashes::WIDTH, MOST);
    for lot in Lot::each(lots) {
        let hashes = lot.only(source.narrow(&[rules.key_hash().alias(HASH)], Keep::All)?).select([col(HASH)]);
        let (repeated, rows) = hashes::repeated(hashes, source_rows / lots)?;
        let pieces = memory.lots(rows, rules.tuple_width(), MOST_TUPLES);
        for hashes in repeated.chunks(repeated.len() / pieces as usize + 1) {
            let lost = lost(source, rules, hashes)?;
            if rules.order.is_none() && lost.height() > 0 {
                return Err(Error::invalid(&rules.table, twice(&lost, rules)));
            }
            losers.extend(lost.column(POSITION)?)?;
        }
    }
    Ok(losers)
}

/// Of the rows with one of these hashes those that are not the last of their key.
fn lost(source: &Files, rules: &Rules, hashes: &[u64]) -> PolarsResult<DataFrame> {
    let hashes = DataFrame::new(hashes.len(), vec![Column::new(HASH.into(), hashes)])?;
    let columns = [rules.keys(), rules.orders(), vec![rules.key_hash().alias(HASH)]].concat();
    let rows = source.narrow(&columns, Keep::All)?.join(
        hashes.lazy(),
        [col(HASH)],
        [col(HASH)],
        JoinArgs::new(JoinType::Semi),
    );
    let order = [rules.key_names(), rules.order_names(), vec![POSITION.to_string()]].concat();
    let next = |name: &str| col(name).shift(lit(-1));
    let same_key = rules.key_names().iter().map(|key| col(key.as_str()).eq_missing(next(key))).fold(
        // The last row has no next one, not even if its key is all NULL.
        next(POSITION).is_not_null(),
        Expr::and,
    );
    let sorted = collect(rows)?.lazy().sort(order, SortMultipleOptions::default());
    sorted.with_columns([same_key.alias(LOST)]).filter(col(LOST)).collect()
}

fn twice(lost: &DataFrame, rules: &Rules) -> String {
    let value = |i: usize| lost.columns()[i].get(0).map_or_else(|_| "?".into(), |value| value.to_string());
    let key: Vec<String> =
        rules.key.iter().enumerate().map(|(i, column)| format!("{} = {}", column.name, value(i))).collect();
    format!("the key {} comes twice", key.join(", "))
}
