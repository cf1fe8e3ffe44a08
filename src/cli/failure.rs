//! How a command fails: words for people, an exit code for scripts.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::name::TableName;
use crate::project::Fault;

/// Exit code: a table or a file failed.
pub const FAILED: u8 = 1;
/// Exit code: the project or the command is wrong.
pub const WRONG: u8 = 2;

/// Why a command ends early.
#[derive(Debug)]
pub struct Failure {
    /// at least one
    pub errors: Vec<Complaint>,
    /// see the constants
    pub code: u8,
}

/// What is wrong, where, and what to do; as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Complaint {
    /// without the word `error`
    pub message: String,
    /// in the project
    #[serde(flatten)]
    pub place: Option<Place>,
    /// what to do
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A place in a file of the project.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// relative to the project's root
    pub file: PathBuf,
    /// 1-based
    pub line: usize,
    /// 1-based, in characters
    pub column: usize,
}

impl Failure {
    /// The command is wrong.
    pub fn wrong(error: impl Into<Complaint>) -> Self {
        Failure { errors: vec![error.into()], code: WRONG }
    }

    /// Something did not work.
    pub fn failed(error: impl Into<Complaint>) -> Self {
        Failure { errors: vec![error.into()], code: FAILED }
    }

    /// The project is wrong.
    pub fn project(faults: &[Fault]) -> Self {
        Failure { errors: faults.iter().map(Complaint::from).collect(), code: WRONG }
    }
}

impl Complaint {
    /// What is wrong with a table; errors of its storage name its folder once more, which says nothing new.
    pub fn of_table(name: &TableName, error: &str) -> Self {
        let folder = format!("{}: ", crate::run::folder(name));
        Complaint::from(format!("`{name}`: {}", error.strip_prefix(&folder).unwrap_or(error)))
    }

    /// Says what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<String> for Complaint {
    /// What may have been meant is a hint, wherever the message comes from.
    fn from(text: String) -> Self {
        let (message, hint) = match text.split_once("; did you mean ") {
            Some((message, meant)) => (message.to_string(), Some(format!("did you mean {meant}"))),
            None => (text, None),
        };
        Complaint { message, place: None, hint }
    }
}

impl From<&str> for Complaint {
    fn from(text: &str) -> Self {
        text.to_string().into()
    }
}

impl From<&Fault> for Complaint {
    fn from(fault: &Fault) -> Self {
        let place = Place { file: fault.file.clone(), line: fault.line, column: fault.column };
        Complaint { message: fault.message.clone(), place: Some(place), hint: fault.hint.clone() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n  --> {}:{}:{}", place.file.display(), place.line, place.column)?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<crate::run::Error> for Failure {
    fn from(error: crate::run::Error) -> Self {
        match error {
            crate::run::Error::Delta(error) => error.into(),
            other => Failure::failed(other.to_string()),
        }
    }
}

impl From<crate::delta::Error> for Failure {
    fn from(error: crate::delta::Error) -> Self {
        Failure::failed(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::failed(error.to_string())
    }
}

/// The result of a command: its exit code.
pub type Outcome = Result<u8, Failure>;
