//! What was computed becomes the table's next version, in one commit.

use std::collections::BTreeMap;
use std::time::Instant;

use super::part::{Input, Origin, Part, Which, definition, rows};
use crate::delta::{At, Snapshot};
use crate::name::TableName;
use crate::report::{Action, InputVersion, Status, TableReport};
use crate::run::Run;
use crate::run::anew::Rows;
use crate::run::error::{Error, Result};
use crate::run::gold::{self, Gold, Read};
use crate::run::judge::Bronze;
use crate::run::protocol::folder;
use crate::run::retry;
use crate::run::silver::{self, Silver, versions};

/// The tables of a rebuild that are published.
pub type All = BTreeMap<TableName, Published>;

/// A table of a rebuild that is published.
pub struct Published {
    /// as its readers note it
    read: Read,
    /// its rows, if they are not those that the tables below were computed from
    grown: Option<Rows>,
}

/// Publishes a table and adds it to those that are. When another writer was faster, the events that came meanwhile are
/// added to what was computed.
///
/// # Errors
/// The guard stops it; what a commit fails with; too many losses.
pub async fn publish(run: &Run, mut part: Part, published: &mut All) -> Result<TableReport> {
    let began = Instant::now();
    let mut grown = recompute(run, &mut part, published).await?;
    for n in 1.. {
        let after = part.anew.rows.count().unwrap_or_default();
        if let Err(stop) = run.guard(&part.name, part.base.as_ref(), after) {
            part.anew.discard().await;
            return Err(stop);
        }
        let error = match commit(run, &part, published).await {
            Ok((version, inputs)) => {
                let table = run.lake.table(&folder(&part.name));
                let read = Read::of(&part.name, &table.snapshot_at(&At::Version(version)).await?);
                published.insert(part.name.clone(), Published { read, grown: grown.then(|| part.rows()) });
                return Ok(report(part, version, inputs, began));
            }
            Err(error) => error,
        };
        retry::after(&format!("`{}`", part.name), n, error).await?;
        grown |= catch_up(run, &mut part).await?;
    }
    Err(Error::Internal("a rebuild was given up".into()))
}

fn report(part: Part, version: i64, inputs: Vec<InputVersion>, began: Instant) -> TableReport {
    TableReport {
        status: Status::Succeeded,
        action: Action::Rebuild,
        rows: part.anew.counts,
        inputs,
        seconds: part.seconds + began.elapsed().as_secs_f64(),
        ..TableReport::unchanged(part.name, Some(version), part.note)
    }
}

/// Computes a derived table once more if a table above has taken in later events since.
async fn recompute(run: &Run, part: &mut Part, published: &All) -> Result<bool> {
    let Origin::Tables(inputs) = &mut part.origin else { return Ok(false) };
    let mut stale = false;
    for (name, input) in inputs.iter_mut() {
        if let Some(grown) = published.get(name).and_then(|above| above.grown.clone()) {
            *input = Input::Anew(grown);
            stale = true;
        }
    }
    if let (true, Which::Gold(derived)) = (stale, definition(run, &part.name)?) {
        let gold = Gold { run, name: &part.name, derived };
        let anew = gold.compute(&rows(inputs), &gold.target()).await?;
        std::mem::replace(&mut part.anew, anew).discard().await;
    }
    Ok(stale)
}

async fn commit(run: &Run, part: &Part, published: &All) -> Result<(i64, Vec<InputVersion>)> {
    let (name, base, action, counts) = (&part.name, part.base.as_ref(), Action::Rebuild, part.anew.counts);
    let (adds, removes) = (part.anew.rows.files.clone(), base.map(|base| base.files().to_vec()).unwrap_or_default());
    match (definition(run, name)?, &part.origin) {
        (Which::Silver(events), Origin::Events(sources)) => {
            let sources: Vec<Bronze> = sources.iter().map(|(source, _)| source.clone()).collect();
            let refused = part.anew.refused.as_ref().map(|rows| rows.files.clone()).unwrap_or_default();
            let (sources, rows) = (sources.as_slice(), counts);
            let publication = silver::Publication { base, action, adds, removes, refused, sources, rows, mixed: false };
            Ok((Silver { run, name, events }.publish(publication).await?, versions(sources)))
        }
        (Which::Gold(derived), Origin::Tables(inputs)) => {
            let read: Vec<Read> = inputs.iter().map(|input| read(input, published)).collect::<Result<_>>()?;
            let versions = read.iter().map(Read::version).collect();
            let publication = gold::Publication { base, action, adds, removes, read, rows: counts, mixed: false };
            Ok((Gold { run, name, derived }.publish(publication).await?, versions))
        }
        _ => Err(Error::Internal(format!("`{name}` was computed from something else than it is made from"))),
    }
}

/// The version of an input that a commit notes.
fn read((name, input): (&TableName, &Input), published: &All) -> Result<Read> {
    match (input, published.get(name)) {
        (Input::Version(snapshot), _) => Ok(Read::of(name, snapshot)),
        (Input::Anew(_), Some(published)) => Ok(published.read.clone()),
        (Input::Anew(_), None) => Err(Error::Internal(format!("`{name}` was not published"))),
    }
}

/// After a lost commit: what is there now, and the events that have come since what was computed.
async fn catch_up(run: &Run, part: &mut Part) -> Result<bool> {
    part.base = run.lake.table(&folder(&part.name)).snapshot().await?;
    let (Which::Silver(events), Origin::Events(sources)) = (definition(run, &part.name)?, &mut part.origin) else {
        return Ok(false);
    };
    let (mut newest, mut later) = (Vec::new(), Vec::new());
    for source in events.from.iter() {
        let known = sources.iter().find(|(known, _)| known.reach.source == *source);
        if known.is_some_and(|(_, pinned)| *pinned) {
            continue;
        }
        if let Some(snapshot) = run.lake.table(&folder(source)).snapshot().await? {
            newest.push((source.clone(), snapshot));
        }
    }
    let silver = Silver { run, name: &part.name, events };
    let newest: BTreeMap<TableName, Snapshot> = newest.into_iter().collect();
    for mut source in silver.sources(&newest, |_| Some(None))? {
        match sources.iter_mut().find(|(known, _)| known.reach.source == source.reach.source) {
            Some((known, _)) if known.reach.id != source.reach.id => {
                let what = "was replaced by another table while it was read; run the rebuild again";
                return Err(Error::Refused(format!("`{}` {what}", known.reach.source)));
            }
            Some((known, _)) if known.reach.upto >= source.reach.upto => {}
            Some((known, _)) => {
                source.reach.after = Some(known.reach.upto);
                known.reach.upto = source.reach.upto;
                known.snapshot = source.snapshot.clone();
                later.push(source);
            }
            None => {
                sources.push((source.clone(), false));
                later.push(source);
            }
        }
    }
    if !later.is_empty() {
        silver.add(&mut part.anew, &later).await?;
    }
    Ok(!later.is_empty())
}
