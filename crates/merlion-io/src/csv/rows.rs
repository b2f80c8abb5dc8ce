//! Rows on their way into record batches, whatever they were read from, and the line that is not whole yet.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::column::{Column, data_type};
use super::lines::{end_of_line, end_of_whole_lines};
use super::{DecodeError, DecoderOptions, Projected};

/// Bytes of line text a batch may take before it is cut short, far below what 32-bit string offsets can address.
const MAX_BATCH_BYTES: usize = 1 << 30;

/// The batches that come of tokens.
#[derive(Debug)]
pub(crate) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    batch_size: usize,
    rows: usize,
    bytes: usize,
    /// Number of the next record.
    record: u64,
    ready: VecDeque<RecordBatch>,
}

impl Rows {
    pub(crate) fn new(projection: &[Projected], options: &DecoderOptions) -> Result<Self, DecodeError> {
        let mut columns = Vec::with_capacity(projection.len());
        let mut fields = Vec::with_capacity(projection.len());
        for projected in projection {
            columns.push(Column::new(projected, options.zone, options.batch_size)?);
            fields.push(Field::new(&projected.name, data_type(projected.read), true));
        }
        Ok(Self {
            schema: Arc::new(Schema::new(fields)),
            columns,
            batch_size: options.batch_size.max(1),
            rows: 0,
            bytes: 0,
            record: options.first_record,
            ready: VecDeque::new(),
        })
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Appends the token of a column to the record at hand; empty is null.
    #[inline]
    pub(crate) fn append(&mut self, column: usize, token: &[u8]) -> Result<(), DecodeError> {
        match self.columns[column].append(token) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.out_of_range(column, token)),
        }
    }

    /// Appends a text that is empty but no null, which is one in every column but those of text.
    pub(crate) fn append_empty(&mut self, column: usize) {
        self.columns[column].append_empty();
    }

    #[cold]
    fn out_of_range(&self, column: usize, token: &[u8]) -> DecodeError {
        DecodeError::TimeOutOfRange {
            column: self.schema.field(column).name().clone(),
            value: String::from_utf8_lossy(token).into_owned(),
            record: self.record,
        }
    }

    /// Ends the record at hand, whose line is `bytes` long.
    #[inline]
    pub(crate) fn end_record(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.record += 1;
        self.rows += 1;
        self.bytes += bytes;
        if self.rows == self.batch_size || self.bytes > MAX_BATCH_BYTES {
            return self.cut_batch();
        }
        Ok(())
    }

    /// Ends the last batch.
    pub(crate) fn finish(&mut self) -> Result<(), DecodeError> {
        if self.rows > 0 { self.cut_batch() } else { Ok(()) }
    }

    pub(crate) fn next_batch(&mut self) -> Option<RecordBatch> {
        self.ready.pop_front()
    }

    fn cut_batch(&mut self) -> Result<(), DecodeError> {
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.ready.push_back(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?);
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

/// The beginning of a line whose end has not come yet.
#[derive(Debug, Default)]
pub(crate) struct PartialLine(Vec<u8>);

impl PartialLine {
    /// Hands on the whole lines that the next bytes, cut anywhere, complete.
    pub(crate) fn push<E>(&mut self, mut bytes: &[u8], mut lines: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if !self.0.is_empty() {
            let end = end_of_line(bytes);
            self.0.extend_from_slice(&bytes[..end]);
            if end == bytes.len() {
                return Ok(());
            }
            bytes = &bytes[end + 1..];
            self.end(&mut lines)?;
        }
        let (whole, partial) = bytes.split_at(end_of_whole_lines(bytes));
        if !whole.is_empty() {
            lines(whole)?;
        }
        self.0.extend_from_slice(partial);
        Ok(())
    }

    /// Hands on the last line, which has no line break.
    pub(crate) fn end<E>(&mut self, mut lines: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut line = std::mem::take(&mut self.0);
        let done = if line.is_empty() { Ok(()) } else { lines(&line) };
        line.clear();
        self.0 = line;
        done
    }
}
