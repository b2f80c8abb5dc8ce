//! Record batches as the CSV text that Spark writes with `header=true`: univocity's writer under Spark's settings.
//!
//! Null is nothing, the empty string is `""`, blanks around a value are trimmed, and a value is quoted when it holds a
//! delimiter, a quote or a line break, or begins a line with `#`. A row that comes out empty is left out altogether.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::SessionZone;
use super::values::{Column, WriteError, check_types};

/// Encodes record batches of one schema as CSV text. Knows nothing of files: it appends to a buffer.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::{array::{Float32Array, RecordBatch, StringArray}, datatypes::{DataType, Field, Schema}};
/// # use merlion_io::spark_text::{CsvTextWriter, SessionZone};
/// let schema = Arc::new(Schema::new(vec![
///     Field::new("id", DataType::Utf8, true),
///     Field::new("y", DataType::Float32, true),
/// ]));
/// let ids = StringArray::from(vec![Some("1"), Some("a,b"), Some("")]);
/// let values = Float32Array::from(vec![Some(1e10), None, Some(0.5)]);
/// let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids), Arc::new(values)])?;
/// let writer = CsvTextWriter::new(&schema, SessionZone::Utc)?;
/// let mut text = Vec::new();
/// writer.write_header(&mut text);
/// writer.write_batch(&batch, &mut text)?;
/// assert_eq!(text, b"id,y\n1,1.0E10\n\"a,b\",\n\"\",0.5\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CsvTextWriter {
    names: Vec<String>,
    zone: SessionZone,
}

impl CsvTextWriter {
    /// A writer of batches with this schema; times are written with the offset of `zone`.
    ///
    /// # Errors
    /// A column of a type that has no CSV text here.
    pub fn new(schema: &Schema, zone: SessionZone) -> Result<Self, WriteError> {
        check_types(schema)?;
        Ok(Self { names: schema.fields().iter().map(|field| field.name().clone()).collect(), zone })
    }

    /// Appends the header line.
    pub fn write_header(&self, out: &mut Vec<u8>) {
        let start = out.len();
        for (column, name) in self.names.iter().enumerate() {
            if column > 0 {
                out.push(b',');
            }
            push_text(out, name, column == 0);
        }
        if out.len() > start {
            out.push(b'\n');
        }
    }

    /// Appends the rows of a batch, which has the schema that [`new`](Self::new) was given.
    ///
    /// # Errors
    /// A column of a type that has no CSV text here.
    pub fn write_batch(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let mut columns = Column::of(batch)?;
        for row in 0..batch.num_rows() {
            let start = out.len();
            for (index, column) in columns.iter_mut().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                if column.is_null(row) {
                    continue;
                }
                match column.text(row) {
                    Some(text) => push_text(out, text, index == 0),
                    None => column.push(out, row, &self.zone),
                }
            }
            if out.len() > start {
                out.push(b'\n');
            }
        }
        Ok(())
    }
}

/// Appends a text value as univocity writes it: trimmed, and quoted where it has to be.
///
/// Within quotes every quote and every backslash is escaped; without, a backslash is itself. A line break that is
/// trimmed off the end still makes the value quoted, and `#` counts only as the very first character: univocity's ways.
fn push_text(out: &mut Vec<u8>, text: &str, first: bool) {
    let is_blank = |c: char| c <= ' ';
    let from_start = text.trim_start_matches(is_blank).as_bytes();
    if from_start.is_empty() {
        out.extend_from_slice(b"\"\"");
        return;
    }
    let special = |b: &u8| matches!(b, b',' | b'"' | b'\n' | b'\r');
    let quoted = from_start.iter().any(special) || (first && text.starts_with('#'));
    let end = from_start.iter().rposition(|&b| b > b' ').map_or(0, |last| last + 1);
    let value = &from_start[..end];
    if !quoted {
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for &b in value {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(b);
    }
    out.push(b'"');
}

#[cfg(test)]
#[path = "csv_writer_tests.rs"]
mod tests;
