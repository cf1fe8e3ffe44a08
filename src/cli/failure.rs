//! How a command fails: words for people, an exit code for scripts.

use std::fmt;

use crate::project::Fault;

/// Exit code: a table or a file failed.
pub const FAILED: u8 = 1;
/// Exit code: the project or the command is wrong.
pub const WRONG: u8 = 2;

/// Why a command ends early.
#[derive(Debug)]
pub struct Failure {
    /// one paragraph per fault, without the word `error`
    pub faults: Vec<String>,
    /// see the constants
    pub code: u8,
}

impl Failure {
    /// The command is wrong.
    pub fn wrong(message: impl Into<String>) -> Self {
        Failure { faults: vec![message.into()], code: WRONG }
    }

    /// Something did not work.
    pub fn failed(message: impl fmt::Display) -> Self {
        Failure { faults: vec![message.to_string()], code: FAILED }
    }

    /// The project is wrong.
    pub fn project(faults: &[Fault]) -> Self {
        Failure { faults: faults.iter().map(Fault::to_string).collect(), code: WRONG }
    }
}

impl From<crate::run::Error> for Failure {
    fn from(error: crate::run::Error) -> Self {
        Failure::failed(error)
    }
}

impl From<crate::delta::Error> for Failure {
    fn from(error: crate::delta::Error) -> Self {
        Failure::failed(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::failed(error)
    }
}

/// The result of a command: its exit code.
pub type Outcome = Result<u8, Failure>;
