//! What is wrong with a row, gathered from the marks that the checks left. Only refused rows cost anything.

use polars::prelude::{
    AnyValue, BooleanChunked, Column, DataFrame, DataType, Expr, Field, IdxCa, IdxSize, IntoColumn, ListChunked,
    NamedFrom, PlSmallStr, PolarsResult, Series, StringChunked, StructChunked,
};

use super::cast::invalid;
use super::columns::{MALFORMED, REASONS, REFUSED_FROM, ROW, column, reasons_dtype};
use super::reason::{self, Reason};
use super::text::{json_row, text};

/// A check of every row and where the frame tells what it found.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// the checks of one stage are listed together; later ones did not see a row that an earlier one refused
    pub stage: usize,
    /// within the stage
    pub order: usize,
    /// the column with the findings: true, the name of the rule, or a list of reasons
    pub mark: String,
    /// whether the mark itself tells what was found, and is null where nothing was
    pub is_told: bool,
    /// which column a reason names
    pub column: Option<String>,
    /// the rule, where the mark does not tell
    pub rule: &'static str,
    /// the columns whose values a reason shows: by which name, from which column of the frame
    pub shown: Vec<(String, String)>,
}

impl Check {
    /// True where something was found, never null.
    pub(super) fn is_found(&self) -> Expr {
        if self.is_told { column(&self.mark).is_not_null() } else { column(&self.mark) }
    }
}

/// How a refused row is kept.
#[derive(Clone, Debug)]
pub(super) enum RowText {
    /// the text in this column
    Text(String),
    /// a JSON object: by which name, from which column of the frame
    Json(Vec<(String, String)>),
}

/// What it takes to say why a row is refused.
pub(super) struct Verdict {
    /// true for the rows that are refused
    pub refused: String,
    /// in the order in which they were made
    pub checks: Vec<Check>,
    pub row: RowText,
    /// the bronze table's name
    pub source_table: String,
}

impl Verdict {
    /// A struct of `_reasons`, `_row` and `_refused_from`, all null for a good row.
    pub(super) fn into_expr(mut self) -> Expr {
        self.checks.sort_by_key(|check| (check.stage, check.order));
        let names = self.reads();
        let rest: Vec<Expr> = names[1..].iter().map(|name| column(name)).collect();
        let first = column(&names[0]);
        let output = DataType::Struct(output_fields());
        first.map_many(
            move |columns| self.judge(&names, columns),
            &rest,
            move |_, fields| Ok(Field::new(fields[0].name().clone(), output.clone())),
        )
    }

    fn reads(&self) -> Vec<String> {
        let mut names = vec![self.refused.clone(), MALFORMED.to_owned()];
        match &self.row {
            RowText::Text(column) => names.push(column.clone()),
            RowText::Json(columns) => names.extend(columns.iter().map(|(_, column)| column.clone())),
        }
        for check in &self.checks {
            names.push(check.mark.clone());
            names.extend(check.shown.iter().map(|(_, column)| column.clone()));
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    fn judge(&self, names: &[String], columns: &[Column]) -> PolarsResult<Column> {
        let refused = columns[0].bool()?;
        if !refused.any() {
            return all_good(refused.name().clone(), refused.len());
        }
        let mut rows = Vec::with_capacity(columns.len());
        for (name, column) in names.iter().zip(columns) {
            rows.push(column.filter(refused)?.with_name(name.as_str().into()));
        }
        let height = rows[0].len();
        let told = self.tell(&DataFrame::new(height, rows)?)?;
        let positions = spread(refused);
        let fields: Vec<Series> = told.iter().map(|field| field.take(&positions)).collect::<PolarsResult<_>>()?;
        let name = refused.name().clone();
        Ok(StructChunked::from_series(name, refused.len(), fields.iter())?.into_column())
    }

    /// `_reasons`, `_row` and `_refused_from` of refused rows.
    fn tell(&self, rows: &DataFrame) -> PolarsResult<[Series; 3]> {
        let malformed = rows.column(MALFORMED)?.str()?.clone();
        let findings: Vec<Findings> =
            self.checks.iter().map(|check| Findings::new(check, rows)).collect::<PolarsResult<_>>()?;
        let mut reasons = Vec::with_capacity(rows.height());
        let mut texts = Vec::with_capacity(rows.height());
        for row in 0..rows.height() {
            if let Some(raw) = malformed.get(row) {
                reasons.push(vec![Reason::new(None, reason::MALFORMED, Some(raw))]);
                texts.push(Some(raw.to_owned()));
            } else {
                reasons.push(first_stage(&findings, row)?);
                texts.push(self.row_text(rows, row)?);
            }
        }
        let from = vec![self.source_table.as_str(); rows.height()];
        Ok([reason::series(REASONS, &reasons)?, Series::new(ROW.into(), texts), Series::new(REFUSED_FROM.into(), from)])
    }

    fn row_text(&self, rows: &DataFrame, row: usize) -> PolarsResult<Option<String>> {
        match &self.row {
            RowText::Text(column) => Ok(text(&rows.column(column)?.get(row)?)),
            RowText::Json(columns) => {
                let mut named = Vec::with_capacity(columns.len());
                for (name, column) in columns {
                    named.push((name.as_str(), rows.column(column)?));
                }
                Ok(Some(json_row(named.into_iter(), row)))
            }
        }
    }
}

fn output_fields() -> Vec<Field> {
    vec![
        Field::new(REASONS.into(), reasons_dtype()),
        Field::new(ROW.into(), DataType::String),
        Field::new(REFUSED_FROM.into(), DataType::String),
    ]
}

fn all_good(name: PlSmallStr, height: usize) -> PolarsResult<Column> {
    let fields = output_fields();
    let fields: Vec<Series> = fields.iter().map(|f| Series::full_null(f.name().clone(), height, f.dtype())).collect();
    Ok(StructChunked::from_series(name, height, fields.iter())?.into_column())
}

/// For each row its position among the refused ones.
fn spread(refused: &BooleanChunked) -> IdxCa {
    let mut next: IdxSize = 0;
    let positions = refused.iter().map(|is_refused| {
        (is_refused == Some(true)).then(|| {
            next += 1;
            next - 1
        })
    });
    positions.collect()
}

/// The reasons of the first stage that has any.
fn first_stage(findings: &[Findings], row: usize) -> PolarsResult<Vec<Reason>> {
    let mut reasons = Vec::new();
    let mut stage = None;
    for finding in findings {
        if !reasons.is_empty() && stage != Some(finding.check.stage) {
            break;
        }
        stage = Some(finding.check.stage);
        finding.add(row, &mut reasons)?;
    }
    Ok(reasons)
}

/// A check beside what it found in the refused rows.
struct Findings<'a> {
    check: &'a Check,
    mark: Mark<'a>,
    shown: Vec<(&'a str, &'a Column)>,
}

enum Mark<'a> {
    Broken(&'a BooleanChunked),
    Rule(&'a StringChunked),
    Reasons(&'a ListChunked),
}

impl<'a> Findings<'a> {
    fn new(check: &'a Check, rows: &'a DataFrame) -> PolarsResult<Self> {
        let mark = rows.column(&check.mark)?;
        let mark = match mark.dtype() {
            DataType::Boolean => Mark::Broken(mark.bool()?),
            DataType::String => Mark::Rule(mark.str()?),
            DataType::List(_) => Mark::Reasons(mark.list()?),
            other => return Err(invalid(format!("a check cannot be told by {other}"))),
        };
        let mut shown = Vec::with_capacity(check.shown.len());
        for (name, column) in &check.shown {
            shown.push((name.as_str(), rows.column(column)?));
        }
        Ok(Findings { check, mark, shown })
    }

    fn add(&self, row: usize, reasons: &mut Vec<Reason>) -> PolarsResult<()> {
        let rule = match self.mark {
            Mark::Broken(mark) => mark.get(row).filter(|broken| *broken).map(|_| self.check.rule),
            Mark::Rule(mark) => mark.get(row),
            Mark::Reasons(mark) => {
                if let Some(items) = mark.get_as_series(row) {
                    reasons.extend(listed(&items)?);
                }
                None
            }
        };
        if let Some(rule) = rule {
            reasons.push(Reason::new(self.check.column.clone(), rule, self.value(row)?.as_deref()));
        }
        Ok(())
    }

    /// The value itself where the check reads one column, else all that it reads, by name.
    fn value(&self, row: usize) -> PolarsResult<Option<String>> {
        if let [(_, column)] = self.shown.as_slice() {
            return Ok(text(&column.get(row)?));
        }
        let mut named = Vec::with_capacity(self.shown.len());
        for (name, column) in &self.shown {
            let value = text(&column.get(row)?).unwrap_or_else(|| "NULL".to_owned());
            named.push(format!("{name} = {value}"));
        }
        Ok((!named.is_empty()).then(|| named.join(", ")))
    }
}

fn listed(items: &Series) -> PolarsResult<Vec<Reason>> {
    let fields = items.struct_()?.fields_as_series();
    let text_at = |field: usize, row: usize| match fields.get(field).map(|f| f.get(row)) {
        Some(Ok(value @ (AnyValue::String(_) | AnyValue::StringOwned(_)))) => text(&value),
        _ => None,
    };
    let reason =
        |row| Reason { column: text_at(0, row), rule: text_at(1, row).unwrap_or_default(), value: text_at(2, row) };
    Ok((0..items.len()).map(reason).collect())
}
