//! Numbers, times and foreign text as people and terminals can take them.

/// Makes visible what would move the cursor, colour a terminal or turn the direction of text: data and file names must
/// not. Lines stay lines.
pub fn clean(text: &str) -> String {
    escaped(text, |c| c != '\n')
}

/// As [`clean`], all on one line.
pub fn clean_line(text: &str) -> String {
    escaped(text, |_| true)
}

fn escaped(text: &str, counts: impl Fn(char) -> bool) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) && counts(c) { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    clean
}

/// JSON of the same meaning without a character that acts on a terminal; they stand in its texts alone.
pub fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if acts(c) && c != '\n' { plain.push_str(&format!("\\u{:04x}", u32::from(c))) } else { plain.push(c) }
    }
    plain
}

/// Control characters, and those of Unicode that end lines or turn the direction of text.
fn acts(c: char) -> bool {
    let directs =
        |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || directs(c) || matches!(c, '\u{2028}' | '\u{2029}')
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

/// `1 file`, `1,200 files`.
pub fn count(n: u64, what: &str) -> String {
    let plural = match what.strip_suffix("ch") {
        _ if n == 1 => what.to_string(),
        Some(_) => format!("{what}es"),
        None => format!("{what}s"),
    };
    format!("{} {plural}", thousands(n))
}

/// `512 B`, `1.2 kB`, `34.0 MB`.
pub fn bytes(n: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let (mut value, mut unit) = (n as f64 / 1e3, 0);
    while value >= 999.95 && unit + 1 < units.len() {
        (value, unit) = (value / 1e3, unit + 1);
    }
    format!("{value:.1} {}", units[unit])
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

/// How long it took: `0.42 s`, `59.9 s`, `3 min 20 s`, `2 h 5 min`.
pub fn took(seconds: f64) -> String {
    match seconds.max(0.0) {
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 99.95 => format!("{s:.1} s"),
        s => match s.round() as u64 {
            s @ ..7200 => format!("{} min {} s", s / 60, s % 60),
            s => format!("{} h {} min", s / 3600, s % 3600 / 60),
        },
    }
}

/// A word of a shell's command line.
pub fn shell(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:@+,=%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_is_printed() {
        assert_eq!(clean("a\x1b[31mb\u{9b}1m\u{202e}c\nd"), "a\\u{1b}[31mb\\u{9b}1m\\u{202e}c\nd");
        assert_eq!(clean_line("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(clean_line("größer ✓ 日本"), "größer ✓ 日本");
    }

    #[test]
    fn json_stays_the_same_value() {
        let text = serde_json::to_string_pretty(&serde_json::json!({ "a\u{7f}": ["\u{9b}31m\u{2066}\n", 1] })).unwrap();
        let plain = plain_json(&text);
        assert!(plain.chars().all(|c| c == '\n' || !acts(c)), "{plain}");
        let same: serde_json::Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(same, serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }

    #[test]
    fn numbers_read_easily() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([count(1, "batch"), count(2, "batch"), count(1000, "row")], ["1 batch", "2 batches", "1,000 rows"]);
        assert_eq!([0, 999, 1000, 999_949, 999_950].map(bytes), ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB"]);
        assert_eq!([34_000_000, 5_000_000_000_000_000].map(bytes), ["34.0 MB", "5000.0 TB"]);
        assert_eq!([-0.1, 0.123, 9.996, 99.95].map(took), ["0.00 s", "0.12 s", "10.0 s", "1 min 40 s"]);
        assert_eq!([7199.6, 90_000.0].map(took), ["2 h 0 min", "25 h 0 min"]);
        assert_eq!([-1, 119, 120, 7200, 172_800].map(duration), ["0 s", "119 s", "2 min", "2 h", "2 d"]);
    }

    #[test]
    fn a_shell_takes_a_word_as_it_is() {
        assert_eq!(shell("events/a-1.csv"), "events/a-1.csv");
        assert_eq!(shell("it's a file.csv"), r"'it'\''s a file.csv'");
        assert_eq!(shell(""), "''");
    }
}
