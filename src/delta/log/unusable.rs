//! Files of a log that are of no use to a reader.

use std::collections::{BTreeMap, BTreeSet};

use super::HINT;

/// Files of a log that cannot be used, though all that they say stands in others too: checkpoints, and the file that
/// names the last one. By name, with what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unusable(BTreeMap<String, String>);

impl Unusable {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names, and what is wrong with each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, why)| (name.as_str(), why.as_str()))
    }

    pub(in crate::delta) fn add(&mut self, name: &str, why: impl Into<String>) {
        self.0.entry(name.to_owned()).or_insert_with(|| why.into());
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn extend(&mut self, other: &Unusable) {
        other.iter().for_each(|(name, why)| self.add(name, why));
    }

    /// What others must not see. The hint names the last checkpoint, so it goes with any.
    pub(in crate::delta) fn hidden(&self) -> BTreeSet<String> {
        self.0.keys().cloned().chain([HINT.to_owned()]).collect()
    }
}
