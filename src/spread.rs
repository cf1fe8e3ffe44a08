//! Between which values a column of a table lies in each of its files.

use polars::prelude::Series;

/// Of each file, in the order of the table's files.
#[derive(Clone, Debug)]
pub struct Spread {
    /// no value is less; NULL: not known, or there is none. Of the column's type
    pub least: Series,
    /// no value is greater; NULL: not known, or there is none
    pub greatest: Series,
    /// whether the file may hold a NULL
    pub nulls: Vec<bool>,
    /// whether it may hold anything else
    pub values: Vec<bool>,
}
