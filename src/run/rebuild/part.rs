//! One table of a rebuild: computed, not published yet.

use std::collections::BTreeMap;

use crate::delta::Snapshot;
use crate::name::{Layer, TableName};
use crate::project::{Definition, Derived, Events};
use crate::report::TableReport;
use crate::run::Run;
use crate::run::anew::{Anew, Rows};
use crate::run::error::{Error, Result};
use crate::run::gold::Gold;
use crate::run::judge::Bronze;
use crate::run::protocol::folder;
use crate::run::silver::Silver;

/// The versions that are read instead of the newest.
pub type Pins = BTreeMap<TableName, Snapshot>;

/// What a table is computed from.
#[derive(Clone)]
pub enum Input {
    /// a version that is in the lake
    Version(Snapshot),
    /// a table of the same rebuild
    Anew(Rows),
}

/// One table of a rebuild: computed, not published yet.
pub struct Part {
    /// which
    pub name: TableName,
    /// its rows
    pub anew: Anew,
    /// what is there; the commit is made against exactly this
    pub base: Option<Snapshot>,
    /// what it is made from
    pub origin: Origin,
    /// why
    pub note: String,
    /// from start to end
    pub seconds: f64,
}

/// What a table is made from.
pub enum Origin {
    /// a silver table's events; true: these versions alone, whatever comes
    Events(Vec<(Bronze, bool)>),
    /// the inputs of a derived table
    Tables(BTreeMap<TableName, Input>),
}

impl Part {
    /// Computes a table from these rows of the tables above it that are rebuilt too, and from the lake. Gives the report
    /// if there is nothing to compute.
    pub async fn of(
        run: &Run,
        name: &TableName,
        above: &BTreeMap<TableName, Rows>,
        pins: &Pins,
    ) -> Result<std::result::Result<Part, TableReport>> {
        let base = run.lake.table(&folder(name)).snapshot().await?;
        let mut inputs = BTreeMap::new();
        let mut missing = None;
        for input in run.project.inputs(name) {
            let found = match (above.get(&input), pins.get(&input)) {
                (Some(rows), _) => Some(Input::Anew(rows.clone())),
                (None, Some(pin)) => Some(Input::Version(pin.clone())),
                (None, None) => run.lake.table(&folder(&input)).snapshot().await?.map(Input::Version),
            };
            match found {
                Some(found) => drop(inputs.insert(input, found)),
                None => missing = Some(input),
            }
        }
        // A silver table with several sources is made from those that have something.
        if let Some(input) = missing.filter(|input| input.layer != Layer::Bronze || inputs.is_empty()) {
            let why = format!("`{input}` has no rows yet");
            return Ok(Err(TableReport::unchanged(name.clone(), base.as_ref().map(Snapshot::version), why)));
        }
        let mut part = Part::compute(run, name, base, inputs, "asked for".into()).await?;
        if let Origin::Events(sources) = &mut part.origin {
            sources.iter_mut().for_each(|(source, pinned)| *pinned = pins.contains_key(&source.reach.source));
        }
        Ok(Ok(part))
    }

    /// Computes a table from its inputs.
    pub async fn compute(
        run: &Run,
        name: &TableName,
        base: Option<Snapshot>,
        inputs: BTreeMap<TableName, Input>,
        note: String,
    ) -> Result<Part> {
        let (anew, origin) = match definition(run, name)? {
            Which::Silver(events) => {
                let silver = Silver { run, name, events };
                let sources = silver.sources(&versions(&inputs), |_| Some(None))?;
                let anew = silver.compute(&sources, &silver.target(), &silver.quarantine()).await?;
                (anew, Origin::Events(sources.into_iter().map(|source| (source, false)).collect()))
            }
            Which::Gold(derived) => {
                let gold = Gold { run, name, derived };
                let anew = gold.compute(&rows(&inputs), &gold.target()).await?;
                (anew, Origin::Tables(inputs))
            }
        };
        Ok(Part { name: name.clone(), anew, base, origin, note, seconds: 0.0 })
    }

    /// Its rows.
    pub fn rows(&self) -> Rows {
        self.anew.rows.clone()
    }
}

/// How a table that can be rebuilt comes about.
pub enum Which<'a> {
    /// from events
    Silver(&'a Events),
    /// from tables
    Gold(&'a Derived),
}

/// How `name` comes about.
pub fn definition<'a>(run: &'a Run, name: &TableName) -> Result<Which<'a>> {
    match run.project.tables.get(name).map(|table| &table.definition) {
        Some(Definition::Silver(events)) => Ok(Which::Silver(events)),
        Some(Definition::Gold(derived)) => Ok(Which::Gold(derived)),
        _ => Err(Error::Refused(format!("`{name}` is made from files: there is nothing to rebuild it from"))),
    }
}

/// The rows of all inputs.
pub fn rows(inputs: &BTreeMap<TableName, Input>) -> BTreeMap<TableName, Rows> {
    let rows = |input: &Input| match input {
        Input::Version(snapshot) => Rows::from(snapshot),
        Input::Anew(rows) => rows.clone(),
    };
    inputs.iter().map(|(name, input)| (name.clone(), rows(input))).collect()
}

fn versions(inputs: &BTreeMap<TableName, Input>) -> BTreeMap<TableName, Snapshot> {
    let version = |input: &Input| match input {
        Input::Version(snapshot) => Some(snapshot.clone()),
        Input::Anew(_) => None,
    };
    inputs.iter().filter_map(|(name, input)| Some((name.clone(), version(input)?))).collect()
}
