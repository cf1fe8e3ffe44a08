//! What touched groups are now, from a sheet with what they were, what went and what came side by side.

use polars::prelude::{DataFrame, PolarsResult};

use super::Part;
use crate::expr::{Addable, exact_cells};

pub(super) const OLD: &str = "old";
pub(super) const REMOVED: &str = "removed";
pub(super) const ADDED: &str = "added";

/// The sheet's column of a part's value; no column of a table has a blank in its name.
pub(super) fn amount(side: &str, part: usize) -> String {
    format!("{side} {part}")
}

/// The sheet's column of how many values a sum has.
pub(super) fn values(side: &str, part: usize) -> String {
    format!("{side} values {part}")
}

/// What became of a group.
pub(super) enum Fate {
    /// no row is left
    Gone,
    /// the value of each part
    Is(Vec<Option<i128>>),
    /// that only all of its rows can tell
    Open,
}

impl Fate {
    pub(super) fn values(&self) -> Option<&[Option<i128>]> {
        match self {
            Fate::Is(values) => Some(values),
            Fate::Gone | Fate::Open => None,
        }
    }
}

/// Of each group; NULL where there is no such row.
type Cells = Vec<Option<i128>>;

/// Of one part, group by group.
struct Amounts {
    old: Cells,
    removed: Cells,
    added: Cells,
    /// how many values went and how many came; of sums only
    values: Option<(Cells, Cells)>,
}

pub(super) fn fates(sheet: &DataFrame, parts: &[Part]) -> PolarsResult<Vec<Fate>> {
    let cells = |name: String| exact_cells(sheet.column(&name)?);
    let amounts = |(i, part): (usize, &Part)| -> PolarsResult<Amounts> {
        let values = match part.follows {
            Addable::Sum { .. } => Some((cells(values(REMOVED, i))?, cells(values(ADDED, i))?)),
            _ => None,
        };
        let [old, removed, added] = [OLD, REMOVED, ADDED].map(|side| cells(amount(side, i)));
        Ok(Amounts { old: old?, removed: removed?, added: added?, values })
    };
    let amounts: Vec<Amounts> = parts.iter().enumerate().map(amounts).collect::<PolarsResult<_>>()?;
    Ok((0..sheet.height()).map(|group| fate(group, parts, &amounts).unwrap_or(Fate::Open)).collect())
}

/// `None`: open. Where what the table holds does not go with what went, as after another writer's change, it is open
/// too.
fn fate(group: usize, parts: &[Part], amounts: &[Amounts]) -> Option<Fate> {
    let rows = parts.iter().position(|part| part.follows == Addable::Rows)?;
    let was = amounts[rows].old[group];
    let rows = amounts[rows].number(group)?;
    match (rows, was) {
        (0, Some(_)) => return Some(Fate::Gone),
        (0, None) => return None,
        _ => {}
    }
    let value = |(i, part): (usize, &Part)| -> Option<Option<i128>> {
        let value = match part.follows {
            Addable::Rows | Addable::Count => Some(amounts[i].number(group).filter(|count| *count <= rows)?),
            Addable::Sum { .. } => {
                let counted = part.counted_by.map(|counter| amounts[counter].number(group));
                amounts[i].sum(group, counted.flatten())?
            }
        };
        value.is_none_or(|value| part.aggregate.ty().has_room(value)).then_some(value)
    };
    parts.iter().enumerate().map(value).collect::<Option<Vec<_>>>().map(Fate::Is)
}

impl Amounts {
    /// A number of rows or values now.
    fn number(&self, group: usize) -> Option<i128> {
        let [old, removed, added] = [&self.old, &self.removed, &self.added].map(|side| side[group].unwrap_or(0));
        Some(old - removed + added).filter(|number| *number >= 0 && removed <= old)
    }

    /// A sum now, `Some(None)` where it is NULL; `counted` is how many values it has now, if that is known.
    fn sum(&self, group: usize, counted: Option<i128>) -> Option<Option<i128>> {
        let (went, came) = self.values.as_ref()?;
        let (went, came) = (went[group].unwrap_or(0) > 0, came[group].unwrap_or(0) > 0);
        let (old, removed, added) = (self.old[group], self.removed[group], self.added[group]);
        if went && old.is_none() {
            return None;
        }
        let has_values = match (went, came) {
            (_, true) => true,
            (false, false) => old.is_some(),
            (true, false) => counted? > 0,
        };
        if !has_values {
            return Some(None);
        }
        let less = old.unwrap_or(0).checked_sub(removed.unwrap_or(0))?;
        Some(Some(less.checked_add(added.unwrap_or(0))?))
    }
}
