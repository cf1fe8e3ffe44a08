//! The types a column can have, one list for contracts, expressions and tables.

use std::fmt;

use polars::prelude::{DataType, Field, TimeUnit, TimeZone};

/// The type of a column or of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Type {
    /// true or false
    Boolean,
    /// 8 bits, signed
    TinyInt,
    /// 16 bits, signed
    SmallInt,
    /// 32 bits, signed
    Int,
    /// 64 bits, signed
    BigInt,
    /// IEEE 754, 32 bits
    Float,
    /// IEEE 754, 64 bits
    Double,
    /// Exact: at most `precision` (1..=38) digits, `scale` of them after the point
    Decimal {
        /// all digits
        precision: u8,
        /// digits after the point
        scale: u8,
    },
    /// UTF-8 text
    String,
    /// Bytes; passes through from Parquet, no expression takes it
    Binary,
    /// A day of the proleptic Gregorian calendar
    Date,
    /// An instant in UTC, in microseconds
    Timestamp,
    /// A list of values of one type
    Array(Box<Type>),
    /// Named values
    Struct(Vec<Column>),
    /// The type of a bare NULL, which fits any other
    Null,
}

/// A name and its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Column {
    /// case-sensitive
    pub name: String,
    /// what it holds
    pub ty: Type,
}

impl Column {
    /// A column of that name and type.
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Column { name: name.into(), ty }
    }
}

/// The columns of a table or of a step, in order.
pub type Columns = Vec<Column>;

impl Type {
    /// tinyint, smallint, int or bigint
    pub fn is_integer(&self) -> bool {
        matches!(self, Type::TinyInt | Type::SmallInt | Type::Int | Type::BigInt)
    }

    /// float or double
    pub fn is_floating(&self) -> bool {
        matches!(self, Type::Float | Type::Double)
    }

    /// integer, decimal, float or double
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || self.is_floating() || matches!(self, Type::Decimal { .. })
    }

    /// Bytes that a value takes in memory; of a text or a list what is usual.
    pub fn width(&self) -> u64 {
        match self {
            Type::Boolean | Type::TinyInt | Type::Null => 1,
            Type::SmallInt => 2,
            Type::Int | Type::Float | Type::Date => 4,
            Type::BigInt | Type::Double | Type::Timestamp => 8,
            Type::Decimal { .. } => 16,
            Type::String | Type::Binary => 32,
            Type::Array(inner) => 8 + 4 * inner.width(),
            Type::Struct(columns) => columns.iter().map(|column| column.ty.width()).sum(),
        }
    }

    /// The Polars type that holds it.
    pub fn to_polars(&self) -> DataType {
        match self {
            Type::Boolean => DataType::Boolean,
            Type::TinyInt => DataType::Int8,
            Type::SmallInt => DataType::Int16,
            Type::Int => DataType::Int32,
            Type::BigInt => DataType::Int64,
            Type::Float => DataType::Float32,
            Type::Double => DataType::Float64,
            Type::Decimal { precision, scale } => DataType::Decimal(usize::from(*precision), usize::from(*scale)),
            Type::String => DataType::String,
            Type::Binary => DataType::Binary,
            Type::Date => DataType::Date,
            Type::Timestamp => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            Type::Array(inner) => DataType::List(Box::new(inner.to_polars())),
            Type::Struct(columns) => {
                DataType::Struct(columns.iter().map(|c| Field::new(c.name.as_str().into(), c.ty.to_polars())).collect())
            }
            Type::Null => DataType::Null,
        }
    }

    /// The type that a Polars column has, or `None` for those that no table of ours can hold.
    pub fn from_polars(dtype: &DataType) -> Option<Self> {
        Some(match dtype {
            DataType::Boolean => Type::Boolean,
            DataType::Int8 => Type::TinyInt,
            DataType::Int16 => Type::SmallInt,
            DataType::Int32 => Type::Int,
            DataType::Int64 => Type::BigInt,
            DataType::Float32 => Type::Float,
            DataType::Float64 => Type::Double,
            DataType::Decimal(p, s) => {
                Type::Decimal { precision: u8::try_from(*p).ok()?, scale: u8::try_from(*s).ok()? }
            }
            DataType::String => Type::String,
            DataType::Binary => Type::Binary,
            DataType::Date => Type::Date,
            DataType::Datetime(TimeUnit::Microseconds, Some(_)) => Type::Timestamp,
            DataType::List(inner) => Type::Array(Box::new(Type::from_polars(inner)?)),
            DataType::Struct(fields) => Type::Struct(
                fields
                    .iter()
                    .map(|f| Some(Column::new(f.name().as_str(), Type::from_polars(f.dtype())?)))
                    .collect::<Option<_>>()?,
            ),
            DataType::Null => Type::Null,
            _ => return None,
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Boolean => f.write_str("boolean"),
            Type::TinyInt => f.write_str("tinyint"),
            Type::SmallInt => f.write_str("smallint"),
            Type::Int => f.write_str("int"),
            Type::BigInt => f.write_str("bigint"),
            Type::Float => f.write_str("float"),
            Type::Double => f.write_str("double"),
            Type::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Type::String => f.write_str("string"),
            Type::Binary => f.write_str("binary"),
            Type::Date => f.write_str("date"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Array(inner) => write!(f, "array<{inner}>"),
            Type::Struct(columns) => {
                f.write_str("struct<")?;
                for (i, c) in columns.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {}", c.name, c.ty)?;
                }
                f.write_str(">")
            }
            Type::Null => f.write_str("null"),
        }
    }
}
