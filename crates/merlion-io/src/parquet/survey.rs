//! What is to be known of a Parquet table before it is read: columns from the footers, keys and times from one pass over them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type};
use datafusion::parquet::arrow::arrow_reader::ArrowReaderMetadata;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;

use super::convert::{Times, text};
use super::file::{FileColumn, ParquetFileError, columns, find, first_byte, open, read};
use super::stored::StoredFile;
use crate::csv::{ColumnInference, KeySample, SparkType, TimeRange};
use crate::dataset::DatasetError;
use crate::scan::{FilePart, Piece};
use crate::spark_text::{MICROS_PER_SECOND, SECONDS_PER_DAY, SessionZone};
use crate::survey::{ColumnSurvey, Input, TableSurvey};

/// Rows that are looked at together.
const BATCH: usize = 8192;

/// The columns of the key and of the time, surveyed.
struct Seen {
    keys: Option<KeySample>,
    /// Of times that are texts.
    texts: ColumnInference,
    /// Of times that are not, in microseconds.
    range: Option<TimeRange>,
    nulls: u64,
    rows: u64,
}

/// A table of Parquet files whose footers have been read.
pub(crate) struct ParquetTable {
    files: Vec<(ObjectMeta, StoredFile, ArrowReaderMetadata)>,
    columns: Vec<FileColumn>,
}

impl ParquetTable {
    /// Reads the footers. The columns are those of the first file.
    pub(crate) async fn open(input: &Input<'_>) -> Result<Self, DatasetError> {
        let files: Vec<_> = futures::stream::iter(input.files.iter().cloned())
            .map(|file| async move {
                let opened = open(Arc::clone(&input.store.store), file.location.clone(), file.size).await;
                let (reader, metadata) = opened.map_err(|error| damaged(input, &file, &error))?;
                Ok::<_, DatasetError>((file, reader, metadata))
            })
            .buffered(16)
            .try_collect()
            .await?;
        let columns = files.first().map(|(_, _, metadata)| columns(metadata)).unwrap_or_default();
        Ok(Self { files, columns })
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Reads the columns of the key and of the time once, and the rest of what is to be known from the footers.
    pub(crate) async fn survey(
        &self,
        input: &Input<'_>,
        keys: &[usize],
        time: usize,
        data: &[usize],
    ) -> Result<TableSurvey, DatasetError> {
        let mut pieces = Vec::new();
        let mut tasks = Vec::new();
        for (file, reader, metadata) in &self.files {
            let found = self.columns_of(input, file, metadata, keys, time, data)?;
            let groups = metadata.metadata().row_groups();
            for (index, group) in groups.iter().enumerate() {
                let end = groups.get(index + 1).map_or(file.size, first_byte);
                let (path, start) = (file.location.to_string(), first_byte(group));
                pieces.push(Piece { part: FilePart { path, size: file.size, start, end }, cuttable: false });
                tasks.push((file, reader.clone(), metadata.clone(), found.clone(), index));
            }
        }
        let zone = input.zone;
        let at_once = std::thread::available_parallelism().map_or(1, Into::into);
        let seen: Option<Seen> = futures::stream::iter(tasks)
            .map(|(file, reader, metadata, found, group)| async move {
                let surveyed = tokio::spawn(survey_group(reader, metadata, found, group, zone)).await;
                match surveyed {
                    Ok(seen) => seen.map_err(|error| damaged(input, file, &error)),
                    Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
                }
            })
            .buffered(at_once)
            .try_fold(None, |whole: Option<Seen>, part| async move {
                Ok(Some(match whole {
                    Some(whole) => whole.merged(part),
                    None => part,
                }))
            })
            .await?;
        let groups = || self.files.iter().flat_map(|(_, _, metadata)| metadata.metadata().row_groups());
        let records = groups().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).sum();
        let nulls = |column: &FileColumn| -> u64 {
            // Without statistics a column counts as having values.
            let known = groups()
                .map(|group| group.columns().get(column.leaf).and_then(|leaf| leaf.statistics()?.null_count_opt()));
            known.sum::<Option<u64>>().unwrap_or(0)
        };
        let mut surveyed: Vec<ColumnSurvey> = self
            .columns
            .iter()
            .map(|column| {
                let found = column.spark_type().unwrap_or(SparkType::String);
                let described = matches!(found, SparkType::String).then(|| column.described());
                ColumnSurvey { nulls: nulls(column), described, ..ColumnSurvey::of(found) }
            })
            .collect();
        let mut sample = None;
        if let Some(seen) = seen {
            let column = &mut surveyed[time];
            column.nulls = seen.nulls;
            column.time_range = seen.range;
            if self.columns[time].data_type == DataType::Utf8 {
                *column = ColumnSurvey { nulls: seen.nulls, ..ColumnSurvey::inferred(&seen.texts, &zone) };
            }
            sample = seen.keys;
        }
        for key in keys {
            // What is sampled are the texts already.
            surveyed[*key].sampled = SparkType::String;
        }
        let bytes = groups().map(|group| u64::try_from(group.total_byte_size()).unwrap_or(0)).sum();
        let keys = sample.filter(|_| !keys.is_empty());
        Ok(TableSurvey { names: self.names(), columns: surveyed, records, bytes, keys, bad_lines: None, pieces })
    }

    /// The columns of key and time in a file, which must be what they are in the first.
    fn columns_of(
        &self,
        input: &Input<'_>,
        file: &ObjectMeta,
        metadata: &ArrowReaderMetadata,
        keys: &[usize],
        time: usize,
        data: &[usize],
    ) -> Result<Vec<FileColumn>, DatasetError> {
        let known = columns(metadata);
        let read = keys.iter().chain([&time]);
        for (at, wanted) in read.clone().chain(data).map(|at| (at, &self.columns[*at])) {
            let found = find(&known, &wanted.name);
            let same = found.is_some_and(|found| found.described() == wanted.described());
            // As data numbers are numbers; as texts `1` is not `1.0`.
            let number = |column: &FileColumn| column.spark_type().is_some_and(SparkType::is_numeric);
            let alike = data.contains(at) && number(wanted) && found.is_some_and(number);
            if !same && !alike {
                return Err(DatasetError::OtherColumns {
                    path: input.shown(&file.location),
                    first: self.files.first().map(|(file, ..)| input.shown(&file.location)).unwrap_or_default(),
                    column: wanted.name.clone(),
                    found: found.map_or_else(|| "missing".to_owned(), FileColumn::described),
                    wanted: wanted.described(),
                });
            }
        }
        Ok(read.filter_map(|at| find(&known, &self.columns[*at].name).cloned()).collect())
    }

    /// Refuses columns that cannot tell series apart or be their data or times.
    pub(crate) fn check(&self, path: &str, keys: &[usize], time: usize) -> Result<(), DatasetError> {
        let refused = |role, at: usize, wanted| DatasetError::ColumnType {
            path: path.to_owned(),
            role,
            name: self.columns[at].name.clone(),
            found: self.columns[at].described(),
            wanted,
        };
        if let Some(key) = keys.iter().find(|key| self.columns[**key].spark_type().is_none()) {
            return Err(refused("index", *key, "which has no text"));
        }
        if self.columns[time].spark_type().is_none() || self.columns[time].data_type == DataType::Binary {
            return Err(refused("time", time, "not a date or time"));
        }
        Ok(())
    }
}

fn damaged(input: &Input<'_>, file: &ObjectMeta, error: &dyn std::error::Error) -> DatasetError {
    let what = "this is no Parquet file, or it is damaged".to_owned();
    DatasetError::Damaged { path: input.shown(&file.location), what, reason: error.to_string() }
}

impl Seen {
    fn merged(mut self, later: Self) -> Self {
        if let (Some(ours), Some(theirs)) = (&mut self.keys, &later.keys) {
            ours.merge(theirs);
        }
        self.texts.merge(&later.texts, self.rows);
        self.range = match (self.range, later.range) {
            (Some(a), Some(b)) => Some(TimeRange { min: a.min.min(b.min), max: a.max.max(b.max) }),
            (a, b) => a.or(b),
        };
        self.nulls += later.nulls;
        self.rows += later.rows;
        self
    }
}

/// Looks at one row group: the columns of the key, and the time last.
async fn survey_group(
    reader: StoredFile,
    metadata: ArrowReaderMetadata,
    found: Vec<FileColumn>,
    group: usize,
    zone: SessionZone,
) -> Result<Seen, ParquetFileError> {
    let keys = found.len() - 1;
    let mut seen = Seen {
        keys: (keys > 0).then(|| KeySample::new((0..keys).collect())),
        texts: ColumnInference::default(),
        range: None,
        nulls: 0,
        rows: 0,
    };
    let mut batches = read(reader, metadata, &found, vec![group], BATCH)?;
    while let Some(batch) = batches.try_next().await? {
        let texts: Vec<ArrayRef> =
            (0..keys).map(|key| text(batch.column(key), &found[key].data_type, &zone)).collect::<Result<_, _>>()?;
        if let Some(sample) = &mut seen.keys {
            let texts: Vec<_> = texts.iter().map(|array| array.as_string::<i32>()).collect();
            for row in 0..batch.num_rows() {
                sample.update_with(keys, |key| texts[key].is_valid(row).then(|| texts[key].value(row).as_bytes()));
            }
        }
        seen.times(batch.column(keys), &found[keys].data_type, &zone)?;
    }
    Ok(seen)
}

impl Seen {
    fn times(&mut self, times: &ArrayRef, data_type: &DataType, zone: &SessionZone) -> Result<(), ParquetFileError> {
        let valid = (0..times.len()).filter(|row| times.is_valid(*row));
        let range = match data_type {
            DataType::Utf8 => {
                for value in times.as_string::<i32>() {
                    self.rows += 1;
                    self.texts.update(value.unwrap_or_default().as_bytes(), self.rows, zone);
                }
                self.nulls = self.texts.nulls();
                return Ok(());
            }
            DataType::Date32 => {
                let days = times.as_primitive::<Date32Type>();
                min_max(valid.map(|row| i64::from(days.value(row)) * SECONDS_PER_DAY * MICROS_PER_SECOND))
            }
            DataType::Timestamp(_, zoned) => {
                let values = Times::of(times)?;
                min_max(valid.map(|row| {
                    let (seconds, nanos) = values.value(row);
                    let instant = if zoned.is_some() { seconds } else { zone.instant_of(seconds) };
                    instant.saturating_mul(MICROS_PER_SECOND).saturating_add(nanos / 1000)
                }))
            }
            _ => None,
        };
        self.rows += times.len() as u64;
        self.nulls += times.null_count() as u64;
        if let Some((min, max)) = range {
            let known = self.range.get_or_insert(TimeRange { min, max });
            *known = TimeRange { min: known.min.min(min), max: known.max.max(max) };
        }
        Ok(())
    }
}

fn min_max(values: impl Iterator<Item = i64>) -> Option<(i64, i64)> {
    values.fold(None, |range, value| {
        Some(range.map_or((value, value), |(min, max): (i64, i64)| (min.min(value), max.max(value))))
    })
}
