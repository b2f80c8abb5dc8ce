//! Arrays of Parquet columns as the readings a plan wants: Spark's texts, instants, floats.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringBuilder, TimestampNanosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt64Type,
};

use crate::csv::rows::Rows;
use crate::csv::{DecodeError, DecoderOptions, Projected, Read, epoch_to_nanos};
use crate::spark_text::{
    MICROS_PER_SECOND, SECONDS_PER_DAY, SessionZone, push_date, push_double, push_float, push_timestamp,
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The array in the reading that is wanted of it. `data_type` says which times are instants, the array's own does not always.
pub(super) fn convert(
    array: &ArrayRef,
    data_type: &DataType,
    projected: &Projected,
    zone: &SessionZone,
) -> Result<ArrayRef, DecodeError> {
    match projected.read {
        Read::Utf8SparkString(_) => text(array, data_type, zone),
        Read::TimeAsDate(_) => time(array, data_type, projected, true, zone),
        Read::TimeAsTimestamp(_) => time(array, data_type, projected, false, zone),
        Read::Float64 => Ok(cast(array, &DataType::Float64)?),
        Read::Raw(_) => Ok(Arc::clone(array)),
    }
}

/// Spark's cast to string.
pub(super) fn text(array: &ArrayRef, data_type: &DataType, zone: &SessionZone) -> Result<ArrayRef, DecodeError> {
    if array.data_type() == &DataType::Utf8 {
        return Ok(Arc::clone(array));
    }
    let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut fill = |push: &mut dyn FnMut(usize, &mut Vec<u8>)| {
        let mut out = Vec::new();
        for row in 0..array.len() {
            if array.is_null(row) {
                builder.append_null();
                continue;
            }
            out.clear();
            push(row, &mut out);
            builder.append_value(String::from_utf8_lossy(&out));
        }
    };
    match data_type {
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            fill(&mut |row, out| push_float(out, values.value(row)));
        }
        DataType::Float16 | DataType::Float64 => {
            let values = cast(array, &DataType::Float64)?;
            let values = values.as_primitive::<Float64Type>();
            fill(&mut |row, out| push_double(out, values.value(row)));
        }
        DataType::Boolean => {
            let values = array.as_boolean();
            fill(&mut |row, out| out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }));
        }
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>();
            fill(&mut |row, out| push_date(out, i64::from(values.value(row))));
        }
        DataType::Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>();
            fill(&mut |row, out| out.extend_from_slice(values.value_as_string(row).as_bytes()));
        }
        DataType::UInt64 => {
            let values = array.as_primitive::<UInt64Type>();
            fill(&mut |row, out| out.extend_from_slice(values.value(row).to_string().as_bytes()));
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            fill(&mut |row, out| out.extend_from_slice(values.value(row)));
        }
        DataType::Timestamp(_, zoned) => {
            let times = Times::of(array)?;
            let zone = if zoned.is_some() { zone } else { &SessionZone::Utc };
            fill(&mut |row, out| {
                let (seconds, nanos) = times.value(row);
                push_timestamp(out, seconds.saturating_mul(MICROS_PER_SECOND).saturating_add(nanos / 1000), zone);
            });
        }
        _ => {
            let values = cast(array, &DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>();
            fill(&mut |row, out| out.extend_from_slice(values.value(row).to_string().as_bytes()));
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Nanoseconds since 1970-01-01: of the day in the session's zone, or of the instant.
fn time(
    array: &ArrayRef,
    data_type: &DataType,
    projected: &Projected,
    as_date: bool,
    zone: &SessionZone,
) -> Result<ArrayRef, DecodeError> {
    let midnight = |seconds: i64| seconds - seconds.rem_euclid(SECONDS_PER_DAY);
    let nanos = |seconds: i64, nanos: i64| seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos);
    match data_type {
        DataType::Utf8 => texts(array, projected, *zone),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>();
            build(array, projected, zone, |row| {
                let seconds = i64::from(days.value(row)) * SECONDS_PER_DAY;
                nanos(if as_date { seconds } else { zone.instant_of(seconds) }, 0)
            })
        }
        DataType::Timestamp(_, zoned) => {
            let times = Times::of(array)?;
            build(array, projected, zone, |row| {
                let (seconds, rest) = times.value(row);
                match (as_date, zoned.is_some()) {
                    (true, true) => nanos(midnight(zone.local_of(seconds)), 0),
                    (true, false) => nanos(midnight(seconds), 0),
                    (false, true) => nanos(seconds, rest),
                    // A time without a zone is one on the session's clocks, as it is in a CSV.
                    (false, false) => nanos(zone.instant_of(seconds), rest),
                }
            })
        }
        _ => {
            let values = cast(array, &DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>();
            build(array, projected, zone, |row| {
                let instant = epoch_to_nanos(values.value(row))?;
                if !as_date {
                    return Some(instant);
                }
                nanos(midnight(zone.local_of(instant.div_euclid(NANOS_PER_SECOND))), 0)
            })
        }
    }
}

fn build(
    array: &ArrayRef,
    projected: &Projected,
    zone: &SessionZone,
    value: impl Fn(usize) -> Option<i64>,
) -> Result<ArrayRef, DecodeError> {
    let mut builder = TimestampNanosecondBuilder::with_capacity(array.len());
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
            continue;
        }
        let Some(nanos) = value(row) else {
            let shown = text(&array.slice(row, 1), array.data_type(), zone)?;
            let (column, value) = (projected.name.clone(), shown.as_string::<i32>().value(0).to_owned());
            return Err(DecodeError::TimeOutOfRange { column, value, record: row as u64 + 1 });
        };
        builder.append_value(nanos);
    }
    Ok(Arc::new(builder.finish()))
}

/// Times that are texts, read as a CSV's are.
fn texts(array: &ArrayRef, projected: &Projected, zone: SessionZone) -> Result<ArrayRef, DecodeError> {
    let options = DecoderOptions { zone, batch_size: array.len() + 1, ..DecoderOptions::default() };
    let mut rows = Rows::new(std::slice::from_ref(projected), &options)?;
    for value in array.as_string::<i32>() {
        rows.append(0, value.unwrap_or_default().as_bytes())?;
        rows.end_record(0)?;
    }
    rows.finish()?;
    Ok(match rows.next_batch() {
        Some(batch) => Arc::clone(batch.column(0)),
        None => Arc::new(TimestampNanosecondBuilder::new().finish()),
    })
}

/// The values of a column of times, in seconds and nanoseconds.
pub(super) struct Times<'a> {
    values: &'a [i64],
    per_second: i64,
}

impl<'a> Times<'a> {
    pub(super) fn of(array: &'a ArrayRef) -> Result<Self, DecodeError> {
        fn values<T: ArrowPrimitiveType<Native = i64>>(array: &ArrayRef) -> &[i64] {
            let array: &PrimitiveArray<T> = array.as_primitive();
            array.values()
        }
        let (values, per_second) = match array.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => (values::<TimestampSecondType>(array), 1),
            DataType::Timestamp(TimeUnit::Millisecond, _) => (values::<TimestampMillisecondType>(array), 1000),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                (values::<TimestampMicrosecondType>(array), MICROS_PER_SECOND)
            }
            _ => (values::<TimestampNanosecondType>(array), NANOS_PER_SECOND),
        };
        Ok(Self { values, per_second })
    }

    pub(super) fn value(&self, row: usize) -> (i64, i64) {
        let value = self.values[row];
        let rest = value.rem_euclid(self.per_second) * (NANOS_PER_SECOND / self.per_second);
        (value.div_euclid(self.per_second), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::SparkType;
    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, StringArray,
        TimestampMicrosecondArray, UInt64Array,
    };

    fn texts_of(array: ArrayRef, zone: &str) -> Vec<Option<String>> {
        let data_type = array.data_type().clone();
        let text = text(&array, &data_type, &zone.parse().unwrap()).unwrap();
        text.as_string::<i32>().iter().map(|t| t.map(str::to_owned)).collect()
    }

    #[test]
    fn index_columns_are_the_texts_spark_casts_them_to() {
        let some = |text: &str| vec![Some(text.to_owned()), None];
        let instant = TimestampMicrosecondArray::from(vec![Some(1_351_814_400_500_000), None]);
        let cases: Vec<(ArrayRef, &str)> = vec![
            (Arc::new(Int32Array::from(vec![Some(-7), None])), "-7"),
            (Arc::new(UInt64Array::from(vec![Some(u64::MAX), None])), "18446744073709551615"),
            (Arc::new(Float64Array::from(vec![Some(1e7), None])), "1.0E7"),
            (Arc::new(Float32Array::from(vec![Some(0.1), None])), "0.1"),
            (Arc::new(BooleanArray::from(vec![Some(true), None])), "true"),
            (Arc::new(Date32Array::from(vec![Some(15646), None])), "2012-11-02"),
            (Arc::new(StringArray::from(vec![Some("007"), None])), "007"),
            (Arc::new(Decimal128Array::from(vec![Some(150), None]).with_precision_and_scale(10, 2).unwrap()), "1.50"),
            (Arc::new(instant.clone()), "2012-11-02 00:00:00.5"),
            (Arc::new(instant.with_timezone("UTC")), "2012-11-01 17:00:00.5"),
        ];
        for (array, want) in cases {
            assert_eq!(texts_of(Arc::clone(&array), "America/Los_Angeles"), some(want), "{}", array.data_type());
        }
    }

    #[test]
    fn times_are_instants_or_days_of_the_session() {
        let zone: SessionZone = "America/Los_Angeles".parse().unwrap();
        let micros = 1_351_814_400_500_000; // 2012-11-02T00:00:00.5Z
        let local = TimestampMicrosecondArray::from(vec![micros]);
        let (day, hour) = (86_400 * NANOS_PER_SECOND, 3600 * NANOS_PER_SECOND);
        let midnight = 15_646 * day;
        let cases: Vec<(ArrayRef, SparkType, i64, i64)> = vec![
            (Arc::new(local.clone()), SparkType::Timestamp, midnight, midnight + 7 * hour + 500_000_000),
            (Arc::new(local.with_timezone("UTC")), SparkType::Timestamp, midnight - day, midnight + 500_000_000),
            (Arc::new(Date32Array::from(vec![15_646])), SparkType::Date, midnight, midnight + 7 * hour),
            (Arc::new(StringArray::from(vec!["2012-11-02"])), SparkType::Date, midnight, midnight + 7 * hour),
            (Arc::new(Int32Array::from(vec![1_351_814_400])), SparkType::Int, midnight - day, midnight),
        ];
        for (array, found, as_date, as_instant) in cases {
            for (read, want) in [(Read::TimeAsDate(found), as_date), (Read::TimeAsTimestamp(found), as_instant)] {
                let projected = Projected { name: "t".to_owned(), index: 0, read };
                let got = convert(&array, array.data_type(), &projected, &zone).unwrap();
                let got = got.as_primitive::<TimestampNanosecondType>().value(0);
                assert_eq!(got, want, "{} as {read:?}", array.data_type());
            }
        }
        let far: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), Some(2_932_896)]));
        let projected = Projected { name: "t".to_owned(), index: 0, read: Read::TimeAsDate(SparkType::Date) };
        let error = convert(&far, &DataType::Date32, &projected, &zone).unwrap_err().to_string();
        assert!(error.contains("9999-12-31") && error.contains("record 2"), "{error}");
    }
}
