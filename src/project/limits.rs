//! `limits:` of a source.

use super::model::Limits;
use super::reader::{File, Map};
use super::yaml::Node;
use crate::memory::bytes_of;

const KEYS: [&str; 4] = ["line", "size", "ratio", "columns"];
/// A table with more columns is none that Delta's readers could open.
const MOST_COLUMNS: u64 = 100_000;
/// A longer record could not be held.
const LONGEST_LINE: u64 = 2_000_000_000;

/// Reads `limits:`; what is not said is as in [`Limits::default`].
pub(super) fn read(file: &File, node: &Node) -> Option<Limits> {
    let map = file.map(node, "`limits`", &KEYS)?;
    let default = Limits::default();
    let line = size(&map, "line", default.line, LONGEST_LINE);
    let size = size(&map, "size", default.size, u64::MAX);
    let ratio = number(&map, "ratio", default.ratio, u64::MAX);
    let columns = number(&map, "columns", default.columns, MOST_COLUMNS);
    Some(Limits { line: line?, size: size?, ratio: ratio?, columns: columns? })
}

fn size(map: &Map, key: &str, default: u64, most: u64) -> Option<u64> {
    let told = "a number and kB, MB, GB, KiB, MiB or GiB";
    limit(map, key, default, most, told, |text| bytes_of(text).ok())
}

fn number(map: &Map, key: &str, default: u64, most: u64) -> Option<u64> {
    limit(map, key, default, most, "a whole number", |text| text.parse().ok())
}

fn limit(
    map: &Map,
    key: &str,
    default: u64,
    most: u64,
    told: &str,
    parse: impl Fn(&str) -> Option<u64>,
) -> Option<u64> {
    if map.get(key).is_none() {
        return Some(default);
    }
    let text = map.text(key)?;
    let found = parse(&text.value).filter(|number| (1..=most).contains(number));
    if found.is_none() {
        let most = if most == u64::MAX { String::new() } else { format!(", at most {most}") };
        map.file.hinted(text.mark, format!("`{}` is no limit", text.value), Some(format!("{told}, above zero{most}")));
    }
    found
}
