//! What a user is told when a command fails, and the exit code it ends with.

use std::process::ExitCode;

use merlion_io::dataset::DatasetError;
use merlion_io::write::CommitError;
use merlion_session::cluster::ClusterError;
use merlion_session::job::JobError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The command line does not make sense.
    #[error("{0}")]
    Usage(String),
    /// The data cannot be read, or not as the command line says.
    #[error("{0}")]
    Dataset(#[from] DatasetError),
    /// The command line and the data do not fit together.
    #[error("{0}")]
    Data(String),
    /// There is no cluster.
    #[error("--master: {0}")]
    Cluster(#[from] ClusterError),
    /// The job failed.
    #[error("{0}")]
    Job(#[from] JobError),
    /// The output could not be written.
    #[error("--output_path: {0}")]
    Commit(#[from] CommitError),
    /// The plan could not be made: a defect of ours.
    #[error("planning: {0}")]
    Plan(#[from] datafusion::error::DataFusionError),
    /// A statement or a command of the shell failed.
    #[error("{0}")]
    Statement(String),
    /// A scheduler or executor process ended.
    #[error("{0}")]
    Process(String),
    /// The user ended it (SIGINT, 130; SIGTERM, 143).
    #[error("cancelled")]
    Cancelled {
        /// The exit code of the signal.
        exit: u8,
    },
}

impl AppError {
    /// The diagnostics could not be written.
    pub(crate) fn diagnostics(error: CommitError) -> Self {
        Self::Data(format!("--diagnostics_path: {error}"))
    }

    /// 2 for usage, as argparse; 1 for data and everything else; 128 + signal when cancelled.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Cancelled { exit } => ExitCode::from(*exit),
            _ => ExitCode::from(1),
        }
    }
}
