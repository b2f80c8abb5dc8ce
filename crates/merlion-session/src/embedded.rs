//! A scheduler and an executor in this process, on loopback.
//!
//! Ballista has functions for this; but they look up the name `localhost`, which a bare machine need not know, and their executor
//! cannot be given our execution engine.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use arrow_flight::flight_service_server::FlightServiceServer;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::ids::new_instance_id;
use ballista_core::serde::protobuf::ExecutorRegistration;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::scheduler::{ExecutorOperatingSystemSpecification, ExecutorSpecification};
use ballista_core::utils::{GrpcServerConfig, create_grpc_server};
use ballista_core::{BALLISTA_PROTOCOL_VERSION, RuntimeProducer};
use ballista_executor::execution_loop::poll_loop;
use ballista_executor::executor::Executor;
use ballista_executor::flight_service::BallistaFlightService;
use ballista_executor::health::ExecutorHealth;
use ballista_executor::metrics::LoggingMetricsCollector;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::SessionState;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;

use crate::cluster::{codec, function_registry, physical_codec, session_builder};
use crate::engine::StoppableEngine;
use crate::session::MAX_MESSAGE_BYTES;
use crate::stores::Credentials;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Starts a scheduler, which lives as long as the process.
pub(crate) async fn start_scheduler(
    config: SessionConfig,
    credentials: Credentials,
) -> Result<SocketAddr, BallistaError> {
    let listener = TcpListener::bind((LOOPBACK, 0)).await?;
    let address = listener.local_addr()?;
    let message_bytes = u32::try_from(MAX_MESSAGE_BYTES).unwrap_or(u32::MAX);
    let settings = SchedulerConfig {
        external_host: LOOPBACK.to_string(),
        bind_host: LOOPBACK.to_string(),
        bind_port: address.port(),
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        grpc_server_max_decoding_message_size: message_bytes,
        grpc_server_max_encoding_message_size: message_bytes,
        override_physical_codec: Some(physical_codec()),
        ..SchedulerConfig::default()
    };
    let producer = Arc::new(move || config.clone());
    let cluster = BallistaCluster::new_memory(address.to_string(), session_builder(credentials), producer);
    let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(settings)).await?;
    tokio::spawn(start_grpc_service_with_listener(listener, scheduler));
    Ok(address)
}

/// Starts an executor, which lives as long as the process and keeps its data in `work_dir`.
pub(crate) async fn start_executor(
    scheduler: SchedulerGrpcClient<Channel>,
    vcores: usize,
    state: &SessionState,
    runtime: RuntimeProducer,
    work_dir: &str,
) -> Result<(), BallistaError> {
    let listener = TcpListener::bind((LOOPBACK, 0)).await?;
    let registration = ExecutorRegistration {
        id: new_instance_id(),
        host: Some(LOOPBACK.to_string()),
        port: listener.local_addr()?.port().into(),
        // Nobody calls an executor that pulls its tasks.
        grpc_port: 0,
        specification: Some(
            ExecutorSpecification::default().with_vcores(u32::try_from(vcores).unwrap_or(u32::MAX)).into(),
        ),
        os_info: Some(ExecutorOperatingSystemSpecification::default().into()),
        ballista_protocol_version: BALLISTA_PROTOCOL_VERSION,
    };
    let config = state.config().clone();
    let executor = Arc::new(Executor::new(
        registration,
        work_dir,
        runtime,
        Arc::new(move || config.clone()),
        Arc::new(function_registry(state)),
        Arc::new(LoggingMetricsCollector::default()),
        vcores,
        Arc::new(StoppableEngine::default()),
    ));
    let flight = FlightServiceServer::new(BallistaFlightService::new(work_dir.to_owned()))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let server = create_grpc_server(&GrpcServerConfig::default()).add_service(flight);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    tokio::spawn(poll_loop(scheduler, executor, codec(), None, None, ExecutorHealth::new()));
    Ok(())
}
