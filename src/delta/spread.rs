//! How a column is spread over the files of a table, as the log tells without a look into the files.

use polars::prelude::{DataType, IntoSeries, NewChunkedArray, PolarsResult, Series, StringChunked};
use polars::prelude::{Int64Chunked, PlSmallStr};

use super::merge::{Bound, Described, has_bounds};
use super::{DataFile, Error, Snapshot};
use crate::expr::Type;
use crate::spread::Spread;

impl Snapshot {
    /// How a column is spread over the files; `None` if the log never tells for such a column.
    ///
    /// # Errors
    /// [`Error::Query`], if a bound does not fit the column's type.
    pub fn spread(&self, column: &str) -> Result<Option<Spread>, Error> {
        let Some(ty) = self.schema().ty(column).filter(|ty| has_bounds(ty)) else { return Ok(None) };
        let extremes: Vec<_> =
            self.files().iter().map(|file: &DataFile| Described::from(file).extremes(column, ty)).collect();
        Ok(Some(Spread {
            least: series(extremes.iter().map(|file| file.least.as_ref()), ty)?,
            greatest: series(extremes.iter().map(|file| file.greatest.as_ref()), ty)?,
            nulls: extremes.iter().map(|file| file.nulls).collect(),
            values: extremes.iter().map(|file| file.values).collect(),
        }))
    }
}

fn series<'a>(bounds: impl Iterator<Item = Option<&'a Bound>>, ty: &Type) -> PolarsResult<Series> {
    let name = PlSmallStr::EMPTY;
    if *ty == Type::String {
        let texts = bounds.map(|bound| match bound {
            Some(Bound::Text(text)) => Some(text.as_str()),
            _ => None,
        });
        return Ok(StringChunked::from_iter_options(name, texts).into_series());
    }
    let numbers = bounds.map(|bound| match bound {
        Some(Bound::Integer(number)) => Some(*number),
        _ => None,
    });
    let numbers = Int64Chunked::from_iter_options(name, numbers).into_series();
    match ty.to_polars() {
        // an i64 has no cast to a date, an i32 has
        DataType::Date => numbers.strict_cast(&DataType::Int32)?.strict_cast(&DataType::Date),
        // what the type has no room for is no bound
        ty => numbers.cast(&ty),
    }
}

#[cfg(test)]
mod tests {
    use polars::df;
    use polars::prelude::IntoLazy;

    use super::*;
    use crate::delta::tests::{Disk, now, schema};
    use crate::delta::{Change, TableSchema};

    #[tokio::test(flavor = "multi_thread")]
    async fn it_tells_of_each_file_what_its_column_holds() {
        let disk = Disk::new();
        let table = disk.lake.table("silver/t");
        let columns =
            [("n", Type::Int), ("d", Type::Date), ("t", Type::Timestamp), ("s", Type::String), ("x", Type::Double)];
        let schema: TableSchema = schema(&columns);
        let mut change = Change::default();
        for (n, s) in [([Some(3), Some(5)], ["b", "a"]), ([None, None], ["c", "c"]), ([Some(7), None], ["", "z"])] {
            let days = n.map(|n| n.map(|n| n * 10));
            let micros = n.map(|n| n.map(|n| i64::from(n) * 1_000_001));
            let frame = df!("n" => n, "d" => days, "t" => micros, "s" => s, "x" => [1.5, 2.5]).unwrap().lazy();
            let casts = schema.columns.iter().map(|c| polars::prelude::col(c.name.as_str()).cast(c.ty.to_polars()));
            let frame = frame.with_columns(casts.collect::<Vec<_>>());
            change.adds.extend(table.write(frame, &schema).await.unwrap());
        }
        table.create(&schema, change).await.unwrap();
        let snapshot = now(&table).await;
        let told = |name: &str| {
            let Spread { least, greatest, nulls, values } = snapshot.spread(name).unwrap().unwrap();
            assert_eq!(least.dtype(), &schema.ty(name).unwrap().to_polars());
            let words = |i| format!("{} {}", least.get(i).unwrap(), greatest.get(i).unwrap());
            let mut lines: Vec<_> = (0..3).map(|i| format!("{} {} {}", words(i), nulls[i], values[i])).collect();
            lines.sort();
            lines
        };
        assert_eq!(told("n"), ["3 5 false true", "7 7 true true", "null null true false"]);
        assert_eq!(
            told("d"),
            ["1970-01-31 1970-02-20 false true", "1970-03-12 1970-03-12 true true", "null null true false"]
        );
        assert_eq!(told("s"), ["\"\" \"z\" false true", "\"a\" \"b\" false true", "\"c\" \"c\" false true"]);
        let times = told("t");
        assert!(
            times[0].starts_with("1970-01-01 00:00:02.99") && times[0].contains("1970-01-01 00:00:05.00"),
            "{times:?}"
        );
        assert!(snapshot.spread("x").unwrap().is_none(), "a double's bounds are not exact");
    }
}
