//! The names of a CSV file's columns.

use std::collections::HashSet;

use super::model::CsvOptions;

/// Characters that a Delta table without column mapping refuses in a column's name.
/// <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#column-mapping>
pub(super) const REFUSED: &[char] = &[' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '='];

/// The columns that bronze adds.
const ADDED: [&str; 5] = ["_batch", "_source_file", "_source_row", "_ingested_at", "_malformed"];

/// The names in the text's first record, as bronze stores them; `None` if it does not end in the text.
/// `whole`: the text ends where the file ends.
pub(super) fn names(text: &str, whole: bool, options: &CsvOptions) -> Option<Vec<String>> {
    let fields = first_record(text, whole, options)?;
    if options.header {
        Some(stored(&fields))
    } else {
        Some((1..=fields.len()).map(|position| format!("column_{position}")).collect())
    }
}

fn first_record(text: &str, whole: bool, options: &CsvOptions) -> Option<Vec<String>> {
    let mut builder = csv_core::ReaderBuilder::new();
    builder.delimiter(options.delimiter);
    match options.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    let mut reader = builder.build();
    let mut output = vec![0; text.len()];
    let mut ends = vec![0; text.len() + 1];
    let (mut result, _, written, mut count) = reader.read_record(text.as_bytes(), &mut output, &mut ends);
    if result == csv_core::ReadRecordResult::InputEmpty && whole {
        // An empty input says that the text is over: its last line may lack a line break.
        let (more, _, _, ends_more) = reader.read_record(&[], &mut output[written..], &mut ends[count..]);
        (result, count) = (more, count + ends_more);
    }
    if result != csv_core::ReadRecordResult::Record {
        return None;
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let fields =
        starts.zip(&ends[..count]).map(|(start, end)| String::from_utf8_lossy(&output[start..*end]).into_owned());
    Some(fields.collect())
}

/// Names as a Delta table can hold them, each once whatever the case of its letters; names that can stay do. What
/// bronze itself does, without its rows: `tests/landing.rs` holds the two against each other.
pub(super) fn stored(raw: &[String]) -> Vec<String> {
    let mut taken: HashSet<String> = ADDED.iter().map(|name| (*name).to_owned()).collect();
    let stays: Vec<bool> = raw
        .iter()
        .enumerate()
        .map(|(place, name)| storable(name, place + 1) == *name && taken.insert(name.to_lowercase()))
        .collect();
    let name = |(place, (name, stays)): (usize, (&String, bool))| match stays {
        true => name.clone(),
        false => free(&storable(name, place + 1), &mut taken),
    };
    raw.iter().zip(stays).enumerate().map(name).collect()
}

fn storable(name: &str, place: usize) -> String {
    if !name.is_empty() && !name.contains(REFUSED) {
        return name.to_owned();
    }
    let parts: Vec<&str> = name.split(REFUSED).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { format!("column_{place}") } else { parts.join("_") }
}

fn free(wanted: &str, taken: &mut HashSet<String>) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(name.to_lowercase()) {
        name = format!("{wanted}_{number}");
        number += 1;
    }
    name
}
