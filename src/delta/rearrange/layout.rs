//! Which files are to be rewritten.

use std::collections::{BTreeMap, BTreeSet};

use super::zorder;
use crate::delta::write::FILE_BYTES;
use crate::delta::{DataFile, Error, Snapshot};
use crate::expr::Type;

/// A file of less than this share of the wanted size is small. The writer closes no file below it but the last of each
/// lot, hence what was compacted once is left alone.
const SMALL: usize = 2;

/// How the files of a table are to lie.
#[derive(Clone, Debug)]
pub struct Layout {
    /// files come near to this size, in bytes
    pub file_bytes: usize,
    /// so many small files of one partition are worth the work
    pub at_least: usize,
    /// rows that are near one another in all of these columns come into the same files; none: their order stays
    pub z_order: Vec<String>,
    /// an integer column, and ascending values of it: rows up to a value and rows beyond it stay in files of their own
    pub apart: Option<(String, Vec<i64>)>,
}

/// Files to be rewritten together.
#[derive(Debug)]
pub(super) struct Lot {
    pub(super) files: Vec<DataFile>,
    /// not only brought to size, but their rows brought into order
    pub(super) z_order: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { file_bytes: FILE_BYTES, at_least: 2, z_order: Vec::new(), apart: None }
    }
}

/// How many files [`super::rearrange`] would rewrite now.
pub fn untidy(snapshot: &Snapshot, layout: &Layout) -> usize {
    lots(snapshot.files(), layout).iter().map(|lot| lot.files.len()).sum()
}

/// Files of different partitions, and of different sides of a value that keeps apart, are not mixed.
pub(super) fn lots(files: &[DataFile], layout: &Layout) -> Vec<Lot> {
    let mut groups: BTreeMap<_, Vec<DataFile>> = BTreeMap::new();
    for file in files {
        groups.entry((file.partition_values(), layout.side(file))).or_default().push(file.clone());
    }
    groups.into_values().filter_map(|group| layout.lot(group)).collect()
}

impl Layout {
    /// # Errors
    /// [`Error::Invalid`] if rows cannot be ordered by the columns.
    pub(super) fn check(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let (folder, schema) = (snapshot.table().folder(), snapshot.schema());
        let mut seen = BTreeSet::new();
        for name in &self.z_order {
            let what = match schema.ty(name) {
                None => format!("there is no column `{name}` to order by"),
                Some(_) if schema.partition_by.contains(name) => {
                    format!("`{name}` partitions the table: its values lie apart already")
                }
                Some(ty @ (Type::Array(_) | Type::Struct(_) | Type::Null)) => {
                    format!("`{name}` is {ty}, and such values have no order")
                }
                Some(_) if !seen.insert(name) => format!("`{name}` is named twice"),
                Some(_) => continue,
            };
            return Err(Error::invalid(folder, what));
        }
        if self.z_order.len() > zorder::MOST_COLUMNS {
            let what = format!("rows can be ordered by at most {} columns at once", zorder::MOST_COLUMNS);
            return Err(Error::invalid(folder, what));
        }
        Ok(())
    }

    /// The bytes that rows brought into order share a file of, so that the least errors of an estimate make no file a
    /// little too big.
    pub(super) fn ordered_bytes(&self) -> u64 {
        (self.file_bytes / 5 * 4).max(1) as u64
    }

    /// Between which of the values that keep apart the file's rows end. One without statistics is read in any case.
    fn side(&self, file: &DataFile) -> usize {
        let Some((column, values)) = &self.apart else { return 0 };
        match file.min_max_i64(column) {
            Some((_, max)) => values.partition_point(|value| *value < max),
            None => usize::MAX,
        }
    }

    fn lot(&self, group: Vec<DataFile>) -> Option<Lot> {
        let bytes: u64 = group.iter().map(DataFile::size).sum();
        // What fits into one file has no order to speak of.
        if !self.z_order.is_empty() && bytes > self.ordered_bytes() {
            let tag = zorder::tag(&self.z_order);
            let is_done = |file: &DataFile| file.tag(zorder::TAG) == Some(&tag) && !file.has_deletion_vector();
            return (!group.iter().all(is_done)).then_some(Lot { files: group, z_order: true });
        }
        let small = |file: &DataFile| file.size() < (self.file_bytes / SMALL) as u64 && file.tag(zorder::TAG).is_none();
        let files: Vec<DataFile> = group.into_iter().filter(|file| small(file) || file.has_deletion_vector()).collect();
        let gains = files.len() >= self.at_least.max(2) || files.iter().any(DataFile::has_deletion_vector);
        gains.then_some(Lot { files, z_order: false })
    }
}
