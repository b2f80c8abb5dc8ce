//! The session time zone (`spark.sql.session.timeZone`) and the zones that stand in time stamps.

use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use thiserror::Error;

/// A zone name that Java's `ZoneId.of` would refuse, too.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` is no time zone: want a name like `Europe/Paris`, `UTC`, or an offset like `+05:30`")]
pub struct UnknownZone {
    /// What was given.
    pub name: String,
}

/// A time zone: UTC, another fixed offset, or a named zone with its history of offsets.
///
/// ```
/// # use merlion_io::spark_text::SessionZone;
/// let paris: SessionZone = "Europe/Paris".parse()?;
/// assert_eq!(paris.offset_at(1_351_814_400), 3600); // 2012-11-02
/// assert_eq!("+05:30".parse(), Ok(SessionZone::Fixed(19_800)));
/// # Ok::<(), merlion_io::spark_text::UnknownZone>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionZone {
    /// UTC, the default.
    #[default]
    Utc,
    /// Seconds east of UTC.
    Fixed(i32),
    /// A zone of the IANA database.
    Named(Tz),
}

/// Java's `ZoneId.SHORT_IDS`, which Spark adds to the names.
const SHORT_IDS: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// Java allows offsets of up to 18 hours.
const MAX_OFFSET: i32 = 18 * 3600;

impl SessionZone {
    /// Seconds east of UTC at an instant given in seconds since 1970-01-01T00:00:00Z.
    pub fn offset_at(&self, instant: i64) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Fixed(offset) => *offset,
            // Beyond chrono's years (±262 000) no zone has rules; its earliest or latest offset would be as arbitrary.
            Self::Named(zone) => DateTime::from_timestamp(instant, 0)
                .map_or(0, |at| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()),
        }
    }

    /// The instant of a local time, both in seconds: Java's `ZonedDateTime.of`.
    ///
    /// Of two instants with the same local time the earlier one; a local time that a change of clocks skips is moved
    /// on by the length of the gap.
    pub fn instant_of(&self, local: i64) -> i64 {
        match self {
            Self::Utc => local,
            Self::Fixed(offset) => local - i64::from(*offset),
            Self::Named(zone) => local - i64::from(offset_of_local(zone, local)),
        }
    }

    /// The local time of an instant, both in seconds.
    pub fn local_of(&self, instant: i64) -> i64 {
        instant + i64::from(self.offset_at(instant))
    }
}

fn offset_of_local(zone: &Tz, local: i64) -> i32 {
    let Some(local) = DateTime::from_timestamp(local, 0).map(|at| at.naive_utc()) else { return 0 };
    // In a gap the offset before it counts; the longest gap on record is the day Samoa skipped.
    for hours in [0, 1, 2, 3, 6, 12, 25] {
        let Some(before) = local.checked_sub_signed(TimeDelta::hours(hours)) else { return 0 };
        match zone.offset_from_local_datetime(&before) {
            MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => {
                return offset.fix().local_minus_utc();
            }
            MappedLocalTime::None => {}
        }
    }
    0
}

impl FromStr for SessionZone {
    type Err = UnknownZone;

    /// Reads what Spark's `getZoneId` reads: `Z`, `UTC`, names of the IANA database and Java's short ones, offsets
    /// like `+1`, `+01:00`, `-0530`, `UTC+1`, and Spark's own `+1:30` and `+01:3`.
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let unknown = || UnknownZone { name: name.to_owned() };
        let full = SHORT_IDS.iter().find(|(short, _)| *short == name).map_or(name, |(_, full)| full);
        let fixed = |seconds| if seconds == 0 { Self::Utc } else { Self::Fixed(seconds) };
        match full {
            "Z" | "UTC" | "GMT" | "UT" => return Ok(Self::Utc),
            _ if full.starts_with(['+', '-']) => return parse_offset(full).map(fixed).ok_or_else(unknown),
            _ => {}
        }
        for prefix in ["UTC", "GMT", "UT"] {
            if let Some(offset) = full.strip_prefix(prefix).filter(|rest| rest.starts_with(['+', '-'])) {
                return parse_offset(offset).map(fixed).ok_or_else(unknown);
            }
        }
        full.parse().map(Self::Named).map_err(|_| unknown())
    }
}

/// `+h`, `+hh`, `+h:mm`, `+hh:m`, `+hh:mm`, `+hhmm`, `+hh:mm:ss`, `+hhmmss` in seconds.
fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => return None,
    };
    let two = |digits: &[u8]| match digits {
        [a] if a.is_ascii_digit() => Some(i32::from(a - b'0')),
        [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Some(i32::from((a - b'0') * 10 + (b - b'0'))),
        _ => None,
    };
    let (hours, minutes, seconds) = if rest.contains(&b':') {
        let parts: Vec<&[u8]> = rest.split(|&b| b == b':').collect();
        match *parts.as_slice() {
            [h, m] => (two(h)?, two(m)?, 0),
            [h, m, s] if m.len() == 2 && s.len() == 2 => (two(h)?, two(m)?, two(s)?),
            _ => return None,
        }
    } else {
        match rest.len() {
            1 | 2 => (two(rest)?, 0, 0),
            4 => (two(&rest[..2])?, two(&rest[2..])?, 0),
            6 => (two(&rest[..2])?, two(&rest[2..4])?, two(&rest[4..])?),
            _ => return None,
        }
    };
    let total = hours * 3600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && total <= MAX_OFFSET).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(y: i64, m: u32, d: u32, h: i64, min: i64) -> i64 {
        super::super::days_from_civil(y, m, d).unwrap() * 86_400 + h * 3600 + min * 60
    }

    #[test]
    fn zones_are_read_as_java_reads_them() {
        let cases = [
            ("Z", Some(SessionZone::Utc)),
            ("+00:00", Some(SessionZone::Utc)),
            ("+01:00", Some(SessionZone::Fixed(3600))),
            ("-5", Some(SessionZone::Fixed(-18_000))),
            ("+1:30", Some(SessionZone::Fixed(5400))),
            ("+0530", Some(SessionZone::Fixed(19_800))),
            ("GMT-03:00", Some(SessionZone::Fixed(-10_800))),
            ("EST", Some(SessionZone::Fixed(-18_000))),
            ("Asia/Tokyo", Some(SessionZone::Named(Tz::Asia__Tokyo))),
            ("PST", Some(SessionZone::Named(Tz::America__Los_Angeles))),
            ("+19:00", None),
            ("+1:60", None),
            ("Mars/Olympus", None),
            ("", None),
        ];
        for (name, want) in cases {
            assert_eq!(name.parse::<SessionZone>().ok(), want, "{name}");
        }
    }

    #[test]
    fn a_skipped_hour_moves_on_and_a_repeated_one_is_the_first() {
        let la: SessionZone = "America/Los_Angeles".parse().unwrap();
        // 2012-03-11 02:30 does not exist: 03:30 PDT.
        assert_eq!(la.instant_of(seconds(2012, 3, 11, 2, 30)), seconds(2012, 3, 11, 10, 30));
        // 2012-11-04 01:30 exists twice: PDT (-7) comes first.
        assert_eq!(la.instant_of(seconds(2012, 11, 4, 1, 30)), seconds(2012, 11, 4, 8, 30));
        // Samoa had no 2011-12-30.
        let apia: SessionZone = "Pacific/Apia".parse().unwrap();
        assert_eq!(apia.local_of(apia.instant_of(seconds(2011, 12, 30, 12, 0))), seconds(2011, 12, 31, 12, 0));
    }

    #[test]
    fn instants_and_local_times_agree() {
        let zone = SessionZone::Fixed(3600);
        assert_eq!(zone.instant_of(zone.local_of(123)), 123);
        assert_eq!(SessionZone::Utc.local_of(5), 5);
    }
}
