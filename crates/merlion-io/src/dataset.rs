//! A table of series as Spark would read it: found, surveyed, and its columns given their roles.

use std::sync::Arc;

use datafusion::common::Result as DataFusionResult;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::chunk::Key;
use crate::csv::{CsvSurvey, KeySample, LineRange, Projected, Read, SparkType, SurveyOptions, first_line, strip_bom};
use crate::path::{self, Store};
use crate::scan::{ColumnSpec, FilePart, ScanSpec, blocks};
use crate::spark_text::{SessionZone, spark_string};

/// Bytes of a file that one survey task reads.
const SURVEY_BYTES: u64 = 16 << 20;

/// The longest header that is looked for.
const MAX_HEADER: u64 = 1 << 20;

/// Why a table cannot be read as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A path that is none.
    #[error("{path}: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No file there.
    #[error("{path}: no such file, or no file in that folder")]
    NotFound {
        /// The path.
        path: String,
    },
    /// The store failed.
    #[error("{path}: {source}")]
    Storage {
        /// The path.
        path: String,
        /// What the store said.
        source: object_store::Error,
    },
    /// A compressed file.
    #[error("{path}: compressed files cannot be read yet")]
    Compressed {
        /// The file.
        path: String,
    },
    /// Files without a line.
    #[error("{path}: empty, not even a header")]
    Empty {
        /// The path.
        path: String,
    },
    /// Files without a record.
    #[error("{path}: a header and no rows")]
    NoRows {
        /// The path.
        path: String,
    },
    /// No such column.
    #[error("{path}: no {role} column '{name}'{}; the columns are {columns}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    NoColumn {
        /// The path.
        path: String,
        /// What it was to be: time, index, data.
        role: &'static str,
        /// The name asked for.
        name: String,
        /// The nearest there is.
        nearest: Option<String>,
        /// What there is.
        columns: String,
    },
    /// All columns are index or data.
    #[error("{path}: no column is left for the time: {columns}")]
    NoTimeColumn {
        /// The path.
        path: String,
        /// What there is.
        columns: String,
    },
    /// A data column with text in it.
    #[error("{path}: data column '{name}' is not numeric: '{value}' in row {row}")]
    NotNumeric {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// The first value that is no number.
        value: String,
        /// Its row, counted from 1 without headers.
        row: u64,
    },
    /// A data column without values.
    #[error("{path}: data column '{name}' has no values")]
    NoValues {
        /// The path.
        path: String,
        /// The column.
        name: String,
    },
    /// A time column with something else in it.
    #[error(
        "{path}: time column '{name}' has '{value}' in row {row}, which is no time (2012-11-02, 2012-11-02 13:30:00)"
    )]
    NotATime {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// The first value that is no time.
        value: String,
        /// Its row, counted from 1 without headers.
        row: u64,
    },
    /// A time column of numbers or booleans.
    #[error("{path}: time column '{name}' is {found}, not a date or time")]
    TimeType {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// What it is.
        found: SparkType,
    },
    /// Times that 64-bit nanoseconds cannot hold.
    #[error("{path}: time column '{name}' goes from {first} to {last}, beyond 1677-09-21 to 2262-04-11")]
    TimeOutOfRange {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// The earliest time.
        first: String,
        /// The latest time.
        last: String,
    },
    /// A reserved word as a key.
    #[error("{path}: index column '{name}' has the reserved value '__aggregated__'")]
    Reserved {
        /// The path.
        path: String,
        /// The column.
        name: String,
    },
    /// A time zone that does not exist.
    #[error("time zone '{0}' is unknown")]
    TimeZone(String),
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeType {
    /// As days.
    Date,
    /// As instants.
    Timestamp,
}

/// Which table, and which column is what.
#[derive(Debug, Clone, Default)]
pub struct DatasetRequest {
    /// The file or folder.
    pub path: String,
    /// The time column; the first that is neither index nor data if absent.
    pub time_col: Option<String>,
    /// The columns that tell the series apart.
    pub index_cols: Vec<String>,
    /// The data columns; all others if empty.
    pub data_cols: Vec<String>,
    /// Whether times are cut to days, as Merlion's apps do.
    pub date_only: bool,
    /// The session's time zone.
    pub time_zone: String,
}

/// A table that has been surveyed.
#[derive(Debug, Clone)]
pub struct Dataset {
    path: String,
    store: Store,
    files: Vec<ObjectMeta>,
    survey: CsvSurvey,
    zone: SessionZone,
    time_zone: String,
    date_only: bool,
    time: usize,
    time_name: String,
    index: Vec<(String, usize)>,
    data: Vec<(String, usize)>,
}

impl Dataset {
    /// Finds a table, reads it once to learn its types and keys, and checks that its columns can play their roles.
    ///
    /// # Errors
    /// A [`DatasetError`] naming the path, and the column and the row where there is one.
    pub async fn open(runtime: &RuntimeEnv, request: &DatasetRequest) -> Result<Self, DatasetError> {
        let zone: SessionZone =
            request.time_zone.parse().map_err(|_| DatasetError::TimeZone(request.time_zone.clone()))?;
        let (store, files) = path::input(runtime, &request.path).await?;
        if let Some(file) =
            files.iter().find(|file| matches!(file.location.extension(), Some("gz" | "bz2" | "zst" | "xz")))
        {
            let name = file.location.filename().unwrap_or_default();
            let path =
                if request.path.ends_with(name) { request.path.clone() } else { format!("{}/{name}", request.path) };
            return Err(DatasetError::Compressed { path });
        }
        let header = first_header(&store, &files, &request.path).await?;
        let names = CsvSurvey::new(&header, SurveyOptions::default()).names().to_vec();

        let find = |role, name: &String| find_column(&request.path, &names, role, name).map(|at| (name.clone(), at));
        let index = request.index_cols.iter().map(|name| find("index", name)).collect::<Result<Vec<_>, _>>()?;
        let mut data = request.data_cols.iter().map(|name| find("data", name)).collect::<Result<Vec<_>, _>>()?;
        let taken = |at: &usize| index.iter().chain(&data).any(|(_, used)| used == at);
        let (time_name, time) = match &request.time_col {
            Some(name) => find("time", name)?,
            None => {
                let free = (0..names.len()).find(|at| !taken(at));
                let at = free.ok_or_else(|| DatasetError::NoTimeColumn {
                    path: request.path.clone(),
                    columns: names.join(", "),
                })?;
                (names[at].clone(), at)
            }
        };
        if data.is_empty() {
            let rest = (0..names.len()).filter(|at| *at != time && !index.iter().any(|(_, used)| used == at));
            data = rest.map(|at| (names[at].clone(), at)).collect();
        }

        let options = SurveyOptions { zone, key_columns: index.iter().map(|(_, at)| *at).collect() };
        let survey = survey_files(&store, &files, &header, &options, &request.path).await?;
        if survey.records() == 0 {
            return Err(DatasetError::NoRows { path: request.path.clone() });
        }
        let dataset = Self {
            path: request.path.clone(),
            store,
            files,
            survey,
            zone,
            time_zone: request.time_zone.clone(),
            date_only: request.date_only,
            time,
            time_name,
            index,
            data,
        };
        dataset.check_time()?;
        dataset.check_keys()?;
        Ok(dataset)
    }

    /// The same table with fewer data columns, which are checked to be numeric.
    ///
    /// # Errors
    /// [`DatasetError::NotNumeric`] with the first value that is no number, [`DatasetError::NoColumn`] for one that is not among
    /// the data columns.
    pub fn with_data_columns(mut self, names: &[String]) -> Result<Self, DatasetError> {
        let known: Vec<String> = self.data.iter().map(|(name, _)| name.clone()).collect();
        let mut data = Vec::with_capacity(names.len());
        for name in names {
            let at = find_column(&self.path, &known, "data", name)?;
            let column = self.data[at].1;
            let (path, name) = (self.path.clone(), name.clone());
            let inference = &self.survey.columns()[column];
            if inference.nulls() >= self.survey.records() {
                return Err(DatasetError::NoValues { path, name });
            }
            let found = inference.finish();
            if !found.is_numeric() && found != SparkType::Boolean {
                let first = inference.not_a_number();
                let (value, row) = first.map_or((found.to_string(), 1), |seen| (seen.token.clone(), seen.record));
                return Err(DatasetError::NotNumeric { path, name, value, row });
            }
            data.push(self.data[at].clone());
        }
        self.data = data;
        Ok(self)
    }

    fn check_time(&self) -> Result<(), DatasetError> {
        let column = &self.survey.columns()[self.time];
        let found = column.finish();
        let (path, name) = (self.path.clone(), self.time_name.clone());
        match found {
            SparkType::Date | SparkType::Timestamp => match column.time_range(&self.zone) {
                Some(range) if range.min.checked_mul(1000).is_none() || range.max.checked_mul(1000).is_none() => {
                    let text = |micros: i64| {
                        chrono::DateTime::from_timestamp_micros(micros)
                            .map_or_else(String::new, |t| t.date_naive().to_string())
                    };
                    Err(DatasetError::TimeOutOfRange { path, name, first: text(range.min), last: text(range.max) })
                }
                _ => Ok(()),
            },
            // Spark refuses whole numbers; read as seconds (or milliseconds…) since 1970 they are times.
            SparkType::Int | SparkType::BigInt if !self.date_only => Ok(()),
            SparkType::String if column.nulls() < self.survey.records() => {
                let first = column.not_a_time();
                let (value, row) = first.map_or((String::new(), 1), |seen| (seen.token.clone(), seen.record));
                Err(DatasetError::NotATime { path, name, value, row })
            }
            SparkType::String => Err(DatasetError::NoValues { path, name }),
            found => Err(DatasetError::TimeType { path, name, found }),
        }
    }

    fn check_keys(&self) -> Result<(), DatasetError> {
        let Some(keys) = self.survey.keys() else { return Ok(()) };
        for key in keys.keys() {
            if let Some(at) = key.iter().position(|token| *token == Some(b"__aggregated__")) {
                return Err(DatasetError::Reserved { path: self.path.clone(), name: self.index[at].0.clone() });
            }
        }
        Ok(())
    }

    /// The time column's name.
    #[must_use]
    pub fn time_column(&self) -> &str {
        &self.time_name
    }

    /// How times of this table are written: as days when they are days.
    #[must_use]
    pub fn time_type(&self) -> TimeType {
        if self.date_only || self.survey.columns()[self.time].finish() == SparkType::Date {
            TimeType::Date
        } else {
            TimeType::Timestamp
        }
    }

    /// First and last time, where the survey knows them (not for epoch numbers).
    #[must_use]
    pub fn time_range(&self) -> Option<(merlion::time::Timestamp, merlion::time::Timestamp)> {
        let range = self.survey.columns()[self.time].time_range(&self.zone)?;
        let instant = |micros: i64| micros.checked_mul(1000).map(merlion::time::Timestamp::from_nanos);
        Some((instant(range.min)?, instant(range.max)?))
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.survey.records()
    }

    /// Series: exact up to four million, an estimate good to a few per cent beyond.
    #[must_use]
    pub fn series(&self) -> u64 {
        self.survey.keys().map_or(1, KeySample::distinct)
    }

    /// Whether [`Dataset::series`] is exact.
    #[must_use]
    pub fn series_is_exact(&self) -> bool {
        self.survey.keys().is_none_or(KeySample::is_exact)
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// A sample of the keys, as the texts they become.
    #[must_use]
    pub fn key_sample(&self) -> Vec<Key> {
        let Some(sample) = self.survey.keys() else { return Vec::new() };
        let types = self.survey.types();
        let text = |token: Option<&[u8]>, at: usize| {
            let mut text = Vec::new();
            let readable = spark_string(token?, types[at], &self.zone, &mut text);
            readable.then(|| String::from_utf8_lossy(&text).into_owned())
        };
        sample
            .keys()
            .map(|key| key.into_iter().zip(&self.index).map(|(token, (_, at))| text(token, *at)).collect())
            .collect()
    }

    /// The scan of the table in about `partitions` parts: index columns as text, the time, data columns as 64-bit floats.
    ///
    /// # Errors
    /// When a column cannot be read as its role wants.
    pub fn scan(&self, partitions: usize) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let types = self.survey.types();
        let column = |name: &str, index: usize, read: Read| Projected { name: name.to_owned(), index, read };
        let mut projected: Vec<Projected> =
            self.index.iter().map(|(name, at)| column(name, *at, Read::Utf8SparkString(types[*at]))).collect();
        let as_time = if self.date_only { Read::TimeAsDate } else { Read::TimeAsTimestamp };
        projected.push(column(&self.time_name, self.time, as_time(types[self.time])));
        projected.extend(self.data.iter().map(|(name, at)| {
            let boolean = types[*at] == SparkType::Boolean;
            column(name, *at, if boolean { Read::Raw(SparkType::Boolean) } else { Read::Float64 })
        }));
        ScanSpec {
            store: self.store.url.clone(),
            partitions: parts(&self.files, partitions),
            columns: ColumnSpec { projected, file_columns: types.len(), time_zone: self.time_zone.clone() },
        }
        .plan()
    }
}

/// Cuts files into about `count` parts of about equal size.
fn parts(files: &[ObjectMeta], count: usize) -> Vec<Vec<FilePart>> {
    let total: u64 = files.iter().map(|file| file.size).sum();
    let share = total.div_ceil(count.max(1) as u64).max(1);
    let mut partitions = Vec::new();
    let (mut current, mut room) = (Vec::new(), share);
    for file in files {
        let mut start = 0;
        while start < file.size {
            let end = file.size.min(start + room);
            current.push(FilePart { path: file.location.to_string(), size: file.size, start, end });
            room -= end - start;
            start = end;
            if room == 0 {
                partitions.push(std::mem::take(&mut current));
                room = share;
            }
        }
    }
    if !current.is_empty() {
        partitions.push(current);
    }
    partitions
}

async fn first_header(store: &Store, files: &[ObjectMeta], path: &str) -> Result<Vec<u8>, DatasetError> {
    for file in files.iter().filter(|file| file.size > 0) {
        let bytes = store
            .store
            .get_range(&file.location, 0..file.size.min(MAX_HEADER))
            .await
            .map_err(|source| DatasetError::Storage { path: path.to_owned(), source })?;
        if let Some((line, _)) = first_line(strip_bom(&bytes)) {
            return Ok(line.to_vec());
        }
    }
    Err(DatasetError::Empty { path: path.to_owned() })
}

fn find_column(path: &str, names: &[String], role: &'static str, name: &str) -> Result<usize, DatasetError> {
    let exact = names.iter().position(|known| known == name);
    // Spark finds columns whatever their case.
    exact.or_else(|| names.iter().position(|known| known.eq_ignore_ascii_case(name))).ok_or_else(|| {
        DatasetError::NoColumn {
            path: path.to_owned(),
            role,
            name: name.to_owned(),
            nearest: merlion::nearest::nearest(name, names.iter().map(String::as_str)).map(str::to_owned),
            columns: names.join(", "),
        }
    })
}

async fn survey_files(
    store: &Store,
    files: &[ObjectMeta],
    header: &[u8],
    options: &SurveyOptions,
    path: &str,
) -> Result<CsvSurvey, DatasetError> {
    let empty = CsvSurvey::new(header, options.clone());
    let tasks = std::thread::available_parallelism().map_or(1, Into::into);
    let ranges = files.iter().flat_map(|file| {
        (0..file.size)
            .step_by(SURVEY_BYTES as usize)
            .map(move |start| (file, start, file.size.min(start + SURVEY_BYTES)))
    });
    futures::stream::iter(ranges)
        .map(|(file, start, end)| {
            let survey =
                survey_range(Arc::clone(&store.store), file.location.clone(), start..end, file.size, empty.fresh());
            async move { tokio::spawn(survey).await }
        })
        .buffered(tasks)
        .map(|joined| match joined {
            Ok(survey) => survey.map_err(|source| DatasetError::Storage { path: path.to_owned(), source }),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        })
        // In file order: record numbers count from the first file's first row.
        .try_fold(empty.clone(), |mut whole, part| async move {
            whole.merge(&part);
            Ok(whole)
        })
        .await
}

async fn survey_range(
    store: Arc<dyn ObjectStore>,
    path: Path,
    bytes: std::ops::Range<u64>,
    size: u64,
    mut survey: CsvSurvey,
) -> Result<CsvSurvey, object_store::Error> {
    let mut range = LineRange::new(bytes.start, bytes.end);
    let mut blocks = blocks(store, path, &range, bytes.end, size);
    let mut partial: Vec<u8> = Vec::new();
    let mut at_start = bytes.start == 0;
    while !range.is_complete() {
        let Some(block) = blocks.try_next().await? else { break };
        let mut lines = range.take(&block);
        if std::mem::take(&mut at_start) {
            lines = strip_bom(lines);
        }
        // The survey takes whole lines: what is begun at the end of a block waits for the next.
        let whole = lines.iter().rposition(|b| matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
        if whole > 0 && !partial.is_empty() {
            let first = lines.iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(whole, |at| at + 1);
            partial.extend_from_slice(&lines[..first]);
            survey.update(&partial);
            partial.clear();
            survey.update(&lines[first..whole]);
        } else {
            survey.update(&lines[..whole]);
        }
        partial.extend_from_slice(&lines[whole..]);
    }
    survey.update(&partial);
    Ok(survey)
}
