//! SQL's RANK(), without a window over rows in an order: from the number of rows that each distinct value has.

use polars::prelude::*;

use super::Rank;
use super::apply::{Rows, column, fresh, renamed};

/// `rows` with the rank as the last column.
pub(super) fn apply(rows: Rows, rank: &Rank) -> PolarsResult<LazyFrame> {
    let mut keys: Vec<&str> = rank.within.iter().map(String::as_str).collect();
    let mut descending = vec![false; keys.len()];
    for key in &rank.by {
        // a column stands in the sort once, where it comes first
        if !keys.contains(&key.column.as_str()) {
            keys.push(&key.column);
            descending.push(key.descending);
        }
    }
    let by: Vec<Expr> = keys.iter().map(|name| column(name)).collect();
    let within: Vec<Expr> = rank.within.iter().map(|name| column(name)).collect();
    let temporary = fresh(2 + keys.len(), &rows.columns);
    let (count, before, others) = (temporary[0].as_str(), temporary[1].as_str(), &temporary[2..]);

    let options = SortMultipleOptions::default().with_order_descending_multi(descending).with_nulls_last(true);
    let counted = rows.frame.clone().group_by(by.clone()).agg([len().cast(DataType::Int64).alias(count)]);
    let sorted = counted
        .sort_by_exprs(by.clone(), options)
        .with_column((column(count).cum_sum(false) - column(count)).alias(before));
    let first = if within.is_empty() { lit(0i64) } else { column(before).min().over(within)? };
    let keyed = keys.iter().zip(others).map(|(key, other)| renamed(key, other));
    let ranked = sorted
        .with_column((column(before) - first + lit(1i64)).alias(rank.name.as_str()))
        .select(keyed.chain([column(&rank.name)]).collect::<Vec<_>>());

    let output = rows.columns.iter().map(|c| column(&c.name)).chain([column(&rank.name)]);
    let joined = rows
        .frame
        .join_builder()
        .with(ranked)
        .how(JoinType::Inner)
        .left_on(by)
        .right_on(others.iter().map(|name| column(name)).collect::<Vec<_>>())
        .join_nulls(true)
        .finish();
    Ok(joined.select(output.collect::<Vec<_>>()))
}
