//! Offsets as Merlion's users write them: numbers are seconds, durations come before calendars, and `1m` is a month.

use super::text::{HOUR, MINUTE, SECOND, duration, too_long};
use super::{DAY, Offset};
use crate::time::{TimeError, Timestamp};

impl Offset {
    /// Reads an offset the way Merlion does: as a duration (`1h`, `2w`, `1 day 02:00:00`) if it is one, else as a pandas frequency
    /// string. Digits followed by `M`, `m`, `Q`, `Y` or `y` are never durations, so `1m` is a month; minutes need `min`.
    ///
    /// # Errors
    /// [`TimeError::InvalidOffset`] when it is neither.
    pub fn from_merlion(text: &str) -> Result<Self, TimeError> {
        let after_digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let calendar = after_digits.len() < text.len() && after_digits.starts_with(['M', 'm', 'Q', 'Y', 'y']);
        if !calendar && let Some(nanos) = timedelta(text) {
            return if nanos > 0 {
                Ok(Self::Fixed(nanos))
            } else {
                Err(TimeError::InvalidOffset { text: text.to_owned(), reason: "a step must be positive".to_owned() })
            };
        }
        Self::parse(text)
    }

    /// The offset of a number of seconds, which is what a bare number means to Merlion.
    ///
    /// # Errors
    /// [`TimeError::InvalidOffset`] unless the number is positive and its nanoseconds fit 64 bits.
    pub fn from_seconds(seconds: f64) -> Result<Self, TimeError> {
        match Timestamp::from_seconds_f64(seconds) {
            Some(duration) if duration.nanos() > 0 => Ok(Self::Fixed(duration.nanos())),
            Some(_) => Err(TimeError::InvalidOffset {
                text: seconds.to_string(),
                reason: "a step must be positive".to_owned(),
            }),
            None => Err(TimeError::InvalidOffset { text: seconds.to_string(), reason: too_long() }),
        }
    }
}

/// Nanoseconds of a pandas `Timedelta` string, or `None` for anything else.
fn timedelta(text: &str) -> Option<i64> {
    let mut sum = 0_i64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(clock) = clock(rest) {
            return sum.checked_add(clock);
        }
        let number_ends = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(number_ends);
        let after = after.trim_start();
        let name_ends = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        if number.is_empty() || name_ends == 0 {
            return None;
        }
        let unit = match &after[..name_ends] {
            "W" | "w" => 7 * DAY,
            "D" | "d" | "day" | "days" => DAY,
            "H" | "h" | "hr" | "hour" | "hours" => HOUR,
            "T" | "t" | "m" | "min" | "minute" | "minutes" => MINUTE,
            "S" | "s" | "sec" | "second" | "seconds" => SECOND,
            "L" | "l" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
            "U" | "u" | "us" | "micro" | "micros" | "microsecond" | "microseconds" => 1_000,
            "N" | "n" | "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1,
            _ => return None,
        };
        sum = sum.checked_add(duration(number, unit).ok()?)?;
        rest = after[name_ends..].trim_start();
    }
    Some(sum)
}

/// Nanoseconds of `hh:mm:ss`, perhaps with a fraction.
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let hours = duration(hours, HOUR).ok()?;
    let minutes = duration(minutes, MINUTE).ok()?;
    hours.checked_add(minutes)?.checked_add(duration(seconds, SECOND).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merlion_takes_durations_first_but_digits_and_m_are_months() {
        for (typed, canonical) in [
            ("1h", "H"),
            ("2w", "14D"),
            ("14d", "14D"),
            ("1 day 2 hours", "26H"),
            ("01:30:00", "90T"),
            ("1 days 00:00:01", "86401S"),
            ("1m", "M"),
            ("6m", "6M"),
            ("2MS", "2MS"),
            ("1y", "A-DEC"),
            ("5min", "5T"),
            ("10ms", "10L"),
            ("2Q", "2Q-DEC"),
            ("W", "W-SUN"),
            ("2W", "14D"),
            ("2W-FRI", "2W-FRI"),
            ("H", "H"),
            ("1.5h", "90T"),
            ("B", "B"),
        ] {
            let shown = Offset::from_merlion(typed).map(|offset| offset.to_string());
            assert_eq!(shown.as_deref(), Ok(canonical), "Merlion reading '{typed}'");
        }
        assert_eq!(Offset::from_seconds(1800.5), Ok(Offset::Fixed(1_800_500_000_000)));
        assert!(
            Offset::from_seconds(0.0).is_err()
                && Offset::from_seconds(f64::NAN).is_err()
                && Offset::from_seconds(1e30).is_err()
        );
    }
}
