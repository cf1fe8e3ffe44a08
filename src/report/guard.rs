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

impl GuardStop {
    /// What there is to say of a table that was not stopped because nothing of it was to be published.
    pub fn would_stop(&self) -> String {
        format!("the guard would stop it: {}", self.reason())
    }

    fn reason(&self) -> String {
        let GuardStop { before, after, limit } = self;
        let rule = match after {
            0 => "no table may become empty".to_owned(),
            _ => format!("at most {}% may go", limit * 100.0),
        };
        format!(
            "of its {before} rows {after} would be left, and {rule} (`guard:` in the project or the table's file); to do \
             it all the same: --yes"
        )
    }
}

impl std::fmt::Display for GuardStop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the guard stopped it: {}", self.reason())
    }
}
