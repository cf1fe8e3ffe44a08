//! Frames whose texts stay where they were read.

use polars::prelude::{Column, DataFrame, DataType, IntoSeries, PolarsResult, StringChunked};
use polars_arrow::array::{Utf8ViewArray, View};
use polars_arrow::datatypes::ArrowDataType;

use super::super::lineage::MALFORMED;
use super::scan::Scanned;

/// A frame as those of [`super::exact::Rows`]; `text` is what was scanned.
pub(super) fn frame(text: Vec<u8>, scanned: Scanned, names: &[String]) -> PolarsResult<DataFrame> {
    let Scanned { columns, doubled, rows, .. } = scanned;
    let buffers = vec![text.into(), doubled.into()].into();
    let texts = |(name, views): (&String, Vec<View>)| {
        // SAFETY: the scan has cut each view out of one of the two buffers, and each of the texts is UTF-8: the scan has
        // found all of the records to be, and has cut them at ASCII bytes alone.
        #[expect(unsafe_code)]
        let array = unsafe {
            let (views, buffers) = (views.into(), Clone::clone(&buffers));
            Utf8ViewArray::new_unchecked_unknown_md(ArrowDataType::Utf8View, views, buffers, None, None)
        };
        Column::from(StringChunked::with_chunk(name.as_str().into(), array).into_series())
    };
    let malformed = Column::full_null(MALFORMED.into(), rows, &DataType::String);
    DataFrame::new(rows, std::iter::once(malformed).chain(names.iter().zip(columns).map(texts)).collect())
}
