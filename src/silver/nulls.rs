//! The texts of a CSV file that mean NULL.

use polars::prelude::{Column, Expr, IntoColumn, PolarsResult, StringChunked};
use polars_arrow::array::{Array, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;

/// `text` without the empty text and `null_values`, which become NULL.
pub(super) fn without(text: Expr, null_values: &[String]) -> Expr {
    let null_values: Vec<String> = null_values.iter().filter(|v| !v.is_empty()).cloned().collect();
    text.map(move |column| null_out(&column, &null_values), |_, field| Ok(field.clone()))
}

/// Only the validity is made anew: the texts themselves are shared with the input.
fn null_out(column: &Column, null_values: &[String]) -> PolarsResult<Column> {
    let text = column.str()?;
    let chunks = text.downcast_iter().map(|array| null_out_chunk(array, null_values));
    Ok(StringChunked::from_chunk_iter(text.name().clone(), chunks).into_column())
}

fn null_out_chunk(array: &Utf8ViewArray, null_values: &[String]) -> Utf8ViewArray {
    let stays = |text: &str| !text.is_empty() && null_values.iter().all(|null| null != text);
    let valid = match null_values {
        // asked of all at once, which is far faster than bit by bit
        [] if array.views().iter().map(|view| view.length).min() > Some(0) => return array.clone(),
        [] => Bitmap::from_trusted_len_iter(array.views().iter().map(|view| view.length > 0)),
        _ => Bitmap::from_trusted_len_iter(array.values_iter().map(stays)),
    };
    if valid.unset_bits() == 0 {
        return array.clone();
    }
    let valid = match array.validity() {
        Some(before) => before & &valid,
        None => valid,
    };
    array.clone().with_validity(Some(valid))
}
