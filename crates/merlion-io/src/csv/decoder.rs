//! The second pass: bytes to record batches, for the columns a plan needs and in the reading it needs them.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::array::RecordBatchOptions;
use arrow::datatypes::{Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::column::{Column, data_type};
use super::lines::{end_of_line, end_of_whole_lines, first_line, strip_bom};
use super::{CsvError, SparkType, Splitter};
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

/// Bytes of line text a batch may take before it is cut short, far below what 32-bit string offsets can address.
const MAX_BATCH_BYTES: usize = 1 << 30;

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
/// # Ok::<(), merlion_io::csv::CsvError>(())
/// ```
#[derive(Debug)]
pub struct CsvDecoder {
    schema: SchemaRef,
    columns: Vec<(usize, Column)>,
    splitter: Splitter,
    batch_size: usize,
    rows: usize,
    bytes: usize,
    /// Number of the next record.
    record: u64,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    at_file_start: bool,
    header_due: bool,
    ready: VecDeque<RecordBatch>,
}

impl CsvDecoder {
    /// A decoder of these columns out of files with `file_columns` columns.
    ///
    /// # Errors
    /// A column beyond the file's, or a time column of a type that Spark cannot cast to a date.
    pub fn new(projection: &[Projected], file_columns: usize, options: DecoderOptions) -> Result<Self, CsvError> {
        let mut columns = Vec::with_capacity(projection.len());
        let mut fields = Vec::with_capacity(projection.len());
        for projected in projection {
            if projected.index >= file_columns {
                let (name, index) = (projected.name.clone(), projected.index);
                return Err(CsvError::NoSuchColumn { name, index, columns: file_columns });
            }
            columns.push((projected.index, Column::new(projected, options.zone, options.batch_size)?));
            fields.push(Field::new(&projected.name, data_type(projected.read), true));
        }
        let limit = projection.iter().map(|projected| projected.index + 1).max().unwrap_or(0);
        Ok(Self {
            schema: Arc::new(Schema::new(fields)),
            columns,
            splitter: Splitter::new(limit),
            batch_size: options.batch_size.max(1),
            rows: 0,
            bytes: 0,
            record: options.first_record,
            partial: Vec::new(),
            at_file_start: false,
            header_due: false,
            ready: VecDeque::new(),
        })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
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
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), CsvError> {
        let mut bytes = bytes;
        if !self.partial.is_empty() {
            let end = end_of_line(bytes);
            self.partial.extend_from_slice(&bytes[..end]);
            if end == bytes.len() {
                return Ok(());
            }
            bytes = &bytes[end + 1..];
            self.end_line()?;
        }
        let (lines, partial) = bytes.split_at(end_of_whole_lines(bytes));
        self.decode(lines)?;
        self.partial.extend_from_slice(partial);
        Ok(())
    }

    /// Says that the line at hand is whole: the end of a file, or of a range, whose last line has no line break.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn end_line(&mut self) -> Result<(), CsvError> {
        let mut line = std::mem::take(&mut self.partial);
        let decoded = self.decode(&line);
        line.clear();
        self.partial = line;
        decoded
    }

    /// Ends the last line and the last batch.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn finish(&mut self) -> Result<(), CsvError> {
        self.end_line()?;
        if self.rows > 0 {
            let batch = cut_batch(&self.schema, &mut self.columns, self.rows)?;
            (self.rows, self.bytes) = (0, 0);
            self.ready.push_back(batch);
        }
        Ok(())
    }

    /// The next batch that is ready.
    pub fn next_batch(&mut self) -> Option<RecordBatch> {
        self.ready.pop_front()
    }

    fn decode(&mut self, lines: &[u8]) -> Result<(), CsvError> {
        let mut lines = lines;
        if lines.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.at_file_start) {
            lines = strip_bom(lines);
        }
        if self.header_due {
            let Some((_, rest)) = first_line(lines) else { return Ok(()) };
            self.header_due = false;
            lines = rest;
        }
        let Self { schema, columns, splitter, batch_size, rows, bytes, record: number, ready, .. } = self;
        let mut records = splitter.records(lines);
        while let Some(record) = records.next_record() {
            for (position, (index, column)) in columns.iter_mut().enumerate() {
                let token = record.field(*index);
                if column.append(token).is_err() {
                    return Err(CsvError::TimeOutOfRange {
                        column: schema.field(position).name().clone(),
                        value: String::from_utf8_lossy(token).into_owned(),
                        record: *number,
                    });
                }
            }
            *number += 1;
            *rows += 1;
            *bytes += record.line().len();
            if *rows == *batch_size || *bytes > MAX_BATCH_BYTES {
                ready.push_back(cut_batch(schema, columns, *rows)?);
                (*rows, *bytes) = (0, 0);
            }
        }
        Ok(())
    }
}

fn cut_batch(schema: &SchemaRef, columns: &mut [(usize, Column)], rows: usize) -> Result<RecordBatch, CsvError> {
    let arrays = columns.iter_mut().map(|(_, column)| column.finish()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
