//! Times as people and programs write them.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::{TimeError, Timestamp};

impl Timestamp {
    /// Reads an ISO-like date or time: `2012-11-02`, `2012/11/02`, `20121102`, `2012-11`, with an optional time of day
    /// (`T13:30`, ` 13:30:00.25`) and an optional `Z` or `+01:00`. Without an offset it is UTC.
    ///
    /// # Errors
    /// [`TimeError::InvalidTime`] for anything else, [`TimeError::OutOfRange`] outside the nanosecond range.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let invalid = || TimeError::InvalidTime { text: text.to_owned() };
        let trimmed = text.trim();
        let split = trimmed.find(['T', ' ']);
        let (date, rest) = split.map_or((trimmed, ""), |at| (&trimmed[..at], trimmed[at + 1..].trim()));
        let date = parse_date(date).ok_or_else(invalid)?;
        let (clock, offset_seconds) = split_offset(rest).ok_or_else(invalid)?;
        let clock = if clock.is_empty() && split.is_none() {
            NaiveTime::MIN
        } else {
            parse_clock(clock).ok_or_else(invalid)?
        };
        let local = Self::from_utc(NaiveDateTime::new(date, clock)).ok_or(TimeError::OutOfRange)?;
        local.checked_add(-offset_seconds * 1_000_000_000).ok_or(TimeError::OutOfRange)
    }
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    ["%Y-%m-%d", "%Y/%m/%d"].iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok()).or_else(|| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match text.len() {
            8 if digits => NaiveDate::parse_from_str(text, "%Y%m%d").ok(),
            4 if digits => NaiveDate::from_ymd_opt(text.parse().ok()?, 1, 1),
            7 => {
                let (year, month) = text.split_once(['-', '/'])?;
                NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)
            }
            _ => None,
        }
    })
}

fn parse_clock(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// The clock without its zone offset, and the offset in seconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock.trim_end(), 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    let digits: String = text[at + 1..].chars().filter(|c| *c != ':').collect();
    if !(digits.len() == 2 || digits.len() == 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    Some((text[..at].trim_end(), sign * (hours * 3600 + minutes * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        let cases = [
            ("2012-11-02", "2012-11-02"),
            (" 2012/11/02 ", "2012-11-02"),
            ("20121102", "2012-11-02"),
            ("2012-11", "2012-11-01"),
            ("2012-11-02T13:30", "2012-11-02 13:30:00"),
            ("2012-11-02 13:30:00.25", "2012-11-02 13:30:00.250"),
            ("2012-11-02T00:30:00+01:00", "2012-11-01 23:30:00"),
            ("2012-11-02 00:30:00Z", "2012-11-02 00:30:00"),
        ];
        for (text, want) in cases {
            assert_eq!(Timestamp::parse(text).map(|t| t.to_string()), Ok(want.to_owned()), "'{text}'");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "tomorrow",
            "2012-13-01",
            "2012-02-30",
            "11/02/2012",
            "2012-11-02 25:00",
            "2012-11-02T",
            "2012-11-02 +1",
        ] {
            assert!(Timestamp::parse(bad).is_err(), "'{bad}' was read as {:?}", Timestamp::parse(bad));
        }
        assert_eq!(Timestamp::parse("9999-01-01"), Err(TimeError::OutOfRange));
    }
}
