//! How two sides of a table differ, for people: what `diff` prints, and rehearsals and proofs too.

use super::table::{Column, records, table};
use super::{ui, words};
use crate::report::value::{Cell, Row};
use crate::report::{Change, ColumnDiff, DiffSide, RowChange, TableDiff, Total};

/// Prints which sides are compared and how they differ.
pub fn print(diff: &TableDiff) {
    ui::answer(&heading(diff));
    ui::answer(&body(diff, ui::width()));
}

/// Which sides of which table are compared, and how rows are told apart.
pub fn heading(diff: &TableDiff) -> String {
    let (from, to) = (side(&diff.from, "not there"), side(&diff.to, "not published"));
    let how = match diff.key.as_slice() {
        [] => "rows as a whole".to_owned(),
        key => format!("by {}", key.join(", ")),
    };
    words::clean_line(&format!("{}: {from} → {to}, {how}", diff.table))
}

/// How they differ: rows, columns, sums, some of the rows.
pub fn body(diff: &TableDiff, width: Option<u16>) -> String {
    let note = diff.note.iter().map(|note| words::clean_line(note));
    if !diff.differs() {
        let same = format!("no difference in {}", words::count(diff.rows.after, "row"));
        return note.chain([same]).collect::<Vec<_>>().join("\n");
    }
    let parts = [rows(diff, width), columns(diff, width), totals(diff, width), sample(diff, width)];
    note.chain(parts.into_iter().flatten()).collect::<Vec<_>>().join("\n\n")
}

/// What it has cost to tell.
pub fn read(diff: &TableDiff) -> String {
    let read = &diff.read;
    let bytes = (words::bytes(read.bytes), words::bytes(read.of_bytes));
    format!("read {} of {}, {} of {}", read.files, words::count(read.of_files as u64, "file"), bytes.0, bytes.1)
}

fn side(side: &DiffSide, none: &str) -> String {
    let version = match (side.version, side.at) {
        (Some(version), Some(at)) => format!("version {version} ({})", at.format("%Y-%m-%d %H:%M:%S")),
        (Some(version), None) => format!("version {version}"),
        (None, _) => none.to_owned(),
    };
    let environment = side.environment.iter().cloned();
    environment.chain([version]).collect::<Vec<_>>().join(" ")
}

fn rows(diff: &TableDiff, width: Option<u16>) -> Option<String> {
    let rows = &diff.rows;
    let counts = [
        ("rows before", rows.before),
        ("after", rows.after),
        ("added", rows.added),
        ("removed", rows.removed),
        ("changed", rows.changed),
    ];
    let counts = &counts[..if diff.key.is_empty() { 4 } else { 5 }];
    let columns: Vec<_> = counts.iter().map(|(header, _)| Column::Number(header)).collect();
    Some(table(&columns, &[counts.iter().map(|(_, n)| words::thousands(*n)).collect()], width))
}

fn columns(diff: &TableDiff, width: Option<u16>) -> Option<String> {
    let changed: Vec<&ColumnDiff> = diff.changed_columns().collect();
    if changed.is_empty() {
        return None;
    }
    let mut columns = vec![Column::Name("column")];
    let mut rows: Vec<Vec<String>> = changed.iter().map(|column| vec![column.name.clone()]).collect();
    let mut add = |column: Column<'static>, cell: &dyn Fn(&ColumnDiff) -> String| {
        columns.push(column);
        rows.iter_mut().zip(&changed).for_each(|(row, column)| row.push(cell(column)));
    };
    if !diff.key.is_empty() {
        add(Column::Number("changed"), &|column| words::thousands(column.changed));
    }
    if changed.iter().any(|column| column.was != column.is) {
        add(Column::Text("type"), &remark);
    }
    Some(table(&columns, &rows, width))
}

fn remark(column: &ColumnDiff) -> String {
    match (&column.was, &column.is) {
        (None, Some(is)) => format!("new: {is}"),
        (Some(was), None) => format!("gone: {was}"),
        (Some(was), Some(is)) if was != is => {
            let not = if column.compared { "" } else { ", not compared" };
            format!("{was}, now {is}{not}")
        }
        _ => String::new(),
    }
}

fn totals(diff: &TableDiff, width: Option<u16>) -> Option<String> {
    let whole = diff.totals.iter().any(|total| total.before.is_some() || total.after.is_some());
    let shown: Vec<&Total> =
        diff.totals.iter().filter(|total| whole || (total.difference.is_some() && !total.same)).collect();
    if shown.is_empty() {
        return None;
    }
    let text = |cell: &Option<Cell>| cell.as_ref().map(ToString::to_string).unwrap_or_default();
    let difference = |total: &Total| match text(&total.difference) {
        _ if total.same => "0".to_owned(),
        text if text.is_empty() || text.starts_with('-') => text,
        text => format!("+{text}"),
    };
    let name = |total: &Total| total.name.clone();
    if !whole {
        let rows: Vec<_> = shown.into_iter().map(|total| vec![name(total), difference(total)]).collect();
        return Some(table(&[Column::Name("sum of"), Column::Number("difference")], &rows, width));
    }
    let row = |total: &Total| vec![name(total), text(&total.before), text(&total.after), difference(total)];
    let columns =
        [Column::Name("sum of"), Column::Number("before"), Column::Number("after"), Column::Number("difference")];
    Some(table(&columns, &shown.into_iter().map(row).collect::<Vec<_>>(), width))
}

fn sample(diff: &TableDiff, width: Option<u16>) -> Option<String> {
    let kinds =
        [(Change::Changed, diff.rows.changed), (Change::Added, diff.rows.added), (Change::Removed, diff.rows.removed)];
    let part = |(change, all): (Change, u64)| {
        let rows: Vec<&RowChange> = diff.sample.iter().filter(|row| row.change == change).collect();
        if rows.is_empty() {
            return None;
        }
        let title = match rows.len() as u64 {
            n if n < all => {
                format!("{}, the first {} of {}:", change.as_str(), words::thousands(n), words::thousands(all))
            }
            _ => format!("{}:", change.as_str()),
        };
        let rows = if change == Change::Changed { changes(diff, &rows, width) } else { whole(&rows, width) };
        Some(format!("{title}\n{rows}"))
    };
    let parts: Vec<String> = kinds.into_iter().filter_map(part).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// A line for each column in which a row differs; its key stands on the first.
fn changes(diff: &TableDiff, rows: &[&RowChange], width: Option<u16>) -> String {
    let text = |row: &Option<Row>, name: &str| {
        row.as_ref().and_then(|row| row.get(name)).map(ToString::to_string).unwrap_or_default()
    };
    let lines = rows.iter().flat_map(|row| {
        row.columns.iter().enumerate().map(move |(i, column)| {
            let key = |name: &String| if i == 0 { text(&row.after, name) } else { String::new() };
            let key = diff.key.iter().map(key);
            key.chain([column.clone(), text(&row.before, column), text(&row.after, column)]).collect()
        })
    });
    let lines: Vec<Vec<String>> = lines.collect();
    let after: Vec<_> = rows.iter().map(|row| &row.after).collect();
    let key = diff.key.iter().map(|name| column(name, &after));
    let columns: Vec<_> = key.chain([Column::Name("column"), Column::Text("before"), Column::Text("after")]).collect();
    table(&columns, &lines, width)
}

/// The rows of one side.
fn whole(rows: &[&RowChange], width: Option<u16>) -> String {
    let sides: Vec<&Option<Row>> =
        rows.iter().map(|row| if row.change == Change::Added { &row.after } else { &row.before }).collect();
    let names: Vec<&str> =
        sides.iter().take(1).copied().flatten().flat_map(|row| row.0.iter().map(|(name, _)| name.as_str())).collect();
    let columns: Vec<_> = names.into_iter().map(|name| column(name, &sides)).collect();
    let lines: Vec<Vec<String>> =
        sides.iter().copied().flatten().map(|row| row.0.iter().map(|(_, cell)| cell.to_string()).collect()).collect();
    records(&columns, &lines, width)
}

/// Numbers stand to the right.
fn column<'a>(name: &'a str, rows: &[&Option<Row>]) -> Column<'a> {
    let cell = |row: &&Option<Row>| row.as_ref().and_then(|row| row.get(name)).cloned();
    let is_null = |cell: &Cell| matches!(cell, Cell::Plain(value) if value.is_null());
    let is_number =
        |cell: &Cell| matches!(cell, Cell::Plain(value) if value.is_number()) || matches!(cell, Cell::Decimal(_));
    let mut values = rows.iter().filter_map(cell).filter(|cell| !is_null(cell)).peekable();
    if values.peek().is_some() && values.all(|cell| is_number(&cell)) {
        Column::Number(name)
    } else {
        Column::Text(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::{DiffRead, DiffRows};

    fn row(id: i64, amount: &str) -> Row {
        Row(vec![("id".into(), Cell::Plain(json!(id))), ("amount".into(), Cell::Decimal(amount.into()))])
    }

    fn diff() -> TableDiff {
        let column = |name: &str, changed, was: Option<&str>, is: Option<&str>| ColumnDiff {
            name: name.into(),
            changed,
            was: was.map(String::from),
            is: is.map(String::from),
            compared: was == is || was.is_none(),
        };
        let changed = RowChange {
            change: Change::Changed,
            columns: vec!["amount".into(), "vat".into()],
            before: Some(row(7, "1.10")),
            after: Some(Row([row(7, "12.00").0, vec![("vat".into(), Cell::Plain(json!("a\u{1b}[1m")))]].concat())),
        };
        let removed = RowChange { change: Change::Removed, columns: vec![], before: Some(row(9, "0.50")), after: None };
        let total = |difference: &str, same| Total {
            name: "amount".into(),
            before: None,
            after: None,
            difference: Some(Cell::Decimal(difference.into())),
            same,
        };
        TableDiff {
            table: "silver.orders".into(),
            from: DiffSide { version: Some(3), ..DiffSide::default() },
            to: DiffSide::default(),
            key: vec!["id".into()],
            left_out: vec![],
            note: None,
            rows: DiffRows { before: 1200, after: 1199, added: 0, removed: 1, changed: 1000 },
            columns: vec![
                column("id", 0, Some("bigint"), Some("bigint")),
                column("amount", 1000, Some("decimal(12,2)"), Some("decimal(12,2)")),
                column("vat", 1, None, Some("string")),
                column("odd", 0, Some("int"), Some("string")),
            ],
            totals: vec![total("10.90", false), total("0.00", true)],
            sample: vec![changed, removed],
            read: DiffRead { files: 1, of_files: 2, bytes: 10, of_bytes: 2_000_000 },
        }
    }

    #[test]
    fn a_difference_is_told_in_parts() {
        let diff = diff();
        assert_eq!(heading(&diff), "silver.orders: version 3 → not published, by id");
        assert_eq!(read(&diff), "read 1 of 2 files, 10 B of 2.0 MB");
        insta::assert_snapshot!(body(&diff, None), @r"
         rows before   after   added   removed   changed
        ─────────────────────────────────────────────────
               1,200   1,199       0         1     1,000

         column   changed   type
        ──────────────────────────────────────────────────
         amount     1,000
         vat            1   new: string
         odd            0   int, now string, not compared

         sum of   difference
        ─────────────────────
         amount       +10.90

        changed, the first 1 of 1,000:
         id   column   before   after
        ───────────────────────────────────
          7   amount   1.10     12.00
              vat               a\u{1b}[1m

        removed:
         id   amount
        ─────────────
          9     0.50
        ");
    }

    #[test]
    fn without_a_key_no_row_is_changed() {
        let note = Some("`id` of the key is not on the earlier side, so rows are compared as multisets".to_owned());
        let mut diff = TableDiff { key: vec![], note, sample: vec![], totals: vec![], ..diff() };
        diff.columns.retain(|column| column.name != "amount");
        insta::assert_snapshot!(body(&diff, Some(60)), @r"
        `id` of the key is not on the earlier side, so rows are compared as multisets

         rows before   after   added   removed
        ───────────────────────────────────────
               1,200   1,199       0         1

         column   type
        ────────────────────────────────────────
         vat      new: string
         odd      int, now string, not compared
        ");
    }

    #[test]
    fn where_nothing_differs_it_says_so() {
        let rows = DiffRows { before: 7, after: 7, ..DiffRows::default() };
        let diff = TableDiff { rows, columns: vec![], sample: vec![], totals: vec![], ..diff() };
        assert_eq!(body(&diff, None), "no difference in 7 rows");
    }
}
