//! Rows by their hashes, in little memory. Those that come as they were added need not be looked for: what lies in
//! memory beside the last one is there at once, any other place is waited for.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The row of this key is not known: there are several.
const SEVERAL: u64 = 1;
/// A row that is the same has come.
const MET: u64 = 2;
/// One that differs has come.
const CONTESTED: u64 = 4;
const FLAGS: u64 = SEVERAL | MET | CONTESTED;

/// Rows that are looked for at once.
const NEAR: usize = 256;

/// Bits of a key's hash that stand beside its row's number, so that few other rows are looked at.
const TAG_BITS: u32 = 6;
/// The other bits: the number.
const NUMBER: u32 = u32::MAX >> TAG_BITS;

/// By the hash of a key that of its row.
pub(super) struct Hashed {
    /// in the order in which they were added
    rows: Vec<Row>,
    /// where a key's hash tells: its tag, and the number of its row plus one; 0 if there is none
    slots: Vec<u32>,
    /// rows that may still be added
    room: u64,
}

/// A row that is there.
pub(super) struct Row {
    key: u64,
    /// the row's hash, of which three bits tell what has come
    row: AtomicU64,
}

impl Hashed {
    /// Bytes that a row takes.
    pub(super) const WIDTH: u64 = 16 + 4 * 4 / 3 + 1;

    /// Rows that it can hold.
    pub(super) const MOST: u64 = NUMBER as u64;

    /// A quarter of the slots stays free, so that what is looked for is found within a few steps.
    pub(super) fn with_room_for(rows: u64) -> Self {
        Hashed { rows: Vec::with_capacity(rows as usize), slots: vec![0; (rows + rows / 3 + 1) as usize], room: rows }
    }

    /// Adds rows, each the hash of its key and its own; false if there is no room for them.
    pub(super) fn add(&mut self, rows: &[(u64, u64)]) -> bool {
        let Some(room) = self.room.checked_sub(rows.len() as u64) else { return false };
        self.room = room;
        for rows in rows.chunks(NEAR) {
            self.fetch_slots(rows);
            for &(key, row) in rows {
                match self.place(key) {
                    Ok(number) => *self.rows[number].row.get_mut() |= SEVERAL,
                    Err(free) => {
                        self.rows.push(Row { key, row: AtomicU64::new(row & !FLAGS) });
                        self.slots[free] = tagged(key) | self.rows.len() as u32;
                    }
                }
            }
        }
        true
    }

    /// What `of` tells of each of these rows, given the one that is there with the same key, and the row's hash.
    pub(super) fn each<T>(&self, rows: &[(u64, u64)], of: impl Fn(Option<&Row>, u64) -> T) -> Vec<T> {
        let (mut told, mut next) = (Vec::with_capacity(rows.len()), 0);
        for rows in rows.chunks(NEAR) {
            let mut is_near = false;
            for (i, &(key, row)) in rows.iter().enumerate() {
                let found = match self.rows.get(next) {
                    Some(there) if there.key == key => Some(next),
                    _ => {
                        if !is_near {
                            self.fetch(&rows[i..]);
                            is_near = true;
                        }
                        self.place(key).ok()
                    }
                };
                next = found.map_or(next, |number| number + 1);
                told.push(of(found.map(|number| &self.rows[number]), row));
            }
        }
        told
    }

    /// Whether of any key both have come: the row that is there, and one that differs.
    pub(super) fn is_contested(&self) -> bool {
        self.rows.iter().any(|there| there.row.load(Relaxed) & (MET | CONTESTED) == MET | CONTESTED)
    }

    /// How many rows have come and are not contested.
    pub(super) fn met(&self) -> u64 {
        self.rows.iter().filter(|there| there.row.load(Relaxed) & FLAGS == MET).count() as u64
    }

    /// Brings the places of these keys near: one after the other each would be waited for.
    fn fetch(&self, rows: &[(u64, u64)]) {
        self.fetch_slots(rows);
        let row = |key: u64| self.rows.get(number(self.slots[self.start(key)])).map_or(0, |there| there.key);
        std::hint::black_box(rows.iter().fold(0, |sum, &(key, _)| sum ^ row(key)));
    }

    fn fetch_slots(&self, rows: &[(u64, u64)]) {
        std::hint::black_box(rows.iter().fold(0, |sum, &(key, _)| sum ^ self.slots[self.start(key)]));
    }

    /// The number of the row with this key, or the free slot where it would be.
    fn place(&self, key: u64) -> Result<usize, usize> {
        let mut at = self.start(key);
        loop {
            match self.slots[at] {
                0 => return Err(at),
                slot if slot & !NUMBER == tagged(key) && self.rows[number(slot)].key == key => return Ok(number(slot)),
                _ => at = if at + 1 == self.slots.len() { 0 } else { at + 1 },
            }
        }
    }

    fn start(&self, key: u64) -> usize {
        ((u128::from(key) * self.slots.len() as u128) >> 64) as usize
    }
}

impl Row {
    /// Whether a row that has come is the same as this one; notes that it has come, or one that differs.
    pub(super) fn meets(&self, row: u64) -> bool {
        let held = self.row.load(Relaxed);
        let is_same = held & SEVERAL == 0 && (held ^ row) & !FLAGS == 0;
        let flag = if is_same { MET } else { CONTESTED };
        if held & flag == 0 {
            self.row.fetch_or(flag, Relaxed);
        }
        is_same
    }

    /// Whether a row is this one, which has come, and so has one that differs.
    pub(super) fn contests(&self, row: u64) -> bool {
        self.row.load(Relaxed) == (row & !FLAGS) | MET | CONTESTED
    }
}

/// The lower bits of a key's hash, since the upper ones tell the slot.
fn tagged(key: u64) -> u32 {
    (key as u32) << (u32::BITS - TAG_BITS)
}

/// Of a slot that is taken.
fn number(slot: u32) -> usize {
    (slot & NUMBER).wrapping_sub(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The greatest row's hash, so that its lower bits are set too.
    const ALL: u64 = u64::MAX;

    fn hashed(rows: &[(u64, u64)]) -> Hashed {
        let mut hashed = Hashed::with_room_for(rows.len() as u64);
        assert!(hashed.add(rows));
        hashed
    }

    fn meets(hashed: &Hashed, key: u64, row: u64) -> bool {
        hashed.each(&[(key, row)], |there, row| there.is_some_and(|there| there.meets(row)))[0]
    }

    fn contests(hashed: &Hashed, key: u64, row: u64) -> bool {
        hashed.each(&[(key, row)], |there, row| there.is_some_and(|there| there.contests(row)))[0]
    }

    #[test]
    fn a_row_is_told_by_its_key_and_all_but_three_bits() {
        let hashed = hashed(&[(7, ALL), (u64::MAX, 8), (u64::MAX - 1, 16), (u64::MAX - 2, 24), (0, 32)]);
        assert!(meets(&hashed, 7, ALL - FLAGS) && meets(&hashed, 7, ALL) && meets(&hashed, 0, 32));
        assert!(!meets(&hashed, 7, ALL - 8) && !meets(&hashed, 8, ALL));
        // all three would stand at the end, so two of them stand at the beginning
        assert!(meets(&hashed, u64::MAX, 8) && meets(&hashed, u64::MAX - 1, 16) && meets(&hashed, u64::MAX - 2, 24));
        assert!(!meets(&hashed, u64::MAX - 3, 8));
        assert_eq!(hashed.met(), 4, "7 is contested");
    }

    #[test]
    fn there_is_room_for_so_many_rows_and_no_more() {
        let mut none = Hashed::with_room_for(0);
        assert!(!none.add(&[(1, 1)]) && !meets(&none, 1, 1) && !meets(&none, 0, 0));
        assert!(!none.is_contested() && none.met() == 0);
        let mut hashed = hashed(&[(0, 8), (5, 8)]);
        assert!(!hashed.add(&[(9, 8)]));
        assert!(meets(&hashed, 0, 8) && meets(&hashed, 5, 8) && !meets(&hashed, 9, 8));
    }

    #[test]
    fn a_key_is_contested_when_both_have_come_in_whatever_order() {
        for order in [[8, 16], [16, 8]] {
            let hashed = hashed(&[(1, 8), (2, 8)]);
            assert!(!hashed.is_contested());
            order.iter().for_each(|&row| _ = meets(&hashed, 1, row));
            assert!(hashed.is_contested());
            assert!(contests(&hashed, 1, 8) && !contests(&hashed, 1, 16) && !contests(&hashed, 2, 8));
        }
    }

    #[test]
    fn a_key_that_is_there_twice_meets_nothing() {
        let hashed = hashed(&[(1, 8), (1, 16), (1, 8), (2, 8)]);
        assert!(!meets(&hashed, 1, 8) && !meets(&hashed, 1, 16) && meets(&hashed, 2, 8));
        assert!(!hashed.is_contested() && !contests(&hashed, 1, 8));
    }

    #[test]
    fn rows_are_found_in_whatever_order_they_come() {
        let spread = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let there: Vec<(u64, u64)> = (0..2000).map(|i| (spread(i), spread(!i))).collect();
        let hashed = hashed(&there);
        let orders: [Vec<u64>; 5] = [
            (0..2000).collect(),
            (1500..2000).chain(0..1500).collect(),
            (0..2000).rev().collect(),
            (0..2000).map(|i| i * 777 % 2000).collect(),
            // others between them, and each second one left out
            (0..4000).filter(|i| i % 2 == 0 || *i >= 2000).map(|i| i * 7 % 4000).collect(),
        ];
        for order in orders {
            let coming: Vec<(u64, u64)> = order.iter().map(|&i| (spread(i), i)).collect();
            let found = hashed.each(&coming, |there, i| there.is_some_and(|there| there.key == spread(i)));
            assert_eq!(found, order.iter().map(|&i| i < 2000).collect::<Vec<_>>());
        }
    }
}
