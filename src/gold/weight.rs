//! What groups weigh while they are computed.

use super::grouping::Grouping;
use crate::project::Derived;
use crate::steps::Step;

/// Bytes that groups take in memory while they are computed; an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// each group
    pub group: u64,
    /// each row, where aggregates keep values
    pub row: u64,
}

/// What a group's place in the hash table and its row in the result take beside its values.
const PLACE: u64 = 64;
/// A sum, a count or an extreme.
const STATE: u64 = 32;

/// What the groups of a table weigh that can be computed lot by lot; `None` if they cannot, or if there are none.
pub fn weight(derived: &Derived) -> Option<Weight> {
    let grouping = Grouping::of(derived).ok()?;
    let keys: u64 = grouping.keys.iter().map(|key| 2 * key.expr.ty().width()).sum();
    let aggregates = derived.steps.iter().find_map(|step| match step {
        Step::GroupBy { aggregate, .. } => Some(aggregate),
        _ => None,
    })?;
    let keeping = aggregates.iter().filter(|(_, aggregate)| aggregate.keeps_values()).count() as u64;
    Some(Weight { group: PLACE + keys + STATE * aggregates.len() as u64, row: STATE * keeping })
}

impl Weight {
    /// Of so many groups made of so many rows.
    pub fn of(self, groups: u64, rows: u64) -> u64 {
        self.group.saturating_mul(groups).saturating_add(self.row.saturating_mul(rows))
    }
}
