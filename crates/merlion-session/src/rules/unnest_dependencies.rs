//! Keeps `unnest` over GROUP BY right.
//!
//! DataFusion 55 lets `Unnest` keep the functional dependencies of its input: after `GROUP BY store`, `store` is believed to
//! determine the unnested rows, and a later GROUP BY, ORDER BY or DISTINCT drops columns it needs. This rule hides the
//! determining columns behind an identity function, which carries no dependency, below every `Unnest` that would inherit one.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{Column, Result, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;

/// The rule.
#[derive(Debug)]
pub(crate) struct UnnestDependencies;

impl AnalyzerRule for UnnestDependencies {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::Unnest(unnest) = &node else {
                // Schemas above a repaired Unnest are made anew, without what they inherited.
                return node.recompute_schema().map(Transformed::no);
            };
            let schema = unnest.input.schema();
            let mut determining = vec![false; schema.fields().len()];
            for dependency in schema.functional_dependencies().iter() {
                for &source in &dependency.source_indices {
                    determining[source] = true;
                }
            }
            if !determining.contains(&true) {
                return Ok(Transformed::no(node));
            }
            let columns = schema.iter().zip(&determining).map(|((qualifier, field), determining)| {
                let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
                if *determining {
                    let hidden = Expr::ScalarFunction(ScalarFunction::new_udf(undetermined_udf(), vec![column]));
                    hidden.alias_qualified(qualifier.cloned(), field.name())
                } else {
                    column
                }
            });
            let input = LogicalPlanBuilder::new_from_arc(Arc::clone(&unnest.input)).project(columns)?.build()?;
            let repaired = node.with_new_exprs(node.expressions(), vec![input])?;
            Ok(Transformed::yes(repaired))
        })
        .data()
    }

    fn name(&self) -> &str {
        "unnest_dependencies"
    }
}

/// The identity function of the rule. It must be known wherever plans are read.
pub(crate) fn undetermined_udf() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Undetermined { signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Undetermined {
    signature: Signature,
}

impl ScalarUDFImpl for Undetermined {
    fn name(&self) -> &str {
        "undetermined"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.pop() {
            Some(value) => Ok(value),
            None => internal_err!("undetermined without an argument"),
        }
    }
}
