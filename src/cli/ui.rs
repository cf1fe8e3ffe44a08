//! What people see: tables, errors, colour. stdout is the answer, stderr is for people.

use std::io::{IsTerminal, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use comfy_table::{LineStyle, TableStyle};
use serde::Serialize;

use super::failure::Failure;

/// Whether stderr shows colours.
pub fn is_coloured() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Prints an answer on stdout. A reader that has gone away (`| head`) is no error.
pub fn answer(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

/// Prints an answer as JSON on stdout.
pub fn answer_json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => answer(&text),
        Err(error) => tell(&format!("error: {error}")),
    }
}

/// Prints a line for people on stderr.
pub fn tell(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.write_all(b"\n"));
}

/// Prints why a command failed; with `--json` also as an object on stdout.
pub fn print_failure(failure: &Failure, json: bool) {
    for fault in &failure.faults {
        tell(&format!("{} {}", paint("error:", "1;31"), clean(fault)));
    }
    if failure.faults.len() > 1 {
        tell(&format!("{} faults", failure.faults.len()));
    }
    if json {
        answer_json(&serde_json::json!({ "status": "failed", "errors": failure.faults }));
    }
}

/// Prints what deserves a word but stops nothing.
pub fn print_warning(text: &str) {
    tell(&format!("{} {}", paint("warning:", "1;33"), clean(text)));
}

/// Colours text where stderr shows colours; `code` is an SGR parameter.
pub fn paint(text: &str, code: &str) -> String {
    if is_coloured() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
}

/// Takes out what would move the cursor or colour a terminal; data must not.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table for people; numbers stand right. Fits the terminal's width.
pub fn table(header: &[&str], rows: &[Vec<String>], numeric: &[bool]) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|h| clean(h)));
    for row in rows {
        let cells = row.iter().enumerate().map(|(i, text)| {
            let cell = Cell::new(clean(text));
            match numeric.get(i) {
                Some(true) => cell.set_alignment(CellAlignment::Right),
                _ => cell,
            }
        });
        table.add_row(cells.collect::<Vec<_>>());
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// `1234567` as `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// How long ago, or how long it took: `3 s`, `5 min`, `2 h`, `4 d`.
pub fn duration(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s @ 7200..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}
