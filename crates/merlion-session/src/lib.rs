#![doc = include_str!("../README.md")]

pub mod cluster;
mod codec;
mod config;
mod copy;
mod embedded;
pub mod engine;
pub mod forecast_by;
mod functions;
pub mod job;
pub mod master;
pub mod query;
mod rules;
pub mod scope;
mod session;
pub mod stores;

pub use codec::MerlionPhysicalCodec;
pub use config::MerlionConfig;
pub use functions::catalog;
pub use rules::series_aggregate::run_in_scope;
pub use session::{runtime_env, session_config, session_state};
