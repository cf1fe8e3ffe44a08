//! Which paths of the landing folder a source means.

use std::path::{Component, Path};

use globset::{GlobBuilder, GlobMatcher};

use super::landing::LandingError;

/// What may stand on top of a pattern that does not say so itself: nothing, or how a file is packed.
const COMPRESSED: [&str; 3] = ["", ".gz", ".zst"];

/// A pattern of paths.
pub(super) struct Pattern {
    /// the leading components without a wildcard
    pub folder: String,
    /// components below `folder` that a match has at most
    pub depth: usize,
    matcher: Matcher,
    /// what may stand on top of it
    endings: &'static [&'static str],
}

enum Matcher {
    /// `*` and `?` are its only wildcards, and stand for no `/`
    Simple(Vec<u8>),
    /// one for each ending
    Globs(Vec<GlobMatcher>),
}

impl Pattern {
    pub fn new(pattern: &str) -> Result<Self, LandingError> {
        let error = |reason: String| LandingError::Pattern { pattern: pattern.to_owned(), reason };
        if Path::new(pattern).components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(error("must stay within the landing folder".to_owned()));
        }
        let pattern = pattern.trim_start_matches("./");
        let compressed = COMPRESSED.iter().skip(1).any(|end| pattern.ends_with(end));
        let endings: &[&str] = if compressed { &COMPRESSED[..1] } else { &COMPRESSED };
        let matcher = Matcher::new(pattern, endings).map_err(error)?;
        let parts: Vec<&str> = pattern.split('/').collect();
        let literal = parts.iter().take(parts.len() - 1).take_while(|part| !part.contains(['*', '?', '[', '{', '\\']));
        let literal = literal.count();
        let endless = pattern.contains("**") || pattern.contains('{') || pattern.contains('[');
        let depth = if endless { usize::MAX } else { parts.len() - literal };
        Ok(Pattern { folder: parts[..literal].join("/"), depth, matcher, endings })
    }

    pub fn matches(&self, path: &Path) -> bool {
        match &self.matcher {
            Matcher::Globs(globs) => globs.iter().any(|glob| glob.is_match(path)),
            Matcher::Simple(pattern) => {
                let path = path.as_os_str().as_encoded_bytes();
                let ends = |end: &&str| path.strip_suffix(end.as_bytes()).is_some_and(|path| is_match(pattern, path));
                self.endings.iter().any(ends)
            }
        }
    }
}

impl Matcher {
    /// A regular expression is slow to make, and few patterns need one.
    fn new(pattern: &str, endings: &[&str]) -> Result<Self, String> {
        if !pattern.contains("**") && !pattern.contains(['[', ']', '{', '}', '\\', ',', '!']) {
            return Ok(Matcher::Simple(pattern.as_bytes().to_vec()));
        }
        let globs = endings.iter().map(|ending| {
            let glob = GlobBuilder::new(&format!("{pattern}{ending}")).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|error| error.kind().to_string())
        });
        globs.collect::<Result<_, _>>().map(Matcher::Globs)
    }
}

/// Goes back to the last `*` where the rest does not fit: an earlier one cannot help then.
fn is_match(pattern: &[u8], path: &[u8]) -> bool {
    let (mut p, mut at) = (0, 0);
    let mut star = None;
    while at < path.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, at));
                p += 1;
            }
            Some(&wanted) if wanted == path[at] || (wanted == b'?' && path[at] != b'/') => {
                p += 1;
                at += 1;
            }
            _ => match star {
                Some((before, from)) if path[from] != b'/' => {
                    star = Some((before, from + 1));
                    p = before + 1;
                    at = from + 1;
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use globset::GlobBuilder;
    use proptest::prelude::*;

    use super::*;

    fn globset(pattern: &str, path: &str) -> bool {
        let endings =
            if COMPRESSED.iter().skip(1).any(|end| pattern.ends_with(end)) { &[""][..] } else { &COMPRESSED[..] };
        endings.iter().any(|ending| {
            let glob = GlobBuilder::new(&format!("{pattern}{ending}")).literal_separator(true).build().unwrap();
            glob.compile_matcher().is_match(path)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn patterns_mean_what_globset_says(
            pattern in "[abé*?./]{1,7}(\\.gz)?|a/\\*\\*/b|\\*\\*|a\\*\\*b|\\{a,b\\}\\.c",
            path in "[abé.]{1,3}(/[abé.]{1,3}){0,2}(\\.gz|\\.zst)?",
        ) {
            let Ok(found) = Pattern::new(&pattern) else { return Ok(()) };
            prop_assert_eq!(found.matches(Path::new(&path)), globset(pattern.trim_start_matches("./"), &path));
        }
    }
}
