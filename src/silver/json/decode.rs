//! A column of JSON documents as a struct column.

use polars::prelude::{Column, DataType, Field, IntoColumn, PlSmallStr, PolarsResult, Series, StructChunked};

use crate::expr::Type;
use crate::silver::reason::{self, Reason, TYPE};

use super::shred::{Members, Path, text_type};

/// The name of bronze's column of documents.
const VALUE: &str = "value";

/// The field that holds what is wrong with a document's shape.
pub(in crate::silver) fn field_reasons() -> PlSmallStr {
    "reasons".into()
}

/// The field that holds the member at a position.
pub(in crate::silver) fn field(position: usize) -> PlSmallStr {
    position.to_string().into()
}

/// What [`decode`] gives.
pub(in crate::silver) fn document_dtype(members: &[(String, Type)]) -> DataType {
    let texts = members.iter().enumerate().map(|(i, (_, ty))| Field::new(field(i), text_type(ty).to_polars()));
    let reasons = Field::new(field_reasons(), reason::list_type().to_polars());
    DataType::Struct(texts.chain([reasons]).collect())
}

/// A struct of the members asked for, as texts or nested texts, and the reasons against each document. A missing member
/// and a JSON null are NULL.
pub(in crate::silver) fn decode(documents: &Column, members: &[(String, Type)]) -> PolarsResult<Column> {
    let documents = documents.str()?;
    let mut columns = Members::new(members.iter().map(|(name, ty)| (name.as_str(), ty)));
    let mut reasons = Vec::with_capacity(documents.len());
    for document in documents.iter() {
        let mut of_row = Vec::new();
        match document.map(|document| columns.find(document)) {
            Some(Ok(found)) => columns.push(&found, Path::Top, &mut of_row),
            _ => {
                columns.push_null();
                of_row.push(no_object(document));
            }
        }
        reasons.push(of_row);
    }
    let mut fields = Vec::with_capacity(members.len() + 1);
    for (i, array) in columns.finish_each()?.into_iter().enumerate() {
        fields.push(Series::try_from((field(i), array))?);
    }
    fields.push(reason::series(&field_reasons(), &reasons)?);
    Ok(StructChunked::from_series(documents.name().clone(), documents.len(), fields.iter())?.into_column())
}

fn no_object(document: Option<&str>) -> Reason {
    let is_json = document.is_some_and(|d| serde_json::from_str::<serde::de::IgnoredAny>(d).is_ok());
    let rule = if is_json { TYPE } else { reason::MALFORMED };
    Reason::new(Some(VALUE.to_owned()), rule, document)
}
