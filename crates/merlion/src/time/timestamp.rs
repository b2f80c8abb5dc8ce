//! An instant, in nanoseconds since the Unix epoch, UTC.

use std::fmt;

use chrono::{DateTime, NaiveDateTime};
use serde::{Deserialize, Serialize};

use super::offset::DAY;

/// An instant in nanoseconds since 1970-01-01T00:00:00Z: from 1677-09-21 to 2262-04-11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `nanos` nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The instant `seconds` after the epoch, or `None` outside the range.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(1_000_000_000) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The instant `seconds` after the epoch, to the nearest nanosecond that a float can tell, or `None` outside the range.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the bounds are checked before the conversion")]
    pub fn from_seconds_f64(seconds: f64) -> Option<Self> {
        // Whole and fractional seconds are converted apart: their sum in nanoseconds would not fit a float's 53 bits.
        let whole = seconds.floor();
        if !whole.is_finite() || whole.abs() >= 9.3e9 {
            return None;
        }
        Self::from_seconds(whole as i64)?.checked_add(((seconds - whole) * 1e9).round() as i64)
    }

    /// The instant `nanos` later, or `None` outside the range.
    #[must_use]
    pub const fn checked_add(self, nanos: i64) -> Option<Self> {
        match self.0.checked_add(nanos) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The day the instant is in, counted from the epoch.
    pub(crate) const fn days(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// Nanoseconds since midnight.
    pub(crate) const fn nanos_of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    /// The instant `nanos` after midnight of a day counted from the epoch, or `None` outside the range.
    pub(crate) fn from_day(day: i64, nanos: i64) -> Option<Self> {
        // In 128 bits, because midnight of the first representable day is itself out of range.
        i64::try_from(i128::from(day) * i128::from(DAY) + i128::from(nanos)).ok().map(Self)
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a float of seconds is what the caller asks for")]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The calendar date and time in UTC.
    #[must_use]
    pub fn to_utc(self) -> NaiveDateTime {
        DateTime::from_timestamp_nanos(self.0).naive_utc()
    }

    /// The instant of a calendar date and time in UTC, or `None` outside the range.
    #[must_use]
    pub fn from_utc(datetime: NaiveDateTime) -> Option<Self> {
        datetime.and_utc().timestamp_nanos_opt().map(Self)
    }
}

impl fmt::Display for Timestamp {
    /// `2012-11-02` at midnight, `2012-11-02 13:30:00` otherwise, with a fraction when there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let datetime = self.to_utc();
        if self.0.rem_euclid(86_400_000_000_000) == 0 {
            write!(f, "{}", datetime.date())
        } else {
            write!(f, "{}", datetime.format("%Y-%m-%d %H:%M:%S%.f"))
        }
    }
}
