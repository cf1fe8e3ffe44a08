//! Integers and sums that do not wrap. DataFusion adds as the machine does; here whole numbers are reckoned as decimals and
//! come back to their type by a cast, which fails where it cannot hold them.

use std::sync::Arc;

use arrow::datatypes::DataType;
use deltalake::datafusion::common::config::ConfigOptions;
use deltalake::datafusion::common::tree_node::{Transformed, TreeNode};
use deltalake::datafusion::common::{DFSchema, Result, ScalarValue};
use deltalake::datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use deltalake::datafusion::logical_expr::expr_rewriter::NamePreserver;
use deltalake::datafusion::logical_expr::utils::merge_schema;
use deltalake::datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, Projection, WindowFunctionDefinition, cast,
};
use deltalake::datafusion::optimizer::AnalyzerRule;

/// Digits of a sum that cannot pass 38 of them however many rows there are.
const SAFE_DIGITS: u8 = 19;

/// Rewrites what would wrap.
#[derive(Debug)]
pub struct Checked;

impl AnalyzerRule for Checked {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(|plan| checked(plan).map(Transformed::yes))?.data)
    }

    fn name(&self) -> &'static str {
        "checked"
    }
}

fn checked(plan: LogicalPlan) -> Result<LogicalPlan> {
    if plan.expressions().is_empty() {
        return Ok(plan);
    }
    let (input, before, names) = (merge_schema(&plan.inputs()), plan.schema().clone(), NamePreserver::new(&plan));
    let rewritten = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        Ok(expr.transform_up(|expr| rewritten(expr, &input))?.update_data(|expr| name.restore(expr)))
    })?;
    match rewritten.transformed {
        true => with_types_of(&before, rewritten.data.recompute_schema()?),
        false => Ok(rewritten.data),
    }
}

/// The plan with the types that it had: a sum itself must stand where it stands.
fn with_types_of(before: &DFSchema, plan: LogicalPlan) -> Result<LogicalPlan> {
    let now = Arc::clone(plan.schema());
    let is_same = before.fields().iter().zip(now.fields()).all(|(was, is)| was.data_type() == is.data_type());
    if is_same || !matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_)) {
        return Ok(plan);
    }
    let columns = before.iter().zip(now.fields().iter().zip(now.columns()));
    let back = columns.map(|((table, was), (is, column))| match was.data_type() == is.data_type() {
        true => Expr::Column(column),
        false => cast(Expr::Column(column), was.data_type().clone()).alias_qualified(table.cloned(), was.name()),
    });
    let back = back.collect();
    Ok(LogicalPlan::Projection(Projection::try_new(back, Arc::new(plan))?))
}

fn rewritten(expr: Expr, input: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: op @ (Operator::Plus | Operator::Minus | Operator::Multiply),
            right,
        }) => {
            let ty = left.get_type(input)?;
            let is_whole = ty.is_integer() && right.get_type(input)?.is_integer();
            if !is_whole {
                return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })));
            }
            let result =
                Expr::BinaryExpr(BinaryExpr { left: left.clone(), op, right: right.clone() }).get_type(input)?;
            let [left, right] = [*left, *right].map(|side| Box::new(cast(side, whole())));
            Ok(Transformed::yes(cast(Expr::BinaryExpr(BinaryExpr { left, op, right }), result)))
        }
        Expr::Negative(of) if of.get_type(input)?.is_integer() => {
            let (ty, zero) =
                (of.get_type(input)?, Expr::Literal(ScalarValue::Decimal128(Some(0), SAFE_DIGITS, 0), None));
            let (left, right) = (Box::new(zero), Box::new(cast(*of, whole())));
            Ok(Transformed::yes(cast(Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }), ty)))
        }
        Expr::AggregateFunction(AggregateFunction { func, mut params }) if func.name() == "sum" => {
            let widened = widen(&mut params.args, input)?;
            let sum = Expr::AggregateFunction(AggregateFunction { func, params });
            Ok(if widened { Transformed::yes(sum) } else { Transformed::no(sum) })
        }
        Expr::WindowFunction(mut window) if is_sum(&window) => {
            let widened = widen(&mut window.params.args, input)?;
            let sum = Expr::WindowFunction(window);
            Ok(if widened { Transformed::yes(sum) } else { Transformed::no(sum) })
        }
        other => Ok(Transformed::no(other)),
    }
}

fn is_sum(window: &WindowFunction) -> bool {
    matches!(&window.fun, WindowFunctionDefinition::AggregateUDF(function) if function.name() == "sum")
}

/// Casts what is summed to a type that holds the sum; whether there was a need.
fn widen(args: &mut [Expr], input: &DFSchema) -> Result<bool> {
    let [of] = args else { return Ok(false) };
    let wide = match of.get_type(input)? {
        ty if ty.is_integer() => whole(),
        DataType::Decimal128(digits, scale) if digits > SAFE_DIGITS => DataType::Decimal256(digits, scale),
        _ => return Ok(false),
    };
    *of = cast(of.clone(), wide);
    Ok(true)
}

/// Holds each bigint, and their sums, differences and products.
fn whole() -> DataType {
    DataType::Decimal128(SAFE_DIGITS, 0)
}
