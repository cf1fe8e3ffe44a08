//! Rows that come and are already there, told before they are written: of a daily export nearly all are.

mod hashed;

use std::sync::atomic::{AtomicU64, Ordering};

use polars::prelude::{
    BooleanChunked, DataFrame, Expr, IntoLazy, NewChunkedArray, PlSmallStr, PolarsResult, polars_err,
};

use self::hashed::{Hashed, Row};
use super::bounds::Bounds;
use super::lots::HASH;
use super::rules::Rules;
use super::{MergeRows, MergeSpec, Scope};
use crate::delta::normalise::normalise;
use crate::delta::rows::{Files, hash};
use crate::delta::{DataFile, Error, Snapshot, Table, TableSchema};

const ROW: &str = "row";

/// The rows that stand in a table, by hashes: 64 bits of the key, and nearly as many others of the key and all that is
/// compared.
///
/// Rows that are the same as the one of their key may be left out of a merge whoever of them would win. Not so where
/// another row of their key comes that differs, since now it depends on their order which one stays: such keys are
/// [contested](Standing::is_contested), and their rows take part in the merge after all.
pub struct Standing {
    table: Table,
    schema: TableSchema,
    hashes: Vec<Expr>,
    rows: Hashed,
    left_out: AtomicU64,
}

impl Standing {
    /// Reads a table into which rows are to be merged that come later in the order than any that stands there with the
    /// same values. `sample`: some of their keys. `None` if these lie beyond the keys of every file, if rows may not be
    /// left out, if there are too many to hold their hashes, or if they cannot be read, of which the merge can tell more.
    ///
    /// # Errors
    /// As [`merge`](super::merge()), before anything is read.
    pub async fn read(
        target: &Snapshot,
        schema: &TableSchema,
        spec: &MergeSpec,
        sample: DataFrame,
    ) -> Result<Option<Self>, Error> {
        let table = target.table();
        super::fits(Some(target), table, schema)?;
        let rules = Rules::new(table.folder(), spec, &schema.columns)?;
        let may_be_left_out = rules.order.is_some() && matches!(rules.scope, Scope::None) && !rules.key.is_empty();
        let most = table.lake().memory().rows_at_once(Hashed::WIDTH, Hashed::MOST);
        let rows = target.files().iter().map(DataFile::rows).sum::<Option<u64>>().filter(|rows| *rows <= most);
        let (Some(comparison), Some(rows), true) = (&rules.comparison, rows, may_be_left_out) else {
            return Ok(None);
        };
        let all: Vec<&String> = rules.key.iter().map(|column| &column.name).chain(comparison.compared()).collect();
        let hashes = vec![rules.key_hash().alias(HASH), hash(&all, 3).alias(ROW)];
        let read = tokio::task::spawn_blocking({
            let files = Files::of_table(table, schema, target.files())?;
            let (described, columns) = (target.files().to_vec(), hashes.clone());
            move || {
                if sample.height() > 0 {
                    let bounds = Bounds::of_keys(&sample, &rules)?;
                    if !described.iter().any(|file| bounds.may_hold(file.into())) {
                        return Ok(None);
                    }
                }
                files.fold(&columns, Hashed::with_room_for(rows), add).map(Some)
            }
        });
        match read.await.map_err(|error| Error::Query(error.to_string()))? {
            Ok(rows) => {
                let (table, schema) = (table.clone(), schema.clone());
                let standing = |rows| Standing { table, schema, hashes, rows, left_out: AtomicU64::new(0) };
                Ok(rows.map(standing))
            }
            Err(error) => {
                tracing::debug!(table = table.folder(), %error, "could not read the rows that stand there");
                Ok(None)
            }
        }
    }

    /// Of rows that come those that do not stand there. The others are counted, so each row is to be given once.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the rows do not fit the table.
    pub fn news(&self, rows: &DataFrame) -> Result<DataFrame, Error> {
        let news = self.filter(rows, |there, row| !there.is_some_and(|there| there.meets(row)))?;
        self.left_out.fetch_add((rows.height() - news.height()) as u64, Ordering::Relaxed);
        Ok(news)
    }

    /// After all rows have come: whether some have been left out though others of their key have come that differ. Then
    /// all are to be given to [`Standing::contested`].
    pub fn is_contested(&self) -> bool {
        self.rows.is_contested()
    }

    /// Of rows that come those that [`Standing::news`] has left out though their key is contested.
    ///
    /// # Errors
    /// As [`Standing::news`].
    pub fn contested(&self, rows: &DataFrame) -> Result<DataFrame, Error> {
        let contested = self.filter(rows, |there, row| there.is_some_and(|there| there.contests(row)))?;
        self.left_out.fetch_sub(contested.height() as u64, Ordering::Relaxed);
        Ok(contested)
    }

    /// What became of the rows that were left out. Of several with the same key all but one are superseded.
    pub fn counts(&self) -> MergeRows {
        let unchanged = self.rows.met();
        let superseded = self.left_out.load(Ordering::Relaxed) - unchanged;
        MergeRows { unchanged, superseded, ..MergeRows::default() }
    }

    fn filter(&self, rows: &DataFrame, keep: impl Fn(Option<&Row>, u64) -> bool) -> Result<DataFrame, Error> {
        let rows = normalise(self.table.folder(), rows, &self.schema)?;
        let keep = self.rows.each(&pairs(&rows.clone().lazy().select(&self.hashes).collect()?)?, keep);
        Ok(rows.filter(&BooleanChunked::from_slice(PlSmallStr::EMPTY, &keep))?)
    }
}

fn add(held: &mut Hashed, frame: &DataFrame) -> PolarsResult<()> {
    match held.add(&pairs(frame)?) {
        true => Ok(()),
        false => Err(polars_err!(ComputeError: "a data file has more rows than the log says")),
    }
}

/// The hashes of each row: of its key, and of this and all else.
fn pairs(frame: &DataFrame) -> PolarsResult<Vec<(u64, u64)>> {
    let (keys, rows) = (frame.column(HASH)?.u64()?, frame.column(ROW)?.u64()?);
    Ok(keys.into_no_null_iter().zip(rows.into_no_null_iter()).collect())
}
