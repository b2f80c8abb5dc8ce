//! One physical plan on the cluster, from submission to its end.
//!
//! Ballista's own client waits for a query and fetches its rows. A job that writes files has no rows to fetch, but wants to be watched
//! and cancelled; so it talks to the scheduler itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::{
    CancelJobParams, ExecuteQueryParams, GetJobStatusParams, KeyValuePair, execute_query_result, job_status,
};
use ballista_core::version;
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;

use crate::cluster::Cluster;
use crate::codec::MerlionPhysicalCodec;

/// Why a job has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The plan cannot travel.
    #[error("the plan cannot be sent: {0}")]
    Encode(#[from] DataFusionError),
    /// The scheduler did not take it.
    #[error("the scheduler refused the job: {0}")]
    Refused(String),
    /// The scheduler is gone.
    #[error("lost the scheduler: {0}")]
    Lost(#[source] Box<tonic::Status>),
    /// A task failed for good.
    #[error("{0}")]
    Failed(String),
    /// Somebody cancelled it.
    #[error("cancelled")]
    Cancelled,
}

/// A job on the cluster.
#[derive(Debug)]
pub struct Job<'a> {
    cluster: &'a Cluster,
    id: String,
}

/// A job that ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Rows of the plan's result.
    pub rows: u64,
}

/// First and longest pause between looks at a job's status.
const POLL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(100));

impl<'a> Job<'a> {
    /// Hands a plan to the scheduler.
    ///
    /// # Errors
    /// When the plan cannot be encoded or the scheduler refuses it.
    pub async fn submit(cluster: &'a Cluster, plan: &Arc<dyn ExecutionPlan>) -> Result<Self, JobError> {
        let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), &MerlionPhysicalCodec::default())?;
        let mut bytes = Vec::new();
        node.try_encode(&mut bytes)?;
        let state = cluster.context().state();
        let settings = state
            .config()
            .options()
            .entries()
            .into_iter()
            .map(|entry| KeyValuePair { key: entry.key, value: entry.value })
            .collect();
        let mut request = tonic::Request::new(ExecuteQueryParams {
            query: Some(Query::PhysicalPlan(bytes)),
            settings,
            session_id: state.session_id().to_owned(),
            operation_id: uuid::Uuid::new_v4().to_string(),
        });
        version::insert_version_header(request.metadata_mut());
        let refused = |status: tonic::Status| JobError::Refused(status.message().to_owned());
        let answer = cluster.scheduler().execute_query(request).await.map_err(refused)?.into_inner();
        match answer.result {
            Some(execute_query_result::Result::Success(accepted)) => Ok(Self { cluster, id: accepted.job_id }),
            Some(execute_query_result::Result::Failure(failure)) => Err(JobError::Refused(format!("{failure:?}"))),
            None => Err(JobError::Refused("no answer".to_owned())),
        }
    }

    /// The scheduler's name for the job.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// A [`JobError`] when the job failed, was cancelled, or the scheduler is gone.
    pub async fn wait(&self) -> Result<Finished, JobError> {
        let mut pause = POLL.0;
        loop {
            let answer = self
                .cluster
                .scheduler()
                .get_job_status(GetJobStatusParams { job_id: self.id.clone() })
                .await
                .map_err(|status| JobError::Lost(Box::new(status)))?
                .into_inner();
            match answer.status.and_then(|status| status.status) {
                Some(job_status::Status::Successful(job)) => {
                    // After the loss of an executor a partition may be reported by both of its attempts.
                    let mut rows = BTreeMap::new();
                    for location in job.partition_location {
                        let counted =
                            location.partition_stats.map_or(0, |stats| u64::try_from(stats.num_rows).unwrap_or(0));
                        let partition = location.partition_id.map(|id| id.partition_id);
                        let most = rows.entry(partition).or_insert(0);
                        *most = counted.max(*most);
                    }
                    return Ok(Finished { rows: rows.values().sum() });
                }
                Some(job_status::Status::Failed(failed)) if failed.error.to_lowercase().contains("cancelled") => {
                    return Err(JobError::Cancelled);
                }
                Some(job_status::Status::Failed(failed)) => return Err(JobError::Failed(failed.error)),
                Some(job_status::Status::Queued(_) | job_status::Status::Running(_)) | None => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(POLL.1);
        }
    }

    /// Asks the scheduler to end the job.
    ///
    /// # Errors
    /// [`JobError::Lost`] when the scheduler does not answer.
    pub async fn cancel(&self) -> Result<(), JobError> {
        let request = CancelJobParams { job_id: self.id.clone() };
        self.cluster.scheduler().cancel_job(request).await.map_err(|status| JobError::Lost(Box::new(status)))?;
        Ok(())
    }
}
