//! `guard:` of the project and of a table.

use super::model::Guard;
use super::reader::Map;

/// Reads `guard: 0.3`, `guard: 30%` or `guard: off`; `None` if it is not there or faulty.
pub(super) fn read(map: &Map) -> Option<Guard> {
    map.get("guard")?;
    let text = map.text("guard")?;
    let found = parse(&text.value);
    if found.is_none() {
        let hint = "the share of its rows that a table may lose at once, such as `0.5` or `50%`, or `off`".to_owned();
        map.file.hinted(text.mark, format!("`guard` cannot be `{}`", text.value), Some(hint));
    }
    found
}

fn parse(text: &str) -> Option<Guard> {
    if text == "off" {
        return Some(Guard::Off);
    }
    let share: f64 = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(Guard::Share(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_a_percentage_or_off() {
        assert_eq!(parse("0.3"), Some(Guard::Share(0.3)));
        assert_eq!(parse("30%"), Some(Guard::Share(0.3)));
        assert_eq!(parse("off"), Some(Guard::Off));
        for wrong in ["", "on", "1.5", "-0.1", "150%", "NaN", "30 rows"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
