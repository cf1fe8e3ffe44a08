//! Files as received: what lies in the landing folder, and the records of one file as data frames.
//!
//! [`Landing`] lists and opens files. [`read`] hands out the records of one file, block by block; [`with_lineage`]
//! adds the columns that every bronze table has; [`fit`] says whether a file's columns go into a table's, and
//! [`conform`] brings a frame into the table's shape. What is a record and what is malformed: `docs/bronze.md`.

mod csv;
mod decode;
mod escape;
mod fit;
mod headers;
mod known;
mod landing;
mod limits;
mod lineage;
mod lines;
mod ndjson;
mod normalise;
mod objects;
mod parquet;
mod pattern;
mod place;
mod read;
mod stored;
#[cfg(test)]
mod tests;
mod text;

pub use escape::{escape, unescape};
pub use fit::{Fitted, conform, fit};
pub use headers::{Header, clean_headers};
pub use known::known_columns;
pub use landing::{FileStat, Landing, LandingError, Listing, Refused};
pub use lineage::{ADDED, BATCH, INGESTED_AT, MALFORMED, SOURCE_FILE, SOURCE_ROW, VALUE, added_columns, with_lineage};
pub use read::{FileReader, FileSummary, ReadError, ReadOptions, columns_of, hash_file, read};
