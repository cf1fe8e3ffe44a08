//! The names of a CSV file's columns.

use super::model::CsvOptions;

/// Characters that a Delta table without column mapping refuses in a column's name.
/// <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#column-mapping>
pub(super) const REFUSED: &[char] = &[' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '='];

/// The names in the text's first record, as bronze stores them; `None` if there is none.
pub(super) fn names(text: &str, options: &CsvOptions) -> Option<Vec<String>> {
    let fields = first_record(text, options)?;
    if options.header {
        Some(stored(&fields))
    } else {
        Some((1..=fields.len()).map(|position| format!("column_{position}")).collect())
    }
}

fn first_record(text: &str, options: &CsvOptions) -> Option<Vec<String>> {
    let mut builder = csv_core::ReaderBuilder::new();
    builder.delimiter(options.delimiter);
    match options.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    let mut reader = builder.build();
    let mut output = vec![0; text.len()];
    let mut ends = vec![0; text.len() + 1];
    let (mut result, mut read, mut written, mut count) = reader.read_record(text.as_bytes(), &mut output, &mut ends);
    if result == csv_core::ReadRecordResult::InputEmpty {
        // An empty input says that the text is over: its last line may lack a line break.
        let (more, r, w, c) = reader.read_record(&[], &mut output[written..], &mut ends[count..]);
        (result, read, written, count) = (more, read + r, written + w, count + c);
    }
    let _ = read;
    if result != csv_core::ReadRecordResult::Record || written > output.len() {
        return None;
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let fields =
        starts.zip(&ends[..count]).map(|(start, end)| String::from_utf8_lossy(&output[start..*end]).into_owned());
    Some(fields.collect())
}

/// Names as a Delta table can hold them, each once whatever the case of its letters.
fn stored(raw: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(raw.len());
    for (position, name) in raw.iter().enumerate() {
        let clean = name.trim().replace(REFUSED, "_");
        let clean = if clean.is_empty() { format!("column_{}", position + 1) } else { clean };
        let mut unique = clean.clone();
        let mut number = 2;
        while names.iter().any(|taken| taken.eq_ignore_ascii_case(&unique)) {
            unique = format!("{clean}_{number}");
            number += 1;
        }
        names.push(unique);
    }
    names
}
