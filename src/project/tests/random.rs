//! Whatever stands in the files: faults with a place in them, never a panic.

use proptest::prelude::*;

use super::*;
use crate::project::yaml::parse;

/// Pieces that break things: YAML's punctuation, our words, an expression's ends.
const PIECES: [&str; 24] = [
    "",
    " ",
    "\n",
    "\t",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\"",
    "&a ",
    "*a",
    "|",
    "!!str ",
    "null",
    "${",
    "é",
    "steps",
    "from",
    "silver.big",
    "(",
    "\u{feff}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_edit_gives_a_project_or_faults_with_places(
        file in 0..SHOP.len() - 1,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, prop::sample::select(PIECES.to_vec())), 1..4),
    ) {
        let (path, original) = SHOP[file];
        let mut text: Vec<char> = original.chars().collect();
        for (at, length, piece) in edits {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, piece.chars());
        }
        let text: String = text.into_iter().chain(['\n']).collect();
        let dir = shop(&[(path, &text)]);
        if let Err(faults) = loaded(dir.path()) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                prop_assert!(fault.line >= 1 && fault.column >= 1 && !fault.message.is_empty());
                if fault.file == Path::new(path) {
                    prop_assert!(fault.line <= text.lines().count() + 1, "{fault}\n{text}");
                }
            }
        }
    }

    #[test]
    fn any_text_is_a_tree_or_an_error(text in "[-:{}\\[\\]'\"|>&*!#%@,? \n\ta-c~é]{0,40}") {
        let (node, errors) = parse(&text);
        prop_assert!(node.is_some() || !errors.is_empty());
    }
}
