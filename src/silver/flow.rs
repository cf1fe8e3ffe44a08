//! A frame on its way through the checks. Rows that are refused or filtered out stay in it to the end, so that bronze's
//! own columns need not be copied at each step; two columns say which rows later steps still count for.

use polars::prelude::{self as pl, LazyFrame, lit};

use crate::expr::{Column, Columns};

use super::columns::{MALFORMED, column};
use super::verdict::Check;

/// True for the rows that are neither refused nor filtered out. Like all names in here it is one that no table's
/// column can have.
pub(super) const LIVE: &str = "(live)";
/// True for the rows that go to quarantine.
pub(super) const REFUSED: &str = "(refused)";
/// The stage of the rules that are judged on what comes out.
const LAST: usize = usize::MAX;

pub(super) struct Flow {
    pub frame: LazyFrame,
    /// what a step may read now
    pub columns: Columns,
    /// what was checked so far
    pub checks: Vec<Check>,
    /// the frame's other columns
    kept: Vec<String>,
    stage: usize,
}

/// A check about to be made.
pub(super) struct Finding {
    /// which column a reason names
    pub column: Option<String>,
    pub mark: Mark,
    /// what a reason shows: names and columns
    pub shown: Vec<(String, String)>,
}

/// Tells in which rows something is found.
pub(super) enum Mark {
    /// this rule is broken where the expression is true
    Broken(&'static str, pl::Expr),
    /// a rule's name or a list of reasons, else null
    Told(pl::Expr),
}

/// What becomes of the columns that a step does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Stay,
    Go,
}

impl Flow {
    /// `kept`: the columns of `frame` that travel to the end; no step reads them.
    pub(super) fn new(frame: LazyFrame, mut kept: Vec<String>) -> Self {
        let live = column(MALFORMED).is_null().alias(LIVE);
        let refused = column(MALFORMED).is_not_null().alias(REFUSED);
        kept.extend([LIVE.to_owned(), REFUSED.to_owned()]);
        Flow { frame: frame.with_columns([live, refused]), columns: Vec::new(), checks: Vec::new(), kept, stage: 0 }
    }

    /// Keeps columns as they are now under other names, which are given back; later steps do not change those.
    pub(super) fn keep(&mut self, names: impl IntoIterator<Item = String>) -> Vec<(String, String)> {
        let mut kept = Vec::new();
        for name in names {
            let copy = format!("(seen {} {name})", self.stage);
            if !self.kept.contains(&copy) {
                self.frame = self.frame.clone().with_column(column(&name).alias(copy.as_str()));
                self.kept.push(copy.clone());
            }
            kept.push((name, copy));
        }
        kept
    }

    /// Sets columns, all from those before, and refuses the rows in which something is found.
    pub(super) fn set(&mut self, values: Vec<(Column, pl::Expr)>, findings: Vec<Finding>, others: Others) {
        let mut set: Vec<pl::Expr> = values.iter().map(|(c, value)| value.clone().alias(c.name.as_str())).collect();
        let checks: Vec<Check> = findings
            .into_iter()
            .enumerate()
            .map(|(order, finding)| mark(finding, (self.stage, order), self.checks.len() + order, &mut set))
            .collect();
        match others {
            Others::Stay => self.frame = self.frame.clone().with_columns(set),
            Others::Go => {
                let kept = self.kept.iter().map(|name| column(name));
                self.frame = self.frame.clone().select(kept.chain(set).collect::<Vec<_>>());
                self.columns.clear();
            }
        }
        for (set, _) in values {
            match self.columns.iter_mut().find(|c| c.name == set.name) {
                Some(there) => there.ty = set.ty,
                None => self.columns.push(set),
            }
        }
        self.refuse(&checks);
        self.checks.extend(checks);
        self.stage += 1;
    }

    /// Drops the rows for which `condition` is not true, but refuses those in which something is found.
    pub(super) fn filter(&mut self, condition: pl::Expr, finding: Option<Finding>) {
        const CONDITION: &str = "(condition)";
        let mut set = vec![condition.alias(CONDITION)];
        let checks: Vec<Check> =
            finding.into_iter().map(|f| mark(f, (self.stage, 0), self.checks.len(), &mut set)).collect();
        self.frame = self.frame.clone().with_columns(set);
        self.refuse(&checks);
        let live = column(LIVE).and(column(CONDITION).fill_null(lit(false)));
        self.frame = self.frame.clone().with_column(live.alias(LIVE));
        self.checks.extend(checks);
        self.stage += 1;
    }

    /// Notes what is found on the columns as they are now; it counts for the rows that are live in the end.
    pub(super) fn note(&mut self, findings: Vec<(usize, Finding)>) {
        let mut set = Vec::new();
        for (order, finding) in findings {
            let check = mark(finding, (LAST, order), self.checks.len(), &mut set);
            self.kept.push(check.mark.clone());
            self.checks.push(check);
        }
        self.frame = self.frame.clone().with_columns(set);
    }

    /// Refuses the live rows in which something was noted.
    pub(super) fn refuse_noted(&mut self) {
        let noted: Vec<Check> = self.checks.iter().filter(|check| check.stage == LAST).cloned().collect();
        self.refuse(&noted);
    }

    fn refuse(&mut self, checks: &[Check]) {
        self.kept.extend(checks.iter().map(|check| check.mark.clone()));
        let Some(found) = checks.iter().map(Check::is_found).reduce(pl::Expr::or) else { return };
        const FOUND: &str = "(found)";
        self.frame = self.frame.clone().with_column(found.alias(FOUND)).with_columns([
            column(REFUSED).or(column(LIVE).and(column(FOUND))).alias(REFUSED),
            column(LIVE).and(column(FOUND).not()).alias(LIVE),
        ]);
    }
}

/// Adds the mark's column to those to `set`.
fn mark(finding: Finding, (stage, order): (usize, usize), number: usize, set: &mut Vec<pl::Expr>) -> Check {
    let name = format!("(check {number})");
    let (rule, is_told, mark) = match finding.mark {
        Mark::Broken(rule, broken) => (rule, false, broken.fill_null(lit(false))),
        Mark::Told(told) => ("", true, told),
    };
    set.push(mark.alias(name.as_str()));
    Check { stage, order, mark: name, is_told, column: finding.column, rule, shown: finding.shown }
}
