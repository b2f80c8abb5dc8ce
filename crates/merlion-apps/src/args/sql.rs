//! The flags of `merlion sql`: ballista-cli's where it has them.

use clap::Args;
use merlion_executor::parse_bytes;
use merlion_session::master::Master;

use super::StorageArgs;
use crate::error::AppError;
use crate::sql::{Format, SqlJob};

/// The flags of `merlion sql`.
#[derive(Debug, Clone, Args)]
#[command(infer_long_args = true)]
pub struct SqlArgs {
    /// Where to run.
    #[arg(
        long,
        value_name = "MASTER",
        default_value = "local[*]",
        help = "Where to run: local, local[N], local[*] or ballista://HOST:PORT"
    )]
    pub master: String,
    /// Run the statements of a file, `-` for standard input; any number of times, before those of --execute
    #[arg(short, long, value_name = "FILE")]
    pub file: Vec<String>,
    /// Run statements and end; any number of times
    #[arg(short = 'e', long, short_alias = 'c', alias = "command", value_name = "SQL")]
    pub execute: Vec<String>,
    /// How results are written; `automatic` is a table on a terminal and CSV elsewhere
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    pub format: Format,
    /// Write results only: no greeting, no number of rows, no time
    #[arg(short, long)]
    pub quiet: bool,
    /// Time zone of times that have none when one is needed, and of `now()`, e.g. Europe/Paris
    #[arg(long = "time_zone", alias = "time-zone", value_name = "ZONE", default_value = "UTC")]
    pub time_zone: String,
    /// Memory for all local tasks together, in bytes or with k, m, g [default: unlimited]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub memory: Option<u64>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened: its own fields are documented")]
    pub storage: StorageArgs,
}

impl SqlArgs {
    /// What the flags mean.
    ///
    /// # Errors
    /// [`AppError::Usage`] naming the flag.
    pub fn to_job(&self) -> Result<SqlJob, AppError> {
        let master: Master = self.master.parse().map_err(|error| AppError::Usage(format!("--master: {error}")))?;
        if self.time_zone.parse::<datafusion::arrow::array::timezone::Tz>().is_err() {
            return Err(AppError::Usage(format!(
                "--time_zone: '{}' is no time zone, such as UTC, Europe/Paris or +02:00",
                self.time_zone
            )));
        }
        let (mut settings, credentials) = self.storage.resolve()?;
        settings.time_zone.clone_from(&self.time_zone);
        Ok(SqlJob {
            master,
            files: self.file.clone(),
            statements: self.execute.clone(),
            format: self.format,
            quiet: self.quiet,
            settings,
            credentials,
            memory_limit: self.memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        })
    }
}
