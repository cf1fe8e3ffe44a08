//! The numbers of a file's records: one bit each, so that gaps and doubles of any file show in little memory.

/// The records of a file in one batch, as bronze holds them.
#[derive(Clone, Debug, Default)]
pub struct Records {
    rows: u64,
    malformed: u64,
    /// bit n - 1: there is a record of number n
    seen: Vec<u64>,
    greatest: u64,
    doubled: u64,
    first_doubled: Option<u64>,
    /// no number, or one that none of its records can have
    unnumbered: u64,
}

impl Records {
    /// A record of this number; `most`: no file can have more.
    pub fn add(&mut self, number: Option<i64>, malformed: bool, most: u64) {
        self.rows += 1;
        self.malformed += u64::from(malformed);
        let number = number.and_then(|number| u64::try_from(number).ok()).filter(|n| (1..=most).contains(n));
        let Some(number) = number else {
            self.unnumbered += 1;
            return;
        };
        self.greatest = self.greatest.max(number);
        let (word, bit) = (((number - 1) / 64) as usize, 1 << ((number - 1) % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        if self.seen[word] & bit != 0 {
            self.doubled += 1;
            self.first_doubled.get_or_insert(number);
        }
        self.seen[word] |= bit;
    }

    /// How many there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of them are kept as raw text.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// What is wrong with their numbers.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(first) = self.first_doubled {
            faults.push(format!("{} too many, the first being record {first}, which is there twice", self.doubled));
        }
        if let Some(first) = self.first_missing() {
            let missing = self.greatest - self.seen.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            faults.push(format!("{missing} missing, the first being record {first} of {}", self.greatest));
        }
        if self.unnumbered > 0 {
            faults.push(format!("{} without a number that a record of the file can have", self.unnumbered));
        }
        faults
    }

    fn first_missing(&self) -> Option<u64> {
        let gap = self.seen.iter().position(|word| *word != u64::MAX)?;
        let first = gap as u64 * 64 + u64::from(self.seen[gap].trailing_ones()) + 1;
        (first < self.greatest).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(numbers: impl IntoIterator<Item = i64>) -> String {
        let mut records = Records::default();
        numbers.into_iter().for_each(|number| records.add(Some(number), false, 1000));
        records.faults().join("; ")
    }

    #[test]
    fn records_are_numbered_without_gap_or_double_in_any_order() {
        for n in [0, 1, 63, 64, 65, 128, 200] {
            assert_eq!(faults((1..=n).rev()), "", "{n}");
        }
        assert_eq!(faults((1..=200).filter(|n| *n != 64 && *n != 130)), "2 missing, the first being record 64 of 200");
        assert_eq!(faults([2, 3]), "1 missing, the first being record 1 of 3");
        let doubled = "1 too many, the first being record 2, which is there twice";
        assert_eq!(faults([1, 2, 2]), doubled);
        assert_eq!(faults([1, 2, 2, 4]), format!("{doubled}; 1 missing, the first being record 3 of 4"));
    }

    #[test]
    fn a_number_that_no_record_can_have_takes_no_memory() {
        assert_eq!(faults([1, 0, -5, i64::MAX]), "3 without a number that a record of the file can have");
        let mut records = Records::default();
        records.add(None, true, 10);
        assert_eq!((records.rows(), records.malformed(), records.faults().len()), (1, 1, 1));
    }
}
