//! Calls of aggregate functions.

use sqlparser::ast::{
    self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, Ident, OrderByExpr,
};

use super::{Checked, Checker, Place, start};
use crate::expr::ExprError;
use crate::expr::group::{Call, Function, Order};
use crate::expr::tree::Expr;
use crate::expr::types::Type;

impl Checker<'_> {
    pub(super) fn aggregate_call(&self, name: &str, ident: &Ident, f: &ast::Function) -> Checked {
        let wrong = |message: String, hint: Option<String>| self.error(ident.span, message, hint);
        match self.place {
            Place::Group => {}
            Place::Row => {
                let hint = Some("aggregates stand in `aggregate:` of a group_by".to_owned());
                return Err(wrong(format!("the aggregate `{name}` cannot stand here"), hint));
            }
            Place::Argument => return Err(wrong(format!("the aggregate `{name}` stands within another"), None)),
        }
        let FunctionArguments::List(list) = &f.args else {
            return Err(wrong(format!("`{name}` has no arguments"), None));
        };
        if f.null_treatment.is_some() || !f.within_group.is_empty() {
            return Err(wrong(format!("`{name}` takes no NULLS and no WITHIN GROUP"), None));
        }
        let row = Checker { place: Place::Argument, depth: self.depth.clone(), ..*self };
        let filter = f.filter.as_deref().map(|filter| row.boolean(filter)).transpose()?;
        let order = row.order(name, ident, &list.clauses)?;
        if let (true, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) = (name == "count", list.args.as_slice()) {
            if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
                return Err(wrong("`count(distinct *)` is not known; name a column".to_owned(), None));
            }
            let call = Call { function: Function::Rows, argument: None, order, last: false, filter };
            return Ok(call.into_expr(Type::BigInt));
        }
        let argument = row.one_argument(name, ident, list)?;
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        let Some(function) = Function::find(name, distinct) else {
            return Err(wrong(format!("`{name}` takes no DISTINCT; only `count(distinct x)` does"), None));
        };
        let (argument, ty) = function.fit(argument).map_err(|why| wrong(format!("`{name}`: {why}"), None))?;
        let call = Call { function, argument: Some(argument), order, last: name == "last", filter };
        Ok(call.into_expr(ty))
    }

    fn one_argument(&self, name: &str, ident: &Ident, list: &FunctionArgumentList) -> Checked {
        match list.args.as_slice() {
            [argument] => self.check(self.argument(ident, argument)?),
            _ => {
                let shape =
                    if name == "count" { "`count(*)` or `count(x)`".to_owned() } else { format!("`{name}(x)`") };
                Err(self.error(ident.span, format!("`{name}` takes one argument: {shape}"), None))
            }
        }
    }

    /// The order that `first` and `last` must have, and no other may.
    fn order(&self, name: &str, ident: &Ident, clauses: &[FunctionArgumentClause]) -> Result<Vec<Order>, ExprError> {
        let wants = matches!(name, "first" | "last");
        match clauses {
            [] if wants => {
                let hint = Some(format!("e.g. `{name}(status by updated_at)`"));
                Err(self.error(ident.span, format!("`{name}` needs an order: without one it would never repeat"), hint))
            }
            [] => Ok(Vec::new()),
            [FunctionArgumentClause::OrderBy(by)] if wants => {
                by.iter().map(|by| self.order_by(by, name == "last")).collect()
            }
            _ => Err(self.error(ident.span, format!("`{name}` takes an argument and nothing else"), None)),
        }
    }

    /// `last` is the first of the opposite order; NULL comes last in both unless said.
    fn order_by(&self, order: &OrderByExpr, last: bool) -> Result<Order, ExprError> {
        let by: Expr = self.check(&order.expr)?;
        if matches!(by.ty, Type::Array(_) | Type::Struct(_) | Type::Binary) {
            return Err(self.error(start(&order.expr), format!("{} cannot be ordered", by.ty), None));
        }
        let descending = (order.options.asc == Some(false)) != last;
        let nulls_first = order.options.nulls_first.is_some_and(|first| first != last);
        Ok(Order { by, descending, nulls_first })
    }
}
