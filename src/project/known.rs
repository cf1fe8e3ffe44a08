//! What a project must be told by others: the columns of the bronze tables that silver reads.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::model::{Environment, Source};
use crate::expr::Columns;
use crate::name::TableName;

/// Which columns has this bronze table?
pub struct Question<'q> {
    /// where its lake and its landing folder are
    pub environment: &'q Environment,
    /// the bronze table
    pub table: &'q TableName,
    /// its files
    pub source: &'q Source,
    /// Whether these columns are all that is read of it. An answer that is not enough costs a second look elsewhere, and
    /// in the end a fault.
    pub enough: &'q dyn Fn(&Columns) -> bool,
}

/// Gives the columns that came with a table's files, named and typed as bronze stores them; not those that bronze adds.
/// `None`: no file was there yet, as far as can be told.
pub type Known<'k> = &'k dyn Fn(&Question) -> Option<Columns>;

/// Asks, and remembers the answers.
pub(super) struct Asked<'k> {
    known: Known<'k>,
    /// none: its settings are faulty
    environment: Option<&'k Environment>,
    answers: RefCell<BTreeMap<TableName, Option<Columns>>>,
}

impl<'k> Asked<'k> {
    pub(super) fn new(known: Known<'k>, environment: Option<&'k Environment>) -> Self {
        Asked { known, environment, answers: RefCell::default() }
    }

    /// Asks once per table, and again only where another reader wants more than what was answered.
    pub(super) fn columns(
        &self,
        table: &TableName,
        source: &Source,
        enough: &dyn Fn(&Columns) -> bool,
    ) -> Option<Columns> {
        let environment = self.environment?;
        let earlier = self.answers.borrow().get(table).cloned();
        if let Some(answer) = earlier.filter(|answer| answer.as_ref().is_none_or(enough)) {
            return answer;
        }
        let answer = (self.known)(&Question { environment, table, source, enough });
        self.answers.borrow_mut().insert(table.clone(), answer.clone());
        answer
    }
}
