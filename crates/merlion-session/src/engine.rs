//! How a cancelled task reaches its series aggregates on an executor.
//!
//! Ballista 55 cancels a task by dropping its future, but its shuffle writer reads the plan in a task of its own, which that drop
//! does not reach: the plan would run to its end, unheard. This engine gives every [`SeriesScopeExec`] of a stage one stop flag and
//! sets it when the stage's future is dropped before it has ended.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::serde::protobuf::{RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;
use merlion::models::StopFlag;

use crate::scope::SeriesScopeExec;

/// Ballista's engine, with stages that stop when they are cancelled.
pub struct StoppableEngine {
    ballista: DefaultExecutionEngine,
}

impl fmt::Debug for StoppableEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoppableEngine")
    }
}

impl Default for StoppableEngine {
    fn default() -> Self {
        // Without a pool of connections: Ballista 55 keeps its own private. A job of one shuffle opens few.
        Self { ballista: DefaultExecutionEngine::new() }
    }
}

impl ExecutionEngine for StoppableEngine {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        global_output_partition_ids: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        let flag = StopFlag::default();
        let plan = plan.transform(|node| match node.downcast_ref::<SeriesScopeExec>() {
            Some(scope) => Ok(Transformed::yes(Arc::new(scope.of_task(flag.clone())) as Arc<dyn ExecutionPlan>)),
            None => Ok(Transformed::no(node)),
        })?;
        let stage = self.ballista.create_query_stage_exec(
            job_id,
            stage_id,
            task_id,
            global_output_partition_ids,
            plan.data,
            work_dir,
            config,
        )?;
        Ok(Arc::new(StoppableStage { stage, flag }))
    }
}

/// A stage that sets its flag when it is dropped while it runs.
#[derive(Debug)]
struct StoppableStage {
    stage: Arc<dyn QueryStageExecutor>,
    flag: StopFlag,
}

/// Sets the flag unless the stage has ended.
struct StopOnDrop(Option<StopFlag>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(flag) = &self.0 {
            flag.stop();
        }
    }
}

impl fmt::Display for StoppableStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stage.fmt(f)
    }
}

#[async_trait]
impl QueryStageExecutor for StoppableStage {
    async fn execute_query_stage(
        &self,
        task_id: usize,
        context: Arc<TaskContext>,
    ) -> Result<Vec<ShuffleWritePartition>> {
        let mut running = StopOnDrop(Some(self.flag.clone()));
        let partitions = self.stage.execute_query_stage(task_id, context).await;
        running.0 = None;
        partitions
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.stage.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.stage.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.stage.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.stage.collect_column_stats()
    }
}
