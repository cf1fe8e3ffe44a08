//! SQL's RANK(), without a window over rows in an order: from the number of rows that each distinct value has.

use polars::prelude::*;

use super::Rank;
use super::apply::{Rows, fresh};

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
    let by: Vec<Expr> = keys.iter().map(|name| col(*name)).collect();
    let within: Vec<Expr> = rank.within.iter().map(|name| col(name.as_str())).collect();
    let temporary = fresh(2 + keys.len(), &rows.columns);
    let (count, before, others) = (temporary[0].as_str(), temporary[1].as_str(), &temporary[2..]);

    let options = SortMultipleOptions::default().with_order_descending_multi(descending).with_nulls_last(true);
    let counted = rows.frame.clone().group_by(by.clone()).agg([len().cast(DataType::Int64).alias(count)]);
    let sorted =
        counted.sort_by_exprs(by.clone(), options).with_column((col(count).cum_sum(false) - col(count)).alias(before));
    let first = if within.is_empty() { lit(0i64) } else { col(before).min().over(within)? };
    let renamed = keys.iter().zip(others).map(|(key, other)| col(*key).alias(other.as_str()));
    let ranked = sorted
        .with_column((col(before) - first + lit(1i64)).alias(rank.name.as_str()))
        .select(renamed.chain([col(rank.name.as_str())]).collect::<Vec<_>>());

    let output = rows.columns.iter().map(|c| col(c.name.as_str())).chain([col(rank.name.as_str())]);
    let joined = rows
        .frame
        .join_builder()
        .with(ranked)
        .how(JoinType::Inner)
        .left_on(by)
        .right_on(others.iter().map(|name| col(name.as_str())).collect::<Vec<_>>())
        .join_nulls(true)
        .finish();
    Ok(joined.select(output.collect::<Vec<_>>()))
}
