//! JSON documents as columns: texts for the scalars, lists and structs of texts for arrays and objects. Types come
//! later, by the same checked cast as for CSV, so a number keeps all its digits until then.

mod decode;
mod scan;
mod shred;

pub(super) use decode::{decode, document_dtype, field, field_reasons};
pub(super) use shred::text_type;
