//! A look at the landing folder: the columns that a source's files have. Reads headers only.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use polars::prelude::{DataType, ParquetReader, SerReader};
use walkdir::WalkDir;

use super::header;
use super::model::{CsvOptions, Format, Source};
use crate::expr::{Column, Columns, Type};

/// More files than this are not looked at: the first and the last half, by name.
const MAX_FILES: usize = 200;
/// How many bytes of a file are read for its header, until it is found.
const HEADER_SIZES: [u64; 2] = [1 << 16, 1 << 20];

/// The columns of all the files together, as bronze will name them; `None` if no file can be looked at.
pub(super) fn columns(source: &Source, landing: &str) -> Option<Columns> {
    if source.format == Format::Ndjson {
        return Some(vec![Column::new("value", Type::String)]);
    }
    let mut columns = None;
    for path in files(source, landing) {
        let found = match &source.format {
            Format::Csv(options) => csv(&path, options),
            Format::Parquet => parquet(&path),
            Format::Ndjson => None,
        };
        let Some(found) = found else { continue };
        let known: &mut Columns = columns.get_or_insert_default();
        for column in found {
            if !known.iter().any(|other| other.name == column.name) {
                known.push(column);
            }
        }
    }
    columns
}

/// The source's files on this machine, by name; none if the landing folder is elsewhere.
fn files(source: &Source, landing: &str) -> Vec<PathBuf> {
    let landing = Path::new(landing.strip_prefix("file://").unwrap_or(landing));
    let Ok(glob) = GlobBuilder::new(&source.path).literal_separator(true).build() else { return Vec::new() };
    let matcher = glob.compile_matcher();
    let fixed: PathBuf = Path::new(&source.path)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\']))
        .collect();
    let walk = WalkDir::new(landing.join(fixed)).follow_links(true).into_iter().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = walk
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.strip_prefix(landing).is_ok_and(|relative| is_input(&matcher, relative)))
        .collect();
    files.sort();
    if files.len() > MAX_FILES {
        let last = files.split_off(files.len() - MAX_FILES / 2);
        files.truncate(MAX_FILES / 2);
        files.extend(last);
    }
    files
}

fn is_input(matcher: &GlobMatcher, path: &Path) -> bool {
    let hidden = path.iter().any(|part| part.to_string_lossy().starts_with(['.', '_']));
    let unfinished = matches!(path.extension().and_then(OsStr::to_str), Some("tmp" | "part" | "crdownload"));
    let packed = matches!(path.extension().and_then(OsStr::to_str), Some("gz" | "zst"));
    !hidden && !unfinished && (matcher.is_match(path) || packed && matcher.is_match(path.with_extension("")))
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::new(File::open(path)?);
    Ok(match path.extension().and_then(OsStr::to_str) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::with_buffer(file)?),
        _ => Box::new(file),
    })
}

fn csv(path: &Path, options: &CsvOptions) -> Option<Columns> {
    let names = HEADER_SIZES.iter().find_map(|size| header(path, options, *size).ok().flatten())?;
    Some(names.into_iter().map(|name| Column::new(name, Type::String)).collect())
}

/// The header, if it ends within the first `size` bytes.
fn header(path: &Path, options: &CsvOptions, size: u64) -> io::Result<Option<Vec<String>>> {
    let mut bytes = Vec::new();
    let whole = open(path)?.take(size).read_to_end(&mut bytes)? < usize::try_from(size).unwrap_or(usize::MAX);
    let encoding = encoding_rs::Encoding::for_label(options.encoding.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (text, _, _) = encoding.decode(&bytes);
    Ok(header::names(&text, whole, options))
}

fn parquet(path: &Path) -> Option<Columns> {
    let schema = ParquetReader::new(File::open(path).ok()?).schema().ok()?;
    let raw: Vec<String> = schema.iter_values().map(|field| field.name.to_string()).collect();
    let types = schema.iter_values().map(|field| stored(&DataType::from_arrow_field(field)));
    let columns = header::stored(&raw).into_iter().zip(types);
    Some(columns.filter_map(|(name, ty)| Some(Column::new(name, ty?))).collect())
}

/// The type in which bronze keeps a Parquet column: unsigned integers widened, every instant in microseconds.
fn stored(dtype: &DataType) -> Option<Type> {
    Some(match dtype {
        DataType::UInt8 => Type::SmallInt,
        DataType::UInt16 => Type::Int,
        DataType::UInt32 | DataType::UInt64 => Type::BigInt,
        DataType::Datetime(_, _) => Type::Timestamp,
        DataType::Categorical(..) | DataType::Enum(..) => Type::String,
        DataType::List(inner) | DataType::Array(inner, _) => Type::Array(Box::new(stored(inner)?)),
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|f| Some(Column::new(f.name().as_str(), stored(f.dtype())?)));
            Type::Struct(columns.collect::<Option<_>>()?)
        }
        other => Type::from_polars(other)?,
    })
}
