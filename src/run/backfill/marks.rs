//! What of a backfill is done already, by the table's own commits. Each chunk's commit bears a mark; a request that was
//! interrupted goes on behind the last of them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::delta::{CommitRecord, Snapshot};
use crate::plan::{Chunk, Range};
use crate::report::Action;
use crate::run::error::Result;
use crate::run::past::is_foreign;

/// The key of a note under which the mark stands.
pub const MARK: &str = "backfill";
/// Commits that are looked through at once.
const AT_ONCE: i64 = 100;
/// What lies further back than so many commits is done anew.
const FURTHEST: i64 = 2_000;

/// A request over one table: what is asked for again is the same if all of this is.
#[derive(Clone, Debug)]
pub struct Asked {
    /// all of it
    pub range: Range,
    /// how it is cut
    pub chunk: Option<Chunk>,
    /// over which column
    pub event_time: String,
    /// hash of the table's definition
    pub definition: String,
}

impl Asked {
    /// The mark of a chunk.
    pub fn mark(&self, chunk: &Range) -> Value {
        let mut mark = Map::new();
        mark.insert("from".into(), json!(chunk.from.to_string()));
        mark.insert("to".into(), json!(chunk.to.to_string()));
        mark.insert("of".into(), self.whole());
        mark.into()
    }

    fn whole(&self) -> Value {
        json!({
            "from": self.range.from.to_string(),
            "to": self.range.to.to_string(),
            "chunk": self.chunk.map(|chunk| chunk.to_string()),
            "event_time": self.event_time,
        })
    }

    /// Where the chunks begin that are done. Chunks are done in order, so the commit of the last one ends the request:
    /// what lies before it belongs to an earlier one. So does what lies before a commit that may have undone it.
    pub async fn done(&self, table: Option<&Snapshot>) -> Result<BTreeSet<String>> {
        let mut done = BTreeSet::new();
        let Some(table) = table else { return Ok(done) };
        let mut end = table.version();
        let furthest = (end - FURTHEST).max(0);
        while end >= furthest {
            let start = (end - AT_ONCE + 1).max(furthest);
            let commits = table.table().history(start).await?;
            for commit in commits.iter().rev().filter(|commit| (start..=end).contains(&commit.version)) {
                if self.is_undone_by(commit) {
                    return Ok(done);
                }
                let Some((from, to)) = self.chunk_of(commit) else { continue };
                if to == self.range.to.to_string() {
                    return Ok(done);
                }
                done.insert(from);
            }
            end = start - 1;
        }
        Ok(done)
    }

    /// Whether rows of before may be others after it: another program's, a rebuild's, a restore's, or those of another
    /// definition.
    fn is_undone_by(&self, commit: &CommitRecord) -> bool {
        let text = |key: &str| commit.note.as_ref().and_then(|note| note.get(key)?.as_str());
        let replaces = [Action::Rebuild, Action::Restore].map(|action| Some(action.as_str())).contains(&text("action"));
        replaces || is_foreign(commit) || text("definition").is_some_and(|definition| definition != self.definition)
    }

    fn chunk_of(&self, commit: &CommitRecord) -> Option<(String, String)> {
        let mark = commit.note.as_ref()?.get(MARK)?;
        let text = |key: &str| Some(mark.get(key)?.as_str()?.to_string());
        let same = mark.get("of") == Some(&self.whole());
        Some((text("from")?, text("to")?)).filter(|_| same)
    }
}
