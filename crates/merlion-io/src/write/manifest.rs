//! What a task says about a part file it has finished.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shown::ShownSeries;

/// Most messages one part file's manifest carries: enough to name the first offenders, little enough for any driver.
pub(super) const MAX_NOTES: usize = 50;

/// What the names of manifests end in.
pub(super) const MANIFEST: &str = "json";

/// What the names of staged data files end in, whatever their format: nothing that a manifest's name does. What users see is
/// named when it is committed.
pub(super) const STAGED: &str = "part";

/// What a task says about a part file it has finished.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Which chunk of the key range the file holds.
    pub chunk: usize,
    /// The file, relative to the staging folder.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Series in it, sums of a hierarchy included.
    pub series: u64,
    /// Those of them that are sums.
    pub sums: u64,
    /// Series by status.
    pub statuses: BTreeMap<String, u64>,
    /// Series by model.
    pub models: BTreeMap<String, u64>,
    /// The first series with a message.
    pub notes: Vec<Note>,
    /// The series that the report shows.
    pub shown: Vec<ShownSeries>,
}

/// A message about one series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The series, as `column=text, …`.
    pub series: String,
    /// What happened to it.
    pub status: String,
    /// Why.
    pub message: String,
}
