//! Keys in lots: what is held at once is one lot's keys, however many rows there are.

use polars::prelude::{Expr, LazyFrame, col, lit};

use super::rules::Rules;

/// The name of a key's hash in narrow frames.
pub(super) const HASH: &str = "hash";

/// One of several shares of all keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lot {
    number: u64,
    of: u64,
}

impl Lot {
    /// All lots, one after the other.
    pub(super) fn each(of: u64) -> impl Iterator<Item = Lot> {
        (0..of).map(move |number| Lot { number, of })
    }

    /// Whether no lot comes after it.
    pub(super) fn is_last(self) -> bool {
        self.number + 1 == self.of
    }

    /// What [`Lot::only`] needs beside the columns; all keys in one lot need nothing.
    pub(super) fn with_hash(self, columns: Vec<Expr>, rules: &Rules) -> Vec<Expr> {
        if self.of == 1 { columns } else { [columns, vec![rules.key_hash().alias(HASH)]].concat() }
    }

    /// The rows of this lot in a frame that has the key's hash.
    pub(super) fn only(self, frame: LazyFrame) -> LazyFrame {
        if self.of == 1 { frame } else { frame.filter((col(HASH) % lit(self.of)).eq(lit(self.number))) }
    }
}
