//! The command line, from arguments to exit code. Binaries call [`main`] and do nothing else.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use merlion_session::catalog;

use crate::args::{Cli, Command, ForecastArgs};
use crate::error::AppError;
use crate::models;
use crate::progress::Progress;

/// What a job logs unless `RUST_LOG` says more: the report names what went wrong, once.
const QUIET: &str = "warn,merlion_udf=error,ballista_core=off,ballista_scheduler=off,ballista_executor=off";

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage_error(&error),
    };
    let (name, default_log) = match &cli.command {
        Command::Forecast(_) => ("forecast", QUIET),
        Command::Sql(_) => ("sql", QUIET),
        Command::Models { .. } => ("models", QUIET),
        Command::Scheduler { .. } => ("scheduler", "info"),
        Command::Executor { .. } => ("executor", "info"),
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(default_log)).init();
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(cli.command));
            // An embedded executor serves until it is told not to.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(AppError::Process(format!("no threads to run on: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("merlion {name}: error: {error}");
            error.exit_code()
        }
    }
}

async fn run(command: Command) -> Result<(), AppError> {
    match command {
        Command::Forecast(args) => forecast(&args).await,
        Command::Sql(args) => args.to_job()?.run().await,
        Command::Models { name } => {
            let catalog = catalog();
            let text = match name {
                None => models::list(&catalog),
                Some(name) => models::show(&catalog, &name).map_err(|error| AppError::Usage(error.to_string()))?,
            };
            print!("{text}");
            Ok(())
        }
        Command::Scheduler { args, storage } => {
            let (_, credentials) = storage.resolve()?;
            merlion_scheduler::run(&args, credentials).await.map_err(|error| AppError::Process(error.to_string()))
        }
        Command::Executor { args, storage } => {
            let (_, credentials) = storage.resolve()?;
            merlion_executor::run(&args, credentials).await.map_err(|error| AppError::Process(error.to_string()))
        }
    }
}

async fn forecast(args: &ForecastArgs) -> Result<(), AppError> {
    let job = args.to_job()?;
    if args.explain {
        println!("{}", job.explain().await?);
        return Ok(());
    }
    let progress = Progress::new();
    let report = job.run(&progress).await?;
    for note in &report.committed.notes {
        eprintln!("merlion forecast: {} for {}: {}", note.status, note.series, note.message);
    }
    let unnamed = report.fallbacks().saturating_sub(report.committed.notes.len() as u64);
    if unnamed > 0 {
        eprintln!("merlion forecast: and {unnamed} more series");
    }
    let sums = match report.committed.sums {
        0 => String::new(),
        sums => format!(" and {sums} sums"),
    };
    eprintln!(
        "{}{} series in, {} series{sums} out, {} fallbacks, {} rows, {:.2} s: {}",
        if report.series_counted { "" } else { "about " },
        report.series_in,
        report.committed.series - report.committed.sums,
        report.fallbacks(),
        report.committed.rows,
        report.elapsed.as_secs_f64(),
        job.output_path,
    );
    Ok(())
}

/// One line for what is wrong, as argparse; help and version as clap writes them.
fn usage_error(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        // A reader who closed the pipe has seen enough.
        let _ = error.print();
        return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    let text = error.to_string();
    let message = text.split("\n\nUsage:").next().unwrap_or(&text);
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let said = |line: &&str| !line.is_empty() && !line.starts_with("For more information");
    let line = message.lines().map(str::trim).filter(said).collect::<Vec<_>>().join(" ");
    eprintln!("merlion: error: {line} (see --help)");
    ExitCode::from(2)
}
