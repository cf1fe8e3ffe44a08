//! The bytes of a landing file: read once, hashed as stored, decompressed by the file's name.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::limits::Bound;
use super::place::{Bytes, Place, Stat};
use crate::project::Limits;

const BUFFER: usize = 1 << 20;

/// How a file's bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    pub fn of(path: &str) -> Self {
        let ends = |end: &str| {
            path.len() >= end.len() && path.as_bytes()[path.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
        };
        match () {
            () if ends(".gz") => Packing::Gzip,
            () if ends(".zst") => Packing::Zstd,
            () => Packing::Plain,
        }
    }
}

/// One file, opened for a single pass.
pub(super) struct Stored {
    place: Place,
    packing: Packing,
    before: Stat,
    bytes: Unpacked,
    bound: Option<Bound>,
}

enum Unpacked {
    Plain(Box<Hashed>),
    Gzip(Box<MultiGzDecoder<BufReader<Hashed>>>),
    Zstd(Box<ZstdDecoder<'static, BufReader<Hashed>>>),
}

struct Hashed {
    file: Bytes,
    hasher: blake3::Hasher,
    size: u64,
}

impl Read for Hashed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(out)?;
        self.hasher.update(&out[..n]);
        self.size += n as u64;
        Ok(n)
    }
}

impl Read for Stored {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.bytes {
            Unpacked::Plain(reader) => reader.read(out),
            Unpacked::Gzip(reader) => reader.read(out),
            Unpacked::Zstd(reader) => reader.read(out),
        }?;
        self.bound.as_mut().map_or(Ok(()), |bound| bound.take(read)).map(|()| read)
    }
}

impl Stored {
    /// `packing` decides how bytes are unpacked, not what they look like.
    pub fn open(place: &Place, packing: Packing) -> io::Result<Self> {
        let (file, before) = place.open()?;
        let hashed = Hashed { file, hasher: blake3::Hasher::new(), size: 0 };
        let bytes = match packing {
            Packing::Plain => Unpacked::Plain(Box::new(hashed)),
            _ if before.size == 0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            Packing::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, hashed)))),
            Packing::Zstd => {
                Unpacked::Zstd(Box::new(ZstdDecoder::with_buffer(BufReader::with_capacity(BUFFER, hashed))?))
            }
        };
        Ok(Stored { place: place.clone(), packing, before, bytes, bound: None })
    }

    /// From now on, more than these limits allow is an error.
    pub fn within(self, limits: Limits) -> Self {
        let bound = Bound::new(limits, self.packing, self.before.size);
        Stored { bound: Some(bound), ..self }
    }

    /// The file as it was when it was opened.
    pub fn stat(&self) -> &Stat {
        &self.before
    }

    /// Bytes that are still to be read, if a file tells.
    pub fn left(&self) -> Option<u64> {
        match &self.bytes {
            Unpacked::Plain(reader) => Some(self.before.size.saturating_sub(reader.size)),
            Unpacked::Gzip(_) | Unpacked::Zstd(_) => None,
        }
    }

    /// The hash of all bytes as stored, or `None` if the file is not what it was when it was opened.
    pub fn finish(&mut self) -> io::Result<Option<blake3::Hash>> {
        let hashed = match &mut self.bytes {
            Unpacked::Plain(reader) => reader,
            Unpacked::Gzip(reader) => reader.get_mut().get_mut(),
            Unpacked::Zstd(reader) => reader.get_mut().get_mut(),
        };
        if hashed.size < self.before.size {
            let mut rest = vec![0; BUFFER];
            while hashed.read(&mut rest)? > 0 {}
        }
        let same = hashed.size == self.before.size && self.place.is_still(&self.before, &hashed.file)?;
        Ok(same.then(|| hashed.hasher.finalize()))
    }

    /// What an error of reading means to the owner of the file.
    pub fn explain(&self, error: &io::Error) -> String {
        explain(self.packing, error)
    }
}

pub(super) fn explain(packing: Packing, error: &io::Error) -> String {
    match packing {
        _ if error.kind() == io::ErrorKind::FileTooLarge => error.to_string(),
        Packing::Plain => error.to_string(),
        _ if error.kind() == io::ErrorKind::UnexpectedEof => format!("the {} stream is cut off", packing.name()),
        _ => format!("the {} stream is damaged: {error}", packing.name()),
    }
}

impl Packing {
    fn name(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }
}
