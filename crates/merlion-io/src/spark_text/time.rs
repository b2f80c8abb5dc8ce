//! Days and instants as text: Spark's lenient readers `stringToDate` and `stringToTimestamp`, and how Spark prints.
//!
//! Instants are microseconds since 1970-01-01T00:00:00Z, days are days since 1970-01-01: Spark's own units.

use super::civil::{civil_from_days, days_from_civil};
use super::zone::SessionZone;

/// Seconds of a day.
pub const SECONDS_PER_DAY: i64 = 86_400;
/// Microseconds of a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;

/// Spark's `trimAll`: blanks and control characters off both ends.
fn trim_all(token: &[u8]) -> &[u8] {
    let keep = |b: &u8| *b > b' ' && *b != 0x7f;
    let from = token.iter().position(keep).unwrap_or(token.len());
    let to = token.iter().rposition(keep).map_or(from, |at| at + 1);
    &token[from..to]
}

#[inline]
fn two_digits(bytes: &[u8], at: usize) -> Option<u32> {
    let (a, b) = (bytes[at].wrapping_sub(b'0'), bytes[at + 1].wrapping_sub(b'0'));
    (a <= 9 && b <= 9).then(|| u32::from(a) * 10 + u32::from(b))
}

/// Days of exactly `yyyy-MM-dd`, ten bytes.
#[inline]
pub(crate) fn iso_date(token: &[u8; 10]) -> Option<i64> {
    if token[4] != b'-' || token[7] != b'-' {
        return None;
    }
    let year = two_digits(token, 0)? * 100 + two_digits(token, 2)?;
    days_from_civil(i64::from(year), two_digits(token, 5)?, two_digits(token, 8)?)
}

/// Seconds of the day in exactly `HH:mm:ss`, eight bytes.
#[inline]
pub(crate) fn iso_time(token: &[u8; 8]) -> Option<i64> {
    if token[2] != b':' || token[5] != b':' {
        return None;
    }
    let (h, m, s) = (two_digits(token, 0)?, two_digits(token, 3)?, two_digits(token, 6)?);
    (h < 24 && m < 60 && s < 60).then(|| i64::from(h * 3600 + m * 60 + s))
}

/// Whether inference calls the token a date: the strict pattern `yyyy-MM-dd`, where years past four digits take a `+`.
pub fn is_iso_date(token: &[u8]) -> bool {
    if let Ok(plain) = <&[u8; 10]>::try_from(token) {
        return iso_date(plain).is_some();
    }
    let (sign, rest) = match token {
        [sign @ (b'+' | b'-'), rest @ ..] => (*sign, rest),
        _ => return false,
    };
    let Some(year_len) = rest.iter().position(|&b| b == b'-') else { return false };
    let fits = match sign {
        b'+' => (5..=7).contains(&year_len),
        _ => (4..=7).contains(&year_len),
    };
    fits && rest.len() == year_len + 6 && rest[year_len + 3] == b'-' && parse_date(token).is_some()
}

/// Spark's cast of a string to a date (`stringToDate`): days since 1970-01-01.
///
/// Trims, then reads `[+-]y{4,7}[-m[m][-d[d]]]`; behind a full date anything may follow a blank or a `T`.
#[inline]
pub fn parse_date(token: &[u8]) -> Option<i32> {
    if let Ok(plain) = <&[u8; 10]>::try_from(token)
        && let Some(days) = iso_date(plain)
    {
        return i32::try_from(days).ok();
    }
    lenient_date(token)
}

fn lenient_date(token: &[u8]) -> Option<i32> {
    let bytes = trim_all(token);
    let (sign, bytes) = match bytes {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, bytes),
    };
    let mut parts = [1_i64; 3];
    let (mut part, mut value, mut digits, mut at) = (0, 0_i64, 0, 0);
    let valid =
        |part: usize, digits: u32| if part == 0 { (4..=7).contains(&digits) } else { (1..=2).contains(&digits) };
    while let Some(&b) = bytes.get(at) {
        if b == b' ' || b == b'T' {
            break;
        }
        if part < 2 && b == b'-' {
            if !valid(part, digits) {
                return None;
            }
            parts[part] = value;
            (part, value, digits) = (part + 1, 0, 0);
        } else {
            let digit = b.wrapping_sub(b'0');
            if digit > 9 || digits > 7 {
                return None;
            }
            value = value * 10 + i64::from(digit);
            digits += 1;
        }
        at += 1;
    }
    if !valid(part, digits) || (part < 2 && at < bytes.len()) {
        return None;
    }
    parts[part] = value;
    let [year, month, day] = parts;
    days_from_civil(sign * year, month as u32, day as u32).and_then(|days| i32::try_from(days).ok())
}

/// Spark's cast of a string to a timestamp (`stringToTimestamp`): microseconds since 1970-01-01T00:00:00Z.
///
/// A time without a date is today's; a time without a zone is the session's.
#[inline]
pub fn parse_timestamp(token: &[u8], zone: &SessionZone) -> Option<i64> {
    if token.len() == 19 && matches!(token[10], b' ' | b'T') {
        let date = <&[u8; 10]>::try_from(&token[..10]).ok().and_then(iso_date);
        let time = <&[u8; 8]>::try_from(&token[11..]).ok().and_then(iso_time);
        if let (Some(days), Some(seconds)) = (date, time) {
            return micros(zone.instant_of(days * SECONDS_PER_DAY + seconds), 0);
        }
    }
    lenient_timestamp(token, zone)
}

fn micros(seconds: i64, micros: i64) -> Option<i64> {
    seconds.checked_mul(MICROS_PER_SECOND)?.checked_add(micros)
}

/// The seven numbers of a time stamp, and what is left over as its zone.
#[derive(Default)]
struct Segments<'a> {
    date: [i64; 3],
    time: [i64; 3],
    micros: i64,
    zone: Option<&'a [u8]>,
    only_time: bool,
}

fn lenient_timestamp(token: &[u8], session: &SessionZone) -> Option<i64> {
    let bytes = trim_all(token);
    if bytes.is_empty() {
        return None;
    }
    let segments = segments(bytes)?;
    let zone = match segments.zone {
        None => *session,
        Some(name) => std::str::from_utf8(name).ok()?.trim_matches(|c| c <= ' ').parse().ok()?,
    };
    let [hour, minute, second] = segments.time;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = if segments.only_time {
        zone.local_of(chrono::Utc::now().timestamp()).div_euclid(SECONDS_PER_DAY)
    } else {
        let [year, month, day] = segments.date;
        days_from_civil(year, month as u32, day as u32)?
    };
    let local = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    micros(zone.instant_of(local), segments.micros)
}

/// Spark's `parseTimestampString`: a walk over the bytes with the number of the segment as state.
fn segments(bytes: &[u8]) -> Option<Segments<'_>> {
    let (sign, start) = match bytes[0] {
        b'-' => (Some(-1), 1),
        b'+' => (Some(1), 1),
        _ => (None, 0),
    };
    let mut values = [1_i64, 1, 1, 0, 0, 0, 0];
    let (mut at, mut segment, mut value, mut digits) = (start, 0, 0_i64, 0_u32);
    let mut out = Segments::default();
    while let Some(&b) = bytes.get(at) {
        let digit = b.wrapping_sub(b'0');
        if digit <= 9 {
            if segment != 6 || digits < 6 {
                if digits > 6 {
                    return None;
                }
                value = value * 10 + i64::from(digit);
            }
            digits += 1;
            at += 1;
            continue;
        }
        if at == 0 && b == b'T' {
            out.only_time = true;
            segment = 3;
            at += 1;
            continue;
        }
        let (filled, next) = match (segment, b) {
            (0, b':') if sign.is_none() => {
                out.only_time = true;
                (3, 4)
            }
            (0 | 1, b'-') => (segment, segment + 1),
            (2, b' ' | b'T') => (2, 3),
            (3 | 4, b':') => (segment, segment + 1),
            (5, b'.') => (5, 6),
            (5 | 6, _) => {
                out.zone = Some(&bytes[at..]);
                (segment, 7)
            }
            _ => return None,
        };
        if !valid_digits(filled, digits) {
            return None;
        }
        values[filled] = scaled(filled, value, digits);
        (segment, value, digits) = (next, 0, 0);
        if out.zone.is_some() {
            break;
        }
        at += 1;
    }
    if segment < 7 {
        if !valid_digits(segment, digits) {
            return None;
        }
        values[segment] = scaled(segment, value, digits);
    }
    out.date = [values[0] * sign.unwrap_or(1), values[1], values[2]];
    out.time = [values[3], values[4], values[5]];
    out.micros = values[6];
    Some(out)
}

fn valid_digits(segment: usize, digits: u32) -> bool {
    match segment {
        0 => (4..=6).contains(&digits),
        6 => true,
        _ => (1..=2).contains(&digits),
    }
}

/// A fraction of a second counts in microseconds however many digits it has.
fn scaled(segment: usize, value: i64, digits: u32) -> i64 {
    if segment == 6 { value * 10_i64.pow(6 - digits.min(6)) } else { value }
}

/// Appends a day as Spark prints it: `yyyy-MM-dd`, with a sign before years outside of 0 to 9999.
pub fn push_date(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil_from_days(days);
    match year {
        0..=9999 => push_padded(out, year as u64, 4),
        _ => {
            out.push(if year < 0 { b'-' } else { b'+' });
            push_padded(out, year.unsigned_abs(), 4);
        }
    }
    out.push(b'-');
    push_padded(out, u64::from(month), 2);
    out.push(b'-');
    push_padded(out, u64::from(day), 2);
}

/// Appends `HH:mm:ss` of a second of the day.
pub(crate) fn push_time(out: &mut Vec<u8>, second_of_day: i64) {
    push_padded(out, (second_of_day / 3600) as u64, 2);
    out.push(b':');
    push_padded(out, (second_of_day / 60 % 60) as u64, 2);
    out.push(b':');
    push_padded(out, (second_of_day % 60) as u64, 2);
}

/// Appends an instant as Spark's cast to string prints it: local time of the zone, `yyyy-MM-dd HH:mm:ss[.ffffff]` with
/// the trailing zeros of the fraction left out.
pub fn push_timestamp(out: &mut Vec<u8>, micros: i64, zone: &SessionZone) {
    let local = zone.local_of(micros.div_euclid(MICROS_PER_SECOND));
    push_date(out, local.div_euclid(SECONDS_PER_DAY));
    out.push(b' ');
    push_time(out, local.rem_euclid(SECONDS_PER_DAY));
    let fraction = micros.rem_euclid(MICROS_PER_SECOND);
    if fraction != 0 {
        out.push(b'.');
        push_padded(out, fraction as u64, 6);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Appends a number with leading zeros up to `width` digits.
pub(crate) fn push_padded(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut buffer = [b'0'; 20];
    let mut at = buffer.len();
    while number > 0 {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&buffer[at.min(buffer.len() - width)..]);
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
