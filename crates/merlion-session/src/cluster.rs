//! A cluster as a client sees it: a scheduler to talk to, in this process or elsewhere; and what scheduler and executor processes
//! are configured with, so that all of them agree.

use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::{BallistaCodec, BallistaLogicalExtensionCodec};
use ballista_core::{ConfigProducer, RuntimeProducer};
use ballista_scheduler::scheduler_server::SessionBuilder;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_proto::physical_plan::PhysicalExtensionCodec;
use tonic::transport::{Channel, Endpoint};

use crate::codec::MerlionPhysicalCodec;
use crate::embedded;
use crate::master::Master;
use crate::session::{MAX_MESSAGE_BYTES, runtime_env, session_config, session_state};
use crate::stores::Credentials;

/// How long a client tries to reach a scheduler.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// Seconds between the heartbeats of an executor.
pub const HEARTBEAT_SECONDS: u64 = 4;

/// Seconds of silence after which an executor is dead. With the interval of the check below, a dead executor is noticed within
/// 20 seconds.
pub const EXECUTOR_TIMEOUT_SECONDS: u64 = 15;

/// Seconds between looks for silent executors.
pub const EXPIRY_CHECK_SECONDS: u64 = 2;

/// How tasks come to executors. Scheduler and executors of one cluster must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheduling {
    /// The scheduler sends them. Only such tasks can be cancelled.
    #[default]
    Push,
    /// Executors ask for them: for executors the scheduler cannot reach.
    Pull,
}

impl std::str::FromStr for Scheduling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "push" => Ok(Self::Push),
            "pull" => Ok(Self::Pull),
            other => Err(format!("'{other}' is neither push nor pull")),
        }
    }
}

impl From<Scheduling> for TaskSchedulingPolicy {
    fn from(scheduling: Scheduling) -> Self {
        match scheduling {
            Scheduling::Push => Self::PushStaged,
            Scheduling::Pull => Self::PullStaged,
        }
    }
}

/// A cluster that cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No scheduler answers.
    #[error("no scheduler answers at {master}: {source}")]
    Unreachable {
        /// Where it was looked for.
        master: Master,
        /// What the connection said.
        source: tonic::transport::Error,
    },
    /// The session in this process could not be made.
    #[error("no session: {0}")]
    Session(#[source] DataFusionError),
    /// The embedded cluster did not start.
    #[error("the embedded cluster did not start: {0}")]
    Embedded(#[source] DataFusionError),
}

/// A cluster as a client sees it.
pub struct Cluster {
    master: Master,
    scheduler: SchedulerGrpcClient<Channel>,
    context: SessionContext,
    /// What an embedded executor shuffles through; removed with the cluster.
    _work_dir: Option<tempfile::TempDir>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("master", &self.master).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects to the master, or starts one in this process. `config` is what the client's settings made of
    /// [`session_config`].
    ///
    /// # Errors
    /// [`ClusterError::Unreachable`] within 10 seconds when no scheduler answers.
    pub async fn connect(
        master: Master,
        config: SessionConfig,
        credentials: Credentials,
        memory_limit: Option<usize>,
    ) -> Result<Self, ClusterError> {
        let failed = |e: BallistaError| ClusterError::Embedded(DataFusionError::External(Box::new(e)));
        let runtime = runtime_env(&config, &credentials, None).map_err(ClusterError::Embedded)?;
        let state = session_state(config.clone(), runtime).map_err(ClusterError::Embedded)?;
        let address = match &master {
            Master::Remote { host, port } => format!("http://{host}:{port}"),
            Master::Local { .. } => {
                let address = embedded::start_scheduler(config.clone(), credentials.clone()).await.map_err(failed)?;
                format!("http://{address}")
            }
        };
        let unreachable = |source| ClusterError::Unreachable { master: master.clone(), source };
        let channel = Endpoint::new(address)
            .map_err(unreachable)?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(20))
            .connect()
            .await
            .map_err(unreachable)?;
        let scheduler = SchedulerGrpcClient::new(channel)
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let mut work_dir = None;
        if let Master::Local { vcores } = &master {
            let folder = tempfile::tempdir().map_err(|e| failed(e.into()))?;
            let runtime = runtime_producer(credentials, memory_limit.map(|bytes| bytes / vcores));
            let path = folder.path().to_string_lossy().into_owned();
            embedded::start_executor(scheduler.clone(), *vcores, &state, runtime, &path).await.map_err(failed)?;
            work_dir = Some(folder);
        }
        let context = SessionContext::new_with_state(state);
        Ok(Self { master, scheduler, context, _work_dir: work_dir })
    }

    /// Where the cluster is.
    #[must_use]
    pub fn master(&self) -> &Master {
        &self.master
    }

    /// The client's own session: it plans, reads schemas and commits; it does not run queries on the cluster.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    pub(crate) fn scheduler(&self) -> SchedulerGrpcClient<Channel> {
        self.scheduler.clone()
    }
}

/// Makes the configuration sessions of a scheduler or executor start from.
#[must_use]
pub fn config_producer() -> ConfigProducer {
    Arc::new(session_config)
}

/// Makes the sessions of a scheduler.
#[must_use]
pub fn session_builder(credentials: Credentials) -> SessionBuilder {
    Arc::new(move |config: SessionConfig| {
        // Ballista's own clients ask for adaptive planning, which is their default. With it the loss of an executor hangs a job, and
        // the rules of our sessions do not apply.
        let config = config.set_bool("ballista.planner.adaptive.enabled", false);
        let runtime = runtime_env(&config, &credentials, None)?;
        session_state(config, runtime)
    })
}

/// Makes the runtimes of an executor's tasks, from the settings that came with the job.
#[must_use]
pub fn runtime_producer(credentials: Credentials, memory_limit_per_task: Option<usize>) -> RuntimeProducer {
    Arc::new(move |config: &SessionConfig| runtime_env(config, &credentials, memory_limit_per_task))
}

/// The functions an executor knows.
#[must_use]
pub fn function_registry(state: &SessionState) -> BallistaFunctionRegistry {
    BallistaFunctionRegistry::from(state)
}

/// The codec of physical plans.
#[must_use]
pub fn physical_codec() -> Arc<dyn PhysicalExtensionCodec> {
    Arc::new(MerlionPhysicalCodec::default())
}

pub(crate) fn codec() -> BallistaCodec {
    BallistaCodec::new(Arc::new(BallistaLogicalExtensionCodec::default()), physical_codec())
}

#[cfg(test)]
mod tests {
    use ballista_core::extension::SessionConfigExt;

    use super::*;

    #[test]
    fn a_client_that_asks_for_adaptive_planning_is_overruled() {
        let asked = SessionConfig::new_with_ballista().set_bool("ballista.planner.adaptive.enabled", true);
        assert!(asked.ballista_adaptive_query_planner_enabled(), "the setting has another name now");
        let state = session_builder(Credentials::default())(asked).unwrap();
        assert!(!state.config().ballista_adaptive_query_planner_enabled());
    }
}
