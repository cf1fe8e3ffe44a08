//! Calls of aggregate functions.

use sqlparser::ast::{self, Ident};

use super::{Checked, Checker};

impl Checker<'_> {
    pub(super) fn aggregate_call(&self, name: &str, ident: &Ident, f: &ast::Function) -> Checked {
        let _ = f;
        Err(self.error(ident.span, format!("the aggregate `{name}` cannot stand here"), None))
    }
}
