//! Where a file ends to be data: decompression bombs stop here.

use std::io;

use super::stored::Packing;
use crate::memory::Memory;
use crate::project::Limits;

/// Whatever its size, a file may unpack to so many bytes: less harms nobody.
const FREE: u64 = 1 << 20;

/// Bytes that a file may unpack to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    most: u64,
    limits: Limits,
    stored: u64,
    taken: u64,
}

impl Bound {
    /// `stored`: the file's size as it is stored.
    pub fn new(limits: Limits, packing: Packing, stored: u64) -> Self {
        let by_ratio = limits.ratio.saturating_mul(stored).max(FREE);
        let most = if packing == Packing::Plain { limits.size } else { limits.size.min(by_ratio) };
        Bound { most, limits, stored, taken: 0 }
    }

    /// Notes that so many bytes more were unpacked.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`], which says what is too much and how to have it.
    pub fn take(&mut self, bytes: usize) -> io::Result<()> {
        self.taken = self.taken.saturating_add(bytes as u64);
        if self.taken <= self.most {
            return Ok(());
        }
        let limits = &self.limits;
        let what = if self.most < limits.size {
            let stored = Memory::of_bytes(self.stored);
            let ratio = limits.ratio;
            format!(
                "it unpacks to more than {ratio} times its {stored}, as a decompression bomb does; {}",
                more("ratio")
            )
        } else {
            format!("it holds more than {} unpacked; {}", Memory::of_bytes(limits.size), more("size"))
        };
        Err(io::Error::new(io::ErrorKind::FileTooLarge, what))
    }
}

/// How to have more than a limit allows.
pub(super) fn more(limit: &str) -> String {
    format!("`limits: {{ {limit}: … }}` of its source allows more")
}

/// Why a line is refused that is longer than `longest`, beginning at `offset` of the text.
pub(super) fn too_long(offset: u64, longest: usize) -> String {
    format!("byte {offset}: a line is longer than {longest} bytes; {}", more("line"))
}
