//! One column of a batch under construction: a token in, an Arrow value out.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int32Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder, TimestampNanosecondBuilder,
};
use arrow::datatypes::{DataType, TimeUnit};

use super::epoch::epoch_to_nanos;
use super::number::{parse_boolean, parse_decimal, parse_double, parse_int, parse_long};
use super::{DecodeError, Projected, Read, SparkType};
use crate::spark_text::{
    MICROS_PER_SECOND, PlainTimes, SECONDS_PER_DAY, SessionZone, parse_date, parse_timestamp, spark_string,
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_DAY: i64 = SECONDS_PER_DAY * NANOS_PER_SECOND;

/// A time beyond what 64-bit nanoseconds hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutOfRange;

/// The builder of one projected column.
#[derive(Debug)]
pub(super) enum Column {
    Text(TextColumn),
    Time(TimeColumn),
    Float(Float64Builder),
    Int(Int32Builder),
    Long(Int64Builder),
    Decimal(u8, Decimal128Builder),
    Date(Date32Builder),
    Instant(TimestampMicrosecondBuilder, SessionZone),
    Boolean(BooleanBuilder),
}

/// The Arrow type that a reading produces.
pub(super) fn data_type(read: Read) -> DataType {
    match read {
        Read::Utf8SparkString(_) | Read::Raw(SparkType::String | SparkType::Null) => DataType::Utf8,
        Read::TimeAsDate(_) | Read::TimeAsTimestamp(_) => DataType::Timestamp(TimeUnit::Nanosecond, None),
        Read::Float64 | Read::Raw(SparkType::Double) => DataType::Float64,
        Read::Raw(SparkType::Int) => DataType::Int32,
        Read::Raw(SparkType::BigInt) => DataType::Int64,
        Read::Raw(SparkType::Decimal(precision)) => DataType::Decimal128(precision, 0),
        Read::Raw(SparkType::Date) => DataType::Date32,
        Read::Raw(SparkType::Timestamp) => DataType::Timestamp(TimeUnit::Microsecond, None),
        Read::Raw(SparkType::Boolean) => DataType::Boolean,
    }
}

impl Column {
    pub(super) fn new(projected: &Projected, zone: SessionZone, rows: usize) -> Result<Self, DecodeError> {
        Ok(match projected.read {
            Read::Utf8SparkString(spark_type) => Self::Text(TextColumn::new(spark_type, zone, rows)),
            Read::TimeAsDate(spark_type) => Self::Time(TimeColumn::new(projected, spark_type, true, zone, rows)?),
            Read::TimeAsTimestamp(spark_type) => Self::Time(TimeColumn::new(projected, spark_type, false, zone, rows)?),
            Read::Float64 | Read::Raw(SparkType::Double) => Self::Float(Float64Builder::with_capacity(rows)),
            Read::Raw(spark_type) => match spark_type {
                SparkType::Int => Self::Int(Int32Builder::with_capacity(rows)),
                SparkType::BigInt => Self::Long(Int64Builder::with_capacity(rows)),
                SparkType::Decimal(precision) => Self::Decimal(
                    precision,
                    Decimal128Builder::with_capacity(rows).with_precision_and_scale(precision, 0)?,
                ),
                SparkType::Date => Self::Date(Date32Builder::with_capacity(rows)),
                SparkType::Timestamp => Self::Instant(TimestampMicrosecondBuilder::with_capacity(rows), zone),
                SparkType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
                SparkType::Double | SparkType::String | SparkType::Null => {
                    Self::Text(TextColumn::new(SparkType::String, zone, rows))
                }
            },
        })
    }

    /// Appends the reading of a token; empty, and unreadable in the column's type, is null.
    #[inline]
    pub(super) fn append(&mut self, token: &[u8]) -> Result<(), OutOfRange> {
        match self {
            Self::Text(column) => column.append(token),
            Self::Time(column) => return column.append(token),
            Self::Float(builder) => builder.append_option(parse_double(token)),
            Self::Int(builder) => builder.append_option(parse_int(token)),
            Self::Long(builder) => builder.append_option(parse_long(token)),
            Self::Decimal(precision, builder) => builder
                .append_option(parse_decimal(token).filter(|(digits, _)| digits <= precision).map(|(_, value)| value)),
            Self::Date(builder) => builder.append_option(parse_date(token)),
            Self::Instant(builder, zone) => builder.append_option(parse_timestamp(token, zone)),
            Self::Boolean(builder) => builder.append_option(parse_boolean(token)),
        }
        Ok(())
    }

    /// Appends a text of no characters, where the format tells it from null: a value in a column of text, else null.
    pub(super) fn append_empty(&mut self) {
        match self {
            Self::Text(column) if column.spark_type == SparkType::String => column.builder.append_value(""),
            Self::Text(column) => column.builder.append_null(),
            Self::Time(column) => column.builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Long(builder) => builder.append_null(),
            Self::Decimal(_, builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Instant(builder, _) => builder.append_null(),
            Self::Boolean(builder) => builder.append_null(),
        }
    }

    /// The column of the rows so far; the builder is empty again.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.builder.finish()),
            Self::Time(column) => Arc::new(column.builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Long(builder) => Arc::new(builder.finish()),
            Self::Decimal(_, builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Instant(builder, _) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Text by Spark's cast to string. Keys repeat from row to row, so the last token and its text are kept.
#[derive(Debug)]
pub(super) struct TextColumn {
    spark_type: SparkType,
    zone: SessionZone,
    builder: StringBuilder,
    token: Vec<u8>,
    text: Vec<u8>,
    is_value: bool,
}

impl TextColumn {
    fn new(spark_type: SparkType, zone: SessionZone, rows: usize) -> Self {
        let builder = StringBuilder::with_capacity(rows, rows * 8);
        Self { spark_type, zone, builder, token: Vec::new(), text: Vec::new(), is_value: false }
    }

    #[inline]
    fn append(&mut self, token: &[u8]) {
        if token != self.token.as_slice() {
            self.token.clear();
            self.token.extend_from_slice(token);
            self.text.clear();
            self.is_value = spark_string(token, self.spark_type, &self.zone, &mut self.text);
        }
        // The text is UTF-8 by construction; this is how safe code says so.
        match std::str::from_utf8(&self.text) {
            Ok(text) if self.is_value => self.builder.append_value(text),
            _ => self.builder.append_null(),
        }
    }
}

/// The time column: nanoseconds since 1970-01-01, of the day in the session's zone or of the instant.
#[derive(Debug)]
pub(super) struct TimeColumn {
    spark_type: SparkType,
    as_date: bool,
    zone: SessionZone,
    builder: TimestampNanosecondBuilder,
    plain_times: PlainTimes,
}

impl TimeColumn {
    fn new(
        projected: &Projected,
        spark_type: SparkType,
        as_date: bool,
        zone: SessionZone,
        rows: usize,
    ) -> Result<Self, DecodeError> {
        match spark_type {
            SparkType::Double | SparkType::Decimal(_) | SparkType::Boolean => {
                Err(DecodeError::NotATime { column: projected.name.clone(), spark_type })
            }
            _ => {
                let builder = TimestampNanosecondBuilder::with_capacity(rows);
                Ok(Self { spark_type, as_date, zone, builder, plain_times: PlainTimes::default() })
            }
        }
    }

    #[inline]
    fn append(&mut self, token: &[u8]) -> Result<(), OutOfRange> {
        let value = match self.plain(token) {
            Some(seconds) => Some(seconds.checked_mul(NANOS_PER_SECOND).ok_or(OutOfRange)?),
            None => self.general(token)?,
        };
        self.builder.append_option(value);
        Ok(())
    }

    /// The usual tokens of date and timestamp columns, in seconds.
    #[inline]
    fn plain(&mut self, token: &[u8]) -> Option<i64> {
        match self.spark_type {
            SparkType::Date if token.len() == 10 => {}
            SparkType::Timestamp => {}
            _ => return None,
        }
        let time = self.plain_times.read(token, &self.zone)?;
        Some(match (self.as_date, self.spark_type) {
            (false, _) => time.instant,
            // Where clocks change a local time may be moved on, even to the next day.
            (true, SparkType::Timestamp) if !time.regular => day_of(&self.zone, time.instant),
            (true, _) => time.days * SECONDS_PER_DAY,
        })
    }

    fn general(&self, token: &[u8]) -> Result<Option<i64>, OutOfRange> {
        if token.is_empty() {
            return Ok(None);
        }
        match self.spark_type {
            SparkType::Int | SparkType::BigInt => {
                let Some(value) = parse_long(token) else { return Ok(None) };
                let nanos = epoch_to_nanos(value).ok_or(OutOfRange)?;
                if !self.as_date {
                    return Ok(Some(nanos));
                }
                self.nanos_of_day(nanos.div_euclid(NANOS_PER_SECOND)).map(Some)
            }
            SparkType::Date | SparkType::String if self.as_date => {
                let Some(days) = parse_date(token) else { return Ok(None) };
                i64::from(days).checked_mul(NANOS_PER_DAY).ok_or(OutOfRange).map(Some)
            }
            SparkType::Date => {
                let Some(days) = parse_date(token) else { return Ok(None) };
                let instant = self.zone.instant_of(i64::from(days) * SECONDS_PER_DAY);
                instant.checked_mul(NANOS_PER_SECOND).ok_or(OutOfRange).map(Some)
            }
            _ => {
                let Some(micros) = parse_timestamp(token, &self.zone) else { return Ok(None) };
                if !self.as_date {
                    return micros.checked_mul(1000).ok_or(OutOfRange).map(Some);
                }
                self.nanos_of_day(micros.div_euclid(MICROS_PER_SECOND)).map(Some)
            }
        }
    }

    fn nanos_of_day(&self, instant: i64) -> Result<i64, OutOfRange> {
        day_of(&self.zone, instant).checked_mul(NANOS_PER_SECOND).ok_or(OutOfRange)
    }
}

/// Midnight of an instant's day in the zone, as if it were UTC; both in seconds.
fn day_of(zone: &SessionZone, instant: i64) -> i64 {
    let local = zone.local_of(instant);
    local - local.rem_euclid(SECONDS_PER_DAY)
}
