//! Tables for people: text left, numbers right, within the terminal's width.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use super::words::clean_line;

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// Between two columns of content: the padding of both and what parts them.
const GAP: usize = 3;
/// Columns of text are not made narrower than this.
const LEAST_TEXT: u16 = 16;

/// A column's header and where its cells stand.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// to the left, wrapped where the terminal is narrow
    Text(&'a str),
    /// to the left, never wrapped: names that people copy
    Name(&'a str),
    /// to the right, never wrapped
    Number(&'a str),
}

impl Column<'_> {
    fn header(&self) -> &str {
        match self {
            Column::Text(header) | Column::Name(header) | Column::Number(header) => header,
        }
    }
}

/// A table whose texts are wrapped to fit `width`, if one is given; one block per row, without its empty cells, where
/// there is too little room for that.
pub fn table(columns: &[Column<'_>], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = whole(columns, rows);
    let Some(width) = width.filter(|width| natural_width(&table) > usize::from(*width)) else { return drawn(&table) };
    let content = table.column_max_content_widths();
    let least = |(column, natural): (&Column<'_>, &u16)| match column {
        Column::Text(_) => usize::from((*natural).min(LEAST_TEXT)),
        _ => usize::from(*natural),
    };
    let needed: usize = columns.iter().zip(&content).map(|pair| least(pair) + GAP).sum();
    if needed > usize::from(width) && !rows.is_empty() {
        return blocks(columns, rows, width, false);
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    for ((column, kind), natural) in table.column_iter_mut().zip(columns).zip(content) {
        column.set_constraint(match kind {
            Column::Text(_) => ColumnConstraint::LowerBoundary(Width::Fixed(natural.min(LEAST_TEXT) + 2)),
            _ => ColumnConstraint::ContentWidth,
        });
    }
    drawn(&table)
}

/// A table if it fits `width`, else one block per row with a column a line.
pub fn records(columns: &[Column<'_>], rows: &[Vec<String>], width: Option<u16>) -> String {
    let table = whole(columns, rows);
    match width {
        Some(width) if natural_width(&table) > usize::from(width) && !rows.is_empty() => {
            blocks(columns, rows, width, true)
        }
        _ => drawn(&table),
    }
}

fn whole(columns: &[Column<'_>], rows: &[Vec<String>]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|c| aligned(c, c.header())));
    for row in rows {
        table.add_row(columns.iter().zip(row).map(|(column, text)| aligned(column, text)).collect::<Vec<_>>());
    }
    table
}

fn aligned(column: &Column<'_>, text: &str) -> Cell {
    let cell = Cell::new(clean_line(text));
    if matches!(column, Column::Number(_)) { cell.set_alignment(CellAlignment::Right) } else { cell }
}

fn natural_width(table: &Table) -> usize {
    let content = table.column_max_content_widths();
    content.iter().map(|w| usize::from(*w)).sum::<usize>() + GAP * content.len()
}

fn drawn(table: &Table) -> String {
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn blocks(columns: &[Column<'_>], rows: &[Vec<String>], width: u16, empty_too: bool) -> String {
    let headers: Vec<String> = columns.iter().map(|c| clean_line(c.header())).collect();
    let widest = headers.iter().map(|h| h.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let title = format!("── {} ", number + 1);
        let rest = usize::from(width).saturating_sub(title.chars().count());
        lines.push(title + &"─".repeat(rest));
        let pairs = headers.iter().zip(row).filter(|(_, text)| empty_too || !text.is_empty());
        lines.extend(pairs.map(|(header, text)| format!(" {header:widest$}   {}", clean_line(text)).trim_end().into()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'static>; 3] = [Column::Name("table"), Column::Number("rows"), Column::Text("why")];

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 3]| cells.map(String::from).to_vec();
        vec![row(["silver.a", "1,200", "its definition changed"]), row(["gold.b", "7", ""])]
    }

    #[test]
    fn numbers_stand_right_and_no_line_ends_in_a_space() {
        insta::assert_snapshot!(table(&COLUMNS, &rows(), None), @r"
         table       rows   why
        ───────────────────────────────────────────
         silver.a   1,200   its definition changed
         gold.b         7
        ");
    }

    #[test]
    fn texts_wrap_where_the_terminal_is_narrow_and_names_do_not() {
        insta::assert_snapshot!(table(&COLUMNS, &rows(), Some(38)), @r"
         table       rows   why
        ─────────────────────────────────────
         silver.a   1,200   its definition
                            changed
         gold.b         7
        ");
    }

    #[test]
    fn where_texts_have_no_room_either_rows_become_blocks() {
        insta::assert_snapshot!(table(&COLUMNS, &rows(), Some(30)), @r"
        ── 1 ─────────────────────────
         table   silver.a
         rows    1,200
         why     its definition changed
        ── 2 ─────────────────────────
         table   gold.b
         rows    7
        ");
    }

    #[test]
    fn rows_that_do_not_fit_become_blocks() {
        insta::assert_snapshot!(records(&COLUMNS, &rows(), Some(40)), @r"
        ── 1 ───────────────────────────────────
         table   silver.a
         rows    1,200
         why     its definition changed
        ── 2 ───────────────────────────────────
         table   gold.b
         rows    7
         why
        ");
        assert_eq!(records(&COLUMNS, &rows(), Some(60)), table(&COLUMNS, &rows(), None));
    }

    #[test]
    fn a_cell_stays_on_its_line() {
        let text = table(&COLUMNS[2..], &[vec!["a\nb\x1b[1m".into()]], None);
        assert!(text.ends_with(" a\\nb\\u{1b}[1m"), "{text}");
    }
}
