//! Declared steps and expressions, typed over the columns that come in.

use std::collections::BTreeSet;

use super::columns;
use super::declared::NamedSql;
use super::declared_step::{DeclaredStep, Verb};
use super::model::Contract;
use super::reader::{File, Text};
use super::typing_join;
use super::yaml::Mark;
use crate::expr::{self, Aggregate, Column, Columns, Expr, ExprError, Type};
use crate::name::TableName;
use crate::steps::{Rank, SortKey, Step};

/// What steps are typed against.
pub(super) struct Typing<'t, 'a> {
    pub file: &'t File<'a>,
    pub settings: expr::Settings,
    /// the columns of the other tables; `None`: that table is faulty itself
    pub tables: &'t dyn Fn(&TableName) -> Option<Columns>,
    /// the table reads bronze and is judged by this: only row-wise steps, and its columns take the contract's types
    pub contract: Option<&'t Contract>,
}

impl Typing<'_, '_> {
    /// The steps and the columns after them. Stops at the first faulty step, since the columns after it are unknown.
    pub(super) fn steps(&self, input: Columns, declared: &[DeclaredStep]) -> Option<(Vec<Step>, Columns)> {
        let mut columns = input;
        let mut steps = Vec::with_capacity(declared.len());
        for step in declared {
            let grouped = steps.iter().any(|earlier| matches!(earlier, Step::GroupBy { .. }));
            let typed = self.step(step, &columns, grouped)?;
            columns = self.output(&typed, step, &columns)?;
            steps.push(typed);
        }
        Some((steps, columns))
    }

    fn step(&self, step: &DeclaredStep, input: &Columns, grouped: bool) -> Option<Step> {
        if self.contract.is_some() && !matches!(step.verb, Verb::Derive(_) | Verb::Where(_) | Verb::Select(_)) {
            let hint = "make another table that reads this one".to_owned();
            let message = "a table that reads bronze has the steps derive, where and select only";
            self.file.hinted(step.mark, message, Some(hint));
            return None;
        }
        Some(match &step.verb {
            Verb::Derive(named) => Step::Derive(self.named(named, input)?),
            Verb::Where(sql) => Step::Where(self.condition(sql, input)?),
            Verb::Select(named) => Step::Select(self.named(named, input)?),
            Verb::Join(join) => Step::Join(typing_join::join(self, join, input)?),
            Verb::Union(reference) => Step::Union(reference.table.clone()),
            Verb::GroupBy { keys, aggregate } => {
                let typed = (self.named(keys, input), self.aggregates(aggregate, input));
                Step::GroupBy { keys: typed.0?, aggregate: typed.1? }
            }
            Verb::Having(sql) if grouped => Step::Having(self.condition(sql, input)?),
            Verb::Having(_) => {
                let hint = "write `where`, or group before it".to_owned();
                self.file.hinted(step.mark, "`having` without a `group_by` before it", Some(hint));
                return None;
            }
            Verb::Rank { by, within, name } => Step::Rank(self.rank(by, within, name, input)?),
            Verb::Broken => return None,
        })
    }

    fn output(&self, typed: &Step, step: &DeclaredStep, input: &Columns) -> Option<Columns> {
        if let Some(table) = typed.table() {
            // A table that is faulty itself says so in its own file.
            (self.tables)(table)?;
        }
        typed.output(input, self.tables).map_err(|message| self.file.fault(step.mark, message)).ok()
    }

    fn named(&self, named: &[NamedSql], input: &Columns) -> Option<Vec<(String, Expr)>> {
        let all: Vec<Option<(String, Expr)>> = named.iter().map(|entry| self.one(entry, input)).collect();
        let all = all.into_iter().collect::<Option<_>>()?;
        self.distinct(named)?;
        Some(all)
    }

    fn one(&self, entry: &NamedSql, input: &Columns) -> Option<(String, Expr)> {
        let typed = match &entry.sql {
            Some(sql) => self.scalar(sql, input),
            None => columns::find(self.file, input, &entry.name).map(|c| Expr::column(&c.name, c.ty.clone())),
        };
        let at = entry.sql.as_ref().unwrap_or(&entry.name).mark;
        self.good_name(&entry.name)?;
        Some((entry.name.value.clone(), self.as_contracted(&entry.name.value, typed?, at)?))
    }

    /// A column that the contract speaks of takes the contract's type.
    fn as_contracted(&self, name: &str, typed: Expr, at: Mark) -> Option<Expr> {
        let property = self.contract.and_then(|contract| contract.properties.iter().find(|p| p.name == name));
        match property {
            Some(property) => self.cast(typed, &property.ty, at),
            None if has_null(typed.ty()) => {
                let hint = "say which, e.g. `cast(null as string)`".to_owned();
                self.file.hinted(at, format!("`{name}` has no type"), Some(hint));
                None
            }
            None => Some(typed),
        }
    }

    /// The value as another type, or a fault.
    pub(super) fn cast(&self, typed: Expr, ty: &Type, at: Mark) -> Option<Expr> {
        typed.cast(ty, self.settings).map_err(|message| self.file.fault(at, message)).ok()
    }

    pub(super) fn scalar(&self, sql: &Text, input: &Columns) -> Option<Expr> {
        expr::scalar(&sql.value, input, self.settings).map_err(|error| self.expression_fault(sql, error)).ok()
    }

    fn condition(&self, sql: &Text, input: &Columns) -> Option<Expr> {
        let typed = self.scalar(sql, input)?;
        if !matches!(typed.ty(), Type::Boolean | Type::Null) {
            let hint = "a condition is true or false, e.g. `status = 'completed'`".to_owned();
            self.file.hinted(sql.mark, format!("a condition cannot be of type {}", typed.ty()), Some(hint));
            return None;
        }
        Some(typed)
    }

    fn aggregates(&self, named: &[NamedSql], input: &Columns) -> Option<Vec<(String, Aggregate)>> {
        let all: Vec<Option<(String, Aggregate)>> = named
            .iter()
            .map(|entry| {
                let sql = entry.sql.as_ref()?;
                let typed = expr::aggregate(&sql.value, input, self.settings);
                let typed = typed.map_err(|error| self.expression_fault(sql, error)).ok();
                self.good_name(&entry.name)?;
                Some((entry.name.value.clone(), typed?))
            })
            .collect();
        let all = all.into_iter().collect::<Option<_>>()?;
        self.distinct(named)?;
        Some(all)
    }

    fn expression_fault(&self, sql: &Text, error: ExprError) {
        self.file.hinted(sql.at(error.offset), error.message, error.hint);
    }

    pub(super) fn good_name(&self, name: &Text) -> Option<()> {
        match columns::bad_name(&name.value) {
            None => Some(()),
            Some(hint) => {
                let message = format!("`{}` cannot be the name of a column", name.value);
                self.file.hinted(name.mark, message, Some(hint));
                None
            }
        }
    }

    fn distinct(&self, named: &[NamedSql]) -> Option<()> {
        let mut seen = BTreeSet::new();
        let twice = named.iter().find(|entry| !seen.insert(entry.name.value.to_lowercase()));
        if let Some(entry) = twice {
            self.file.fault(entry.name.mark, format!("`{}` stands here twice", entry.name.value));
            return None;
        }
        Some(())
    }

    fn rank(&self, by: &[Text], within: &[Text], name: &Text, input: &Columns) -> Option<Rank> {
        let keys: Vec<Option<SortKey>> = by.iter().map(|text| self.sort_key(text, input)).collect();
        let groups: Vec<Option<&Column>> = within.iter().map(|text| columns::find(self.file, input, text)).collect();
        self.good_name(name)?;
        if keys.is_empty() {
            self.file.fault(name.mark, "`rank` has nothing to sort by");
            return None;
        }
        groups.into_iter().collect::<Option<Vec<_>>>()?;
        let within = within.iter().map(|text| text.value.clone()).collect();
        Some(Rank { by: keys.into_iter().collect::<Option<_>>()?, within, name: name.value.clone() })
    }

    /// `revenue desc`
    fn sort_key(&self, text: &Text, input: &Columns) -> Option<SortKey> {
        let (column, direction) = match text.value.trim().rsplit_once(char::is_whitespace) {
            Some((column, direction)) => (column.trim(), direction.to_lowercase()),
            None => (text.value.trim(), "asc".to_owned()),
        };
        if !matches!(direction.as_str(), "asc" | "desc") {
            let hint = "a column, then `asc` or `desc`, e.g. `revenue desc`".to_owned();
            self.file.hinted(text.mark, format!("`{}` is no order", text.value), Some(hint));
            return None;
        }
        let name = Text { value: column.to_owned(), ..text.clone() };
        columns::find(self.file, input, &name)?;
        Some(SortKey { column: column.to_owned(), descending: direction == "desc" })
    }
}

fn has_null(ty: &Type) -> bool {
    match ty {
        Type::Null => true,
        Type::Array(inner) => has_null(inner),
        Type::Struct(members) => members.iter().any(|member| has_null(&member.ty)),
        _ => false,
    }
}
