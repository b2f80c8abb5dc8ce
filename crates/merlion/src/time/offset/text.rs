//! The text form of offsets: pandas' frequency strings. Merlion's reading of what a user typed is in [`super::merlion`].

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::Weekday;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::anchor::{CalendarUnit, MonthPosition};
use super::{DAY, Offset};
use crate::nearest::nearest;
use crate::time::TimeError;

pub(super) const HOUR: i64 = 3_600_000_000_000;
pub(super) const MINUTE: i64 = 60_000_000_000;
pub(super) const SECOND: i64 = 1_000_000_000;

/// Fixed units with pandas' own letter, longest first, so that the first that divides a duration names it.
const FIXED: [(&str, i64); 7] =
    [("D", DAY), ("H", HOUR), ("T", MINUTE), ("S", SECOND), ("L", 1_000_000), ("U", 1_000), ("N", 1)];

/// The units a message names, most usual first.
const ACCEPTED: &str = "ns, us, ms, s, min, h, D, W[-SUN..SAT], B, SMS, SM, MS, M, BMS, BM, QS[-JAN..DEC], Q, BQS, BQ, AS, A, BAS, BA, WOM-1MON..4SUN";

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Words that a spelling mistake may have meant; only used for messages.
const WORDS: [&str; 30] = [
    "ns", "us", "ms", "s", "sec", "min", "h", "hour", "D", "day", "W", "week", "B", "MS", "ME", "BMS", "BME", "QS",
    "QE", "BQS", "BQE", "YS", "YE", "BYS", "BYE", "SMS", "SM", "WOM", "month", "year",
];

impl Offset {
    /// Parses a pandas frequency string. The unit names of pandas 2.1 (`H`, `T`, `M`, `A-DEC`) and of later versions (`h`, `min`,
    /// `ME`, `YE-DEC`) are both understood; case matters only between `MS` (month start) and `ms` (millisecond). Fixed units
    /// may have fractions and may be added up: `1h30min`.
    ///
    /// # Errors
    /// [`TimeError::InvalidOffset`] saying which part is not understood, and the unit it may have meant.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let invalid = |reason: String| TimeError::InvalidOffset { text: text.to_owned(), reason };
        let mut rest = text.trim_start();
        let mut sum: Option<i64> = None;
        if rest.is_empty() {
            return Err(invalid("it is empty".to_owned()));
        }
        while !rest.is_empty() {
            let (number, name, after) = split_component(rest).map_err(invalid)?;
            rest = after.trim_start();
            match fixed_unit(name) {
                Some(unit) => {
                    let nanos = duration(number, unit).map_err(invalid)?;
                    sum = Some(sum.unwrap_or(0).checked_add(nanos).ok_or_else(|| invalid(too_long()))?);
                }
                None => {
                    let unit = calendar_unit(name).map_err(invalid)?;
                    if sum.is_some() || !rest.is_empty() {
                        return Err(invalid(format!("calendar unit '{name}' cannot be added to another unit")));
                    }
                    let count = if number.is_empty() { Ok(1) } else { number.parse() };
                    let count = count.ok().and_then(NonZeroU32::new).ok_or_else(|| {
                        invalid(format!("'{number}' of a calendar unit is not a whole number from 1 to {}", u32::MAX))
                    })?;
                    return Ok(Self::Calendar { count, unit });
                }
            }
        }
        match sum {
            Some(nanos) if nanos > 0 => Ok(Self::Fixed(nanos)),
            _ => Err(invalid("a step must be positive".to_owned())),
        }
    }
}

/// Why a duration is refused that has no nanoseconds in 64 bits.
pub(super) fn too_long() -> String {
    "it is longer than 292 years in nanoseconds".to_owned()
}

/// Splits `1.5h30min` into the number, the unit's name and the rest.
fn split_component(text: &str) -> Result<(&str, &str, &str), String> {
    let number_ends = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))).unwrap_or(text.len());
    let (number, rest) = text.split_at(number_ends);
    let rest = rest.trim_start();
    let mut name_ends = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    if rest[name_ends..].starts_with('-') && name_ends > 0 {
        let suffix = &rest[name_ends + 1..];
        name_ends += 1 + suffix.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(suffix.len());
    }
    if name_ends == 0 {
        return Err(match rest.chars().next() {
            Some(c) => format!("'{c}' starts neither a number nor a unit"),
            None => format!("the number {number} has no unit (accepted: {ACCEPTED})"),
        });
    }
    Ok((number, &rest[..name_ends], &rest[name_ends..]))
}

/// Nanoseconds in a fixed unit, by any of its names.
fn fixed_unit(name: &str) -> Option<i64> {
    if name == "MS" {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let nanos = match lower.as_str() {
        "n" | "ns" => 1,
        "u" | "us" => 1_000,
        "l" | "ms" => 1_000_000,
        "s" => SECOND,
        "t" | "min" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    Some(nanos)
}

/// `number` of `unit` in nanoseconds. Integers are exact; fractions are rounded to the nanosecond.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the float's size is checked before")]
pub(super) fn duration(number: &str, unit: i64) -> Result<i64, String> {
    let number = if number.is_empty() { "1" } else { number };
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(unit).ok_or_else(too_long);
    }
    match number.parse::<f64>() {
        Ok(fraction) if (fraction * unit as f64).abs() < 9.2e18 => Ok((fraction * unit as f64).round() as i64),
        Ok(_) => Err(too_long()),
        Err(_) => Err(format!("'{number}' is not a number")),
    }
}

/// The calendar a name such as `QS-OCT` stands for.
fn calendar_unit(name: &str) -> Result<CalendarUnit, String> {
    let upper = name.to_ascii_uppercase();
    let (base, suffix) = match upper.split_once('-') {
        Some((base, suffix)) => (base, Some(suffix)),
        None => (upper.as_str(), None),
    };
    let month = |default: u8| match suffix {
        None => Ok(default),
        Some(suffix) => match (1..).zip(MONTHS).find(|(_, month)| *month == suffix) {
            Some((number, _)) => Ok(number),
            None => Err(format!("'{suffix}' is not a month (JAN to DEC)")),
        },
    };
    let quarter = |position, default| month(default).map(|month| CalendarUnit::Quarter { position, month });
    let year = |position, default| month(default).map(|month| CalendarUnit::Year { position, month });
    use MonthPosition::{BusinessEnd, BusinessStart, End, Start};
    match (base, suffix) {
        ("B", None) => Ok(CalendarUnit::BusinessDay),
        ("W", None) => Ok(CalendarUnit::Week(Weekday::Sun)),
        ("W", Some(day)) => weekday(day).map(CalendarUnit::Week),
        ("MS", None) => Ok(CalendarUnit::Month(Start)),
        ("M" | "ME", None) => Ok(CalendarUnit::Month(End)),
        ("BMS", None) => Ok(CalendarUnit::Month(BusinessStart)),
        ("BM" | "BME", None) => Ok(CalendarUnit::Month(BusinessEnd)),
        ("SMS", day) => middle(day).map(|day| CalendarUnit::SemiMonth { end: false, day }),
        ("SM" | "SME", day) => middle(day).map(|day| CalendarUnit::SemiMonth { end: true, day }),
        ("WOM", Some(which)) => week_of_month(which),
        ("QS", _) => quarter(Start, 1),
        ("Q" | "QE", _) => quarter(End, 12),
        ("BQS", _) => quarter(BusinessStart, 1),
        ("BQ" | "BQE", _) => quarter(BusinessEnd, 12),
        ("AS" | "YS", _) => year(Start, 1),
        ("A" | "Y" | "YE", _) => year(End, 12),
        ("BAS" | "BYS", _) => year(BusinessStart, 1),
        ("BA" | "BY" | "BYE", _) => year(BusinessEnd, 12),
        _ => {
            let guess = nearest(base, WORDS).map(spelling).map(|word| format!("; did you mean '{word}'?"));
            Err(format!("unknown unit '{name}'{} (accepted: {ACCEPTED})", guess.unwrap_or_default()))
        }
    }
}

/// The accepted spelling of a word that is understood but not accepted.
fn spelling(word: &str) -> &str {
    match word {
        "sec" => "s",
        "hour" => "h",
        "day" => "D",
        "week" => "W",
        "month" => "MS",
        "year" => "AS",
        word => word,
    }
}

fn weekday(name: &str) -> Result<Weekday, String> {
    match name {
        "MON" => Ok(Weekday::Mon),
        "TUE" => Ok(Weekday::Tue),
        "WED" => Ok(Weekday::Wed),
        "THU" => Ok(Weekday::Thu),
        "FRI" => Ok(Weekday::Fri),
        "SAT" => Ok(Weekday::Sat),
        "SUN" => Ok(Weekday::Sun),
        _ => Err(format!("'{name}' is not a day of the week (MON to SUN)")),
    }
}

/// The day in the middle of the month of `SM-15`.
fn middle(day: Option<&str>) -> Result<u8, String> {
    let text = day.unwrap_or("15");
    match text.parse() {
        Ok(day @ 2..=27) => Ok(day),
        _ => Err(format!("'{text}' is not a day from 2 to 27")),
    }
}

/// `3FRI`: the third Friday.
fn week_of_month(which: &str) -> Result<CalendarUnit, String> {
    let week = which.bytes().next().and_then(|digit| digit.checked_sub(b'0'));
    match (week, which.get(1..)) {
        (Some(week @ 1..=4), Some(day)) => weekday(day).map(|weekday| CalendarUnit::WeekOfMonth { week, weekday }),
        _ => Err(format!("'{which}' is not a week from 1 to 4 and a day, such as 3FRI")),
    }
}

impl fmt::Display for Offset {
    /// The frequency string pandas 2.1 would show, with durations in the longest unit that divides them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(nanos) => {
                let longest = FIXED.iter().find(|(_, unit)| nanos % unit == 0 && *nanos != 0);
                let (name, unit) = longest.copied().unwrap_or(("N", 1));
                match nanos / unit {
                    1 => f.write_str(name),
                    count => write!(f, "{count}{name}"),
                }
            }
            Self::Calendar { count, unit } => {
                if count.get() != 1 {
                    write!(f, "{count}")?;
                }
                unit.fmt(f)
            }
        }
    }
}

impl fmt::Display for CalendarUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |month: u8| MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("JAN");
        match *self {
            Self::BusinessDay => f.write_str("B"),
            Self::Week(weekday) => write!(f, "W-{}", weekday.to_string().to_ascii_uppercase()),
            Self::SemiMonth { end, day } => write!(f, "{}-{day}", if end { "SM" } else { "SMS" }),
            Self::WeekOfMonth { week, weekday } => {
                write!(f, "WOM-{week}{}", weekday.to_string().to_ascii_uppercase())
            }
            Self::Month(position) => f.write_str(prefix(position, ["MS", "M", "BMS", "BM"])),
            Self::Quarter { position, month } => {
                write!(f, "{}-{}", prefix(position, ["QS", "Q", "BQS", "BQ"]), name(month))
            }
            Self::Year { position, month } => {
                write!(f, "{}-{}", prefix(position, ["AS", "A", "BAS", "BA"]), name(month))
            }
        }
    }
}

/// The one of four names (start, end, business start, business end) that belongs to a position.
const fn prefix(position: MonthPosition, names: [&'static str; 4]) -> &'static str {
    match position {
        MonthPosition::Start => names[0],
        MonthPosition::End => names[1],
        MonthPosition::BusinessStart => names[2],
        MonthPosition::BusinessEnd => names[3],
    }
}

impl FromStr for Offset {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        Self::parse(text)
    }
}

impl Serialize for Offset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::Lcg;

    #[test]
    fn offsets_are_spelled_as_pandas_spells_them() {
        for (typed, canonical) in [
            ("ns", "N"),
            ("us", "U"),
            ("ms", "L"),
            ("s", "S"),
            ("min", "T"),
            ("h", "H"),
            ("d", "D"),
            ("W", "W-SUN"),
            ("w-fri", "W-FRI"),
            ("b", "B"),
            ("MS", "MS"),
            ("m", "M"),
            ("ME", "M"),
            ("BMS", "BMS"),
            ("BME", "BM"),
            ("QS", "QS-JAN"),
            ("q", "Q-DEC"),
            ("QE-OCT", "Q-OCT"),
            ("BQ", "BQ-DEC"),
            ("YS", "AS-JAN"),
            ("y", "A-DEC"),
            ("A-jan", "A-JAN"),
            ("BYS-MAR", "BAS-MAR"),
            ("BYE", "BA-DEC"),
            ("SM", "SM-15"),
            ("SMS-20", "SMS-20"),
            ("WOM-3FRI", "WOM-3FRI"),
            ("3MS", "3MS"),
            ("2W-FRI", "2W-FRI"),
            ("1h30min", "90T"),
            ("2D 12H", "60H"),
            ("1.5D", "36H"),
            ("48H", "2D"),
            ("1000ms", "S"),
            ("25H", "25H"),
        ] {
            let shown = Offset::parse(typed).map(|offset| offset.to_string());
            assert_eq!(shown.as_deref(), Ok(canonical), "parsing '{typed}'");
        }
    }

    #[test]
    fn what_is_shown_parses_back() {
        let mut random = Lcg::new(3);
        let calendars = [
            "W-MON", "B", "SMS-7", "SM-15", "WOM-2SUN", "MS", "M", "BMS", "BM", "QS-FEB", "Q-JUL", "BQS-MAR", "BQ-DEC",
            "AS-SEP", "A-JUN", "BAS-JAN", "BA-MAY",
        ];
        for round in 0..2000 {
            let offset = if round % 2 == 0 {
                let (_, unit) = FIXED[random.below(7) as usize];
                Offset::Fixed((random.below(100) + 1) * unit)
            } else {
                let unit = calendars[random.below(calendars.len() as i64) as usize];
                Offset::parse(&format!("{}{unit}", random.below(40) + 1)).unwrap()
            };
            assert_eq!(Offset::parse(&offset.to_string()), Ok(offset.clone()), "{offset} shown and parsed");
            let json = serde_json::to_string(&offset).unwrap();
            assert_eq!(serde_json::from_str::<Offset>(&json).unwrap(), offset, "{offset} through JSON {json}");
        }
    }

    #[test]
    fn what_is_no_offset_is_told_why() {
        for (typed, reason) in [
            ("", "it is empty"),
            ("30", "the number 30 has no unit"),
            ("3 mni", "unknown unit 'mni'; did you mean 'min'?"),
            ("2hours", "did you mean 'h'?"),
            ("fortnight", "unknown unit 'fortnight' (accepted: ns"),
            ("Q-FOO", "'FOO' is not a month"),
            ("W-FRY", "'FRY' is not a day of the week"),
            ("WOM-9FRI", "week from 1 to 4"),
            ("SM-30", "day from 2 to 27"),
            ("1M1D", "cannot be added"),
            ("1D2M", "cannot be added"),
            ("0D", "must be positive"),
            ("-1h", "must be positive"),
            ("0M", "whole number from 1"),
            ("1.5MS", "whole number from 1"),
            ("9999999999D", "292 years"),
            ("1..5h", "'1..5' is not a number"),
            ("1h,", "starts neither"),
            ("é", "starts neither"),
        ] {
            let message = Offset::parse(typed).expect_err(typed).to_string();
            assert!(message.contains(reason), "'{typed}': the message '{message}' should contain '{reason}'");
        }
    }
}
