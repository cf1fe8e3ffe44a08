//! A table of hashes in little memory: two numbers a row, at a place that the key's hash tells.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The row of this key is not known: there are several.
const SEVERAL: u64 = 1;
/// A row that is the same has come.
const MET: u64 = 2;
/// So has one that differs.
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

    /// Whether this row of this key is there; notes that it has come.
    pub(super) fn meets(&self, key: u64, row: u64) -> bool {
        let Some(there) = self.find(key) else { return false };
        let held = there.load(Relaxed);
        let is_same = held & SEVERAL == 0 && (held ^ row) & !FLAGS == 0;
        if is_same && held & MET == 0 {
            there.fetch_or(MET, Relaxed);
        }
        is_same
    }

    /// Notes that a row of this key has come that is not there; whether one that is there has come too.
    pub(super) fn contest(&self, key: u64) -> bool {
        self.find(key).is_some_and(|there| there.fetch_or(CONTESTED, Relaxed) & MET != 0)
    }

    /// Whether this row is there and has come, and so has another of its key.
    pub(super) fn is_contested(&self, key: u64, row: u64) -> bool {
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
