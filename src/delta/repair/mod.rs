//! What is wrong with the files of a table's log, and what of it can be mended: whatever stands in other files too, and
//! a last commit of which nobody can tell what it did.

mod again;
mod health;
mod mend;
#[cfg(test)]
mod tests;

/// How the log of a table is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogHealth {
    /// the newest version, sound or not; none: there is no table
    pub newest: Option<i64>,
    /// what is wrong, oldest version first
    pub faults: Vec<Fault>,
}

/// What is wrong with a file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// their names in `_delta_log`; more than one for a checkpoint in parts, the first of versions that are missing
    pub files: Vec<String>,
    /// as a sentence without its subject: `is empty`
    pub what: String,
    /// what can be done
    pub remedy: Remedy,
}

/// What can be done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// other files say the same: it is put aside, and a new checkpoint is written
    Anew,
    /// it is the last commit: it is put aside, and the table has this version then; none: there is no table then
    TakeBack(Option<i64>),
    /// it is the last commit, and the checkpoint of its version says what it came to: it is written again from that
    Again,
    /// nothing: only versions before a later checkpoint need it
    Old,
    /// nothing but a copy of the file can bring the newest version back
    Copy,
}

impl Fault {
    /// Whether it is about a checkpoint.
    pub fn is_checkpoint(&self) -> bool {
        self.files.iter().any(|file| file.contains(".checkpoint."))
    }
}

impl LogHealth {
    /// The version that the table has once all is mended that can be.
    pub fn left(&self) -> Option<i64> {
        let back = self.faults.iter().find_map(|fault| match fault.remedy {
            Remedy::TakeBack(left) => Some(left),
            _ => None,
        });
        back.unwrap_or(self.newest)
    }

    /// Whether something can be mended.
    pub fn is_mendable(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.remedy, Remedy::Anew | Remedy::Again | Remedy::TakeBack(_)))
    }

    /// Whether the newest version cannot be brought back.
    pub fn is_lost(&self) -> bool {
        self.faults.iter().any(|fault| fault.remedy == Remedy::Copy)
    }
}
