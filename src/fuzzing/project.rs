//! Project files: whatever stands in one of them, the project is right or each fault has its place.

use super::{Broken, trouble};
use crate::project::{check, init};

/// The first byte chooses a file of the project that `lakesmith init` makes, the others take its place.
///
/// # Errors
/// A fault names no file, or no line of it.
pub fn project(bytes: &[u8]) -> Broken {
    let Some((&which, content)) = bytes.split_first() else { return Ok(()) };
    let folder = tempfile::tempdir().map_err(|e| trouble(&e))?;
    let root = folder.path().join("p");
    let made = init(&root).map_err(|e| trouble(&e))?;
    let files: Vec<_> = made.iter().filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    let Some(file) = files.get(usize::from(which) % files.len().max(1)) else { return Err("no file".to_owned()) };
    let path = if file.is_absolute() { file.to_path_buf() } else { root.join(file) };
    std::fs::write(path, content).map_err(|e| trouble(&e))?;
    let Err(faults) = check(&root, None, &|_| None) else { return Ok(()) };
    match faults.iter().find(|fault| fault.line == 0 || fault.column == 0 || fault.message.is_empty()) {
        Some(fault) => Err(format!("{fault:?}")),
        None if faults.is_empty() => Err("it is faulty without a fault".to_owned()),
        None => Ok(()),
    }
}
