//! A table of series as Spark would read it: found, surveyed, and its columns given their roles.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::Result as DataFusionResult;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::ExecutionPlan;

mod error;

pub use error::DatasetError;

use crate::chunk::Key;
use crate::csv::{CsvSurvey, KeySample, Projected, Read, SparkType, SurveyOptions};
use crate::format::FileFormat;
use crate::json::BadLines;
use crate::parquet::ParquetTable;
use crate::path::{self, Store};
use crate::scan::{ColumnSpec, ScanSpec, partitions};
use crate::spark_text::{SessionZone, spark_string};
use crate::survey::{self, ColumnSurvey, Input, TableSurvey};

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
    /// The file, folder or pattern.
    pub path: String,
    /// How the files are stored.
    pub format: FileFormat,
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
    format: FileFormat,
    store: Store,
    survey: TableSurvey,
    zone: SessionZone,
    time_zone: String,
    date_only: bool,
    roles: Roles,
}

/// Which column is what: the names as asked for, and the positions among the table's columns.
#[derive(Debug, Clone)]
struct Roles {
    time: (String, usize),
    index: Vec<(String, usize)>,
    data: Vec<(String, usize)>,
}

impl Roles {
    fn of(request: &DatasetRequest, names: &[String]) -> Result<Self, DatasetError> {
        let find = |role, name: &String| find_column(&request.path, names, role, name).map(|at| (name.clone(), at));
        let index = request.index_cols.iter().map(|name| find("index", name)).collect::<Result<Vec<_>, _>>()?;
        let mut data = request.data_cols.iter().map(|name| find("data", name)).collect::<Result<Vec<_>, _>>()?;
        let taken = |at: &usize| index.iter().chain(&data).any(|(_, used)| used == at);
        let time = match &request.time_col {
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
            let rest = (0..names.len()).filter(|at| *at != time.1 && !index.iter().any(|(_, used)| used == at));
            data = rest.map(|at| (names[at].clone(), at)).collect();
        }
        Ok(Self { time, index, data })
    }

    fn keys(&self) -> Vec<usize> {
        self.index.iter().map(|(_, at)| *at).collect()
    }

    fn data(&self) -> Vec<usize> {
        self.data.iter().map(|(_, at)| *at).collect()
    }
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
        let input = Input { typed: &request.path, store: &store, files: &files, zone };
        survey::check_names(&input, request.format)?;
        let (roles, survey) = match request.format {
            FileFormat::Csv => {
                let header = survey::first_header(&input).await?;
                let roles = Roles::of(request, CsvSurvey::new(&header, SurveyOptions::default()).names())?;
                let survey = survey::survey_csv(&input, &header, roles.keys()).await?;
                (roles, survey)
            }
            FileFormat::Json => open_json(&input, request).await?,
            FileFormat::Parquet => {
                let table = ParquetTable::open(&input).await?;
                let roles = Roles::of(request, &table.names())?;
                table.check(&request.path, &roles.keys(), roles.time.1)?;
                let survey = table.survey(&input, &roles.keys(), roles.time.1, &roles.data()).await?;
                (roles, survey)
            }
        };
        if survey.records == 0 {
            return Err(DatasetError::NoRows { path: request.path.clone() });
        }
        if let Some(bad) = &survey.bad_lines {
            log::warn!(
                "{}: left out {} lines that are no JSON objects, the first is line {}: '{}'",
                request.path,
                bad.count,
                bad.first.record,
                bad.first.token
            );
        }
        let dataset = Self {
            path: request.path.clone(),
            format: request.format,
            store,
            survey,
            zone,
            time_zone: request.time_zone.clone(),
            date_only: request.date_only,
            roles,
        };
        dataset.check_time()?;
        dataset.check_keys()?;
        Ok(dataset)
    }

    /// The lines of a JSON table that are no objects, and are left out.
    #[must_use]
    pub fn bad_lines(&self) -> Option<&BadLines> {
        self.survey.bad_lines.as_ref()
    }

    fn time(&self) -> &ColumnSurvey {
        &self.survey.columns[self.roles.time.1]
    }

    /// The same table with fewer data columns, which are checked to be numeric.
    ///
    /// # Errors
    /// [`DatasetError::NotNumeric`] with the first value that is no number, [`DatasetError::NoColumn`] for one that is not among
    /// the data columns.
    pub fn with_data_columns(mut self, names: &[String]) -> Result<Self, DatasetError> {
        let known: Vec<String> = self.roles.data.iter().map(|(name, _)| name.clone()).collect();
        let mut data = Vec::with_capacity(names.len());
        for name in names {
            let at = find_column(&self.path, &known, "data", name)?;
            let column = self.roles.data[at].1;
            let (path, name) = (self.path.clone(), name.clone());
            let survey = &self.survey.columns[column];
            if survey.nulls >= self.survey.records {
                return Err(DatasetError::NoValues { path, name });
            }
            if !survey.found.is_numeric() && survey.found != SparkType::Boolean {
                if let Some(first) = &survey.not_a_number {
                    return Err(DatasetError::NotNumeric { path, name, value: first.token.clone(), row: first.record });
                }
                let found = survey.described.clone().unwrap_or_else(|| survey.found.to_string());
                return Err(DatasetError::ColumnType { path, role: "data", name, found, wanted: "not numbers" });
            }
            data.push(self.roles.data[at].clone());
        }
        self.roles.data = data;
        Ok(self)
    }

    fn check_time(&self) -> Result<(), DatasetError> {
        let column = self.time();
        let (path, name) = (self.path.clone(), self.roles.time.0.clone());
        if column.nulls >= self.survey.records {
            return Err(DatasetError::NoValues { path, name });
        }
        match column.found {
            SparkType::Date | SparkType::Timestamp => match column.time_range {
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
            SparkType::String => {
                let first = column.not_a_time.as_ref();
                let (value, row) = first.map_or((String::new(), 1), |seen| (seen.token.clone(), seen.record));
                Err(DatasetError::NotATime { path, name, value, row })
            }
            found => Err(DatasetError::TimeType { path, name, found }),
        }
    }

    fn check_keys(&self) -> Result<(), DatasetError> {
        let Some(keys) = &self.survey.keys else { return Ok(()) };
        for key in keys.keys() {
            if let Some(at) = key.iter().position(|token| *token == Some(b"__aggregated__")) {
                return Err(DatasetError::Reserved { path: self.path.clone(), name: self.roles.index[at].0.clone() });
            }
        }
        // Merlion makes one series of such keys without a word.
        if self.date_only { Ok(()) } else { self.check_texts() }
    }

    /// Refuses keys that are told apart by nothing but how a number is written, such as `01` and `1`.
    fn check_texts(&self) -> Result<(), DatasetError> {
        let Some(keys) = &self.survey.keys else { return Ok(()) };
        let texts = self.key_sample();
        let mut seen: HashMap<&Key, Vec<Option<&[u8]>>> = HashMap::with_capacity(texts.len());
        for (tokens, text) in keys.keys().zip(&texts) {
            let Some(other) = seen.insert(text, tokens.clone()) else { continue };
            let apart = tokens.iter().zip(&other).position(|(a, b)| a != b);
            if let Some((at, (Some(first), Some(second)))) = apart.map(|at| (at, (other[at], tokens[at]))) {
                return Err(DatasetError::SameText {
                    path: self.path.clone(),
                    name: self.roles.index[at].0.clone(),
                    spellings: format!(
                        "'{}' and '{}'",
                        String::from_utf8_lossy(first),
                        String::from_utf8_lossy(second)
                    ),
                    text: text[at].clone().unwrap_or_default(),
                });
            }
        }
        Ok(())
    }

    /// The time column's name.
    #[must_use]
    pub fn time_column(&self) -> &str {
        &self.roles.time.0
    }

    /// How times of this table are written: as days when they are days.
    #[must_use]
    pub fn time_type(&self) -> TimeType {
        if self.date_only || self.time().found == SparkType::Date { TimeType::Date } else { TimeType::Timestamp }
    }

    /// First and last time, where the survey knows them (not for epoch numbers).
    #[must_use]
    pub fn time_range(&self) -> Option<(merlion::time::Timestamp, merlion::time::Timestamp)> {
        let range = self.time().time_range?;
        let instant = |micros: i64| micros.checked_mul(1000).map(merlion::time::Timestamp::from_nanos);
        Some((instant(range.min)?, instant(range.max)?))
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.survey.records
    }

    /// Series: exact up to four million, an estimate good to a few per cent beyond.
    #[must_use]
    pub fn series(&self) -> u64 {
        self.survey.keys.as_ref().map_or(1, KeySample::distinct)
    }

    /// Whether [`Dataset::series`] is exact.
    #[must_use]
    pub fn series_is_exact(&self) -> bool {
        self.survey.keys.as_ref().is_none_or(KeySample::is_exact)
    }

    /// Bytes of the table, unpacked.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.survey.bytes
    }

    /// A sample of the keys, as the texts they become.
    #[must_use]
    pub fn key_sample(&self) -> Vec<Key> {
        let Some(sample) = &self.survey.keys else { return Vec::new() };
        let text = |token: Option<&[u8]>, at: usize| {
            let (token, read) = (token?, self.survey.columns[at].sampled);
            if token.is_empty() {
                return (read == SparkType::String).then(String::new);
            }
            let mut text = Vec::new();
            let readable = spark_string(token, read, &self.zone, &mut text);
            readable.then(|| String::from_utf8_lossy(&text).into_owned())
        };
        sample
            .keys()
            .map(|key| key.into_iter().zip(&self.roles.index).map(|(token, (_, at))| text(token, *at)).collect())
            .collect()
    }

    /// The scan of the table in about `count` parts: index columns as text, the time, data columns as 64-bit floats.
    ///
    /// # Errors
    /// When a column cannot be read as its role wants.
    pub fn scan(&self, count: usize) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let columns = &self.survey.columns;
        let as_time = if self.date_only { Read::TimeAsDate } else { Read::TimeAsTimestamp };
        // Spark casts a JSON text to a date without looking for a zone in it, and a CSV's timestamp in the session's.
        let time = match (self.format, self.date_only) {
            (FileFormat::Json, true) => SparkType::String,
            _ => self.time().found,
        };
        let wanted: Vec<(&str, usize, Read)> = self
            .roles
            .index
            .iter()
            .map(|(name, at)| (name.as_str(), *at, Read::Utf8SparkString(columns[*at].text)))
            .chain([(self.roles.time.0.as_str(), self.roles.time.1, as_time(time))])
            .chain(self.roles.data.iter().map(|(name, at)| {
                let boolean = columns[*at].found == SparkType::Boolean;
                (name.as_str(), *at, if boolean { Read::Raw(SparkType::Boolean) } else { Read::Float64 })
            }))
            .collect();
        let projected =
            wanted.iter().map(|(name, index, read)| Projected { name: (*name).to_owned(), index: *index, read: *read });
        ScanSpec {
            store: self.store.url.clone(),
            partitions: partitions(&self.survey.pieces, count),
            columns: ColumnSpec {
                format: self.format,
                projected: projected.collect(),
                fields: wanted.iter().map(|(_, at, _)| self.survey.names[*at].clone()).collect(),
                file_columns: columns.len(),
                time_zone: self.time_zone.clone(),
            },
        }
        .plan()
    }
}

/// The columns of JSON are known when all of it has been read.
async fn open_json(input: &Input<'_>, request: &DatasetRequest) -> Result<(Roles, TableSurvey), DatasetError> {
    let mut key_names = request.index_cols.clone();
    loop {
        let survey = survey::survey_json(input, &key_names).await?;
        if let (0, Some(bad)) = (survey.records, &survey.bad_lines) {
            return Err(DatasetError::NotJson {
                path: request.path.clone(),
                count: bad.count,
                first: bad.first.token.clone(),
            });
        }
        if survey.records == 0 {
            return Err(DatasetError::NoRows { path: request.path.clone() });
        }
        let roles = Roles::of(request, &survey.names)?;
        let found: Vec<String> = roles.keys().into_iter().map(|at| survey.names[at].clone()).collect();
        if found == key_names {
            return Ok((roles, survey));
        }
        // Asked for in another case than the files have: the sample of the keys is of columns that do not exist.
        key_names = found;
    }
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
