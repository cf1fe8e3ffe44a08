//! Typed tree -> Polars expressions. Every operator is total: where a value cannot be had it is null, and a second
//! expression says why. A strict operator is null if an argument is; so a null that comes of arguments that are not is
//! its own fault.

mod arithmetic;
mod cast;
mod logic;

pub(super) use arithmetic::finite;
use polars::prelude as pl;
use polars::prelude::{AnyValue, DataType, Scalar, TimeUnit, TimeZone};

pub(super) use super::Lowered;
use super::kernel::broadcast;
use super::tree::{Expr, Literal, Node};
use super::types::Type;

impl Expr {
    /// As Polars carries it out.
    pub fn lower(&self) -> Lowered {
        match self.node.as_ref() {
            Node::Column(name) => Lowered::sure(column(name)),
            Node::Literal(value) => Lowered::sure(literal(value, &self.ty)),
            Node::Field(of, name) => {
                let of = of.lower();
                Lowered { value: of.value.struct_().field_by_name(name), fault: of.fault }
            }
            Node::Cast(cast) => cast::lower(cast, &self.ty),
            Node::Arithmetic(operator, a, b) => arithmetic::lower(*operator, a, b, &self.ty),
            Node::Compare(comparison, a, b) => logic::compare(*comparison, a, b),
            Node::And(a, b) => logic::and(a, b),
            Node::Or(a, b) => logic::or(a, b),
            Node::Not(a) => {
                let a = a.lower();
                Lowered { value: a.value.not(), fault: a.fault }
            }
            Node::IsNull(a) => logic::is_null(a),
            Node::In(e, list) => logic::is_in(e, list),
            Node::Case(branches, otherwise) => logic::case(branches, otherwise.as_ref(), &self.ty),
            Node::Coalesce(list) => logic::coalesce(list, &self.ty),
            Node::Greatest(list) => logic::extreme(list, true, &self.ty),
            Node::Least(list) => logic::extreme(list, false, &self.ty),
            Node::Aggregate(call) => Lowered::sure(column(&call.column())),
            Node::Call(function, arguments) => call(function, arguments, &self.ty),
        }
    }
}

fn call(function: &super::functions::Function, arguments: &[Expr], ty: &Type) -> Lowered {
    let lowered: Vec<Lowered> = arguments.iter().map(Expr::lower).collect();
    let inputs: Vec<pl::Expr> = lowered.iter().map(|l| l.value.clone()).collect();
    let value = function.lower(arguments, inputs.clone(), ty);
    let own = function.fault().map(|reason| own_fault(&value, &inputs, text(reason)));
    let faults = lowered.into_iter().map(|l| l.fault).chain([own]);
    Lowered { value, fault: first_fault(faults) }
}

impl Lowered {
    /// A value that no row can fail to have.
    fn sure(value: pl::Expr) -> Self {
        Lowered { value, fault: None }
    }

    /// The value alone; a row with a fault fails the whole query with a message that begins with `what`.
    pub fn strict(self, what: &str) -> pl::Expr {
        let Some(fault) = self.fault else { return self.value };
        let what = what.to_owned();
        self.value.map_many(
            move |columns| {
                let columns = broadcast(columns);
                let reasons = columns[1].as_materialized_series();
                if reasons.null_count() < reasons.len()
                    && let Some(reason) = reasons.str()?.iter().flatten().next()
                {
                    return Err(pl::polars_err!(ComputeError: "{what}: {reason}"));
                }
                Ok(columns[0].clone())
            },
            &[fault],
            |_, fields| Ok(fields[0].clone()),
        )
    }

    /// The same, but null where there is a fault: for operators that make something of NULL.
    fn masked(&self) -> pl::Expr {
        match &self.fault {
            None => self.value.clone(),
            Some(fault) => pl::when(fault.clone().is_null()).then(self.value.clone()).otherwise(pl::lit(pl::NULL)),
        }
    }
}

/// A column by its very name: `col` would take `*` and `^…$` for patterns.
pub(super) fn column(name: &str) -> pl::Expr {
    pl::Expr::Column(name.into())
}

fn text(value: &str) -> pl::Expr {
    pl::lit(Scalar::new(DataType::String, AnyValue::StringOwned(value.into())))
}

pub(super) fn null(dtype: DataType) -> pl::Expr {
    pl::lit(Scalar::null(dtype))
}

fn literal(value: &Literal, ty: &Type) -> pl::Expr {
    let value = match value {
        Literal::Null => AnyValue::Null,
        Literal::Boolean(b) => AnyValue::Boolean(*b),
        Literal::Integer(i) => integer(*i, ty),
        Literal::Decimal(v) => match ty {
            Type::Decimal { precision, scale } => AnyValue::Decimal(*v, usize::from(*precision), usize::from(*scale)),
            _ => AnyValue::Null,
        },
        Literal::Double(d) => AnyValue::Float64(*d),
        Literal::Text(t) => AnyValue::StringOwned(t.as_str().into()),
        Literal::Date(d) => i32::try_from(*d).map_or(AnyValue::Null, AnyValue::Date),
        Literal::Timestamp(t) => {
            AnyValue::DatetimeOwned(*t, TimeUnit::Microseconds, Some(std::sync::Arc::new(TimeZone::UTC)))
        }
    };
    pl::lit(Scalar::new(ty.to_polars(), value))
}

/// The value in its type, which the check has seen to fit.
fn integer(value: i64, ty: &Type) -> AnyValue<'static> {
    let fitted = match ty {
        Type::TinyInt => i8::try_from(value).map(AnyValue::Int8),
        Type::SmallInt => i16::try_from(value).map(AnyValue::Int16),
        Type::Int => i32::try_from(value).map(AnyValue::Int32),
        _ => Ok(AnyValue::Int64(value)),
    };
    fitted.unwrap_or(AnyValue::Null)
}

/// The first that is there, from the left.
fn first_fault(faults: impl IntoIterator<Item = Option<pl::Expr>>) -> Option<pl::Expr> {
    let mut faults: Vec<pl::Expr> = faults.into_iter().flatten().collect();
    if faults.len() > 1 { Some(pl::coalesce(&faults)) } else { faults.pop() }
}

/// `reason` where the value is null though no input is.
fn own_fault(value: &pl::Expr, inputs: &[pl::Expr], reason: pl::Expr) -> pl::Expr {
    let failed = inputs
        .iter()
        .filter(|input| !matches!(input, pl::Expr::Literal(pl::LiteralValue::Scalar(value)) if !value.is_null()))
        .fold(value.clone().is_null(), |failed, input| failed.and(input.clone().is_not_null()));
    pl::when(failed).then(reason).otherwise(null(DataType::String))
}

/// The value; where it is null though `expected`, that is an overflow.
pub(super) fn overflow_if(value: pl::Expr, expected: pl::Expr) -> Lowered {
    let failed = value.clone().is_null().and(expected);
    let fault = pl::when(failed).then(text("overflow")).otherwise(null(DataType::String));
    Lowered { value, fault: Some(fault) }
}
