//! `optimize:` of the project and of a table.

use super::model::Optimize;
use super::reader::{Map, Text};

/// `optimize:` as it is written.
#[derive(Default)]
pub(super) struct Declared {
    /// `Some(None)`: off
    auto: Option<Option<usize>>,
    /// names that are not resolved yet
    pub z_order: Vec<Text>,
}

/// Reads the project's `optimize: { auto: 100 }`.
pub(super) fn of_project(map: &Map) -> Optimize {
    read(map, &["auto"]).over(&Optimize::default(), Vec::new())
}

/// Reads a table's `optimize: { auto: off, z_order: [a, b] }`.
pub(super) fn of_table(map: &Map) -> Declared {
    read(map, &["auto", "z_order"])
}

fn read(map: &Map, known: &[&str]) -> Declared {
    let map = map.get("optimize").and_then(|node| map.file.map(node, "`optimize`", known));
    let Some(map) = map else { return Declared::default() };
    let auto = map.get("auto").and_then(|_| map.text("auto")).and_then(|text| {
        let found = parse(&text.value);
        if found.is_none() {
            let hint = "the number of small files that a run may leave, from 1 on, or `off`".to_owned();
            map.file.hinted(text.mark, format!("`auto` cannot be `{}`", text.value), Some(hint));
        }
        found
    });
    Declared { auto, z_order: map.texts("z_order").unwrap_or_default() }
}

fn parse(text: &str) -> Option<Option<usize>> {
    match text {
        "off" => Some(None),
        number => number.parse().ok().filter(|n| *n > 0).map(Some),
    }
}

impl Declared {
    /// What holds where the project says `project`.
    pub(super) fn over(&self, project: &Optimize, z_order: Vec<String>) -> Optimize {
        Optimize { auto: self.auto.unwrap_or(project.auto), z_order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_off() {
        assert_eq!(parse("12"), Some(Some(12)));
        assert_eq!(parse("off"), Some(None));
        for wrong in ["", "0", "-1", "on", "1.5", "many"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
