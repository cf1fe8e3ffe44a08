//! A difference side by side: each row that went beside the row that came in its place.

use polars::prelude::{
    DataType, Expr, JoinArgs, JoinType, LazyFrame, PolarsResult, coalesce, col, int_range, len, lit,
};

use super::rows::{collect, hash};
use super::{Error, RowDiff, merge};
use crate::expr::Column;

// Delta does not allow a tab in a name, so no column of a table has one of these.

/// The column that is not NULL where there was a row before.
pub const BEFORE: &str = "\tbefore";
/// The column that is not NULL where there is a row afterwards.
pub const AFTER: &str = "\tafter";

/// The column that tells rows of one key apart; 0 where a key comes once.
pub const NUMBER: &str = "\tnumber";

const KEY: &str = "\tkey";
const ROWS: &str = "\trows";

/// Rows that are joined at once however much memory there is; more are taken in several passes over the files.
const MOST: u64 = 2_000_000;

/// The column of a value as it was.
pub fn before(name: &str) -> String {
    format!("{name}\tbefore")
}

/// The column of a value as it is afterwards.
pub fn after(name: &str) -> String {
    format!("{name}\tafter")
}

/// The column that says whether a row that was and is has another value now; never NULL.
pub fn differs(name: &str) -> String {
    format!("{name}\tdiffers")
}

impl RowDiff {
    /// Both sides' rows in frames to be computed one after the other. For each of `columns`, which are those that were
    /// compared, there are [`before`], [`after`] and [`differs`]; [`BEFORE`] and [`AFTER`] say on which side the row
    /// stands, [`NUMBER`] which of its key it is. With a key (NULL is the same as NULL) it stands on both if there is one of its key on either; of several
    /// rows of a key each has a partner of its own. Without a key no row has a partner. Rows that differ in no column
    /// may be among the pairs: nested doubles can be the same without being equal. Blocks.
    ///
    /// # Errors
    /// [`Error::Query`]
    pub fn pairs(&self, columns: &[Column], key: &[String]) -> Result<Vec<LazyFrame>, Error> {
        if key.is_empty() {
            return Ok(vec![self.unpaired(columns, true), self.unpaired(columns, false)]);
        }
        // The rows of one side stand in a hash table while those of the other go by; what comes of them has both.
        let width = 64 + 3 * columns.iter().map(|column| column.ty.width()).sum::<u64>();
        let lots = self.memory.lots(self.rows.0.max(self.rows.1), width, MOST);
        self.pairs_in_lots(columns, key, lots)
    }

    fn pairs_in_lots(&self, columns: &[Column], key: &[String], lots: u64) -> Result<Vec<LazyFrame>, Error> {
        let of_lot = |frame: &LazyFrame, lot: u64| {
            let frame = frame.clone();
            if lots == 1 { frame } else { frame.filter((hash(key, 19) % lit(lots)).eq(lit(lot))) }
        };
        let pairs = |lot| {
            let (removed, added) = (of_lot(&self.removed, lot), of_lot(&self.added, lot));
            let repeated = is_repeated(&removed, key)? || is_repeated(&added, key)?;
            joined((removed, added), columns, key, repeated)
        };
        Ok((0..lots).map(pairs).collect::<PolarsResult<_>>()?)
    }

    /// The rows of one side alone, in the shape of pairs.
    fn unpaired(&self, columns: &[Column], removed: bool) -> LazyFrame {
        let (frame, own, other) = if removed { (&self.removed, BEFORE, AFTER) } else { (&self.added, AFTER, BEFORE) };
        let none = |ty: DataType| lit(polars::prelude::NULL).cast(ty);
        let number = lit(0i64).alias(NUMBER);
        let mut shape = vec![lit(true).alias(own), none(DataType::Boolean).alias(other), number];
        for Column { name, ty } in columns {
            let (here, there) = if removed { (before(name), after(name)) } else { (after(name), before(name)) };
            let value = named(name);
            shape.extend([value.alias(here), none(ty.to_polars()).alias(there), lit(false).alias(differs(name))]);
        }
        frame.clone().select(shape)
    }
}

/// Whether two rows have the same key, or seem to by its hash.
fn is_repeated(frame: &LazyFrame, key: &[String]) -> PolarsResult<bool> {
    let keys = frame.clone().select([hash(key, 23).alias(KEY)]).group_by([col(KEY)]).agg([len().alias(ROWS)]);
    Ok(collect(keys.filter(col(ROWS).gt(lit(1))).limit(1))?.height() > 0)
}

fn joined(
    (removed, added): (LazyFrame, LazyFrame),
    columns: &[Column],
    key: &[String],
    repeated: bool,
) -> PolarsResult<LazyFrame> {
    let side = |frame: LazyFrame, name: &dyn Fn(&str) -> String, mark: &str| {
        let frame = if repeated { numbered(frame, columns, key)? } else { frame };
        let number = repeated.then(|| col(NUMBER).alias(name(NUMBER)));
        let values = columns.iter().map(|column| named(&column.name).alias(name(&column.name)));
        let shape: Vec<Expr> = values.chain(number).chain([lit(true).alias(mark)]).collect();
        Ok::<_, polars::prelude::PolarsError>(frame.select(shape))
    };
    let on = |name: &dyn Fn(&str) -> String| -> Vec<Expr> {
        let number = repeated.then(|| NUMBER.to_owned());
        key.iter().cloned().chain(number).map(|column| named(&name(&column))).collect()
    };
    let args = JoinArgs { nulls_equal: true, ..JoinArgs::new(JoinType::Full) };
    let pairs = side(removed, &before, BEFORE)?.join(side(added, &after, AFTER)?, on(&before), on(&after), args);
    let both = col(BEFORE).is_not_null().and(col(AFTER).is_not_null());
    let number = if repeated { coalesce(&[col(before(NUMBER)), col(after(NUMBER))]) } else { lit(0i64) };
    let mut shape = vec![col(BEFORE), col(AFTER), number.alias(NUMBER)];
    for Column { name, ty } in columns {
        let (was, is) = (named(&before(name)), named(&after(name)));
        let same = merge::same(was.clone(), is.clone(), ty);
        shape.extend([was, is, both.clone().and(same.not()).alias(differs(name))]);
    }
    Ok(pairs.select(shape))
}

/// Numbers the rows of each key, so that they can be told apart; like rows of both sides get like numbers.
fn numbered(frame: LazyFrame, columns: &[Column], key: &[String]) -> PolarsResult<LazyFrame> {
    let order: Vec<Expr> = columns.iter().map(|column| orderly(&column.name, &column.ty)).collect();
    let of_key: Vec<Expr> = key.iter().map(|name| named(name)).collect();
    let number = int_range(lit(0), len(), 1, DataType::Int64).over(of_key)?.alias(NUMBER);
    Ok(frame.sort_by_exprs(order, Default::default()).with_columns([number]))
}

/// What a column is sorted by: nested values by their hash, since they have no order.
fn orderly(name: &str, ty: &crate::expr::Type) -> Expr {
    match ty {
        crate::expr::Type::Array(_) | crate::expr::Type::Struct(_) => named(name).hash(29, 1, 2, 3),
        _ => named(name),
    }
}

/// A column by its very name: `col` would take `*` and `^…$` for patterns.
fn named(name: &str) -> Expr {
    Expr::Column(name.into())
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::expr::{Column as Named, Type};
    use crate::memory::Memory;

    #[test]
    fn lots_give_the_same_pairs_as_all_at_once() {
        let keys = |range: std::ops::Range<i64>| range.map(|k| (k % 7 != 0).then_some(k / 2)).collect::<Vec<_>>();
        let frame =
            |range: std::ops::Range<i64>, v: i64| df!("v" => vec![v; range.clone().count()], "k" => keys(range));
        let (removed, added) = (frame(0..40, 1).unwrap().lazy(), frame(20..70, 2).unwrap().lazy());
        let diff = RowDiff { removed, added, rows: (40, 50), files_read: 0, bytes_read: 0, memory: Memory::LEAST };
        let columns = [Named::new("k", Type::BigInt), Named::new("v", Type::BigInt)];
        let pairs = |lots| {
            let frames = diff.pairs_in_lots(&columns, &["k".to_owned()], lots).unwrap();
            assert_eq!(frames.len() as u64, lots);
            let all = concat(frames, UnionArgs::default()).unwrap();
            let order = [before("k"), after("k"), NUMBER.to_owned()];
            collect(all.sort(order, SortMultipleOptions::default())).unwrap()
        };
        let (whole, divided) = (pairs(1), pairs(5));
        assert!(whole.equals_missing(&divided), "{whole}{divided}");
        let count = |name: &str| whole.column(name).unwrap().len() - whole.column(name).unwrap().null_count();
        assert_eq!((count(BEFORE), count(AFTER)), (40, 50), "each row stands there once");
        let key = |name: &str| whole.column(name).unwrap().i64().unwrap().iter().collect::<Vec<_>>();
        let both = whole.column(BEFORE).unwrap().is_not_null() & whole.column(AFTER).unwrap().is_not_null();
        let (was, is) = (key(&before("k")), key(&after("k")));
        for (i, both) in both.iter().enumerate() {
            assert!(both != Some(true) || was[i] == is[i]);
        }
        let times = |keys: &[Option<i64>], key| keys.iter().filter(|other| **other == key).count();
        let (old, new) = (keys(0..40), keys(20..70));
        let shared = (-1..40).map(|k| (k >= 0).then_some(k)).map(|k| times(&old, k).min(times(&new, k))).sum::<usize>();
        assert_eq!(both.sum().map(|n| n as usize), Some(shared));
    }
}
