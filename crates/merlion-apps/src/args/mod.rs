//! The command line as typed. What it means is the jobs' business.

mod forecast;
mod sql;
mod storage;

use clap::{Parser, Subcommand};
pub use forecast::ForecastArgs;
pub use sql::SqlArgs;
pub use storage::StorageArgs;

/// Time-series forecasting at cluster scale: Merlion's Spark apps without a JVM or a Python worker
#[derive(Debug, Parser)]
#[command(name = "merlion", version, infer_subcommands = true)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Forecast every series of a table (Merlion's forecast.py)
    Forecast(Box<ForecastArgs>),
    /// Run SQL: a shell, statements, or files of them
    Sql(Box<SqlArgs>),
    /// List the models, or show one with its parameters
    Models {
        /// A model's name
        name: Option<String>,
    },
    /// Run a scheduler
    Scheduler {
        #[command(flatten)]
        #[expect(missing_docs, reason = "flattened: its own fields are documented")]
        args: merlion_scheduler::SchedulerArgs,
        #[command(flatten)]
        #[expect(missing_docs, reason = "flattened: its own fields are documented")]
        storage: StorageArgs,
    },
    /// Run an executor
    Executor {
        #[command(flatten)]
        #[expect(missing_docs, reason = "flattened: its own fields are documented")]
        args: merlion_executor::ExecutorArgs,
        #[command(flatten)]
        #[expect(missing_docs, reason = "flattened: its own fields are documented")]
        storage: StorageArgs,
    },
}
