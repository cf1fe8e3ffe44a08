//! What lies in the landing folder.
//!
//! All access to landing files goes through [`Landing`], behind which a folder or a bucket stands.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use thiserror::Error;
use walkdir::{DirEntry, WalkDir};

use super::escape::escape;
use super::objects::Objects;
use super::pattern::Pattern;
use super::place::{Place, Stat};
use crate::bucket;
use crate::project::Secret;

/// Names that end so are copies in progress.
const UNFINISHED: [&str; 3] = [".tmp", ".part", ".crdownload"];

/// The folder in which files arrive.
#[derive(Clone, Debug)]
pub struct Landing {
    /// without links; empty if the files are in a bucket
    root: PathBuf,
    objects: Option<Objects>,
}

/// A file of the landing folder as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileStat {
    /// within the landing folder, with `/`
    pub path: String,
    /// bytes as stored
    pub size: u64,
    /// nanoseconds since 1970 UTC
    pub mtime_ns: i64,
    /// of an object, if its server gives one: another when its bytes are
    pub etag: Option<String>,
}

/// A file that bears the right name but is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// within the landing folder; a name that is no UTF-8 is escaped as malformed records are
    pub path: String,
    /// why
    pub reason: String,
}

/// What a pattern matches, each list sorted by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// files that can be read
    pub files: Vec<FileStat>,
    /// what is there but is not read
    pub refused: Vec<Refused>,
}

/// Why a landing folder cannot be listed at all.
#[derive(Debug, Error)]
pub enum LandingError {
    /// The folder is not there or cannot be entered.
    #[error("landing folder `{folder}`: {reason}")]
    Folder {
        /// as configured
        folder: String,
        /// why
        reason: String,
    },
    /// The pattern is no glob within the folder.
    #[error("path `{pattern}`: {reason}")]
    Pattern {
        /// as written
        pattern: String,
        /// why
        reason: String,
    },
}

impl Landing {
    /// Opens a folder on the local disk, or one of a bucket with these options; of that nothing is asked yet.
    ///
    /// # Errors
    /// The folder is not there, or the bucket's address or options are wrong.
    pub fn at(place: &str, storage: &BTreeMap<String, Secret>) -> Result<Self, LandingError> {
        if !bucket::is_url(place) {
            return Landing::open(place);
        }
        Ok(Landing { root: PathBuf::new(), objects: Some(Objects::open(place, storage)?) })
    }

    /// Opens a folder on the local disk.
    ///
    /// # Errors
    /// It is not there, is no folder, or is a URL.
    pub fn open(folder: &str) -> Result<Self, LandingError> {
        let error = |reason: &str| LandingError::Folder { folder: folder.to_owned(), reason: reason.to_owned() };
        let path = match folder.split_once("://") {
            Some(("file", path)) => path,
            Some(_) => return Err(error("is no folder of a disk")),
            None => folder,
        };
        let root = fs::canonicalize(path).map_err(|e| error(&e.to_string()))?;
        if root.is_dir() { Ok(Landing { root, objects: None }) } else { Err(error("is not a folder")) }
    }

    /// The files whose path matches `pattern`: a glob in which `*` and `?` stop at `/` and `**` does not; the same with
    /// `.gz` or `.zst` at the end matches too. Names that begin with `.` or `_`, anywhere in the path, and copies in
    /// progress (`.tmp`, `.part`, `.crdownload`) are no input. What matches but is no regular file, or is a symbolic
    /// link that leads out of the folder, is refused and never opened.
    ///
    /// # Errors
    /// The pattern is no glob, or leads out of the folder.
    pub fn list(&self, pattern: &str) -> Result<Listing, LandingError> {
        let pattern = Pattern::new(pattern)?;
        if let Some(objects) = &self.objects {
            return objects.list(&pattern);
        }
        let mut listing = Listing::default();
        let start = self.root.join(&pattern.folder);
        if !start.is_dir() {
            return Ok(listing);
        }
        if let Err(reason) = self.locate(&start) {
            listing.refused.push(Refused { path: self.shown(&start), reason });
            return Ok(listing);
        }
        for entry in walk(&start, &pattern) {
            match entry {
                Ok(entry) => self.take(&entry, &pattern, &mut listing),
                Err(error) => {
                    let path = error.path().map_or_else(|| pattern.folder.clone(), |path| self.shown(path));
                    listing.refused.push(Refused { path, reason: io_reason(&error) });
                }
            }
        }
        listing.files.sort();
        listing.refused.sort();
        Ok(listing)
    }

    /// Some of the files that [`Landing::list`] lists: the first half and the last, by path, of so many. No others are
    /// looked at.
    ///
    /// # Errors
    /// As [`Landing::list`].
    pub(super) fn first_and_last(&self, pattern: &str, most: usize) -> Result<Vec<FileStat>, LandingError> {
        if self.is_remote() {
            return Ok(ends(self.list(pattern)?.files, most));
        }
        let pattern = Pattern::new(pattern)?;
        let start = self.root.join(&pattern.folder);
        if !start.is_dir() || self.locate(&start).is_err() {
            return Ok(Vec::new());
        }
        let matching = |entry: DirEntry| {
            let path = entry.path().strip_prefix(&self.root).ok().filter(|path| pattern.matches(path))?;
            let may_be_file = entry.file_type().is_file() || entry.file_type().is_symlink();
            path.to_str().filter(|_| may_be_file).map(str::to_owned).map(|path| (path, entry))
        };
        let mut files: Vec<(String, DirEntry)> = walk(&start, &pattern).flatten().filter_map(matching).collect();
        files.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(ends(files, most).iter().filter_map(|(path, entry)| self.stat_of_entry(path, entry).ok()).collect())
    }

    /// A file as it is now.
    ///
    /// # Errors
    /// The reason why it cannot be read.
    pub fn stat(&self, path: &str) -> Result<FileStat, String> {
        if let Some(objects) = &self.objects {
            return objects.stat(path);
        }
        let (_, metadata) = self.find(path)?;
        Ok(stat_of(path, &metadata))
    }

    /// Says which files will be read, in this order: where each costs a request, many are made at once.
    pub fn expect<'a>(&self, files: impl Iterator<Item = &'a FileStat>) {
        if let Some(objects) = &self.objects {
            objects.expect(files);
        }
    }

    /// Whether each file costs a request.
    pub(super) fn is_remote(&self) -> bool {
        self.objects.is_some()
    }

    /// Where a file that was listed is, and what it is.
    pub(super) fn place(&self, file: &FileStat) -> Result<(Place, Stat), String> {
        if let Some(objects) = &self.objects {
            return objects.place(file);
        }
        let (path, metadata) = self.find(&file.path)?;
        Ok((Place::File(path), Stat::from(&metadata)))
    }

    /// Where a file of the folder really is, and what it is.
    fn find(&self, path: &str) -> Result<(PathBuf, Metadata), String> {
        let found = self.locate(&self.root.join(path))?;
        let metadata = fs::metadata(&found).map_err(|e| e.to_string())?;
        if metadata.is_file() { Ok((found, metadata)) } else { Err("is not a regular file".to_owned()) }
    }

    fn take(&self, entry: &DirEntry, pattern: &Pattern, listing: &mut Listing) {
        let kind = entry.file_type();
        let relative = entry.path().strip_prefix(&self.root).unwrap_or(entry.path());
        let linked_folder = kind.is_symlink() && entry.path().is_dir();
        let refuse = |reason: String| Refused { path: self.shown(entry.path()), reason };
        if linked_folder && (entry.depth() < pattern.depth || pattern.matches(relative)) {
            listing.refused.push(refuse("is a symbolic link to a folder, which is not followed".to_owned()));
        } else if kind.is_dir() || linked_folder || !pattern.matches(relative) {
        } else if !kind.is_file() && !kind.is_symlink() {
            listing.refused.push(refuse("is not a regular file".to_owned()));
        } else if let Some(path) = relative.to_str() {
            match self.stat_of_entry(path, entry) {
                Ok(stat) => listing.files.push(stat),
                Err(_) if kind.is_file() && !entry.path().exists() => {} // gone since the folder was read
                Err(reason) => listing.refused.push(refuse(reason)),
            }
        } else {
            listing.refused.push(refuse("its name is not UTF-8; rename it".to_owned()));
        }
    }

    fn stat_of_entry(&self, path: &str, entry: &DirEntry) -> Result<FileStat, String> {
        // only links can lead elsewhere: none of those above was followed
        match entry.file_type().is_file() {
            true => entry.metadata().map(|metadata| stat_of(path, &metadata)).map_err(|e| io_reason(&e)),
            false => self.stat(path),
        }
    }

    fn locate(&self, path: &Path) -> Result<PathBuf, String> {
        let found = fs::canonicalize(path).map_err(|e| e.to_string())?;
        if found.starts_with(&self.root) {
            Ok(found)
        } else {
            Err("is a symbolic link that leads out of the landing folder".to_owned())
        }
    }

    fn shown(&self, path: &Path) -> String {
        escape(path.strip_prefix(&self.root).unwrap_or(path).as_os_str().as_encoded_bytes())
    }
}

/// What lies in a folder, in any order.
fn walk(start: &Path, pattern: &Pattern) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let walk = WalkDir::new(start).min_depth(1).max_depth(pattern.depth);
    walk.into_iter().filter_entry(|entry| entry.depth() == 0 || !ignored(entry))
}

/// The first half and the last of so many.
fn ends<T>(mut all: Vec<T>, most: usize) -> Vec<T> {
    if all.len() > most {
        all.drain(most / 2..all.len() - most / 2);
    }
    all
}

fn stat_of(path: &str, metadata: &Metadata) -> FileStat {
    FileStat { path: path.to_owned(), size: metadata.len(), mtime_ns: mtime_ns(metadata), etag: None }
}

/// Nanoseconds since 1970; before it, negative.
pub(super) fn mtime_ns(metadata: &Metadata) -> i64 {
    let Ok(time) = metadata.modified() else { return 0 };
    let (nanos, sign) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (after.as_nanos(), 1),
        Err(before) => (before.duration().as_nanos(), -1),
    };
    i64::try_from(nanos).unwrap_or(i64::MAX) * sign
}

fn ignored(entry: &DirEntry) -> bool {
    is_hidden(entry.file_name().as_encoded_bytes())
}

/// Whether a name is that of no input.
pub(super) fn is_hidden(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'.' | b'_'))
        || UNFINISHED
            .iter()
            .any(|end| name.len() >= end.len() && name[name.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes()))
}

fn io_reason(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
#[path = "landing_tests.rs"]
mod tests;
