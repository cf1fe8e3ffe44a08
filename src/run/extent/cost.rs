//! Whether it is worth while to find out what changed.

/// Rows that are compared whatever the size of the inputs.
const SMALL_DIFFERENCE: u64 = 1_000_000;

/// What is read beside the files that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reread {
    /// nothing
    No,
    /// the touched groups' rows: all of them, perhaps
    Groups,
}

/// Why all is to be computed at once: finding out what changed and computing that would take about as long. Rows of
/// two files that differ are all read and compared, which is about twice the work of summing it up; and when
/// many groups turn out to be touched, all else comes on top of it.
pub(super) fn too_much(differing: u64, all: u64, reread: Reread) -> Option<String> {
    let bearable = match reread {
        Reread::No => all / 2,
        Reread::Groups => all / 4,
    };
    let why = || format!("{differing} rows would have to be compared, and it is computed from {all}");
    (differing > SMALL_DIFFERENCE && differing > bearable).then(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scattered_change_is_not_looked_for() {
        // every file of a table was written anew, or one of two, or one of twenty
        let all = 60_000_000;
        assert!(too_much(2 * all, all, Reread::No).unwrap().contains("120000000 rows"));
        assert!(too_much(all, all, Reread::No).is_some());
        assert_eq!(too_much(all / 10, all, Reread::No), None);
        assert_eq!(too_much(all / 10, all, Reread::Groups), None);
        assert!(too_much(all / 3, all, Reread::Groups).is_some());
        assert_eq!(too_much(all / 3, all, Reread::No), None);
        assert_eq!(too_much(900_000, 450_000, Reread::Groups), None, "small whatever the share");
    }
}
