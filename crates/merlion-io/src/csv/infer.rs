//! What is known of one column's type while its tokens go by: Spark's `CSVInferSchema`, mergeable and fast.
//!
//! Spark tries each token only from the type found so far upwards, so the answer for odd columns (dates and a lone
//! year, integers beyond a long) depends on the order of the tokens. So does this.

use super::SparkType;
use super::number::{is_plain_decimal, parse_boolean, parse_decimal, parse_double, parse_long};
use crate::spark_text::{
    MICROS_PER_SECOND, PlainTimes, SECONDS_PER_DAY, SessionZone, is_iso_date, parse_date, parse_timestamp,
};

/// A token worth telling the user about, and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The token, cut to 64 bytes.
    pub token: String,
    /// Number of its record, counted from 1 over all records surveyed.
    pub record: u64,
}

impl Sighting {
    #[cold]
    pub(crate) fn of(token: &[u8], record: u64) -> Self {
        const KEEP: usize = 64;
        Self { token: String::from_utf8_lossy(&token[..token.len().min(KEEP)]).into_owned(), record }
    }
}

/// Earliest and latest instant of a date or timestamp column, in microseconds since 1970-01-01T00:00:00Z.
///
/// The days of a date column count as midnight UTC; among timestamps they count as midnight in the session's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The earliest.
    pub min: i64,
    /// The latest.
    pub max: i64,
}

/// Tokens up to this length are remembered, to know the same token when it comes again.
const SAME: usize = 24;

/// The state of one column's inference.
#[derive(Debug, Clone)]
pub struct ColumnInference {
    so_far: SparkType,
    nulls: u64,
    not_a_number: Option<Sighting>,
    not_a_time: Option<Sighting>,
    days: Option<(i64, i64)>,
    instants: Option<(i64, i64)>,
    last: [u8; SAME],
    last_len: usize,
    plain_times: PlainTimes,
    /// Nothing more can be learnt but the count of nulls.
    settled: bool,
}

impl Default for ColumnInference {
    fn default() -> Self {
        Self {
            so_far: SparkType::Null,
            nulls: 0,
            not_a_number: None,
            not_a_time: None,
            days: None,
            instants: None,
            last: [0; SAME],
            last_len: usize::MAX,
            plain_times: PlainTimes::default(),
            settled: false,
        }
    }
}

fn widen(range: &mut Option<(i64, i64)>, low: i64, high: i64) {
    *range = Some(range.map_or((low, high), |(min, max)| (min.min(low), max.max(high))));
}

impl ColumnInference {
    /// Takes in the column's token of the next record; empty is null. `record` is that record's number.
    #[inline]
    pub fn update(&mut self, token: &[u8], record: u64, zone: &SessionZone) {
        if token.is_empty() {
            self.nulls += 1;
            return;
        }
        if self.settled || (token.len() == self.last_len && token == &self.last[..self.last_len]) {
            return;
        }
        let known = match self.so_far {
            SparkType::Int => is_short_integer(token, 9),
            SparkType::BigInt => is_short_integer(token, 18),
            SparkType::Double => is_plain_decimal(token),
            SparkType::Timestamp => self.plain_timestamp(token, zone),
            _ => false,
        };
        if !known {
            self.infer(token, record, zone);
        }
        if token.len() <= SAME {
            self.last[..token.len()].copy_from_slice(token);
            self.last_len = token.len();
        }
    }

    /// The usual token of a timestamp column: widens the range, without the general reader.
    #[inline]
    fn plain_timestamp(&mut self, token: &[u8], zone: &SessionZone) -> bool {
        // A date alone counts among the days, as it does before the first timestamp.
        let Some(time) = self.plain_times.read(token, zone).filter(|_| token.len() > 10) else { return false };
        let instant = time.instant * MICROS_PER_SECOND;
        widen(&mut self.instants, instant, instant);
        true
    }

    /// One step of Spark's `inferField`, and the notes for the user.
    fn infer(&mut self, token: &[u8], record: u64, zone: &SessionZone) {
        let found = self.try_from_so_far(token, zone);
        self.so_far = self.so_far.merge(found);
        let number = found.is_numeric();
        let time = found.is_time();
        if self.not_a_number.is_none() && !number && parse_double(token).is_none() {
            self.not_a_number = Some(Sighting::of(token, record));
        }
        if self.not_a_time.is_none() && !time && parse_timestamp(token, zone).is_none() && parse_date(token).is_none() {
            self.not_a_time = Some(Sighting::of(token, record));
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.settled = self.so_far == SparkType::String && self.not_a_number.is_some() && self.not_a_time.is_some();
    }

    /// The type of a token, tried from the type so far upwards.
    fn try_from_so_far(&mut self, token: &[u8], zone: &SessionZone) -> SparkType {
        let rank = match self.so_far {
            SparkType::String => return SparkType::String,
            SparkType::Null | SparkType::Int => 0,
            SparkType::BigInt => 1,
            SparkType::Decimal(_) => 2,
            SparkType::Double => 3,
            SparkType::Date => 4,
            SparkType::Timestamp => 5,
            SparkType::Boolean => 6,
        };
        if rank <= 1
            && let Some(value) = parse_long(token)
        {
            let int = rank == 0 && i32::try_from(value).is_ok();
            return if int { SparkType::Int } else { SparkType::BigInt };
        }
        if rank <= 2
            && let Some((precision, _)) = parse_decimal(token)
        {
            return SparkType::Decimal(precision);
        }
        if rank <= 3 && parse_double(token).is_some() {
            return SparkType::Double;
        }
        if rank <= 4
            && is_iso_date(token)
            && let Some(days) = parse_date(token)
        {
            widen(&mut self.days, i64::from(days), i64::from(days));
            return SparkType::Date;
        }
        if rank <= 5
            && let Some(instant) = parse_timestamp(token, zone)
        {
            widen(&mut self.instants, instant, instant);
            return SparkType::Timestamp;
        }
        if parse_boolean(token).is_some() { SparkType::Boolean } else { SparkType::String }
    }

    /// Takes in what another inference learnt from the records *after* this one's `records_before`.
    pub fn merge(&mut self, other: &Self, records_before: u64) {
        self.so_far = self.so_far.merge(other.so_far);
        self.nulls += other.nulls;
        let shifted = |theirs: &Option<Sighting>| {
            theirs.as_ref().map(|s| Sighting { token: s.token.clone(), record: s.record + records_before })
        };
        if self.not_a_number.is_none() {
            self.not_a_number = shifted(&other.not_a_number);
        }
        if self.not_a_time.is_none() {
            self.not_a_time = shifted(&other.not_a_time);
        }
        if let Some((min, max)) = other.days {
            widen(&mut self.days, min, max);
        }
        if let Some((min, max)) = other.instants {
            widen(&mut self.instants, min, max);
        }
        self.last_len = usize::MAX;
        self.settle();
    }

    /// The column's type; a column without any value is a string column.
    pub fn finish(&self) -> SparkType {
        self.so_far.or_string()
    }

    /// How many records have no value in the column, short records not counted.
    pub fn nulls(&self) -> u64 {
        self.nulls
    }

    /// The first token that is no number.
    pub fn not_a_number(&self) -> Option<&Sighting> {
        self.not_a_number.as_ref()
    }

    /// The first token that is neither a timestamp nor a date.
    pub fn not_a_time(&self) -> Option<&Sighting> {
        self.not_a_time.as_ref()
    }

    /// Earliest and latest time, when the column is a date or timestamp column.
    pub fn time_range(&self, zone: &SessionZone) -> Option<TimeRange> {
        let midnight = |day: i64| match self.so_far {
            SparkType::Date => day * SECONDS_PER_DAY * MICROS_PER_SECOND,
            _ => zone.instant_of(day * SECONDS_PER_DAY) * MICROS_PER_SECOND,
        };
        if !self.so_far.is_time() {
            return None;
        }
        let mut range = self.instants;
        if let Some((first, last)) = self.days {
            widen(&mut range, midnight(first), midnight(last));
        }
        range.map(|(min, max)| TimeRange { min, max })
    }
}

/// Digits with an optional minus, few enough to be no larger than the type.
#[inline]
fn is_short_integer(token: &[u8], digits: usize) -> bool {
    let number = token.strip_prefix(b"-").unwrap_or(token);
    !number.is_empty() && number.len() <= digits && number.iter().all(|b| b.wrapping_sub(b'0') <= 9)
}

#[cfg(test)]
#[path = "infer_tests.rs"]
mod tests;
