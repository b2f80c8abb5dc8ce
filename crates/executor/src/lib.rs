//! A Ballista executor that knows this project's functions, plan nodes and stores.

use std::sync::Arc;

use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::common::DataFusionError;
use merlion_session::cluster;
use merlion_session::engine::StoppableEngine;
use merlion_session::master::{Master, MasterError};
use merlion_session::stores::Credentials;

/// The command line of an executor.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct ExecutorArgs {
    /// The scheduler to work for
    #[arg(long, value_name = "ballista://HOST:PORT", default_value = "ballista://localhost:50050")]
    pub master: String,
    /// Address to listen on. The executor asks nobody for a password: open it to trusted networks only
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub bind_host: String,
    /// Host name under which scheduler, clients and other executors reach this one
    #[arg(long, value_name = "HOST")]
    pub external_host: Option<String>,
    /// Port for data
    #[arg(long, value_name = "PORT", default_value_t = 50051)]
    pub port: u16,
    /// Port for control
    #[arg(long, value_name = "PORT", default_value_t = 50052)]
    pub grpc_port: u16,
    /// Tasks that run at once [default: the number of processors]
    #[arg(long, value_name = "N")]
    pub cores: Option<usize>,
    /// Memory for all tasks together, in bytes or with k, m, g [default: 70 % of what the machine or container has]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub memory: Option<u64>,
    /// Folder for shuffled and spilled data [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub work_dir: Option<String>,
    /// Seconds to wait for the scheduler to appear
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub wait: u16,
    /// How tasks come to executors: push, or pull where the scheduler cannot reach them (pulled tasks cannot be cancelled)
    #[arg(long, value_name = "push|pull", default_value = "push")]
    pub scheduling: cluster::Scheduling,
}

/// An executor that did not start, or died.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// The scheduler's address is none.
    #[error("--master: {0}")]
    Master(#[from] MasterError),
    /// An embedded master has no executors of its own.
    #[error("--master: an executor works for a scheduler, ballista://host:port, not for {0}")]
    NoScheduler(Master),
    /// The functions could not be assembled.
    #[error(transparent)]
    Session(#[from] DataFusionError),
    /// Ballista's own.
    #[error(transparent)]
    Ballista(#[from] ballista_core::error::BallistaError),
}

/// Bytes from `512m`, `2g`, `1073741824`.
///
/// # Errors
/// A message when the text is none of these.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_suffix('b').unwrap_or(&lower);
    let (digits, shift) = match lower.as_bytes().last() {
        Some(b'k') => (&lower[..lower.len() - 1], 10),
        Some(b'm') => (&lower[..lower.len() - 1], 20),
        Some(b'g') => (&lower[..lower.len() - 1], 30),
        _ => (lower, 0),
    };
    let number: u64 = digits.trim().parse().map_err(|_| format!("'{text}' is no size: 512m, 2g, 1073741824"))?;
    number.checked_mul(1 << shift).filter(|bytes| *bytes > 0).ok_or_else(|| format!("'{text}' is no usable size"))
}

/// The configuration of an executor with these arguments.
///
/// # Errors
/// When the scheduler's address cannot be read or the functions cannot be assembled.
pub fn config(args: &ExecutorArgs, credentials: Credentials) -> Result<ExecutorProcessConfig, ExecutorError> {
    let Master::Remote { host, port } = args.master.parse()? else {
        return Err(ExecutorError::NoScheduler(args.master.parse()?));
    };
    let session_config = merlion_session::session_config();
    let runtime = merlion_session::runtime_env(&session_config, &credentials, None)?;
    let state = merlion_session::session_state(session_config, runtime)?;
    let message_bytes = u32::MAX >> 4;
    Ok(ExecutorProcessConfig {
        bind_host: args.bind_host.clone(),
        external_host: Some(args.external_host.clone().unwrap_or_else(|| args.bind_host.clone())),
        port: args.port,
        grpc_port: args.grpc_port,
        scheduler_host: host,
        scheduler_port: port,
        scheduler_connect_timeout_seconds: args.wait,
        vcores: args.cores.unwrap_or(0),
        task_scheduling_policy: args.scheduling.into(),
        work_dir: args.work_dir.clone(),
        executor_heartbeat_interval_seconds: cluster::HEARTBEAT_SECONDS,
        // A long-lived executor would fill its disk with the shuffles of jobs that ended.
        job_data_ttl_seconds: 24 * 3600,
        job_data_clean_up_interval_seconds: 600,
        grpc_max_decoding_message_size: message_bytes,
        grpc_max_encoding_message_size: message_bytes,
        memory_pool_size: args.memory,
        override_execution_engine: Some(Arc::new(StoppableEngine::default())),
        override_function_registry: Some(Arc::new(cluster::function_registry(&state))),
        override_runtime_producer: Some(cluster::runtime_producer(credentials, None)),
        override_config_producer: Some(cluster::config_producer()),
        override_physical_codec: Some(cluster::physical_codec()),
        ..ExecutorProcessConfig::default()
    })
}

/// Runs an executor until it is told to stop.
///
/// # Errors
/// An [`ExecutorError`] when it cannot start, or dies.
pub async fn run(args: &ExecutorArgs, credentials: Credentials) -> Result<(), ExecutorError> {
    let config = config(args, credentials)?;
    Ok(start_executor_process(Arc::new(config)).await?)
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn sizes_are_read_with_and_without_a_unit() {
        assert_eq!(parse_bytes("1024"), Ok(1024));
        assert_eq!(parse_bytes("2g"), Ok(2 << 30));
        assert_eq!(parse_bytes("512MB"), Ok(512 << 20));
        for bad in ["", "g", "-1", "1.5g", "0", "99999999999999999999", "18446744073709551615k"] {
            assert!(parse_bytes(bad).is_err(), "'{bad}' was taken");
        }
    }
}
