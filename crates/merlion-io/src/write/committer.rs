//! What becomes visible: the first finished attempt of every part, all of them together, or nothing.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use uuid::Uuid;

use super::manifest::{MANIFEST, MAX_NOTES, Manifest, Note};
use super::shown::ShownSeries;
use super::target;
use crate::format::FileFormat;

/// Why output could not be committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The output cannot be written.
    #[error("cannot write to {path}: {source}")]
    Unwritable {
        /// The folder.
        path: String,
        /// What the store said.
        source: object_store::Error,
    },
    /// The store failed while committing.
    #[error("{doing} {path}: {source}")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: String,
        /// What the store said.
        source: object_store::Error,
    },
    /// A manifest that cannot be read.
    #[error("manifest {path}: {source}")]
    Manifest {
        /// The manifest.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// What is there is of another format or has other columns than what would be appended to it.
    #[error("{path} holds {there}; {ours} cannot be appended to it")]
    Mismatch {
        /// The folder.
        path: String,
        /// What is there.
        there: String,
        /// What was to be appended.
        ours: String,
    },
    /// What is there cannot be read, so that nothing can be appended to it.
    #[error("cannot append to {path}: {reason}")]
    Unreadable {
        /// The folder.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A part is missing though the job ended well.
    #[error("{found} part files are finished in {path}, {expected} were reported; nothing was committed")]
    Incomplete {
        /// The staging folder.
        path: String,
        /// Parts there are.
        found: usize,
        /// Parts there should be.
        expected: usize,
    },
}

/// What becomes of what the output folder holds, in Spark's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SaveMode {
    /// It is replaced.
    #[default]
    Overwrite,
    /// It stays, and new part files come to it.
    Append,
}

impl FromStr for SaveMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text.to_ascii_lowercase().as_str() {
            "overwrite" => Ok(Self::Overwrite),
            "append" => Ok(Self::Append),
            _ => Err(UnknownMode),
        }
    }
}

/// A save mode that is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown mode: overwrite or append")]
pub struct UnknownMode;

/// Format and columns of an output.
#[derive(Debug, Clone)]
pub struct Layout {
    /// How part files are stored.
    pub format: FileFormat,
    /// Their columns.
    pub schema: SchemaRef,
}

/// What was committed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommitReport {
    /// Part files.
    pub files: usize,
    /// Rows.
    pub rows: u64,
    /// Series, sums of a hierarchy included.
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

/// Decides what of a job's output becomes visible.
#[async_trait]
pub trait Committer: Debug + Send + Sync {
    /// Makes sure that the output can be written, before the job runs.
    ///
    /// # Errors
    /// [`CommitError::Unwritable`].
    async fn begin(&self) -> Result<(), CommitError>;

    /// How many parts are finished and how many series they hold, for a progress display.
    ///
    /// # Errors
    /// A [`CommitError`] when the staging folder cannot be listed.
    async fn progress(&self) -> Result<(usize, u64), CommitError>;

    /// Replaces the old output by the new, or puts the new beside it. `expected_parts` is how many part files the finished job reported.
    ///
    /// # Errors
    /// A [`CommitError`]; the old output is untouched unless every new part was there.
    async fn commit(&self, expected_parts: Option<usize>) -> Result<CommitReport, CommitError>;

    /// Removes what the job has written.
    ///
    /// # Errors
    /// A [`CommitError`] when the store refuses.
    async fn abort(&self) -> Result<(), CommitError>;
}

/// The committer of a folder that one job at a time writes to: parts wait in `_temporary/<job>` and are renamed.
///
/// On an object store a rename is a copy and a delete; the order of steps is the same.
#[derive(Debug)]
pub struct StagingCommitter {
    store: Arc<dyn ObjectStore>,
    output: Path,
    /// The output as the user typed it, for messages.
    typed: String,
    staging: Path,
    job: Uuid,
    extension: String,
    /// The first part file of an output without rows: its header.
    empty_file: Vec<u8>,
    /// What is appended to the output, if it is not replaced.
    appended: Option<Layout>,
}

impl StagingCommitter {
    /// A committer of the folder `output`, which the user calls `typed`, for the job `job`, whose part files end in `extension`. `empty_file` is what the only part file of
    /// an output without rows contains.
    #[must_use]
    pub fn new(
        (store, output): (Arc<dyn ObjectStore>, Path),
        typed: &str,
        job: Uuid,
        extension: &str,
        empty_file: Vec<u8>,
    ) -> Self {
        let staging = output.clone().join("_temporary").join(job.to_string());
        Self {
            store,
            output,
            typed: typed.to_owned(),
            staging,
            job,
            extension: extension.to_owned(),
            empty_file,
            appended: None,
        }
    }

    /// The same committer, which keeps what the folder holds, if that has the format and the columns of what comes to it.
    #[must_use]
    pub fn appending(self, output: Layout) -> Self {
        Self { appended: Some(output), ..self }
    }

    /// Where tasks write.
    #[must_use]
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    async fn finished(&self) -> Result<BTreeMap<usize, Manifest>, CommitError> {
        let failed = |doing, path: &Path| {
            let path = path.to_string();
            move |source| CommitError::Store { doing, path, source }
        };
        let mut listed: Vec<_> = self
            .store
            .list(Some(&self.staging))
            .try_filter(|meta| futures::future::ready(meta.location.extension() == Some(MANIFEST)))
            .try_collect()
            .await
            .map_err(failed("list", &self.staging))?;
        // The first attempt to finish wins; where the clock cannot tell, the name does, the same way every time.
        listed.sort_by(|a, b| (a.last_modified, &a.location).cmp(&(b.last_modified, &b.location)));
        let manifests: Vec<Manifest> = futures::stream::iter(listed)
            .map(|meta| async move {
                let path = meta.location;
                let bytes = async { self.store.get(&path).await?.bytes().await }
                    .await
                    .map_err(|source| CommitError::Store { doing: "read", path: path.to_string(), source })?;
                serde_json::from_slice(&bytes)
                    .map_err(|source| CommitError::Manifest { path: path.to_string(), source })
            })
            .buffered(16)
            .try_collect()
            .await?;
        let mut first = BTreeMap::new();
        for manifest in manifests {
            first.entry(manifest.chunk).or_insert(manifest);
        }
        Ok(first)
    }

    async fn put(&self, path: &Path, bytes: Vec<u8>) -> Result<(), CommitError> {
        self.store.put(path, bytes.into()).await.map(|_| ()).map_err(|source| CommitError::Store {
            doing: "write",
            path: path.to_string(),
            source,
        })
    }

    async fn delete_all(&self, paths: Vec<Path>) -> Result<(), CommitError> {
        let store = &self.store;
        futures::stream::iter(paths)
            .map(|path| async move {
                match store.delete(&path).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                    Err(source) => Err(CommitError::Store { doing: "delete", path: path.to_string(), source }),
                }
            })
            .buffer_unordered(16)
            .try_collect::<Vec<()>>()
            .await
            .map(|_| ())
    }

    async fn list(&self, prefix: &Path) -> Result<Vec<Path>, CommitError> {
        self.store
            .list(Some(prefix))
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .map_err(|source| CommitError::Store { doing: "list", path: prefix.to_string(), source })
    }
}

#[async_trait]
impl Committer for StagingCommitter {
    async fn begin(&self) -> Result<(), CommitError> {
        if let Some(output) = &self.appended {
            target::check(&self.store, &self.output, &self.typed, output).await?;
        }
        let probe = self.staging.clone().join("_started");
        self.store
            .put(&probe, Vec::new().into())
            .await
            .map(|_| ())
            .map_err(|source| CommitError::Unwritable { path: self.typed.clone(), source })
    }

    async fn progress(&self) -> Result<(usize, u64), CommitError> {
        let finished = self.finished().await?;
        Ok((finished.len(), finished.values().map(|manifest| manifest.series).sum()))
    }

    async fn commit(&self, expected_parts: Option<usize>) -> Result<CommitReport, CommitError> {
        let finished = self.finished().await?;
        if let Some(expected) = expected_parts.filter(|expected| *expected != finished.len()) {
            return Err(CommitError::Incomplete { path: self.staging.to_string(), found: finished.len(), expected });
        }
        let mut report = CommitReport { files: finished.len(), ..CommitReport::default() };
        for manifest in finished.values() {
            report.rows += manifest.rows;
            report.series += manifest.series;
            report.sums += manifest.sums;
            for (status, series) in &manifest.statuses {
                *report.statuses.entry(status.clone()).or_default() += series;
            }
            for (model, series) in &manifest.models {
                *report.models.entry(model.clone()).or_default() += series;
            }
            report.notes.extend(manifest.notes.iter().cloned());
            report.shown.extend(manifest.shown.iter().cloned());
        }
        report.notes.truncate(MAX_NOTES);

        // Everything new is complete. From here on the old goes, then the new comes.
        let success = self.output.clone().join("_SUCCESS");
        let old = match &self.appended {
            // Who waits for it shall not take the old parts with some of the new for the whole.
            Some(_) => vec![success.clone()],
            None => {
                let temporary = self.output.clone().join("_temporary");
                let listed = self.list(&self.output).await?;
                listed.into_iter().filter(|path| !path.prefix_matches(&temporary)).collect()
            }
        };
        self.delete_all(old).await?;
        let part =
            |number: usize| self.output.clone().join(format!("part-{number:05}-{}-c000.{}", self.job, self.extension));
        let moves: Vec<(Path, Path)> = finished
            .values()
            .enumerate()
            .map(|(number, manifest)| (self.staging.clone().join(manifest.file.as_str()), part(number)))
            .collect();
        futures::stream::iter(moves)
            .map(|(from, to)| async move {
                self.store.rename(&from, &to).await.map_err(|source| CommitError::Store {
                    doing: "move into place",
                    path: to.to_string(),
                    source,
                })
            })
            .buffer_unordered(16)
            .try_collect::<Vec<()>>()
            .await?;
        if finished.is_empty() {
            // As Spark: an output without rows is one file with the header.
            self.put(&part(0), self.empty_file.clone()).await?;
            report.files = 1;
        }
        self.put(&success, Vec::new()).await?;
        // The output is whole; what cannot be removed now is only untidy.
        if let Err(error) = self.abort().await {
            log::warn!("staging folder left behind: {error}");
        }
        Ok(report)
    }

    async fn abort(&self) -> Result<(), CommitError> {
        let staged = self.list(&self.staging).await?;
        self.delete_all(staged).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    async fn stage(store: &dyn ObjectStore, committer: &StagingCommitter, chunk: usize, attempt: &str, text: &str) {
        let file = format!("part-{chunk:05}-{attempt}.csv");
        let manifest = Manifest { chunk, file: file.clone(), rows: 1, series: 1, ..Manifest::default() };
        let at = |name: &str| committer.staging().clone().join(name);
        store.put(&at(&file), text.to_owned().into_bytes().into()).await.unwrap();
        store.put(&at(&file.replace("csv", MANIFEST)), serde_json::to_vec(&manifest).unwrap().into()).await.unwrap();
    }

    async fn contents(store: &dyn ObjectStore) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for meta in store.list(None).try_collect::<Vec<_>>().await.unwrap() {
            let text = store.get(&meta.location).await.unwrap().bytes().await.unwrap();
            all.push((meta.location.to_string(), String::from_utf8(text.to_vec()).unwrap()));
        }
        all.sort();
        all
    }

    fn committer(store: &Arc<InMemory>) -> StagingCommitter {
        let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(store);
        StagingCommitter::new((store, Path::from("out")), "out", Uuid::nil(), "csv", b"h\n".to_vec())
    }

    #[tokio::test]
    async fn first_attempts_replace_the_old_output_in_chunk_order() {
        let store = Arc::new(InMemory::new());
        store.put(&Path::from("out/part-00000-old.csv"), b"old".to_vec().into()).await.unwrap();
        let committer = committer(&store);
        committer.begin().await.unwrap();
        stage(store.as_ref(), &committer, 5, "a", "five").await;
        stage(store.as_ref(), &committer, 2, "a", "two").await;
        stage(store.as_ref(), &committer, 2, "b", "two again").await;
        // A task that died left a file without a manifest.
        store.put(&committer.staging().clone().join("part-00003-x.csv"), b"torn".to_vec().into()).await.unwrap();

        let report = committer.commit(Some(2)).await.unwrap();

        assert_eq!((report.files, report.rows, report.series), (2, 2, 2));
        let id = Uuid::nil();
        let expected = [
            ("out/_SUCCESS".to_owned(), String::new()),
            (format!("out/part-00000-{id}-c000.csv"), "two".to_owned()),
            (format!("out/part-00001-{id}-c000.csv"), "five".to_owned()),
        ];
        assert_eq!(contents(store.as_ref()).await, expected);
    }

    #[tokio::test]
    async fn a_missing_part_leaves_the_old_output_alone() {
        let store = Arc::new(InMemory::new());
        store.put(&Path::from("out/part-00000-old.csv"), b"old".to_vec().into()).await.unwrap();
        let committer = committer(&store);
        stage(store.as_ref(), &committer, 0, "a", "new").await;
        let error = committer.commit(Some(2)).await.unwrap_err();
        assert!(matches!(error, CommitError::Incomplete { found: 1, expected: 2, .. }), "{error}");
        committer.abort().await.unwrap();
        assert_eq!(contents(store.as_ref()).await, [("out/part-00000-old.csv".to_owned(), "old".to_owned())]);
    }

    #[tokio::test]
    async fn appending_keeps_what_is_there_if_it_is_alike() {
        use arrow::datatypes::{DataType, Field, Schema};
        let store = Arc::new(InMemory::new());
        let output = |names: &[&str]| {
            let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
            Layout { format: FileFormat::Csv, schema: Arc::new(Schema::new(fields)) }
        };
        let appender = |names: &[&str]| committer(&store).appending(output(names));
        appender(&["h"]).begin().await.unwrap();
        store.put(&Path::from("out/part-00000-old.csv"), b"h\nold\n".to_vec().into()).await.unwrap();
        store.put(&Path::from("out/_SUCCESS"), b"old".to_vec().into()).await.unwrap();

        let error = appender(&["h", "i"]).begin().await.unwrap_err().to_string();
        assert!(error.contains("columns h;") && error.contains("columns h, i"), "{error}");
        let mut json = output(&["h"]);
        json.format = FileFormat::Json;
        let error = committer(&store).appending(json).begin().await.unwrap_err().to_string();
        assert!(error.contains("csv") && error.contains("json"), "{error}");

        let appender = appender(&["h"]);
        appender.begin().await.unwrap();
        stage(store.as_ref(), &appender, 0, "a", "h\nnew\n").await;
        appender.commit(Some(1)).await.unwrap();
        let expected = [
            ("out/_SUCCESS".to_owned(), String::new()),
            (format!("out/part-00000-{}-c000.csv", Uuid::nil()), "h\nnew\n".to_owned()),
            ("out/part-00000-old.csv".to_owned(), "h\nold\n".to_owned()),
        ];
        assert_eq!(contents(store.as_ref()).await, expected);
    }

    #[tokio::test]
    async fn an_output_without_rows_is_one_file_with_the_header() {
        let store = Arc::new(InMemory::new());
        committer(&store).commit(Some(0)).await.unwrap();
        let names: Vec<_> = contents(store.as_ref()).await;
        assert_eq!(names.len(), 2);
        assert_eq!(names[1].1, "h\n");
    }
}
