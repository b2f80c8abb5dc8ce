//! The texts of values that Spark's CSV and JSON writers have in common.

use arrow::array::{Array, AsArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use thiserror::Error;

use super::cast::push_long;
use super::time::{SECONDS_PER_DAY, push_date, push_padded, push_time};
use super::{SessionZone, push_double, push_float};

/// Why a batch cannot be written as Spark's text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// There is no text for this type.
    #[error("column `{column}` has the type {data_type}, which is not written as text")]
    Unsupported {
        /// The column.
        column: String,
        /// Its type.
        data_type: DataType,
    },
}

/// Refuses types that have no text.
pub(super) fn check_types(schema: &Schema) -> Result<(), WriteError> {
    match schema.fields().iter().find(|field| !is_supported(field.data_type())) {
        Some(field) => {
            Err(WriteError::Unsupported { column: field.name().clone(), data_type: field.data_type().clone() })
        }
        None => Ok(()),
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
pub(super) struct Column<'a> {
    values: Values<'a>,
    date: Option<(i64, Vec<u8>)>,
}

impl<'a> Column<'a> {
    /// The columns of a batch.
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Vec<Self>, WriteError> {
        let columns = batch.columns().iter().zip(batch.schema_ref().fields()).map(|(array, field)| {
            let unsupported =
                || WriteError::Unsupported { column: field.name().clone(), data_type: field.data_type().clone() };
            let values = Values::of(array).ok_or_else(unsupported)?;
            Ok(Self { values, date: None })
        });
        columns.collect()
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.values.is_null(row)
    }

    /// The value of a column of texts.
    pub(super) fn text(&self, row: usize) -> Option<&'a str> {
        match self.values {
            Values::Text(array) => Some(array.value(row)),
            _ => None,
        }
    }

    /// Whether JSON writes the value without quotes: a finite number, or a boolean.
    pub(super) fn is_bare(&self, row: usize) -> bool {
        match self.values {
            Values::Float(array) => array.value(row).is_finite(),
            Values::Double(array) => array.value(row).is_finite(),
            Values::Int(_) | Values::Long(_) | Values::Boolean(_) => true,
            _ => false,
        }
    }

    /// Appends the text of a value that is not null. Of a column of texts it is the text itself.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, row: usize, zone: &SessionZone) {
        let millis = match &self.values {
            Values::Text(array) => return out.extend_from_slice(array.value(row).as_bytes()),
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
