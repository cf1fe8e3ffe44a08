//! A table of hashes in little memory: two numbers a row, at a place that the key's hash tells.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The row of this key is not known: there are several.
const SEVERAL: u64 = 1;
/// A row that is the same has come.
const MET: u64 = 2;
/// One that differs has come.
const CONTESTED: u64 = 4;
const FLAGS: u64 = SEVERAL | MET | CONTESTED;

/// By the hash of a key that of its row, of which three bits tell what has come.
pub(super) struct Hashed {
    slots: Vec<Slot>,
    /// rows that may still be added
    room: u64,
}

/// A key's hash, 0 if there is none, and its row's.
#[derive(Default)]
struct Slot {
    key: u64,
    row: AtomicU64,
}

impl Hashed {
    /// Bytes that a row takes.
    pub(super) const WIDTH: u64 = 16 * 4 / 3 + 1;

    /// A quarter stays free, so that what is looked for is found within a few steps.
    pub(super) fn with_room_for(rows: u64) -> Self {
        let slots = rows + rows / 3 + 1;
        Hashed { slots: (0..slots).map(|_| Slot::default()).collect(), room: rows }
    }

    /// Adds a row; false if there is no room for it.
    pub(super) fn add(&mut self, key: u64, row: u64) -> bool {
        let Some(room) = self.room.checked_sub(1) else { return false };
        self.room = room;
        let (key, at) = (key.max(1), self.place(key));
        let slot = &mut self.slots[at];
        let value = if slot.key == key { *slot.row.get_mut() | SEVERAL } else { row & !FLAGS };
        *slot = Slot { key, row: AtomicU64::new(value) };
        true
    }

    /// Whether this row of this key is there; notes that it has come, or one that differs.
    pub(super) fn meets(&self, key: u64, row: u64) -> bool {
        let Some(there) = self.find(key) else { return false };
        let held = there.load(Relaxed);
        let is_same = held & SEVERAL == 0 && (held ^ row) & !FLAGS == 0;
        let flag = if is_same { MET } else { CONTESTED };
        if held & flag == 0 {
            there.fetch_or(flag, Relaxed);
        }
        is_same
    }

    /// Whether of any key both have come: the row that is there, and one that differs.
    pub(super) fn is_contested(&self) -> bool {
        self.slots.iter().any(|slot| slot.row.load(Relaxed) & (MET | CONTESTED) == MET | CONTESTED)
    }

    /// Whether this row is there and has come, and so has one of its key that differs.
    pub(super) fn contests(&self, key: u64, row: u64) -> bool {
        let wanted = (row & !FLAGS) | MET | CONTESTED;
        self.find(key).is_some_and(|there| there.load(Relaxed) == wanted)
    }

    /// How many rows have come and are not contested.
    pub(super) fn met(&self) -> u64 {
        self.slots.iter().filter(|slot| slot.row.load(Relaxed) & FLAGS == MET).count() as u64
    }

    /// Brings the places of these keys near: one after the other each would be waited for.
    pub(super) fn fetch(&self, pairs: &[(u64, u64)]) {
        std::hint::black_box(pairs.iter().fold(0, |sum, &(key, _)| sum ^ self.slots[self.start(key)].key));
    }

    fn find(&self, key: u64) -> Option<&AtomicU64> {
        let slot = &self.slots[self.place(key)];
        (slot.key != 0).then_some(&slot.row)
    }

    /// Where this key is, or the free place where it would be.
    fn place(&self, key: u64) -> usize {
        let key = key.max(1);
        let mut at = self.start(key);
        while self.slots[at].key != 0 && self.slots[at].key != key {
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
        at
    }

    fn start(&self, key: u64) -> usize {
        ((u128::from(key) * self.slots.len() as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The greatest row's hash, so that its lower bits are set too.
    const ALL: u64 = u64::MAX;

    fn hashed(rows: &[(u64, u64)]) -> Hashed {
        let mut hashed = Hashed::with_room_for(rows.len() as u64);
        assert!(rows.iter().all(|&(key, row)| hashed.add(key, row)));
        hashed
    }

    #[test]
    fn a_row_is_told_by_its_key_and_all_but_three_bits() {
        let hashed = hashed(&[(7, ALL), (u64::MAX, 8), (u64::MAX - 1, 16), (u64::MAX - 2, 24)]);
        assert!(hashed.meets(7, ALL - FLAGS) && hashed.meets(7, ALL));
        assert!(!hashed.meets(7, ALL - 8) && !hashed.meets(8, ALL));
        // all three would stand at the end, so two of them stand at the beginning
        assert!(hashed.meets(u64::MAX, 8) && hashed.meets(u64::MAX - 1, 16) && hashed.meets(u64::MAX - 2, 24));
        assert!(!hashed.meets(u64::MAX - 3, 8));
        assert_eq!(hashed.met(), 3, "7 is contested");
    }

    #[test]
    fn there_is_room_for_so_many_rows_and_no_more() {
        let mut none = Hashed::with_room_for(0);
        assert!(!none.add(1, 1) && !none.meets(1, 1) && !none.meets(0, 0));
        assert!(!none.is_contested() && none.met() == 0);
        let mut hashed = hashed(&[(0, 8), (5, 8)]);
        assert!(!hashed.add(9, 8));
        assert!(hashed.meets(0, 8) && hashed.meets(5, 8) && !hashed.meets(9, 8));
    }

    #[test]
    fn a_key_is_contested_when_both_have_come_in_whatever_order() {
        for order in [[8, 16], [16, 8]] {
            let hashed = hashed(&[(1, 8), (2, 8)]);
            assert!(!hashed.is_contested());
            order.iter().for_each(|&row| _ = hashed.meets(1, row));
            assert!(hashed.is_contested());
            assert!(hashed.contests(1, 8) && !hashed.contests(1, 16) && !hashed.contests(2, 8));
        }
    }

    #[test]
    fn a_key_that_is_there_twice_meets_nothing() {
        let hashed = hashed(&[(1, 8), (1, 16), (1, 8), (2, 8)]);
        assert!(!hashed.meets(1, 8) && !hashed.meets(1, 16) && hashed.meets(2, 8));
        assert!(!hashed.is_contested() && !hashed.contests(1, 8));
    }
}
