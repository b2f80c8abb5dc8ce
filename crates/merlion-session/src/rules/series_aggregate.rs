//! Gives series aggregates the plan they need: one stage instead of two, and a scope through which they can be stopped.
//!
//! A partial stage of an aggregate that only collects ships every row anyway, wrapped in lists. Rows travel once, by key,
//! and are collected where they arrive.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use merlion_udf::aggregate::forecast;

use crate::scope::SeriesScopeExec;

/// The rule.
#[derive(Debug)]
pub(crate) struct SeriesAggregate;

impl PhysicalOptimizerRule for SeriesAggregate {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            if node.is::<SeriesScopeExec>() {
                // Ours already; its aggregate below must not be wrapped again.
                return Ok(Transformed::new(node, false, datafusion::common::tree_node::TreeNodeRecursion::Jump));
            }
            let Some(aggregate) = series_aggregate(&node) else { return Ok(Transformed::no(node)) };
            let in_one = match aggregate.mode() {
                AggregateMode::Partial => return Ok(Transformed::no(node)),
                AggregateMode::Final | AggregateMode::FinalPartitioned => in_one_stage(aggregate)?,
                AggregateMode::Single | AggregateMode::SinglePartitioned => None,
                _ => return Ok(Transformed::no(node)),
            };
            let scope: Arc<dyn ExecutionPlan> = Arc::new(SeriesScopeExec::new(in_one.unwrap_or(node)));
            Ok(Transformed::new(scope, true, datafusion::common::tree_node::TreeNodeRecursion::Jump))
        })
        .data()
    }

    fn name(&self) -> &str {
        "series_aggregate"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Puts a series aggregate that was planned by hand into its scope.
#[must_use]
pub fn run_in_scope(aggregate: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    Arc::new(SeriesScopeExec::new(aggregate))
}

fn series_aggregate(node: &Arc<dyn ExecutionPlan>) -> Option<&AggregateExec> {
    node.downcast_ref::<AggregateExec>()
        .filter(|aggregate| aggregate.aggr_expr().iter().any(|expr| expr.fun().name() == forecast::NAME))
}

/// `Final(Repartition(Partial(input)))` as `Single(Repartition(input))`, the repartition by the input's own key columns.
fn in_one_stage(last: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(repartition) = last.input().downcast_ref::<RepartitionExec>() else { return Ok(None) };
    let Some(first) = repartition.input().downcast_ref::<AggregateExec>() else { return Ok(None) };
    let Partitioning::Hash(_, partitions) = repartition.partitioning() else { return Ok(None) };
    if *first.mode() != AggregateMode::Partial || !first.group_expr().is_single() {
        return Ok(None);
    }
    let keys = first.group_expr().input_exprs();
    let input = RepartitionExec::try_new(Arc::clone(first.input()), Partitioning::Hash(keys, *partitions))?;
    let single = AggregateExec::try_new(
        AggregateMode::SinglePartitioned,
        first.group_expr().clone(),
        first.aggr_expr().to_vec(),
        first.filter_expr().to_vec(),
        Arc::new(input),
        first.input_schema(),
    )?;
    Ok(Some(Arc::new(single)))
}
