//! How fast work goes and how long it still takes.

use std::time::Duration;

use super::words;

/// A share below which the time that is left cannot be told.
const LEAST_SHARE: f64 = 0.02;
/// A share above which the rows are read and it is being written: for how long cannot be told.
const MOST_SHARE: f64 = 0.99;

/// What is known of work that goes on.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// rows that went by
    pub rows: u64,
    /// of a backfill: the number of the chunk, and how many there are
    pub chunk: Option<(usize, usize)>,
    /// how much of the work is done, from 0 to 1
    pub share: Option<f64>,
    /// rows that will have gone by in the end
    expected: Option<u64>,
}

impl Pace {
    /// So many rows are still to come.
    pub fn expect(&mut self, rows: u64) {
        self.expected = Some(self.rows + rows);
    }

    /// In few words, e.g. `chunk 3 of 12, 1,200,000 rows, 310,000 rows/s, about 40 s left`.
    pub fn told(&self, elapsed: Duration) -> String {
        let chunk = self.chunk.map(|(number, of)| format!("chunk {number} of {of}"));
        let rows = (self.rows > 0).then(|| match self.expected.filter(|expected| *expected > self.rows) {
            Some(expected) => format!("{} of {} rows", words::thousands(self.rows), words::thousands(expected)),
            None => words::count(self.rows, "row"),
        });
        let parts = [chunk, rows, self.speed(elapsed), self.left(elapsed)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// As [`Pace::told`], with the time that it has taken so far.
    pub fn line(&self, elapsed: Duration) -> String {
        let so_far = format!("{} so far", words::took(elapsed.as_secs_f64().round()));
        let told = self.told(elapsed);
        if told.is_empty() { so_far } else { format!("{told}, {so_far}") }
    }

    fn speed(&self, elapsed: Duration) -> Option<String> {
        let speed = self.rows as f64 / elapsed.as_secs_f64();
        (self.rows > 0 && speed.is_finite()).then(|| format!("{} rows/s", words::thousands(rounded(speed))))
    }

    fn left(&self, elapsed: Duration) -> Option<String> {
        let share = self.done().filter(|share| (LEAST_SHARE..MOST_SHARE).contains(share))?;
        let left = elapsed.as_secs_f64() * (1.0 - share) / share;
        Some(format!("about {} left", words::duration(left.ceil() as i64)))
    }

    fn done(&self) -> Option<f64> {
        let of_rows = |expected: u64| self.rows as f64 / expected.max(1) as f64;
        let of_chunks = |(number, of): (usize, usize)| (number.saturating_sub(1)) as f64 / of.max(1) as f64;
        match self.chunk {
            Some(chunk) if chunk.1 > 1 => Some(of_chunks(chunk)),
            _ => self.share.or_else(|| self.expected.map(of_rows)),
        }
    }
}

/// To two digits: the others change with each look.
fn rounded(speed: f64) -> u64 {
    let step = 10f64.powf((speed.max(1.0).log10().floor() - 1.0).max(0.0));
    ((speed / step).round() * step) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_A_MINUTE: Duration = Duration::from_secs(30);

    #[test]
    fn what_is_known_is_told() {
        let mut pace = Pace::default();
        assert_eq!((pace.told(HALF_A_MINUTE), pace.line(HALF_A_MINUTE)), (String::new(), "30.0 s so far".into()));
        pace.rows = 1_234_567;
        assert_eq!(pace.told(HALF_A_MINUTE), "1,234,567 rows, 41,000 rows/s");
        pace.share = Some(0.25);
        assert_eq!(pace.told(HALF_A_MINUTE), "1,234,567 rows, 41,000 rows/s, about 90 s left");
        pace.chunk = Some((3, 12));
        assert_eq!(pace.told(HALF_A_MINUTE), "chunk 3 of 12, 1,234,567 rows, 41,000 rows/s, about 2 min left");
    }

    #[test]
    fn rows_that_are_to_come_tell_how_long_it_takes() {
        let mut pace = Pace { rows: 100, ..Pace::default() };
        pace.expect(900);
        assert_eq!(pace.told(HALF_A_MINUTE), "100 of 1,000 rows, 3 rows/s, about 4 min left");
        pace.rows = 995;
        assert_eq!(pace.told(HALF_A_MINUTE), "995 of 1,000 rows, 33 rows/s");
        pace.rows = 1_000;
        assert_eq!(pace.told(HALF_A_MINUTE), "1,000 rows, 33 rows/s");
        assert_eq!(pace.told(Duration::ZERO), "1,000 rows");
    }
}
