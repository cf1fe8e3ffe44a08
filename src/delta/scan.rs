//! Data files as one lazy frame.

use polars::prelude::*;

use super::check::remedy;
use super::table::object_path;
use super::{DataFile, Error, Lake, Table, TableSchema, partition};

/// The index of a row's file among the files that were asked for (u32).
pub const FILE_COLUMN: &str = "__file";
/// The 0-based position of a row in its file (u32).
pub const ROW_COLUMN: &str = "__row";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Positions {
    None,
    Add,
}

/// Files with the same partition values and without deletion vectors are read by one scan.
pub(super) fn scan(
    table: &Table,
    schema: &TableSchema,
    files: &[DataFile],
    positions: Positions,
) -> Result<LazyFrame, Error> {
    if files.is_empty() {
        return Ok(DataFrame::empty_with_schema(&output_schema(schema, positions)).lazy());
    }
    check_sizes(table, files)?;
    let mut runs: Vec<(usize, &[DataFile])> = Vec::new();
    let mut start = 0;
    for end in 1..=files.len() {
        if end == files.len() || !read_alike(schema, &files[start], &files[end], positions) {
            runs.push((start, &files[start..end]));
            start = end;
        }
    }
    let mut frames = Vec::with_capacity(runs.len());
    for (first, run) in runs {
        frames.push(scan_run(table, schema, first, run, positions)?);
    }
    match frames.len() {
        1 => Ok(frames.swap_remove(0)),
        _ => Ok(concat(frames, UnionArgs { to_supertypes: false, rechunk: false, ..UnionArgs::default() })?),
    }
}

/// On a disk a look at each file costs next to nothing, and tells those that are cut off or exchanged. One that is gone need
/// not be read at all: whoever needs it will say.
fn check_sizes(table: &Table, files: &[DataFile]) -> Result<(), Error> {
    let Some(folder) = table.lake().folder_on_disk(table.folder()) else { return Ok(()) };
    for file in files {
        match std::fs::metadata(folder.join(file.path())) {
            Ok(found) if found.len() == file.size() => {}
            Ok(found) => {
                let (path, found, written) = (file.path(), found.len(), file.size());
                let how = remedy(table.folder());
                let what =
                    format!("its data file {path} is damaged: it has {found} bytes, and {written} were written; {how}");
                return Err(Error::unreadable(table.folder(), what));
            }
            Err(_) => {}
        }
    }
    Ok(())
}

fn read_alike(schema: &TableSchema, a: &DataFile, b: &DataFile, positions: Positions) -> bool {
    let plain = |file: &DataFile| !file.has_deletion_vector();
    let value = |file: &DataFile, name: &String| file.partition_values().get(name).cloned().flatten();
    positions == Positions::None
        && plain(a)
        && plain(b)
        && schema.partition_by.iter().all(|name| value(a, name) == value(b, name))
}

fn output_schema(schema: &TableSchema, positions: Positions) -> Schema {
    let mut output = schema.to_polars().as_ref().clone();
    if positions == Positions::Add {
        output.with_column(FILE_COLUMN.into(), DataType::UInt32);
        output.with_column(ROW_COLUMN.into(), DataType::UInt32);
    }
    output
}

fn scan_run(
    table: &Table,
    schema: &TableSchema,
    first: usize,
    files: &[DataFile],
    positions: Positions,
) -> Result<LazyFrame, Error> {
    let deleted = files.first().map(DataFile::deleted_rows).unwrap_or_default();
    let numbered = positions == Positions::Add || !deleted.is_empty();
    let paths: Vec<PlRefPath> =
        files.iter().map(|file| location(table.lake(), table.folder(), file.path())).collect::<Result<_, _>>()?;
    let args = UnifiedScanArgs {
        schema: Some(schema.file_schema()),
        hive_options: HiveOptions::new_disabled(),
        glob: false,
        row_index: numbered.then(|| RowIndex { name: ROW_COLUMN.into(), offset: 0 }),
        cast_columns_policy: cast_policy(),
        missing_columns_policy: MissingColumnsPolicy::Insert,
        extra_columns_policy: ExtraColumnsPolicy::Ignore,
        ..UnifiedScanArgs::default()
    };
    let options = ParquetOptions { schema: Some(schema.file_schema()), ..ParquetOptions::default() };
    let mut frame: LazyFrame =
        DslBuilder::scan_parquet(ScanSources::Paths(paths.into()), options, args)?.build().into();
    if !deleted.is_empty() {
        frame = without(frame, deleted)?;
    }
    let mut columns: Vec<Expr> = Vec::with_capacity(schema.columns.len() + 2);
    let mut values = Vec::new();
    for column in &schema.columns {
        let name = column.name.as_str();
        columns.push(col(name));
        if schema.partition_by.contains(&column.name) {
            let text =
                files.first().and_then(|file| file.partition_values().get(name)).and_then(|text| text.as_deref());
            let value = partition::literal(text, &column.ty)
                .map_err(|why| Error::unreadable(table.folder(), format!("`{name}`: {why}")))?;
            values.push(value.alias(name));
        }
    }
    if positions == Positions::Add {
        let index = u32::try_from(first).map_err(|_| Error::invalid(table.folder(), "too many files for one scan"))?;
        columns.extend([lit(index).alias(FILE_COLUMN), col(ROW_COLUMN)]);
    }
    // Selected at once, values alone would be one row, where no column of the files is read beside them.
    Ok(if values.is_empty() { frame } else { frame.with_columns(values) }.select(columns))
}

/// The rows that a deletion vector does not hide.
fn without(frame: LazyFrame, deleted: &[u64]) -> Result<LazyFrame, Error> {
    let positions: Vec<u32> = deleted.iter().filter_map(|&row| u32::try_from(row).ok()).collect();
    let height = positions.len();
    let deleted = DataFrame::new(height, vec![Column::new(ROW_COLUMN.into(), positions)])?.lazy();
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Anti) };
    Ok(frame.join(deleted, [col(ROW_COLUMN)], [col(ROW_COLUMN)], args))
}

/// A file may be older than its table's schema. Casts that can lose something stay errors.
fn cast_policy() -> CastColumnsPolicy {
    CastColumnsPolicy {
        integer_upcast: true,
        float_upcast: true,
        // Spark's INT96 timestamps come as nanoseconds without a zone, in UTC
        datetime_nanoseconds_downcast: true,
        datetime_milliseconds_upcast: true,
        datetime_convert_timezone: true,
        categorical_to_string: true,
        missing_struct_fields: MissingColumnsPolicy::Insert,
        extra_struct_fields: ExtraColumnsPolicy::Ignore,
        ..CastColumnsPolicy::ERROR_ON_MISMATCH
    }
}

/// A local path, as it stands on disk, or where Polars finds an object. delta-rs' own list of URIs is percent-encoded, which Polars would
/// take for the file's name. What was not written in an overlay lies in the lake below.
fn location(lake: &Lake, folder: &str, path: &str) -> Result<PlRefPath, Error> {
    if let Some(root) = lake.local_path() {
        let full = root.join(folder).join(path);
        if let Some((_, below)) = lake.overlaid().filter(|_| !full.is_file()) {
            return location(below, folder, path);
        }
        let text = full.to_str().ok_or_else(|| Error::invalid(folder, "the lake's path is no UTF-8"))?;
        return Ok(PlRefPath::new(text));
    }
    lake.scan_path(&object_path(&format!("{folder}/{path}")))
}
