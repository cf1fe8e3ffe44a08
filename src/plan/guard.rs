//! The guard: no run or rebuild takes most of a table's rows away unless the user says so.

use crate::project::Guard;
use crate::report::GuardStop;

/// Whether `guard` lets a table go from `before` rows to `after` rows.
///
/// # Errors
/// The stop, if it does not.
#[expect(clippy::cast_precision_loss, reason = "a share of rows, compared with a share")]
pub fn guard(guard: Guard, before: u64, after: u64) -> Result<(), GuardStop> {
    let Guard::Share(limit) = guard else { return Ok(()) };
    let taken = before.saturating_sub(after) as f64;
    if before > 0 && (after == 0 || taken > limit * before as f64) {
        return Err(GuardStop { before, after, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_may_go_more_may_not_and_nothing_becomes_empty() {
        let half = Guard::Share(0.5);
        assert_eq!(guard(half, 0, 0), Ok(()));
        assert_eq!(guard(half, 10, 5), Ok(()));
        assert_eq!(guard(half, 10, 20), Ok(()));
        assert_eq!(guard(half, 10, 4), Err(GuardStop { before: 10, after: 4, limit: 0.5 }));
        assert_eq!(guard(half, 1, 0), Err(GuardStop { before: 1, after: 0, limit: 0.5 }));
        assert_eq!(guard(Guard::Share(1.0), 10, 1), Ok(()));
        assert!(guard(Guard::Share(1.0), 10, 0).is_err());
        assert_eq!(guard(Guard::Off, 10, 0), Ok(()));
    }
}
