//! SQL, in this process or on a cluster: a session whose queries can be read batch by batch and cancelled.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ballista_core::execution_plans::DistributedQueryExec;
use ballista_core::extension::SessionConfigExt;
use ballista_core::planner::BallistaQueryPlanner;
use ballista_core::serde::protobuf::CancelJobParams;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, plan_err};
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::{ViewTable, source_as_provider};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_proto::protobuf::LogicalPlanNode;
use futures::StreamExt;

use crate::cluster::{Cluster, ClusterError};
use crate::copy;
use crate::master::Master;
use crate::session::{runtime_env, session_state};
use crate::stores::Credentials;

/// How long a cancelled job may take to end before it is left alone.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);

/// A plan that a scheduler makes and executors run.
type OnCluster = DistributedQueryExec<LogicalPlanNode>;

/// A session that answers SQL.
pub struct SqlSession {
    context: SessionContext,
    cluster: Option<Cluster>,
}

impl fmt::Debug for SqlSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlSession").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl SqlSession {
    /// A session in this process with as many partitions as the master has processors, or one that sends its queries to a
    /// scheduler. `config` is what the client's settings made of [`crate::session_config`].
    ///
    /// # Errors
    /// [`ClusterError::Unreachable`] within 10 seconds when no scheduler answers.
    pub async fn connect(
        master: &Master,
        config: SessionConfig,
        credentials: Credentials,
        memory_limit: Option<usize>,
    ) -> Result<Self, ClusterError> {
        let (context, cluster) = match master {
            Master::Local { vcores } => {
                let config = config.with_target_partitions(*vcores);
                let runtime = runtime_env(&config, &credentials, memory_limit).map_err(ClusterError::Session)?;
                let state = session_state(config, runtime).map_err(ClusterError::Session)?;
                (SessionContext::new_with_state(state), None)
            }
            Master::Remote { host, port } => {
                let cluster = Cluster::connect(master.clone(), config, credentials, None).await?;
                let state = cluster.context().state();
                let planner = ClusterPlanner {
                    ballista: BallistaQueryPlanner::with_extension(
                        format!("http://{host}:{port}"),
                        state.config().ballista_config(),
                        state.config().ballista_logical_extension_codec(),
                    ),
                    here: DefaultPhysicalPlanner::default(),
                };
                let state = SessionStateBuilder::new_from_existing(state).with_query_planner(Arc::new(planner)).build();
                (SessionContext::new_with_state(state), Some(cluster))
            }
        };
        // `FROM 'file.csv'` reads the file.
        Ok(Self { context: context.enable_url_table(), cluster })
    }

    /// The session itself.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Plans one statement. Statements that define something have been carried out when this returns.
    ///
    /// # Errors
    /// Whatever is wrong with the statement.
    pub async fn query(&self, sql: &str) -> Result<Query<'_>> {
        let plan = self.context.sql(sql).await?.create_physical_plan().await?;
        Ok(Query { session: self, plan })
    }
}

/// A query, ready to run.
#[derive(Debug)]
pub struct Query<'a> {
    session: &'a SqlSession,
    plan: Arc<dyn ExecutionPlan>,
}

impl Query<'_> {
    /// The columns of the result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    /// Runs the query.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn execute(&self) -> Result<SendableRecordBatchStream> {
        execute_stream(Arc::clone(&self.plan), self.session.context.task_ctx())
    }

    /// Ends the query everywhere. A query of this process ends by dropping its batches; one on a cluster must be told, and then has
    /// a few seconds to end.
    pub async fn cancel(&self, mut batches: SendableRecordBatchStream) {
        let (Some(job), Some(cluster)) = (on_cluster(&self.plan), &self.session.cluster) else { return };
        let ended = async {
            let id = loop {
                if let Some(id) = job.job_id() {
                    break id;
                }
                // The scheduler names the job in its first answer, and reading the batches is reading the answers.
                tokio::select! {
                    batch = batches.next() => if !matches!(batch, Some(Ok(_))) { return },
                    () = tokio::time::sleep(Duration::from_millis(10)) => {}
                }
            };
            let request = CancelJobParams { job_id: id.into() };
            if let Err(status) = cluster.scheduler().cancel_job(request).await {
                log::warn!("the job could not be cancelled: {}", status.message());
                return;
            }
            while let Some(Ok(_)) = batches.next().await {}
        };
        if tokio::time::timeout(CANCEL_PATIENCE, ended).await.is_err() {
            log::warn!("the job was told to end, but has not yet");
        }
    }
}

/// The part of a plan that runs on the cluster.
fn on_cluster(plan: &Arc<dyn ExecutionPlan>) -> Option<&OnCluster> {
    plan.downcast_ref::<OnCluster>().or_else(|| plan.children().into_iter().find_map(on_cluster))
}

/// Ballista's planner, which sends a query to the scheduler; and what it does not send.
struct ClusterPlanner {
    ballista: BallistaQueryPlanner<LogicalPlanNode>,
    here: DefaultPhysicalPlanner,
}

impl fmt::Debug for ClusterPlanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterPlanner").field("ballista", &self.ballista).finish_non_exhaustive()
    }
}

#[async_trait]
impl QueryPlanner for ClusterPlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        match plan {
            // Ballista 55 cannot send the one, and forgets the columns of the other.
            LogicalPlan::DescribeTable(_) | LogicalPlan::EmptyRelation(_) => {
                self.here.create_physical_plan(plan, session).await
            }
            _ => {
                check_tables(plan)?;
                let copy = copy::to_send(plan, session)?;
                self.ballista.create_physical_plan(copy.as_ref().unwrap_or(plan), session).await
            }
        }
    }
}

/// Refuses tables that no other process can read, in words that say what to do.
fn check_tables(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if matches!(node, LogicalPlan::RecursiveQuery(_)) {
            return plan_err!("a recursive query runs in one process only, with --master local[N]");
        }
        if let LogicalPlan::TableScan(scan) = node
            && scan.table_name.schema() != Some("information_schema")
            && let Ok(provider) = source_as_provider(&scan.source)
            && !provider.is::<ListingTable>()
            && !provider.is::<ViewTable>()
        {
            return plan_err!(
                "'{}' is in the memory of this process, where a cluster cannot read it: a cluster reads files, so write it to one \
                 with COPY … TO and read that with CREATE EXTERNAL TABLE",
                scan.table_name.table()
            );
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
