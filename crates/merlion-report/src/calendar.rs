//! Nanoseconds since 1970 as dates and times of day, in UTC, and back. All of it is the proleptic Gregorian calendar.

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;
/// Nanoseconds in a minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Nanoseconds in an hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Nanoseconds in a day.
pub(crate) const DAY: i64 = 24 * HOUR;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A date and the nanoseconds since its midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) year: i64,
    /// 1 is January.
    pub(crate) month: i64,
    pub(crate) day: i64,
    nanos: i64,
}

impl Moment {
    /// The moment so many nanoseconds after the start of 1970.
    pub(crate) fn from_nanos(nanos: i64) -> Self {
        // Years begin in March, so that the leap day is their last (Hinnant, "chrono-compatible low-level date algorithms").
        let shifted = nanos.div_euclid(DAY) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            nanos: nanos.rem_euclid(DAY),
        }
    }

    /// The three letters of the month.
    pub(crate) fn month_name(&self) -> &'static str {
        MONTHS[(self.month - 1) as usize]
    }

    /// Hours, minutes, seconds and nanoseconds.
    pub(crate) fn clock(&self) -> (i64, i64, i64, i64) {
        (self.nanos / HOUR, self.nanos / MINUTE % 60, self.nanos / SECOND % 60, self.nanos % SECOND)
    }
}

/// The first midnight of a month, counted from January of the year 0. Wide, because the calendar reaches further than 64 bits of
/// nanoseconds.
pub(crate) fn start_of_month(months: i64) -> i128 {
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i128::from(era * 146_097 + day_of_era - 719_468) * i128::from(DAY)
}

/// How much of a time is written: no more than its series needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precision {
    /// `2012-11-02`
    Date,
    /// `2012-11-02 13:30`
    Minute,
    /// `2012-11-02 13:30:05`
    Second,
    /// `2012-11-02 13:30:05.250`
    Millisecond,
    /// `2012-11-02 13:30:05.000000250`
    Nanosecond,
}

impl Precision {
    /// The least that tells all of these times exactly.
    pub(crate) fn of(times: impl IntoIterator<Item = i64>) -> Self {
        let one = |time: i64| match time {
            t if t % DAY == 0 => Self::Date,
            t if t % MINUTE == 0 => Self::Minute,
            t if t % SECOND == 0 => Self::Second,
            t if t % 1_000_000 == 0 => Self::Millisecond,
            _ => Self::Nanosecond,
        };
        times.into_iter().map(one).max().unwrap_or(Self::Date)
    }

    /// The nanoseconds that all of these times are multiples of.
    pub(crate) fn unit(self) -> i64 {
        match self {
            Self::Date => DAY,
            Self::Minute => MINUTE,
            Self::Second => SECOND,
            Self::Millisecond => 1_000_000,
            Self::Nanosecond => 1,
        }
    }

    /// The time as text, in the order of ISO 8601.
    pub(crate) fn text(self, time: i64) -> String {
        let moment = Moment::from_nanos(time);
        let (hour, minute, second, nanos) = moment.clock();
        let date = format!("{:04}-{:02}-{:02}", moment.year, moment.month, moment.day);
        match self {
            Self::Date => date,
            Self::Minute => format!("{date} {hour:02}:{minute:02}"),
            Self::Second => format!("{date} {hour:02}:{minute:02}:{second:02}"),
            Self::Millisecond => format!("{date} {hour:02}:{minute:02}:{second:02}.{:03}", nanos / 1_000_000),
            Self::Nanosecond => format!("{date} {hour:02}:{minute:02}:{second:02}.{nanos:09}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_dates() {
        for (nanos, text) in [
            (0, "1970-01-01 00:00:00.000000000"),
            (951_782_400 * SECOND, "2000-02-29 00:00:00.000000000"),
            (1_351_814_400 * SECOND + HOUR, "2012-11-02 01:00:00.000000000"),
            (-1, "1969-12-31 23:59:59.999999999"),
            (i64::MIN, "1677-09-21 00:12:43.145224192"),
            (i64::MAX, "2262-04-11 23:47:16.854775807"),
        ] {
            assert_eq!(Precision::Nanosecond.text(nanos), text, "{nanos} ns");
        }
    }

    #[test]
    fn months_start_where_their_first_day_does() {
        for months in 1_678 * 12..2_262 * 12 {
            let nanos = i64::try_from(start_of_month(months)).unwrap();
            let moment = Moment::from_nanos(nanos);
            assert_eq!(
                (moment.year * 12 + moment.month - 1, moment.day, moment.clock()),
                (months, 1, (0, 0, 0, 0)),
                "month {months} starts at {nanos} ns"
            );
        }
    }

    #[test]
    fn a_series_of_dates_is_written_without_midnights() {
        assert_eq!(Precision::of([0, DAY, -DAY]), Precision::Date);
        assert_eq!(Precision::of([0, DAY, 6 * HOUR]), Precision::Minute);
        assert_eq!(Precision::of([0, 5 * SECOND]), Precision::Second);
        assert_eq!(Precision::of([250_000_000]), Precision::Millisecond);
        assert_eq!(Precision::of([250]), Precision::Nanosecond);
        assert_eq!(Precision::of([]), Precision::Date);
    }
}
