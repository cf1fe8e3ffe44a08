//! How a CSV file begins: its columns.

use super::super::headers::{Header, clean_headers};
use super::super::lines::{self, WINDOW};
use super::super::text::Text;
use super::split::{Dialect, Field, Form, Split, split};
use crate::project::CsvOptions;

/// As many as `limits: { columns: … }` can allow.
const MOST_FIELDS: usize = 100_000;

/// The columns and the dialect of a file; a header is consumed. No columns: the file holds no record that can be
/// split.
pub(super) fn begin(
    text: &mut Text,
    options: &CsvOptions,
    known: Option<&[String]>,
    longest: usize,
) -> Result<(Vec<Header>, Dialect), String> {
    let (delimiter, quote) = (options.delimiter, options.quote);
    let clash = |byte: u8| !byte.is_ascii() || matches!(byte, b'\n' | b'\r' | 0);
    if clash(delimiter) || quote.is_some_and(|quote| clash(quote) || quote == delimiter) {
        return Err("delimiter and quote must be two different ASCII characters, and no line ends".to_owned());
    }
    text.fill(WINDOW)?;
    let window = &text.unread()[..text.unread().len().min(WINDOW)];
    let cr = lines::cr_ends_lines(window, Some(delimiter), quote);
    let dialect = Dialect { delimiter, quote, cr, longest };
    let headers = if options.header { named(text, &dialect, known)? } else { numbered(text, &dialect)? };
    Ok((headers, dialect))
}

fn named(text: &mut Text, dialect: &Dialect, known: Option<&[String]>) -> Result<Vec<Header>, String> {
    let Some((names, next)) = first_record(text, dialect)? else { return Ok(Vec::new()) };
    text.consume(next);
    let headers = clean_headers(&names);
    match missing_header(&headers, known) {
        Some(reason) => Err(reason),
        None => Ok(headers),
    }
}

/// Columns without names: as many as the first record that can be split has.
fn numbered(text: &mut Text, dialect: &Dialect) -> Result<Vec<Header>, String> {
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        if at >= text.unread().len() && !more(text, dialect)? {
            return Ok(Vec::new());
        }
        match split(text.unread(), at, text.ended(), dialect, &mut fields) {
            Split::Record(line) if line.end == at => at = line.next,
            Split::Record(_) => {
                few_enough(&fields)?;
                let names: Vec<String> = (1..=fields.len()).map(|n| format!("column_{n}")).collect();
                return Ok(clean_headers(&names));
            }
            Split::Cut if more(text, dialect)? => {}
            Split::Cut => return Ok(Vec::new()),
            Split::Broken(_) => match lines::line(text.unread(), at, text.ended(), dialect.cr) {
                Some(line) => at = line.next,
                None if more(text, dialect)? => {}
                None => return Ok(Vec::new()),
            },
        }
    }
}

/// The fields of the first record and where the next begins; `None`: the file holds no record.
fn first_record(text: &mut Text, dialect: &Dialect) -> Result<Option<(Vec<String>, usize)>, String> {
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        if at >= text.unread().len() && !more(text, dialect)? {
            return Ok(None);
        }
        match split(text.unread(), at, text.ended(), dialect, &mut fields) {
            Split::Record(line) if line.end == at => at = line.next,
            Split::Record(line) => {
                few_enough(&fields)?;
                let names = names(text.unread(), &fields, dialect.quote)?;
                return Ok(Some((names, line.next)));
            }
            Split::Cut if more(text, dialect)? => {}
            Split::Cut => return Ok(None),
            Split::Broken(_) => return Err("the quotes of the header are broken".to_owned()),
        }
    }
}

/// More fields than any table may have columns are not worth their names.
fn few_enough(fields: &[Field]) -> Result<(), String> {
    match fields.len() {
        0..=MOST_FIELDS => Ok(()),
        many => Err(format!("its first record has {many} fields, more than any table has columns")),
    }
}

/// Reads more text; false if there is none.
fn more(text: &mut Text, dialect: &Dialect) -> Result<bool, String> {
    let had = text.unread().len();
    text.fill(had.saturating_mul(2).clamp(WINDOW, dialect.longest.saturating_mul(2).max(WINDOW)))?;
    Ok(text.unread().len() > had)
}

fn names(text: &[u8], fields: &[Field], quote: Option<u8>) -> Result<Vec<String>, String> {
    let quote = quote.map_or_else(String::new, |quote| (quote as char).to_string());
    let name = |field: &Field| {
        let name = std::str::from_utf8(&text[field.start..field.end])
            .ok()
            .filter(|name| !name.contains('\0'))
            .ok_or("the header is no text in the file's encoding; is `csv.encoding` right?")?;
        Ok(if field.form == Form::Doubled { name.replace(&quote.repeat(2), &quote) } else { name.to_owned() })
    };
    fields.iter().map(name).collect()
}

/// Why the first record looks like data and not like a header.
fn missing_header(headers: &[Header], known: Option<&[String]>) -> Option<String> {
    let hint = "the first line does not look like a header";
    let first = headers.first().map_or("", |h| h.original.as_str());
    match known {
        Some(known) if !known.is_empty() => {
            let shared = headers.iter().any(|h| known.contains(&h.stored));
            let alike = headers.len() == known.len() || headers.iter().any(|h| is_value(&h.original));
            (!shared && alike).then(|| match in_other_case(headers, known) {
                Some((name, column)) => format!(
                    "its header has other letters than the table: `{name}` for the column `{column}`. Names are \
                     case-sensitive: write them in the file as the table has them"
                ),
                None => format!("{hint}: it begins with `{first}`, and none of its names is a column of the table"),
            })
        }
        _ => headers
            .iter()
            .all(|h| is_value(&h.original))
            .then(|| format!("{hint}: it begins with `{first}`; if the file has none, say `csv: {{ header: false }}`")),
    }
}

/// A name that differs from a column of the table in nothing but the case of its letters.
fn in_other_case<'a>(headers: &'a [Header], known: &'a [String]) -> Option<(&'a str, &'a str)> {
    let column = |h: &Header| known.iter().find(|column| column.to_lowercase() == h.stored.to_lowercase());
    headers.iter().find_map(|h| Some((h.original.as_str(), column(h)?.as_str())))
}

/// Empty, a number, or something like a date.
fn is_value(name: &str) -> bool {
    let name = name.trim();
    name.is_empty()
        || name.parse::<f64>().is_ok_and(f64::is_finite)
        || (name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_digit() || "-/.: TZ+".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(names: &[&str], known: Option<&[&str]>) -> bool {
        let known: Option<Vec<String>> = known.map(|names| names.iter().map(ToString::to_string).collect());
        missing_header(&clean_headers(names), known.as_deref()).is_some()
    }

    #[test]
    fn data_in_the_place_of_a_header_is_seen() {
        let table = Some(&["id", "name"][..]);
        assert!(missing(&["7", "Ada"], table));
        assert!(missing(&["x", "y"], table));
        assert!(missing(&["7", "Ada", "z"], table));
        assert!(!missing(&["id", "2024"], table));
        assert!(!missing(&["name", "extra", "more"], table));
        assert!(!missing(&["a", "b", "c"], table));
        assert!(missing(&["7", "2024-01-02", ""], None));
        let known = ["id".to_owned(), "straße".to_owned()];
        let said = missing_header(&clean_headers(&["ID", "STRASSE"]), Some(&known)).unwrap();
        assert!(said.contains("`ID` for the column `id`") && said.contains("case-sensitive"), "{said}");
        assert!(!missing(&["country", "2019", "2020"], None));
    }
}
