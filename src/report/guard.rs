//! Why the guard stopped a table.

use serde::Serialize;

/// Why the guard stops a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GuardStop {
    /// rows that the table has
    pub before: u64,
    /// rows that it would have
    pub after: u64,
    /// the share of its rows that may go; `after` is 0 or less than this leaves
    pub limit: f64,
}

impl std::fmt::Display for GuardStop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let GuardStop { before, after, limit } = self;
        write!(f, "the guard stopped it: of its {before} rows {after} would be left, and ")?;
        match after {
            0 => write!(f, "no table may become empty"),
            _ => write!(f, "at most {}% may go", limit * 100.0),
        }?;
        write!(f, " (`guard:` in the project or the table's file); to do it all the same: --yes")
    }
}
