//! Which files are looked at together.

use std::collections::{BTreeMap, BTreeSet};

use crate::expr::{Column, Type};

/// A file of a smaller part of the rows held at once is not worth a query of its own.
const SMALL_PART: u64 = 256;

/// Numbers of files of the left and of the right side.
type Share = (Vec<usize>, Vec<usize>);

/// Pairs of files with as many rows, and all others in shares of about `at_once` rows and of like parts of both sides.
pub(super) fn shares(
    left: &[u64],
    right: &[u64],
    columns: &[Column],
    at_once: u64,
) -> (Vec<(usize, usize)>, Vec<Share>) {
    let (paired, ours, theirs) = pairs(left, right, columns, at_once / SMALL_PART);
    (paired, packed(&ours, &theirs, at_once))
}

type Counted = Vec<(usize, u64)>;

fn pairs(left: &[u64], right: &[u64], columns: &[Column], least: u64) -> (Vec<(usize, usize)>, Counted, Counted) {
    // values within values are compared by their hashes only
    let flat = columns.iter().all(|column| !matches!(column.ty, Type::Array(_) | Type::Struct(_)));
    let mut by_rows: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (file, &rows) in right.iter().enumerate().rev().filter(|(_, rows)| flat && **rows > least) {
        by_rows.entry(rows).or_default().push(file);
    }
    let (mut paired, mut ours) = (Vec::new(), Vec::new());
    for (file, &rows) in left.iter().enumerate() {
        match by_rows.get_mut(&rows).and_then(Vec::pop) {
            Some(partner) => paired.push((file, partner)),
            None => ours.push((file, rows)),
        }
    }
    let partners: BTreeSet<usize> = paired.iter().map(|(_, partner)| *partner).collect();
    let theirs = right.iter().copied().enumerate().filter(|(file, _)| !partners.contains(file)).collect();
    (paired, ours, theirs)
}

fn packed(left: &Counted, right: &Counted, at_once: u64) -> Vec<Share> {
    let sum = |files: &Counted| files.iter().map(|(_, rows)| u128::from(*rows)).sum::<u128>().max(1);
    let (all_left, all_right) = (sum(left), sum(right));
    let (mut shares, mut share, mut rows) = (Vec::new(), Share::default(), 0);
    let (mut done_left, mut done_right) = (0, 0);
    let (mut ours, mut theirs) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let is_left = match (ours.peek(), theirs.peek()) {
            (Some(_), Some(_)) => done_left * all_right <= done_right * all_left,
            (next, _) => next.is_some(),
        };
        let Some(&(file, of_file)) = (if is_left { ours.next() } else { theirs.next() }) else { break };
        if rows > 0 && rows + of_file > at_once {
            shares.push(std::mem::take(&mut share));
            rows = 0;
        }
        rows += of_file;
        let (files, done) = if is_left { (&mut share.0, &mut done_left) } else { (&mut share.1, &mut done_right) };
        files.push(file);
        *done += u128::from(of_file);
    }
    shares.push(share);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_looked_at_once() {
        let flat = [Column::new("a", Type::Int)];
        let (paired, shares_of) = shares(&[10, 20, 7, 20, 1], &[20, 5, 20, 20, 1], &flat, 300);
        assert_eq!(paired, [(1, 0), (3, 2)], "1 row is less than a 256th of 300");
        let (mut ours, mut theirs): Share = (Vec::new(), Vec::new());
        for (left, right) in &shares_of {
            ours.extend(left);
            theirs.extend(right);
        }
        assert_eq!((ours, theirs), (vec![0, 2, 4], vec![1, 3, 4]));
        let nested = [Column::new("a", Type::Array(Box::new(Type::Int)))];
        assert_eq!(shares(&[10], &[10], &nested, 100), (vec![], vec![(vec![0], vec![0])]));
        assert_eq!(shares(&[], &[], &flat, 100).0, []);
    }

    #[test]
    fn a_share_has_like_parts_of_both_sides() {
        let (_, shares) = shares(&[10; 6], &[11; 6], &[], 45);
        assert!(shares.iter().all(|(left, right)| left.len().abs_diff(right.len()) <= 1), "{shares:?}");
        assert_eq!(shares.len(), 3);
    }
}
