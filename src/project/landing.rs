//! A look at the landing folder: the columns that a source's files have. Reads headers only.

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
/// A header longer than this is not known.
const MAX_HEADER: u64 = 1 << 20;

/// The columns of all the files together, as bronze will name them; `None` if no file can be looked at.
pub(super) fn columns(source: &Source, landing: &str) -> Option<Columns> {
    if source.format == Format::Ndjson {
        return Some(vec![Column::new("value", Type::String)]);
    }
    let mut columns = None;
    for path in files(source, landing) {
        let found = match &source.format {
            Format::Csv(options) => csv(&path, options).ok(),
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
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = name.starts_with(['.', '_']) || [".tmp", ".part", ".crdownload"].iter().any(|e| name.ends_with(e));
    let packed = matches!(path.extension().and_then(|e| e.to_str()), Some("gz" | "zst"));
    !unfinished && (matcher.is_match(path) || packed && matcher.is_match(path.with_extension("")))
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::new(File::open(path)?);
    Ok(match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::with_buffer(file)?),
        _ => Box::new(file),
    })
}

fn csv(path: &Path, options: &CsvOptions) -> io::Result<Columns> {
    let mut bytes = Vec::new();
    open(path)?.take(MAX_HEADER).read_to_end(&mut bytes)?;
    let encoding = encoding_rs::Encoding::for_label(options.encoding.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (text, _, _) = encoding.decode(&bytes);
    let names = header::names(&text, options).ok_or(io::ErrorKind::InvalidData)?;
    Ok(names.into_iter().map(|name| Column::new(name, Type::String)).collect())
}

fn parquet(path: &Path) -> Option<Columns> {
    let schema = ParquetReader::new(File::open(path).ok()?).schema().ok()?;
    let fields = schema.iter_values();
    Some(
        fields
            .filter_map(|field| {
                let ty = stored(&DataType::from_arrow_field(field))?;
                Some(Column::new(field.name.as_str(), ty))
            })
            .collect(),
    )
}

/// The type in which bronze keeps a Parquet column: unsigned integers widened, every instant in microseconds.
fn stored(dtype: &DataType) -> Option<Type> {
    Some(match dtype {
        DataType::UInt8 => Type::SmallInt,
        DataType::UInt16 => Type::Int,
        DataType::UInt32 | DataType::UInt64 => Type::BigInt,
        DataType::Datetime(_, _) => Type::Timestamp,
        DataType::List(inner) => Type::Array(Box::new(stored(inner)?)),
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|f| Some(Column::new(f.name().as_str(), stored(f.dtype())?)));
            Type::Struct(columns.collect::<Option<_>>()?)
        }
        other => Type::from_polars(other)?,
    })
}
