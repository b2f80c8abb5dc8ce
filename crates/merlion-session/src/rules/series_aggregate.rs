//! Gives series aggregates the plan they need: one stage instead of two, and a scope through which they can be stopped.
//!
//! A partial stage of an aggregate that only collects ships every row anyway, wrapped in lists. Rows travel once, by key,
//! and are collected where they arrive.
//!
//! And they do travel, also from a table in one small file, which DataFusion would aggregate in one task: what a series costs is
//! its fit, whatever its bytes.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use merlion_udf::aggregate::forecast;

use crate::scope::SeriesScopeExec;

/// The rule.
#[derive(Debug)]
pub(crate) struct SeriesAggregate;

impl PhysicalOptimizerRule for SeriesAggregate {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let tasks = options.execution.target_partitions;
        plan.transform_down(|node| {
            if node.is::<SeriesScopeExec>() {
                // Ours already; its aggregate below must not be wrapped again.
                return Ok(Transformed::new(node, false, datafusion::common::tree_node::TreeNodeRecursion::Jump));
            }
            let Some(aggregate) = series_aggregate(&node) else { return Ok(Transformed::no(node)) };
            let planned = match aggregate.mode() {
                AggregateMode::Final | AggregateMode::FinalPartitioned => {
                    run_in_scope(in_one_stage(aggregate)?.unwrap_or(node))
                }
                AggregateMode::Single | AggregateMode::SinglePartitioned => match in_many_tasks(aggregate, tasks)? {
                    // Whatever stands above was planned for one partition.
                    Some(spread) => Arc::new(CoalescePartitionsExec::new(run_in_scope(spread))),
                    None => run_in_scope(node),
                },
                _ => return Ok(Transformed::no(node)),
            };
            Ok(Transformed::new(planned, true, datafusion::common::tree_node::TreeNodeRecursion::Jump))
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
    behind_shuffle(first, *partitions).map(Some)
}

/// `Single(input)` of one partition as `Single(Repartition(input))`, unless there is one series only, or something relies on its order.
fn in_many_tasks(aggregate: &AggregateExec, tasks: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let groups = aggregate.group_expr();
    let alone = groups.is_empty() || !groups.is_single();
    let spread = aggregate.input().output_partitioning().partition_count() > 1;
    if alone || spread || tasks < 2 || aggregate.properties().output_ordering().is_some() {
        return Ok(None);
    }
    behind_shuffle(aggregate, tasks).map(Some)
}

/// The aggregate in one stage, its input shuffled by the keys.
fn behind_shuffle(aggregate: &AggregateExec, tasks: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let keys = aggregate.group_expr().input_exprs();
    let input = RepartitionExec::try_new(Arc::clone(aggregate.input()), Partitioning::Hash(keys, tasks))?;
    let single = AggregateExec::try_new(
        AggregateMode::SinglePartitioned,
        aggregate.group_expr().clone(),
        aggregate.aggr_expr().to_vec(),
        aggregate.filter_expr().to_vec(),
        Arc::new(input),
        aggregate.input_schema(),
    )?;
    Ok(Arc::new(single))
}
