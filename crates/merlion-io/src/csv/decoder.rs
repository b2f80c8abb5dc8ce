//! The second pass: bytes to record batches, for the columns a plan needs and in the reading it needs them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use super::lines::{first_line, strip_bom};
use super::rows::{PartialLine, Rows};
use super::{DecodeError, SparkType, Splitter};
use crate::spark_text::SessionZone;

/// How a column is to be read, given the type that inference found for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Read {
    /// Utf8: Spark's `cast(column as string)`, for index columns. `001` of an int column is `1`.
    Utf8SparkString(SparkType),
    /// Timestamp(ns) of midnight UTC: Spark's `cast(column as date)`, the day in the session's zone.
    TimeAsDate(SparkType),
    /// Timestamp(ns): the instant. Whole numbers count as [epoch times](super::epoch_unit), which Spark refuses.
    TimeAsTimestamp(SparkType),
    /// Float64, for data columns: whatever Java reads as a double, else null.
    Float64,
    /// The Arrow type that is closest to the Spark type: what `spark.read` itself gives.
    Raw(SparkType),
}

/// A column of the output.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Projected {
    /// Its name in the batch.
    pub name: String,
    /// Which column of the file it is, from 0.
    pub index: usize,
    /// How it is read.
    pub read: Read,
}

/// Settings of a [`CsvDecoder`].
#[derive(Debug, Clone)]
pub struct DecoderOptions {
    /// The session's time zone.
    pub zone: SessionZone,
    /// Rows of a full batch.
    pub batch_size: usize,
    /// Number of the first record, for messages.
    pub first_record: u64,
}

impl Default for DecoderOptions {
    /// UTC, DataFusion's batches of 8192 rows, records counted from 1.
    fn default() -> Self {
        Self { zone: SessionZone::Utc, batch_size: 8192, first_record: 1 }
    }
}

/// Turns the bytes of a file, or of a [`LineRange`](super::LineRange) of one, into record batches.
///
/// ```
/// # use merlion_io::csv::{CsvDecoder, DecoderOptions, Projected, Read, SparkType};
/// let id = Projected { name: "id".into(), index: 0, read: Read::Utf8SparkString(SparkType::Int) };
/// let mut decoder = CsvDecoder::new(&[id], 2, DecoderOptions::default())?;
/// decoder.begin_file();
/// decoder.push(b"id,y\n00")?; // bytes may be cut anywhere
/// decoder.push(b"7,1.5\n")?;
/// decoder.finish()?;
/// let batch = decoder.next_batch().unwrap();
/// assert_eq!(batch.num_rows(), 1);
/// # Ok::<(), merlion_io::csv::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct CsvDecoder {
    /// Which column of the file each column of the batches is.
    indices: Vec<usize>,
    rows: Rows,
    splitter: Splitter,
    partial: PartialLine,
    at_file_start: bool,
    header_due: bool,
}

impl CsvDecoder {
    /// A decoder of these columns out of files with `file_columns` columns.
    ///
    /// # Errors
    /// A column beyond the file's, or a time column of a type that Spark cannot cast to a date.
    pub fn new(projection: &[Projected], file_columns: usize, options: DecoderOptions) -> Result<Self, DecodeError> {
        if let Some(beyond) = projection.iter().find(|projected| projected.index >= file_columns) {
            let (name, index) = (beyond.name.clone(), beyond.index);
            return Err(DecodeError::NoSuchColumn { name, index, columns: file_columns });
        }
        let limit = projection.iter().map(|projected| projected.index + 1).max().unwrap_or(0);
        Ok(Self {
            indices: projection.iter().map(|projected| projected.index).collect(),
            rows: Rows::new(projection, &options)?,
            splitter: Splitter::new(limit),
            partial: PartialLine::default(),
            at_file_start: false,
            header_due: false,
        })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        self.rows.schema()
    }

    /// Says that the next bytes are the first of a file: its byte order mark and its header, whatever that says, are
    /// passed over. Not for ranges that begin further on.
    pub fn begin_file(&mut self) {
        self.at_file_start = true;
        self.header_due = true;
    }

    /// Takes in the next bytes, which may be cut anywhere. Full batches wait in [`next_batch`](Self::next_batch).
    ///
    /// # Errors
    /// A time outside of the years that nanoseconds can hold.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let mut partial = std::mem::take(&mut self.partial);
        let decoded = partial.push(bytes, |lines| self.decode(lines));
        self.partial = partial;
        decoded
    }

    /// Says that the line at hand is whole: the end of a file, or of a range, whose last line has no line break.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn end_line(&mut self) -> Result<(), DecodeError> {
        let mut partial = std::mem::take(&mut self.partial);
        let decoded = partial.end(|line| self.decode(line));
        self.partial = partial;
        decoded
    }

    /// Ends the last line and the last batch.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        self.end_line()?;
        self.rows.finish()
    }

    /// The next batch that is ready.
    pub fn next_batch(&mut self) -> Option<RecordBatch> {
        self.rows.next_batch()
    }

    fn decode(&mut self, lines: &[u8]) -> Result<(), DecodeError> {
        let mut lines = lines;
        if std::mem::take(&mut self.at_file_start) {
            lines = strip_bom(lines);
        }
        if self.header_due {
            let Some((_, rest)) = first_line(lines) else { return Ok(()) };
            self.header_due = false;
            lines = rest;
        }
        let Self { indices, rows, splitter, .. } = self;
        let mut records = splitter.records(lines);
        while let Some(record) = records.next_record() {
            for (column, index) in indices.iter().enumerate() {
                rows.append(column, record.field(*index))?;
            }
            rows.end_record(record.line().len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
