//! Record batches as the CSV text that Spark writes with `header=true`: univocity's writer under Spark's settings.
//!
//! Null is nothing, the empty string is `""`, blanks around a value are trimmed, and a value is quoted when it holds a
//! delimiter, a quote or a line break, or begins a line with `#`. A row that comes out empty is left out altogether.

use arrow::array::{Array, AsArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use thiserror::Error;

use super::cast::push_long;
use super::time::{SECONDS_PER_DAY, push_date, push_padded, push_time};
use super::{SessionZone, push_double, push_float};

/// Why a batch cannot be written as Spark's CSV.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// There is no text for this type.
    #[error("column `{column}` has the type {data_type}, which is not written as CSV")]
    Unsupported {
        /// The column.
        column: String,
        /// Its type.
        data_type: DataType,
    },
}

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
        for field in schema.fields() {
            if !is_supported(field.data_type()) {
                let (column, data_type) = (field.name().clone(), field.data_type().clone());
                return Err(WriteError::Unsupported { column, data_type });
            }
        }
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
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (column, array) in batch.columns().iter().enumerate() {
            let Some(values) = Values::of(array) else {
                let field = batch.schema_ref().field(column);
                let (column, data_type) = (field.name().clone(), field.data_type().clone());
                return Err(WriteError::Unsupported { column, data_type });
            };
            columns.push(Column { values, date: None });
        }
        for row in 0..batch.num_rows() {
            let start = out.len();
            for (index, column) in columns.iter_mut().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                column.push(out, row, index == 0, &self.zone);
            }
            if out.len() > start {
                out.push(b'\n');
            }
        }
        Ok(())
    }
}

fn is_supported(data_type: &DataType) -> bool {
    use DataType::{Boolean, Date32, Float32, Float64, Int32, Int64, Timestamp, Utf8};
    matches!(data_type, Utf8 | Float32 | Float64 | Int32 | Int64 | Boolean | Date32 | Timestamp(_, None))
}

/// The values of a column, in their own type.
enum Values<'a> {
    Text(&'a StringArray),
    Float(&'a PrimitiveArray<Float32Type>),
    Double(&'a PrimitiveArray<Float64Type>),
    Int(&'a PrimitiveArray<Int32Type>),
    Long(&'a PrimitiveArray<Int64Type>),
    Boolean(&'a BooleanArray),
    Date(&'a PrimitiveArray<Date32Type>),
    Seconds(&'a PrimitiveArray<TimestampSecondType>),
    Millis(&'a PrimitiveArray<TimestampMillisecondType>),
    Micros(&'a PrimitiveArray<TimestampMicrosecondType>),
    Nanos(&'a PrimitiveArray<TimestampNanosecondType>),
}

impl<'a> Values<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Float32 => Self::Float(array.as_primitive()),
            DataType::Float64 => Self::Double(array.as_primitive()),
            DataType::Int32 => Self::Int(array.as_primitive()),
            DataType::Int64 => Self::Long(array.as_primitive()),
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Date32 => Self::Date(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Second, None) => Self::Seconds(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Millisecond, None) => Self::Millis(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => Self::Micros(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Nanosecond, None) => Self::Nanos(array.as_primitive()),
            _ => return None,
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(array) => array.is_null(row),
            Self::Float(array) => array.is_null(row),
            Self::Double(array) => array.is_null(row),
            Self::Int(array) => array.is_null(row),
            Self::Long(array) => array.is_null(row),
            Self::Boolean(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Seconds(array) => array.is_null(row),
            Self::Millis(array) => array.is_null(row),
            Self::Micros(array) => array.is_null(row),
            Self::Nanos(array) => array.is_null(row),
        }
    }
}

/// A column being written, with the text of its last day: forecasts repeat the same few days for every series.
struct Column<'a> {
    values: Values<'a>,
    date: Option<(i64, Vec<u8>)>,
}

impl Column<'_> {
    fn push(&mut self, out: &mut Vec<u8>, row: usize, first: bool, zone: &SessionZone) {
        if self.values.is_null(row) {
            return;
        }
        let millis = match &self.values {
            Values::Text(array) => return push_text(out, array.value(row), first),
            Values::Float(array) => return push_float(out, array.value(row)),
            Values::Double(array) => return push_double(out, array.value(row)),
            Values::Int(array) => return push_long(out, i64::from(array.value(row))),
            Values::Long(array) => return push_long(out, array.value(row)),
            Values::Boolean(array) => {
                return out.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
            }
            Values::Date(array) => {
                let days = i64::from(array.value(row));
                return self.push_day(out, days);
            }
            Values::Seconds(array) => array.value(row).saturating_mul(1000),
            Values::Millis(array) => array.value(row),
            Values::Micros(array) => array.value(row).div_euclid(1000),
            Values::Nanos(array) => array.value(row).div_euclid(1_000_000),
        };
        let offset = zone.offset_at(millis.div_euclid(1000));
        let local = millis.div_euclid(1000) + i64::from(offset);
        self.push_day(out, local.div_euclid(SECONDS_PER_DAY));
        out.push(b'T');
        push_time(out, local.rem_euclid(SECONDS_PER_DAY));
        out.push(b'.');
        push_padded(out, millis.rem_euclid(1000) as u64, 3);
        push_offset(out, offset);
    }

    fn push_day(&mut self, out: &mut Vec<u8>, days: i64) {
        match &self.date {
            Some((last, text)) if *last == days => out.extend_from_slice(text),
            _ => {
                let start = out.len();
                push_date(out, days);
                self.date = Some((days, out[start..].to_vec()));
            }
        }
    }
}

/// Java's pattern `XXX`: `Z`, `+01:00`.
fn push_offset(out: &mut Vec<u8>, offset: i32) {
    if offset == 0 {
        out.push(b'Z');
        return;
    }
    out.push(if offset < 0 { b'-' } else { b'+' });
    let minutes = u64::from(offset.unsigned_abs() / 60);
    push_padded(out, minutes / 60, 2);
    out.push(b':');
    push_padded(out, minutes % 60, 2);
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
