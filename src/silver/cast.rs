//! Checked casts, so that text, JSON and Parquet values become a contract's type with the one meaning of `CAST`.

use polars::prelude::{PolarsError, PolarsResult};

use crate::expr::{Expr, Lowered, Settings, Type};

/// The column `name`, of type `from`, as `to`.
pub(super) fn checked(name: &str, from: &Type, to: &Type, settings: Settings) -> PolarsResult<Lowered> {
    let cast =
        Expr::column(name, from.clone()).cast(to, settings).map_err(|what| invalid(format!("`{name}`: {what}")))?;
    Ok(cast.lower())
}

/// Something that the definition asks and that cannot be done, whatever the rows hold.
pub(super) fn invalid(what: String) -> PolarsError {
    PolarsError::InvalidOperation(what.into())
}
