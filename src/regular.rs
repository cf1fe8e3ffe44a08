//! Files that others may have put there: only regular ones are read. A pipe would wait for a writer, a device never ends.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a file for reading, without waiting for anyone. Links are followed.
///
/// # Errors
/// As [`File::open`]; or it is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    checked(path, 0)
}

/// As [`open`], but what has become a link since its path was resolved is no file.
///
/// # Errors
/// As [`open`].
pub fn open_resolved(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    return checked(path, libc::O_NOFOLLOW);
    #[cfg(not(unix))]
    return checked(path, 0);
}

/// All of a file.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn checked(path: &Path, flags: i32) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags | libc::O_NONBLOCK);
    #[cfg(not(unix))]
    let _ = flags;
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}
