//! Writing a dataset: tasks write part files to a staging folder in parallel, a committer makes them visible at once.
//!
//! `<output>/_temporary/<job>/` holds, per finished attempt, a data file and beside it a manifest written after it. A data file
//! without a manifest is the remains of a task that died. Spark's readers, and ours, ignore names that start with `_`.

mod committer;
mod diagnostics;
mod encoder;
mod exec;
mod manifest;
mod shown;
mod target;

pub use committer::{CommitError, CommitReport, Committer, Layout, SaveMode, StagingCommitter, UnknownMode};
pub use diagnostics::{DiagnosticsSpec, diagnostics_schema};
pub use encoder::{EncodeError, empty_file};
pub use exec::{WriteExec, WriteSpec};
pub use manifest::{Manifest, Note};
pub use shown::ShownSeries;
