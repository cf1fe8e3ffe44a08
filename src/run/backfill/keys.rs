//! What a chunk of a silver table takes up: keys, and the events that are judged anew.
//!
//! The keys are those of the events whose time is in the range, whatever a `where` or a rule says of them, and those of
//! the rows in the range. All of their events are judged anew, and so are the events in the range that have no key. In
//! a table without a key each event is a key of its own: the place where it stands in bronze.

use polars::prelude::*;

use super::within::within;
use crate::delta::Snapshot;
use crate::expr::Type;
use crate::memory::Memory;
use crate::plan::Range;
use crate::run::error::{Error, Result};
use crate::run::judge::Bronze;
use crate::run::silver::Silver;
use crate::run::stream;
use crate::silver::{self, EVENT_TIME};

/// Where an event stands in its bronze table.
pub const PLACE: [&str; 3] = ["_batch", "_source_file", "_source_row"];
/// Bytes that a place takes, and as much again for what is made of it.
const PLACE_WIDTH: u64 = 96;
/// Its bronze table.
pub const SOURCE_TABLE: &str = "_source_table";

/// What a chunk takes up.
pub struct Affected {
    /// the keys, each once
    pub keys: DataFrame,
    /// of each source, in the order in which they were given, the places of the events, each once
    pub events: Vec<DataFrame>,
}

/// Finds what a chunk takes up.
pub struct Search<'a> {
    /// the table
    pub silver: Silver<'a>,
    /// as it is
    pub base: Option<&'a Snapshot>,
    /// its events
    pub sources: &'a [Bronze],
    /// the range
    pub range: &'a Range,
    /// the column of the range
    pub event_time: &'a str,
}

/// Keys with the places of their events, all of one source.
struct Found {
    source: usize,
    rows: DataFrame,
}

impl Search<'_> {
    /// The keys and events of the range.
    ///
    /// # Errors
    /// As [`silver::places`].
    pub async fn affected(&self) -> Result<Affected> {
        let ty = self.event_type();
        self.fits(&ty).await?;
        let present = self.present(&ty).await?;
        let mut found = Vec::new();
        for source in 0..self.sources.len() {
            let rows = self.places(source)?.filter(within(EVENT_TIME, &ty, self.range));
            let rows = collect(rows.select(self.columns())).await?;
            let astray = self.astray(source, &present, &rows).await?;
            found.push(Found { source, rows });
            if astray.height() > 0 {
                let rows = semi_join(self.places(source)?, astray, &PLACE);
                found.push(Found { source, rows: collect(rows.select(self.columns())).await? });
            }
        }
        let keys = collect(self.keys(&found, present)?).await?;
        if !self.key().is_empty() {
            for source in 0..self.sources.len() {
                let rows = semi_join(self.places(source)?, keys.clone(), &self.key());
                found.push(Found { source, rows: collect(rows.select(self.columns())).await? });
            }
        }
        let mut events = Vec::new();
        for source in 0..self.sources.len() {
            let of_source = found.iter().filter(|found| found.source == source);
            let places = of_source.map(|found| found.rows.clone().lazy().select(PLACE.map(column)));
            events.push(collect(united(places.collect())?).await?);
        }
        Ok(Affected { keys, events })
    }

    /// What a chunk takes up is held, so a range of too many events is told before the work.
    async fn fits(&self, ty: &Type) -> Result<()> {
        let memory = self.silver.run.lake.memory();
        let keys = self.silver.events.output.iter().filter(|column| self.key().contains(&column.name.as_str()));
        let width = keys.map(|key| key.ty.width()).sum::<u64>() + PLACE_WIDTH;
        let most = memory.rows_at_once(width, u64::MAX);
        let all: Option<u64> = self.sources.iter().map(|bronze| bronze.snapshot.rows()).sum();
        if all.is_some_and(|rows| rows <= most) {
            return Ok(());
        }
        let mut rows = 0;
        for source in 0..self.sources.len() {
            let events = self.places(source)?.filter(within(EVENT_TIME, ty, self.range)).select([column(PLACE[0])]);
            rows += tokio::task::spawn_blocking(move || stream::count(events)).await??;
        }
        if rows <= most {
            return Ok(());
        }
        Err(Error::Refused(format!(
            "the range has {rows} events; their keys and places take about {}, more than half of the {memory} that there \
             is to work with: take it in pieces (`--chunk 1mo`), or say `--memory {}`",
            Memory::of_bytes(rows.saturating_mul(width)),
            Memory::that_holds(rows.saturating_mul(width))
        )))
    }

    fn places(&self, source: usize) -> Result<LazyFrame> {
        let bronze = &self.sources[source];
        Ok(silver::places(self.silver.events, bronze.index, bronze.events()?)?)
    }

    fn event_type(&self) -> Type {
        let output = self.silver.events.output.iter().find(|column| column.name == self.event_time);
        output.map_or(Type::Timestamp, |column| column.ty.clone())
    }

    fn key(&self) -> Vec<&str> {
        self.silver.events.key.iter().map(String::as_str).collect()
    }

    /// The key and the place.
    fn columns(&self) -> Vec<Expr> {
        self.key().into_iter().chain(PLACE).map(column).collect()
    }

    fn has_several(&self) -> bool {
        self.silver.events.from.len() > 1
    }

    /// Keys and places of the rows in the range, as wide as they are to be.
    async fn present(&self, ty: &Type) -> Result<DataFrame> {
        let (from, to) = (self.range.from.instant, self.range.to.instant);
        let files = self.base.map(|base| base.files_between(self.event_time, from, to)).unwrap_or_default();
        let rows = self.silver.target().scan(&self.silver.schema(), &files)?;
        let columns = self.columns().into_iter().chain(self.has_several().then(|| column(SOURCE_TABLE)));
        collect(rows.filter(within(self.event_time, ty, self.range)).select(columns.collect::<Vec<_>>())).await
    }

    /// The places in one bronze table that rows in the range came from and that are none of an event in the range: by
    /// the definition that the rows follow, their events had another time.
    async fn astray(&self, source: usize, present: &DataFrame, in_range: &DataFrame) -> Result<DataFrame> {
        let mut rows = present.clone().lazy();
        if self.has_several() {
            rows = rows.filter(column(SOURCE_TABLE).eq(lit(self.sources[source].reach.source.to_string())));
        }
        let places = rows.select(PLACE.map(column));
        let on = PLACE.map(column);
        collect(places.join(in_range.clone().lazy(), on.clone(), on, JoinArgs::new(JoinType::Anti))).await
    }

    /// Each key once. An event without a key has no row.
    fn keys(&self, found: &[Found], present: DataFrame) -> Result<LazyFrame> {
        let names = if self.key().is_empty() { self.place() } else { self.key() };
        let whole = |name: &&str| column(name).is_not_null();
        let whole = names.iter().map(whole).fold(lit(true), Expr::and);
        let select: Vec<Expr> = names.iter().map(|name| column(name)).collect();
        let of_events = found.iter().map(|found| {
            let table = self.sources[found.source].reach.source.to_string();
            let rows = found.rows.clone().lazy().with_column(lit(table).alias(SOURCE_TABLE));
            rows.filter(whole.clone()).select(select.clone())
        });
        // Rows of another program that bear no place cannot be told apart.
        let present = if self.key().is_empty() { present.lazy().filter(whole.clone()) } else { present.lazy() };
        united(of_events.chain([present.select(select.clone())]).collect())
    }

    /// The columns of a place in any of the sources.
    fn place(&self) -> Vec<&str> {
        PLACE.into_iter().chain(self.has_several().then_some(SOURCE_TABLE)).collect()
    }
}

/// Each row of the frames once.
fn united(frames: Vec<LazyFrame>) -> Result<LazyFrame> {
    Ok(concat(frames, UnionArgs::default())?.unique(None, UniqueKeepStrategy::Any))
}

/// The rows of `frame` that have the values of one of `others` in these columns; NULL is no value.
pub fn semi_join(frame: LazyFrame, others: DataFrame, names: &[&str]) -> LazyFrame {
    let on: Vec<Expr> = names.iter().map(|name| column(name)).collect();
    frame.join(others.lazy(), on.clone(), on, JoinArgs::new(JoinType::Semi))
}

/// A column by its very name.
pub fn column(name: &str) -> Expr {
    Expr::Column(name.into())
}

async fn collect(frame: LazyFrame) -> Result<DataFrame> {
    tokio::task::spawn_blocking(move || stream::collect(frame)).await?
}
