//! A Ballista scheduler that knows this project's functions, plan nodes and stores.

mod slots;

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use merlion_session::cluster;
use merlion_session::master::DEFAULT_SCHEDULER_PORT;
use merlion_session::stores::Credentials;

use crate::slots::CountedClusterState;

/// The command line of a scheduler.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct SchedulerArgs {
    /// Address to listen on. The scheduler asks nobody for a password: open it to trusted networks only
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub bind_host: String,
    /// Port to listen on
    #[arg(long, value_name = "PORT", default_value_t = DEFAULT_SCHEDULER_PORT)]
    pub port: u16,
    /// Host name under which executors reach this scheduler [default: the address it listens on, or localhost if that is all]
    #[arg(long, value_name = "HOST")]
    pub external_host: Option<String>,
    /// Seconds of silence after which an executor counts as dead
    #[arg(long, value_name = "SECONDS", default_value_t = cluster::EXECUTOR_TIMEOUT_SECONDS)]
    pub executor_timeout: u64,
    /// How tasks come to executors: push, or pull where the scheduler cannot reach them (pulled tasks cannot be cancelled)
    #[arg(long, value_name = "push|pull", default_value = "push")]
    pub scheduling: cluster::Scheduling,
}

impl SchedulerArgs {
    /// Not every machine knows the name localhost, so an address is better where it says enough.
    fn external_host(&self) -> String {
        let everywhere = self.bind_host.parse().is_ok_and(|address: IpAddr| address.is_unspecified());
        let default = if everywhere { "localhost" } else { &self.bind_host };
        self.external_host.clone().unwrap_or_else(|| default.to_owned())
    }
}

/// A scheduler that did not start, or died.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchedulerError {
    /// The address to listen on is none.
    #[error("cannot listen on {host}:{port}: {reason}")]
    Address {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What is wrong with it.
        reason: String,
    },
    /// Ballista's own.
    #[error(transparent)]
    Ballista(#[from] ballista_core::error::BallistaError),
}

/// The configuration of a scheduler with these arguments.
#[must_use]
pub fn config(args: &SchedulerArgs, credentials: Credentials) -> SchedulerConfig {
    let message_bytes = u32::MAX >> 4;
    SchedulerConfig {
        bind_host: args.bind_host.clone(),
        bind_port: args.port,
        external_host: args.external_host(),
        scheduling_policy: args.scheduling.into(),
        executor_timeout_seconds: args.executor_timeout,
        expire_dead_executor_interval_seconds: cluster::EXPIRY_CHECK_SECONDS,
        grpc_server_max_decoding_message_size: message_bytes,
        grpc_server_max_encoding_message_size: message_bytes,
        grpc_client_max_message_size: message_bytes,
        override_config_producer: Some(cluster::config_producer()),
        override_session_builder: Some(cluster::session_builder(credentials)),
        override_physical_codec: Some(cluster::physical_codec()),
        ..SchedulerConfig::default()
    }
}

/// Runs a scheduler until it is killed.
///
/// # Errors
/// A [`SchedulerError`] when it cannot listen, or dies.
pub async fn run(args: &SchedulerArgs, credentials: Credentials) -> Result<(), SchedulerError> {
    let address = address(&args.bind_host, args.port)?;
    let config = Arc::new(config(args, credentials));
    let ballista = BallistaCluster::new_from_config(&config).await?;
    let cluster = BallistaCluster::new(Arc::new(CountedClusterState::default()), ballista.job_state());
    log::info!("scheduler listening on {address}");
    tokio::select! {
        ended = start_server(cluster, address, config) => Ok(ended?),
        () = terminated() => {
            log::info!("scheduler stopped");
            Ok(())
        }
    }
}

fn address(host: &str, port: u16) -> Result<SocketAddr, SchedulerError> {
    let error = |reason: String| SchedulerError::Address { host: host.to_owned(), port, reason };
    let address = (host, port).to_socket_addrs().map_err(|e| error(e.to_string()))?.next();
    let address = address.ok_or_else(|| error("no such address".to_owned()))?;
    // Ballista reports a port in use only after it has started; this says it first, and plainly.
    std::net::TcpListener::bind(address).map_err(|e| error(e.to_string()))?;
    Ok(address)
}

/// Ends with SIGINT or SIGTERM.
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}
