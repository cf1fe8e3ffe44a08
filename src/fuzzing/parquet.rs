//! Parquet: a broken file is refused with a reason, whatever its reader makes of it.

use super::{Broken, trouble};
use crate::bronze::{Landing, ReadOptions, read};
use crate::project::Format;

/// The bytes are a file.
///
/// # Errors
/// Never by itself: what breaks the promise is a panic that gets out, or the end of the process.
pub fn parquet(bytes: &[u8]) -> Broken {
    let folder = tempfile::tempdir().map_err(|e| trouble(&e))?;
    std::fs::write(folder.path().join("f.parquet"), bytes).map_err(|e| trouble(&e))?;
    let landing = Landing::open(&folder.path().to_string_lossy()).map_err(|e| trouble(&e))?;
    let stat = landing.stat("f.parquet").map_err(|e| trouble(&e))?;
    let options = ReadOptions { row_group: 1 << 28, ..ReadOptions::default() };
    let Ok(reader) = read(&landing, &stat, &Format::Parquet, None, &options) else { return Ok(()) };
    let rows: usize = reader.map_while(Result::ok).map(|frame| frame.height()).sum();
    if rows <= 1 << 28 { Ok(()) } else { Err(format!("{rows} rows")) }
}
