//! Raw JSON values into columns of texts.

use std::fmt;

use polars::prelude::PolarsResult;
use polars_arrow::array::{ArrayRef, ListArray, MutableBinaryViewArray, StructArray};
use polars_arrow::bitmap::{Bitmap, MutableBitmap};
use polars_arrow::datatypes::{ArrowDataType, Field as ArrowField};
use polars_arrow::offset::OffsetsBuffer;

use crate::expr::{Column, Type};
use crate::silver::reason::{Reason, TYPE};

use super::scan;

/// The rule of an object that has a member twice: neither value is more right than the other.
pub(super) const DUPLICATE: &str = "duplicate member";

/// The type with a text in place of each scalar.
pub(in crate::silver) fn text_type(ty: &Type) -> Type {
    match ty {
        Type::Array(item) => Type::Array(Box::new(text_type(item))),
        Type::Struct(columns) => Type::Struct(columns.iter().map(|c| Column::new(&c.name, text_type(&c.ty))).collect()),
        _ => Type::String,
    }
}

/// Where a value stands in its document.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Top(&'a str),
    Member(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Top(name) => f.write_str(name),
            Path::Member(parent, name) => write!(f, "{parent}.{name}"),
            Path::Item(parent, position) => write!(f, "{parent}[{position}]"),
        }
    }
}

/// A column being filled, one value after the other.
pub(super) enum Shred {
    Text(MutableBinaryViewArray<str>),
    List { ends: Vec<i64>, present: MutableBitmap, items: Box<Shred> },
    Record { present: MutableBitmap, members: Members },
}

/// The members that a contract has of an object.
pub(super) struct Members(Vec<(String, Shred)>);

impl Shred {
    pub(super) fn new(ty: &Type) -> Self {
        match ty {
            Type::Array(item) => {
                Shred::List { ends: vec![0], present: MutableBitmap::new(), items: Box::new(Shred::new(item)) }
            }
            Type::Struct(columns) => Shred::Record {
                present: MutableBitmap::new(),
                members: Members::new(columns.iter().map(|c| (c.name.as_str(), &c.ty))),
            },
            _ => Shred::Text(MutableBinaryViewArray::new()),
        }
    }

    /// Adds a value; one that is of another kind is a reason, and NULL stands in its place.
    pub(super) fn push(&mut self, raw: Option<&str>, path: Path, reasons: &mut Vec<Reason>) {
        let raw = raw.filter(|raw| *raw != "null");
        let fits = match (self, raw) {
            (column, None) => {
                column.push_null();
                true
            }
            (Shred::Text(texts), Some(raw)) => push_text(texts, raw),
            (Shred::List { ends, present, items }, Some(raw)) => {
                let mut position = 0;
                let listed = scan::items(raw, |item| {
                    items.push(Some(item), Path::Item(&path, position), reasons);
                    position += 1;
                });
                present.push(listed.is_ok());
                ends.push(ends.last().copied().unwrap_or_default() + i64::try_from(position).unwrap_or(i64::MAX));
                listed.is_ok()
            }
            (Shred::Record { present, members }, Some(raw)) => match members.find(raw) {
                Ok(found) => {
                    present.push(true);
                    members.push(&found, |name| Path::Member(&path, name), reasons);
                    true
                }
                Err(_) => {
                    present.push(false);
                    members.push_null();
                    false
                }
            },
        };
        if !fits {
            reasons.push(Reason::new(Some(path.to_string()), TYPE, raw));
        }
    }

    fn push_null(&mut self) {
        match self {
            Shred::Text(texts) => texts.push_null(),
            Shred::List { ends, present, .. } => {
                present.push(false);
                ends.push(ends.last().copied().unwrap_or_default());
            }
            Shred::Record { present, members } => {
                present.push(false);
                members.push_null();
            }
        }
    }

    pub(super) fn finish(self) -> PolarsResult<ArrayRef> {
        Ok(match self {
            Shred::Text(texts) => texts.freeze().boxed(),
            Shred::List { ends, present, items } => {
                let items = items.finish()?;
                let dtype = ListArray::<i64>::default_datatype(items.dtype().clone());
                Box::new(ListArray::try_new(dtype, OffsetsBuffer::try_from(ends)?, items, Some(present.into()))?)
            }
            Shred::Record { present, members } => members.finish(present)?,
        })
    }
}

fn push_text(texts: &mut MutableBinaryViewArray<str>, raw: &str) -> bool {
    let text = match raw.as_bytes().first() {
        Some(b'"') => scan::string(raw),
        Some(b'{' | b'[') | None => Err(scan::NotJson),
        _ => Ok(raw.into()),
    };
    texts.push(text.as_ref().ok());
    text.is_ok()
}

/// The raw value of each member that was asked for, and whether it came twice.
pub(super) type Found<'a> = Vec<(Option<&'a str>, bool)>;

impl Members {
    pub(super) fn new<'a>(members: impl Iterator<Item = (&'a str, &'a Type)>) -> Self {
        Members(members.map(|(name, ty)| (name.to_owned(), Shred::new(ty))).collect())
    }

    /// Looks through an object, to its end, before anything of it is taken.
    pub(super) fn find<'a>(&self, raw: &'a str) -> Result<Found<'a>, scan::NotJson> {
        let mut found = vec![(None, false); self.0.len()];
        scan::members(raw, |name, value| {
            if let Some(i) = self.0.iter().position(|(known, _)| *known == name) {
                found[i] = (Some(value), found[i].0.is_some());
            }
        })?;
        Ok(found)
    }

    pub(super) fn push<'p>(&'p mut self, found: &Found, path: impl Fn(&'p str) -> Path<'p>, reasons: &mut Vec<Reason>) {
        for ((name, column), (raw, is_duplicate)) in self.0.iter_mut().zip(found) {
            let path = path(name);
            if *is_duplicate {
                reasons.push(Reason::new(Some(path.to_string()), DUPLICATE, *raw));
            }
            column.push(raw.filter(|_| !is_duplicate), path, reasons);
        }
    }

    pub(super) fn push_null(&mut self) {
        self.0.iter_mut().for_each(|(_, column)| column.push_null());
    }

    pub(super) fn finish_each(self) -> PolarsResult<Vec<ArrayRef>> {
        self.0.into_iter().map(|(_, column)| column.finish()).collect()
    }

    fn finish(self, present: MutableBitmap) -> PolarsResult<ArrayRef> {
        let names: Vec<String> = self.0.iter().map(|(name, _)| name.clone()).collect();
        let arrays = self.finish_each()?;
        let fields = names.into_iter().zip(&arrays).map(|(n, a)| ArrowField::new(n.into(), a.dtype().clone(), true));
        let present: Bitmap = present.into();
        let dtype = ArrowDataType::Struct(fields.collect());
        Ok(Box::new(StructArray::try_new(dtype, present.len(), arrays, Some(present))?))
    }
}
