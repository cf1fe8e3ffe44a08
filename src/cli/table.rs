//! Tables for people: text left, numbers right, within the terminal's width, whatever the letters.

use std::borrow::Cow;

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width,
};

use super::letters::{cut, filled, width_of, wrapped};
use super::ui;
use super::words::clean_line;

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// Between two columns of content: the padding of both and what parts them.
const GAP: usize = 3;
/// Columns of text are not made narrower than this.
const LEAST_TEXT: u16 = 16;
/// Values are not cut shorter than this.
const LEAST_VALUE: usize = 12;
/// Of a longer value nobody reads the rest in a table, and to lay it out takes minutes. Bytes.
const LONGEST_VALUE: usize = 10_000;

/// A column's header and where its cells stand.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// to the left, wrapped where the terminal is narrow
    Text(&'a str),
    /// to the left, never wrapped: names that people copy
    Name(&'a str),
    /// as a name: one of our words for how something is, in its colour
    State(&'a str),
    /// to the right, never wrapped
    Number(&'a str),
}

impl Column<'_> {
    fn header(&self) -> &str {
        match self {
            Column::Text(header) | Column::Name(header) | Column::State(header) | Column::Number(header) => header,
        }
    }
}

/// A table whose texts are wrapped to fit `width`, if one is given; one block per row where there is too little room for
/// that.
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
        return paragraphs(columns, rows, width);
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

/// Values as a table: where they do not fit `width`, long texts are cut; where that is not enough, one block per row
/// with a column a line.
pub fn records(columns: &[Column<'_>], rows: &[Vec<String>], width: Option<u16>) -> String {
    let rows = &bounded(rows)[..];
    let table = whole(columns, rows);
    let Some(width) = width.filter(|width| natural_width(&table) > usize::from(*width)) else { return drawn(&table) };
    match most(columns, &table.column_max_content_widths(), usize::from(width)) {
        Some(most) => {
            let cut_row = |row: &Vec<String>| -> Vec<String> {
                let cells = columns.iter().zip(row);
                cells
                    .map(|(column, text)| if is_text(column) { cut(&clean_line(text), most) } else { text.clone() })
                    .collect()
            };
            let headers: Vec<String> = columns.iter().map(|column| clean_line(column.header())).collect();
            let headers: Vec<String> = columns
                .iter()
                .zip(&headers)
                .map(|(column, header)| if is_text(column) { cut(header, most) } else { header.clone() })
                .collect();
            let columns: Vec<Column<'_>> = columns
                .iter()
                .zip(&headers)
                .map(|(column, header)| match column {
                    Column::Text(_) => Column::Text(header),
                    Column::Name(_) => Column::Name(header),
                    Column::State(_) => Column::State(header),
                    Column::Number(_) => Column::Number(header),
                })
                .collect();
            drawn(&whole(&columns, &rows.iter().map(cut_row).collect::<Vec<_>>()))
        }
        None if rows.is_empty() => drawn(&table),
        None => blocks(columns, rows, width),
    }
}

/// The rows without what no table shows.
fn bounded(rows: &[Vec<String>]) -> Cow<'_, [Vec<String>]> {
    if rows.iter().flatten().all(|text| text.len() <= LONGEST_VALUE) {
        return Cow::Borrowed(rows);
    }
    let begin = |text: &String| match text.len() > LONGEST_VALUE {
        true => format!("{}…", &text[..text.floor_char_boundary(LONGEST_VALUE)]),
        false => text.clone(),
    };
    rows.iter().map(|row| row.iter().map(begin).collect()).collect()
}

fn is_text(column: &Column<'_>) -> bool {
    matches!(column, Column::Text(_))
}

/// How long texts may be at most so that all columns stand side by side; `None`: too short to be worth it.
fn most(columns: &[Column<'_>], content: &[u16], width: usize) -> Option<usize> {
    let fits = |most: usize| {
        let of = |(column, natural): (&Column<'_>, &u16)| match is_text(column) {
            true => usize::from(*natural).min(most),
            false => usize::from(*natural),
        };
        columns.iter().zip(content).map(|pair| of(pair) + GAP).sum::<usize>() <= width
    };
    (LEAST_VALUE..=width).take_while(|most| fits(*most)).last()
}

fn whole(columns: &[Column<'_>], rows: &[Vec<String>]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    if ui::answers_are_coloured() {
        table.enforce_styling().style_text_only();
    } else {
        table.force_no_tty();
    }
    let header = |column| aligned(column, Column::header(column)).add_attribute(Attribute::Bold);
    table.set_header(columns.iter().map(header));
    for row in rows {
        table.add_row(columns.iter().zip(row).map(|(column, text)| cell(column, text)).collect::<Vec<_>>());
    }
    table
}

fn cell(column: &Column<'_>, text: &str) -> Cell {
    let cell = aligned(column, text);
    let colour = match column {
        Column::State(_) => colour(text),
        _ => None,
    };
    colour.map_or(cell.clone(), |colour| cell.fg(colour))
}

fn aligned(column: &Column<'_>, text: &str) -> Cell {
    let cell = Cell::new(clean_line(text));
    if matches!(column, Column::Number(_)) { cell.set_alignment(CellAlignment::Right) } else { cell }
}

/// Of one of our words for how something is.
fn colour(word: &str) -> Option<Color> {
    match word {
        "failed" | "refused" | "different" | "damaged" | "unreadable" => Some(Color::Red),
        "skipped" | "set_aside" | "left" | "unproven" => Some(Color::Yellow),
        "succeeded" | "equal" => Some(Color::Green),
        "–" | "unchanged" => Some(Color::DarkGrey),
        _ => None,
    }
}

fn natural_width(table: &Table) -> usize {
    let content = table.column_max_content_widths();
    content.iter().map(|w| usize::from(*w)).sum::<usize>() + GAP * content.len()
}

fn drawn(table: &Table) -> String {
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// One block per row, a column a line.
fn blocks(columns: &[Column<'_>], rows: &[Vec<String>], width: u16) -> String {
    let width = usize::from(width);
    let headers: Vec<String> = columns.iter().map(|c| clean_line(c.header())).collect();
    let widest = headers.iter().map(|h| width_of(h)).max().unwrap_or(0).min(width / 2);
    let room = width.saturating_sub(widest + 4).max(LEAST_VALUE);
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        lines.push(title(&(number + 1).to_string(), width));
        for (header, text) in headers.iter().zip(row) {
            let (header, text) = (filled(&cut(header, widest), widest), cut(&clean_line(text), room));
            lines.push(format!(" {header}   {text}").trim_end().to_owned());
        }
    }
    lines.join("\n")
}

/// One block per row under what its first column says, without its empty cells, as many to a line as there is room for.
fn paragraphs(columns: &[Column<'_>], rows: &[Vec<String>], width: u16) -> String {
    let width = usize::from(width);
    let mut lines = Vec::new();
    for row in rows {
        let mut cells = columns.iter().zip(row).map(|(column, text)| (column, clean_line(text)));
        let first = cells.next().map(|(_, text)| text).unwrap_or_default();
        match width_of(&first) + 4 > width {
            true => lines.extend(wrapped(&first, width)),
            false => lines.push(title(&first, width)),
        }
        let (mut line, mut taken) = (String::new(), 0);
        for (column, text) in cells.filter(|(_, text)| !text.is_empty()) {
            let header = clean_line(column.header());
            let told = format!("{header}: {text}");
            if !line.is_empty() && taken + GAP + width_of(&told) > width {
                lines.push(std::mem::take(&mut line));
            }
            if line.is_empty() && 1 + width_of(&told) > width {
                let wrapped = wrapped(&told, width.saturating_sub(3));
                let all =
                    wrapped.iter().enumerate().map(|(n, part)| format!("{}{part}", if n == 0 { " " } else { "   " }));
                lines.extend(all);
                continue;
            }
            let gap = if line.is_empty() { 1 } else { GAP };
            taken = if line.is_empty() { 0 } else { taken } + gap + width_of(&told);
            line.push_str(&format!("{:gap$}{header}: {}", "", painted(column, &text)));
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines.join("\n")
}

fn painted(column: &Column<'_>, text: &str) -> String {
    let colour = match column {
        Column::State(_) if ui::answers_are_coloured() => colour(text),
        _ => None,
    };
    // as the cells of a table are
    let code = match colour {
        Some(Color::Red) => 9,
        Some(Color::Yellow) => 11,
        Some(Color::Green) => 10,
        Some(_) => 8,
        None => return text.to_owned(),
    };
    format!("\x1b[38;5;{code}m{text}\x1b[39m")
}

fn title(text: &str, width: usize) -> String {
    let title = format!("── {text} ");
    let rest = "─".repeat(width.saturating_sub(width_of(&title)));
    (title + &rest).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_very_long_value_the_beginning_is_shown() {
        let rows = [vec!["ü".repeat(LONGEST_VALUE)], vec!["short".to_owned()]];
        let shown = records(&[Column::Text("x")], &rows, None);
        assert!(shown.len() < 5 * LONGEST_VALUE && shown.contains("ü…") && shown.contains("short"));
    }

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
        insta::assert_snapshot!(table(&COLUMNS, &rows(), Some(27)), @r"
        ── silver.a ───────────────
         rows: 1,200
         why: its definition
           changed
        ── gold.b ─────────────────
         rows: 7
        ");
        insta::assert_snapshot!(table(&COLUMNS, &[vec!["silver.a_name_that_goes_on".into(), "7".into(), String::new()]], Some(16)), @r"
        silver.a_name_th
        at_goes_on
         rows: 7
        ");
    }

    #[test]
    fn values_are_cut_and_where_that_is_not_enough_rows_become_blocks() {
        insta::assert_snapshot!(records(&COLUMNS, &rows(), Some(36)), @r"
         table       rows   why
        ───────────────────────────────────
         silver.a   1,200   its definitio…
         gold.b         7
        ");
        insta::assert_snapshot!(records(&COLUMNS, &rows(), Some(26)), @r"
        ── 1 ─────────────────────
         table   silver.a
         rows    1,200
         why     its definition c…
        ── 2 ─────────────────────
         table   gold.b
         rows    7
         why
        ");
        assert_eq!(records(&COLUMNS, &rows(), Some(60)), table(&COLUMNS, &rows(), None));
    }

    #[test]
    fn letters_of_any_width_break_no_border() {
        let columns = [Column::Text("名前"), Column::Number("n"), Column::Text("was"), Column::Name("語")];
        let row = |cells: [&str; 4]| cells.map(String::from).to_vec();
        let rows = [
            row(["東京都千代田区丸の内一丁目", "1", "👩‍👩‍👧‍👦 family 🇩🇪 flag", "é"]),
            row(["Ωmega", "22", "combined: e\u{301}", "全角"]),
        ];
        insta::assert_snapshot!(records(&columns, &rows, None), @r"
         名前                          n   was                 語
        ────────────────────────────────────────────────────────────
         東京都千代田区丸の内一丁目    1   👩‍👩‍👧‍👦 family 🇩🇪 flag   é
         Ωmega                        22   combined: é         全角
        ");
        insta::assert_snapshot!(records(&columns, &rows, Some(60)), @r"
         名前                         n   was                 語
        ───────────────────────────────────────────────────────────
         東京都千代田区丸の内一丁…    1   👩‍👩‍👧‍👦 family 🇩🇪 flag   é
         Ωmega                       22   combined: é         全角
        ");
        insta::assert_snapshot!(records(&columns, &rows, Some(30)), @r"
        ── 1 ─────────────────────────
         名前   東京都千代田区丸の内…
         n      1
         was    👩‍👩‍👧‍👦 family 🇩🇪 flag
         語     é
        ── 2 ─────────────────────────
         名前   Ωmega
         n      22
         was    combined: é
         語     全角
        ");
        insta::assert_snapshot!(table(&columns, &rows, Some(55)), @r"
         名前                     n   was                 語
        ───────────────────────────────────────────────────────
         東京都千代田区丸の内     1   👩‍👩‍👧‍👦 family 🇩🇪 flag   é
         一丁目
         Ωmega                   22   combined: é         全角
        ");
        for width in 20..80 {
            for text in [records(&columns, &rows, Some(width)), table(&columns, &rows, Some(width))] {
                assert!(text.lines().all(|line| width_of(line) <= usize::from(width)), "{width}\n{text}");
            }
        }
    }

    #[test]
    fn a_cell_stays_on_its_line() {
        let text = table(&COLUMNS[2..], &[vec!["a\nb\x1b[1m".into()]], None);
        assert!(text.ends_with(" a\\nb\\u{1b}[1m"), "{text}");
    }
}
