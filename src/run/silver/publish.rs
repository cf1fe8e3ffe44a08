//! The commit of a silver table: quarantine first, then the table, which names the quarantine's version.

use std::collections::BTreeMap;

use super::{Silver, versions};
use crate::delta::{Change, DataFile, Snapshot};
use crate::name::TableName;
use crate::report::{Action, RowCounts};
use crate::run::anew::discard;
use crate::run::error::Result;
use crate::run::judge::Bronze;
use crate::run::protocol::{self, operation, table_state};
use crate::run::quarantine::{self, Published, Reach};

/// What a commit of a silver table brings.
pub struct Publication<'a> {
    /// what is there; the commit is made against exactly this
    pub base: Option<&'a Snapshot>,
    /// a rebuild replaces the quarantine as a whole, all else the rows within reach
    pub action: Action,
    /// files that come
    pub adds: Vec<DataFile>,
    /// files that go
    pub removes: Vec<DataFile>,
    /// files of refused rows
    pub refused: Vec<DataFile>,
    /// what was read; their watermarks move with the commit
    pub sources: &'a [Bronze],
    /// what became of the rows that were read
    pub rows: RowCounts,
    /// some rows follow an earlier definition
    pub mixed: bool,
}

impl Silver<'_> {
    /// Commits; gives the version.
    ///
    /// # Errors
    /// Lost, if another writer was faster.
    pub async fn publish(&self, publication: Publication<'_>) -> Result<i64> {
        let rebuilds = publication.action == Action::Rebuild;
        let reach: Vec<Reach> = publication.sources.iter().map(|s| s.reach.clone()).collect();
        let silver = publication.base.filter(|_| !rebuilds);
        let refused = publication.refused.clone();
        let published = match quarantine::replace(self.run, self.name, silver, &reach, refused).await {
            Ok(published) => published,
            Err(error) => {
                // What was computed anew is published again after a lost commit.
                if !rebuilds {
                    discard(&self.target(), &publication.adds).await;
                }
                return Err(error);
            }
        };
        let version = self.commit(publication, published.as_ref()).await?;
        quarantine::settle(self.run, self.name, published.as_ref()).await;
        Ok(version)
    }

    async fn commit(&self, publication: Publication<'_>, published: Option<&Published>) -> Result<i64> {
        let Publication { base, action, adds, removes, sources, rows, mixed, .. } = publication;
        let (schema, definition) = (self.schema(), self.definition());
        let state = base.map(table_state);
        // After a rebuild the rows are made from the sources alone.
        let before = state.as_ref().filter(|_| action != Action::Rebuild).map(|s| s.inputs.clone());
        let mut ids: BTreeMap<TableName, String> = before.unwrap_or_default();
        ids.extend(sources.iter().map(|s| (s.reach.source.clone(), s.reach.id.clone())));
        let ids: Vec<_> = ids.into_iter().collect();
        let watermarks = sources.iter().map(|s| (protocol::watermark_txn(&s.reach.id), s.reach.upto));
        let change = Change {
            adds,
            removes,
            txns: watermarks.chain(quarantine::txns(base, published)).collect(),
            schema: Some(schema.clone()),
            properties: protocol::definition_properties(state.as_ref(), &definition, &ids, mixed),
            unset: protocol::taken_off(action),
            rearranges: false,
            operation: operation(action),
            note: protocol::note(&self.run.id, action.as_str(), &definition, &versions(sources), &rows),
        };
        Ok(match base {
            Some(base) => self.target().commit(base, change).await?,
            None => self.target().create(&schema, change).await?,
        })
    }
}
