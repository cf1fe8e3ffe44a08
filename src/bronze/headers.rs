//! Names of columns that a Delta table can hold.

use std::collections::HashSet;

use super::lineage::ADDED;
use crate::name::REFUSED_IN_COLUMNS as REFUSED;

/// One column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// the name in the bronze table
    pub stored: String,
    /// the name in the file
    pub original: String,
}

/// The names under which columns are stored. A name stays as it is where Delta can store it; else what Delta refuses
/// becomes `_` (none at the ends), and an empty name becomes `column_N`, N being its place from 1. Of names that are
/// equal but for case, and of those that equal an added column, all but the first get `_2`, `_3`, …
pub fn clean_headers<S: AsRef<str>>(originals: &[S]) -> Vec<Header> {
    clean(originals, &ADDED)
}

/// As [`clean_headers`], with no names taken: the fields of a struct.
pub(super) fn clean_fields<S: AsRef<str>>(originals: &[S]) -> Vec<Header> {
    clean(originals, &[])
}

fn clean<S: AsRef<str>>(originals: &[S], taken: &[&str]) -> Vec<Header> {
    let mut taken: HashSet<String> = taken.iter().map(|name| name.to_lowercase()).collect();
    let wanted: Vec<String> = originals.iter().enumerate().map(|(i, name)| storable(name.as_ref(), i + 1)).collect();
    // Names that can stay come first, so that `a,a,a_2` gives `a, a_3, a_2` and not a third name for the last.
    let mut stored: Vec<Option<String>> = originals
        .iter()
        .zip(&wanted)
        .map(|(original, want)| (original.as_ref() == want && taken.insert(want.to_lowercase())).then(|| want.clone()))
        .collect();
    for (slot, want) in stored.iter_mut().zip(&wanted).filter(|(slot, _)| slot.is_none()) {
        *slot = Some(free_name(want, &mut taken));
    }
    originals
        .iter()
        .zip(stored.into_iter().flatten())
        .map(|(original, stored)| Header { stored, original: original.as_ref().to_owned() })
        .collect()
}

fn storable(name: &str, place: usize) -> String {
    if name.is_empty() {
        return format!("column_{place}");
    }
    if !name.contains(REFUSED) {
        return name.to_owned();
    }
    let parts: Vec<&str> = name.split(REFUSED).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { format!("column_{place}") } else { parts.join("_") }
}

fn free_name(want: &str, taken: &mut HashSet<String>) -> String {
    let mut name = want.to_owned();
    let mut n = 2;
    while !taken.insert(name.to_lowercase()) {
        name = format!("{want}_{n}");
        n += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(originals: &[&str]) -> Vec<String> {
        clean_headers(originals).into_iter().map(|h| h.stored).collect()
    }

    #[test]
    fn what_delta_can_store_stays() {
        assert_eq!(stored(&["id", "Größe", "a.b", "_x", "2024"]), ["id", "Größe", "a.b", "_x", "2024"]);
    }

    #[test]
    fn what_delta_refuses_is_cleaned() {
        assert_eq!(
            stored(&["Order Date", "Amount (EUR)", "a;b{c}=d\te\r\nf", "", " "]),
            ["Order_Date", "Amount_EUR", "a_b_c_d_e_f", "column_4", "column_5"]
        );
        assert_eq!(clean_headers(&["Order Date"])[0].original, "Order Date");
    }

    #[test]
    fn collisions_get_numbers_and_a_name_that_can_stay_stays() {
        assert_eq!(stored(&["a", "a", "a_2"]), ["a", "a_3", "a_2"]);
        assert_eq!(stored(&["Id", "ID", "iD"]), ["Id", "ID_2", "iD_3"]);
        assert_eq!(stored(&["a b", "a_b"]), ["a_b_2", "a_b"]);
        assert_eq!(stored(&["_batch", "_MALFORMED"]), ["_batch_2", "_MALFORMED_2"]);
        assert_eq!(stored(&["", "column_1"]), ["column_1_2", "column_1"]);
    }
}
