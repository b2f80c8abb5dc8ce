//! The session state of every process: client, scheduler and executor differ in nothing that a plan could notice.

use std::sync::Arc;

use ballista_core::extension::SessionConfigExt;
use datafusion::common::Result;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use datafusion_spark::SessionStateBuilderSpark;

use crate::codec::MerlionPhysicalCodec;
use crate::config::MerlionConfig;
use crate::stores::{Credentials, StoreRegistry};
use crate::{functions, rules};

/// Largest gRPC message: raised on client, scheduler and executor together.
pub(crate) const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// The configuration every session starts from.
#[must_use]
pub fn session_config() -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_option_extension(MerlionConfig::default())
        .with_ballista_physical_extension_codec(Arc::new(MerlionPhysicalCodec::default()))
        .with_ballista_grpc_client_max_message_size(MAX_MESSAGE_BYTES)
        // With adaptive planning the loss of an executor hangs the job, and optimizer rules of the session are discarded.
        .set_bool("ballista.planner.adaptive.enabled", false)
        // Packed partitions leave executors idle while others queue: series are work, whatever their bytes.
        .set_usize("ballista.scheduler.max_partitions_per_task", 1)
        .set_bool("ballista.planner.coalesce.enabled", false)
        // A series aggregate is content with any partitioning by some of its keys, however few partitions there are.
        .set_usize("datafusion.optimizer.subset_repartition_threshold", 1)
        // A spilled aggregate reads its state back a batch of series at a time: full batches of long series would not fit.
        .with_batch_size(4096)
        .set_str("datafusion.execution.time_zone", "UTC")
}

/// A runtime for one process or task: our object stores, and a memory pool if there is a limit.
///
/// # Errors
/// When the temporary folder for spilled data cannot be made.
pub fn runtime_env(
    config: &SessionConfig,
    credentials: &Credentials,
    memory_limit: Option<usize>,
) -> Result<Arc<RuntimeEnv>> {
    let settings = config.options().extensions.get::<MerlionConfig>().cloned().unwrap_or_default();
    let registry = StoreRegistry::new(settings, credentials.clone());
    let mut builder = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(registry));
    if let Some(bytes) = memory_limit {
        let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(bytes));
        builder = builder.with_memory_pool(pool);
    }
    builder.build_arc()
}

/// The session state with every function, rule and codec.
///
/// # Errors
/// When a function cannot be registered.
pub fn session_state(config: SessionConfig, runtime: Arc<RuntimeEnv>) -> Result<SessionState> {
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_spark_features()
        .with_optimizer_rules(ballista_core::optimizer::ballista_default_optimizer_rules())
        .with_physical_optimizer_rules(rules::physical_rules());
    builder.aggregate_functions().get_or_insert_default().extend(functions::aggregate_functions());
    builder.scalar_functions().get_or_insert_default().extend(functions::scalar_functions());
    let tables = functions::table_functions().into_iter().map(|function| (function.name().to_owned(), function));
    builder.table_functions().get_or_insert_default().extend(tables);
    let state = builder.build();
    Ok(SessionStateBuilder::new_from_existing(state.clone())
        .with_analyzer_rules(rules::analyzer_rules(state.analyzer().rules.clone()))
        .with_relation_planners(vec![Arc::new(rules::unnest_dependencies::UnnestRelations)])
        .build())
}
