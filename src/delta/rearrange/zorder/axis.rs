//! One column of the curve: values to ranks.

use polars::prelude::{Column, DataType, PolarsResult};

/// Ascending values of a column that part its rows into lots of about the same size.
pub(super) enum Axis {
    /// integers, booleans, dates and instants
    Whole(Vec<i64>),
    /// doubles, and decimals, whose last digits matter little here
    Floating(Vec<f64>),
    /// texts and binaries
    Bytes(Vec<Vec<u8>>),
}

impl Axis {
    /// At most `most` values of a sample.
    pub(super) fn new(sample: &Column, most: usize) -> PolarsResult<Self> {
        Ok(match sample.dtype() {
            DataType::String | DataType::Binary => {
                let mut values = Vec::new();
                each_bytes(sample, |bytes| values.extend(bytes.map(<[u8]>::to_vec)))?;
                values.sort_unstable();
                Axis::Bytes(spread(values, most, |a, b| a == b))
            }
            DataType::Float32 | DataType::Float64 | DataType::Decimal(..) => {
                let mut values: Vec<f64> = floating(sample)?.into_iter().flatten().collect();
                values.sort_unstable_by(f64::total_cmp);
                Axis::Floating(spread(values, most, |a, b| a.total_cmp(b).is_eq()))
            }
            _ => {
                let mut values: Vec<i64> = whole(sample)?.into_iter().flatten().collect();
                values.sort_unstable();
                Axis::Whole(spread(values, most, |a, b| a == b))
            }
        })
    }

    /// The greatest rank, that of NULL.
    pub(super) fn last(&self) -> u64 {
        1 + match self {
            Axis::Whole(bounds) => bounds.len() as u64,
            Axis::Floating(bounds) => bounds.len() as u64,
            Axis::Bytes(bounds) => bounds.len() as u64,
        }
    }

    /// How many of the values each value of a column reaches; NULL comes last.
    pub(super) fn ranks(&self, column: &Column) -> PolarsResult<Vec<u64>> {
        let null = self.last();
        let rank = |reached: Option<usize>| reached.map_or(null, |reached| reached as u64);
        Ok(match self {
            Axis::Whole(bounds) => {
                let reached = |value: i64| bounds.partition_point(|bound| *bound <= value);
                whole(column)?.into_iter().map(|value| rank(value.map(reached))).collect()
            }
            Axis::Floating(bounds) => {
                let reached = |value: f64| bounds.partition_point(|bound| bound.total_cmp(&value).is_le());
                floating(column)?.into_iter().map(|value| rank(value.map(reached))).collect()
            }
            Axis::Bytes(bounds) => {
                let mut ranks = Vec::with_capacity(column.len());
                let reached = |value: &[u8]| bounds.partition_point(|bound| bound.as_slice() <= value);
                each_bytes(column, |bytes| ranks.push(rank(bytes.map(reached))))?;
                ranks
            }
        })
    }
}

/// Some of the sorted values, evenly chosen, each once.
fn spread<T: Clone>(values: Vec<T>, most: usize, same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut chosen: Vec<T> = match values.len() {
        few if few <= most => values,
        many => (0..most).filter_map(|i| values.get(many * i / most).cloned()).collect(),
    };
    chosen.dedup_by(|a, b| same(a, b));
    chosen
}

fn whole(column: &Column) -> PolarsResult<Vec<Option<i64>>> {
    Ok(column.cast(&DataType::Int64)?.i64()?.iter().collect())
}

/// NaN is greater than every number, and there is one zero.
fn floating(column: &Column) -> PolarsResult<Vec<Option<f64>>> {
    let plain = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
    Ok(column.cast(&DataType::Float64)?.f64()?.iter().map(|value| value.map(plain)).collect())
}

fn each_bytes(column: &Column, mut each: impl FnMut(Option<&[u8]>)) -> PolarsResult<()> {
    match column.dtype() {
        DataType::Binary => column.binary()?.iter().for_each(&mut each),
        _ => column.str()?.iter().for_each(|text| each(text.map(str::as_bytes))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;

    fn ranks(column: Column) -> Vec<u64> {
        Axis::new(&column, 100).unwrap().ranks(&column).unwrap()
    }

    #[test]
    fn ranks_follow_the_order_of_values_and_null_comes_last() {
        assert_eq!(ranks(Column::new("a".into(), [Some(5i64), None, Some(-1), Some(5)])), [2, 3, 1, 2]);
        assert_eq!(ranks(Column::new("a".into(), [Some("b"), Some("ä"), None, Some("")])), [2, 3, 4, 1]);
        assert_eq!(ranks(Column::new("a".into(), [f64::NAN, -0.0, f64::INFINITY, 0.0, -1.5])), [4, 2, 3, 2, 1]);
        assert_eq!(ranks(Column::new("a".into(), [Some(true), Some(false), None])), [2, 1, 3]);
        let days = Column::new("a".into(), [3i32, 1, 2]);
        assert_eq!(ranks(days.cast(&DataType::Date).unwrap()), [3, 1, 2]);
        let instants = days.cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))).unwrap();
        assert_eq!(ranks(instants), [3, 1, 2]);
        let decimals = Column::new("a".into(), ["10.5", "9.25", "-1"]).cast(&DataType::Decimal(12, 2)).unwrap();
        assert_eq!(ranks(decimals), [3, 2, 1]);
        let bytes = Column::new("a".into(), ["b", "a"]).cast(&DataType::Binary).unwrap();
        assert_eq!(ranks(bytes), [2, 1]);
    }

    #[test]
    fn many_values_are_parted_evenly() {
        let column = Column::new("a".into(), (0..1000i64).collect::<Vec<_>>());
        let axis = Axis::new(&column, 10).unwrap();
        assert_eq!(axis.ranks(&Column::new("a".into(), [-5i64, 0, 99, 100, 5000])).unwrap(), [0, 1, 1, 2, 10]);
        let same = Column::new("a".into(), vec![7i64; 1000]);
        assert_eq!(Axis::new(&same, 10).unwrap().last(), 2);
    }
}
