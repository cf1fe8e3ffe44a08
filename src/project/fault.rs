//! What is wrong with a project, and where.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong, at a place in a file. Displays as the three lines that users see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// relative to the project's root
    pub file: PathBuf,
    /// 1-based
    pub line: usize,
    /// 1-based, in characters
    pub column: usize,
    /// what is wrong; names in backquotes
    pub message: String,
    /// what to do
    pub hint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  --> {}:{}:{}", self.message, self.file.display(), self.line, self.column)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
