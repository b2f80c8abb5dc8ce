//! `merlion-scheduler`: the scheduler as a binary of its own, for people who run Ballista by hand.

use std::process::ExitCode;

use clap::Parser;
use merlion_scheduler::SchedulerArgs;
use merlion_session::stores::Credentials;

/// A Ballista scheduler that knows the time-series functions
#[derive(Debug, Parser)]
#[command(name = "merlion-scheduler", version)]
struct Cli {
    #[command(flatten)]
    args: SchedulerArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    match merlion_scheduler::run(&cli.args, Credentials::default()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("merlion-scheduler: {error}");
            ExitCode::FAILURE
        }
    }
}
