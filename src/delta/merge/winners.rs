//! The first step of a merge: of source rows with the same key only the greatest takes part.

use polars::prelude::{DataFrame, Expr, IntoLazy, JoinArgs, JoinType, PolarsResult, SortMultipleOptions, col, lit};

use super::lots::{HASH, Lot};
use super::rules::Rules;
use crate::delta::Error;
use crate::delta::rows::{Files, Keep, Marks, POSITION, collect};

const LOST: &str = "lost";

/// The source rows that another row of the source beats; ties are broken by the position. Without an order any such
/// row is an error.
///
/// Keys are compared by a hash first: that holds 8 bytes a row, and full tuples only of keys that seem to come twice.
/// The keys are divided into so many lots, one after the other.
pub(super) fn losers(source: &Files, rules: &Rules, lots: u64) -> Result<Marks, Error> {
    let mut losers = Marks::default();
    for lot in Lot::each(lots) {
        let repeated = repeated_hashes(source, rules, lot)?;
        if repeated.height() == 0 {
            continue;
        }
        let lost = lost(source, rules, repeated)?;
        if rules.order.is_none() && lost.height() > 0 {
            return Err(Error::invalid(&rules.table, twice(&lost, rules)));
        }
        losers.extend(lost.column(POSITION)?)?;
    }
    Ok(losers)
}

fn repeated_hashes(source: &Files, rules: &Rules, lot: Lot) -> PolarsResult<DataFrame> {
    let hashes = lot.only(source.narrow(&[rules.key_hash().alias(HASH)], Keep::All)?).select([col(HASH)]);
    let sorted = collect(hashes)?.lazy().sort([HASH], SortMultipleOptions::default());
    sorted.filter(col(HASH).eq(col(HASH).shift(lit(1)))).collect()
}

/// Of the rows whose hash comes twice those that are not the last of their key.
fn lost(source: &Files, rules: &Rules, repeated: DataFrame) -> PolarsResult<DataFrame> {
    let columns = [rules.keys(), rules.orders(), vec![rules.key_hash().alias(HASH)]].concat();
    let rows = source.narrow(&columns, Keep::All)?.join(
        repeated.lazy(),
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
