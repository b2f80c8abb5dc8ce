//! Spans of time as pandas' `Timedelta` reads them: `4w`, `1h`, `1 days 02:30:00`. Unlike in an offset, `m` is a minute and a week has
//! no first day.

use super::{DAY, TimeError};

const SECOND: f64 = 1e9;

/// Nanoseconds of a span of time.
///
/// # Errors
/// [`TimeError::InvalidTimedelta`] for text that is none, or one that is not positive.
pub(crate) fn parse_timedelta(text: &str) -> Result<i64, TimeError> {
    let invalid = || TimeError::InvalidTimedelta { text: text.to_owned() };
    let mut nanos = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, after) = number(rest).ok_or_else(invalid)?;
        if after.starts_with(':') {
            // hours:minutes:seconds, at the end.
            let parts: Vec<&str> = rest.split(':').collect();
            let [hours, minutes, seconds] = parts.as_slice() else { return Err(invalid()) };
            for (part, unit) in [(hours, 3600.0), (minutes, 60.0), (seconds, 1.0)] {
                nanos += part.trim().parse::<f64>().map_err(|_| invalid())? * unit * SECOND;
            }
            break;
        }
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        nanos += number * unit(&after[..end]).ok_or_else(invalid)?;
        rest = after[end..].trim_start().trim_start_matches(',').trim_start();
    }
    // The largest span of 64 bits is not one of these floats.
    if !(1.0..9.223e18).contains(&nanos) {
        return Err(invalid());
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range, as just seen")]
    Ok(nanos.round() as i64)
}

/// The number at the beginning, and what follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Nanoseconds of a unit.
#[expect(clippy::cast_precision_loss, reason = "a day's nanoseconds are a float")]
fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "w" | "W" | "week" | "weeks" => 7.0 * DAY as f64,
        "d" | "D" | "day" | "days" => DAY as f64,
        "h" | "H" | "hr" | "hour" | "hours" => 3600.0 * SECOND,
        "m" | "T" | "min" | "minute" | "minutes" => 60.0 * SECOND,
        "s" | "S" | "sec" | "second" | "seconds" => SECOND,
        "ms" | "L" | "milli" | "millis" | "millisecond" | "milliseconds" => 1e6,
        "us" | "U" | "micro" | "micros" | "microsecond" | "microseconds" => 1e3,
        "ns" | "N" | "nano" | "nanos" | "nanosecond" | "nanoseconds" | "" => 1.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_in_pandas() {
        let hour = 3_600_000_000_000;
        for (text, nanos) in [
            ("4w", 28 * DAY),
            ("14w", 98 * DAY),
            ("1h", hour),
            ("1 h", hour),
            ("30m", hour / 2),
            ("30min", hour / 2),
            ("1h30min", 3 * hour / 2),
            ("1 days 02:30:00", DAY + 5 * hour / 2),
            ("2 days, 1 hour", 2 * DAY + hour),
            ("0.5D", DAY / 2),
            ("02:00:00.5", 2 * hour + 500_000_000),
            ("5", 5),
        ] {
            assert_eq!(parse_timedelta(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "w", "4 fortnights", "-1h", "0h", "1:2", "1e3h", "999999999w", "1h x"] {
            let error = parse_timedelta(text).unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }
}
