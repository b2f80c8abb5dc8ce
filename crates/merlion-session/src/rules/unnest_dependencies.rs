//! Keeps `unnest` over GROUP BY right.
//!
//! DataFusion 55 lets `Unnest` keep the functional dependencies of its input: after `GROUP BY store`, `store` is believed to
//! determine the unnested rows, and a later GROUP BY, ORDER BY or DISTINCT drops columns it needs. This rule hides the
//! determining columns behind an identity function, which carries no dependency, below every `Unnest` that would inherit one.
//!
//! SQL's planner itself looks at dependencies, before any rule runs: to `GROUP BY store` it adds every column that `store` is
//! believed to determine. So [`UnnestRelations`] does the same to every subquery and CTE with an `Unnest` in it, while it is
//! planned. (The DataFrame API has no such door; there, select from the unnested frame before grouping it.)

use std::cell::Cell;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, Result, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::sqlparser::ast::TableFactor;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
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
            let Some(input) = hide_determining(&unnest.input)? else { return Ok(Transformed::no(node)) };
            let repaired = node.with_new_exprs(node.expressions(), vec![input])?;
            Ok(Transformed::yes(repaired))
        })
        .data()
    }

    fn name(&self) -> &str {
        "unnest_dependencies"
    }
}

/// The plan under a projection that hides the columns other columns depend on; `None` if there are none.
fn hide_determining(plan: &Arc<LogicalPlan>) -> Result<Option<LogicalPlan>> {
    let schema = plan.schema();
    let mut determining = vec![false; schema.fields().len()];
    for dependency in schema.functional_dependencies().iter() {
        for &source in &dependency.source_indices {
            determining[source] = true;
        }
    }
    if !determining.contains(&true) {
        return Ok(None);
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
    LogicalPlanBuilder::new_from_arc(Arc::clone(plan)).project(columns)?.build().map(Some)
}

thread_local! {
    /// Set while [`UnnestRelations`] asks for the plan of the relation it was just given.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Plans subqueries and CTEs as ever, then hides what their unnested rows are wrongly believed to depend on.
#[derive(Debug)]
pub(crate) struct UnnestRelations;

impl RelationPlanner for UnnestRelations {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        // The planner starts from the first relation planner again, which is this one: let that call pass.
        if ASKED.replace(false)
            || !matches!(
                relation,
                TableFactor::Derived { .. } | TableFactor::Table { .. } | TableFactor::Function { .. }
            )
        {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        }
        ASKED.set(true);
        let planned = context.plan(relation);
        ASKED.set(false);
        let plan = Arc::new(planned?);
        let unnests = plan.exists(|node| Ok(matches!(node, LogicalPlan::Unnest(_))))?;
        let hidden = if unnests { hide_determining(&plan)? } else { None };
        let plan = hidden.unwrap_or_else(|| Arc::unwrap_or_clone(plan));
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
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
