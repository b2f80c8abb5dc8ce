//! Calendars as numbered points: every calendar offset is an increasing sequence of days, so stepping is adding to an index.

use chrono::Weekday;

use super::DAY;

/// Days from 0000-03-01 to 1970-01-01.
const MARCH_0000_TO_EPOCH: i64 = 719_468;

/// Days in 400 years, after which the calendar repeats.
const DAYS_IN_ERA: i64 = 146_097;

/// Which day of its month a calendar point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MonthPosition {
    /// The first day.
    Start,
    /// The last day.
    End,
    /// The first day that is not a Saturday or Sunday.
    BusinessStart,
    /// The last day that is not a Saturday or Sunday.
    BusinessEnd,
}

/// A calendar: the days a calendar offset steps on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CalendarUnit {
    /// Monday to Friday (`B`).
    BusinessDay,
    /// One day of the week (`W-FRI`).
    Week(Weekday),
    /// A day in the middle of each month, and the month's first (`SMS-15`) or last (`SM-15`) day.
    SemiMonth {
        /// Whether the other day is the month's last.
        end: bool,
        /// The day in the middle, 2 to 27.
        day: u8,
    },
    /// The `week`-th (1 to 4) `weekday` of each month (`WOM-3FRI`).
    WeekOfMonth {
        /// Which one, from 1.
        week: u8,
        /// The day of the week.
        weekday: Weekday,
    },
    /// A day of each month (`MS`, `M`, `BMS`, `BM`).
    Month(MonthPosition),
    /// A day of every third month (`QS-JAN`, `Q-DEC`, …).
    Quarter {
        /// The day of the month.
        position: MonthPosition,
        /// A month, 1 to 12, in which a quarter starts (or ends).
        month: u8,
    },
    /// A day of one month of the year (`AS-JAN`, `A-DEC`, …).
    Year {
        /// The day of the month.
        position: MonthPosition,
        /// The month, 1 to 12.
        month: u8,
    },
}

impl CalendarUnit {
    /// Average distance between two points.
    pub(crate) const fn nominal_nanos(self) -> i64 {
        // A Gregorian year has 365.2425 days, a month a twelfth of it.
        const MONTH: i64 = 30_436_875 * (DAY / 1_000_000);
        match self {
            Self::BusinessDay => DAY / 5 * 7,
            Self::Week(_) => 7 * DAY,
            Self::SemiMonth { .. } => MONTH / 2,
            Self::WeekOfMonth { .. } | Self::Month(_) => MONTH,
            Self::Quarter { .. } => 3 * MONTH,
            Self::Year { .. } => 12 * MONTH,
        }
    }

    /// The number of the last point not after `day` (days since the epoch), and whether that point is `day`.
    pub(crate) fn floor(self, day: i64) -> (i64, bool) {
        match self {
            Self::BusinessDay => {
                // 1970-01-05 was a Monday.
                let (week, weekday) = ((day - 4).div_euclid(7), (day - 4).rem_euclid(7));
                (week * 5 + weekday.min(4), weekday < 5)
            }
            Self::Week(weekday) => {
                let since = day - 4 - i64::from(weekday.num_days_from_monday());
                (since.div_euclid(7), since.rem_euclid(7) == 0)
            }
            Self::SemiMonth { .. } => {
                let (month, _) = month_and_day(day);
                self.last_not_after(day, month * 2 + 1)
            }
            Self::WeekOfMonth { .. } | Self::Month(_) | Self::Quarter { .. } | Self::Year { .. } => {
                let (period, remainder) = self.months();
                let (month, _) = month_and_day(day);
                self.last_not_after(day, (month - remainder).div_euclid(period))
            }
        }
    }

    /// Steps down from `index`, which may be ahead of `day` by one or two points.
    fn last_not_after(self, day: i64, mut index: i64) -> (i64, bool) {
        loop {
            match self.day(index) {
                Some(point) if point <= day => return (index, point == day),
                // Days of time stamps are far inside the range of `day`, so `None` cannot repeat.
                _ => index -= 1,
            }
        }
    }

    /// The day (since the epoch) of point number `index`, or `None` far outside the range of time stamps.
    pub(crate) fn day(self, index: i64) -> Option<i64> {
        match self {
            Self::BusinessDay => index.div_euclid(5).checked_mul(7)?.checked_add(4 + index.rem_euclid(5)),
            Self::Week(weekday) => index.checked_mul(7)?.checked_add(4 + i64::from(weekday.num_days_from_monday())),
            Self::SemiMonth { end, day } => {
                let month = index.div_euclid(2);
                match (end, index.rem_euclid(2) == 0) {
                    (false, true) => first_of(month),
                    (true, false) => last_of(month),
                    _ => Some(first_of(month)? + i64::from(day) - 1),
                }
            }
            Self::WeekOfMonth { week, weekday } => {
                let first = first_of(index)?;
                let wait = (i64::from(weekday.num_days_from_monday()) - weekday_of(first)).rem_euclid(7);
                Some(first + wait + 7 * (i64::from(week) - 1))
            }
            Self::Month(position) | Self::Quarter { position, .. } | Self::Year { position, .. } => {
                let (period, remainder) = self.months();
                position.day_of(index.checked_mul(period)?.checked_add(remainder)?)
            }
        }
    }

    /// Months between two points, and the month (from January, 0) of the point number 0.
    fn months(self) -> (i64, i64) {
        match self {
            Self::Quarter { month, .. } => (3, (i64::from(month) - 1).rem_euclid(3)),
            Self::Year { month, .. } => (12, i64::from(month) - 1),
            _ => (1, 0),
        }
    }
}

impl MonthPosition {
    /// The day (since the epoch) at this position of a month, numbered from January of the year 0.
    pub(crate) fn day_of(self, month: i64) -> Option<i64> {
        match self {
            Self::Start => first_of(month),
            Self::End => last_of(month),
            Self::BusinessStart => first_of(month).map(|day| match weekday_of(day) {
                5 => day + 2,
                6 => day + 1,
                _ => day,
            }),
            Self::BusinessEnd => last_of(month).map(|day| day - (weekday_of(day) - 4).max(0)),
        }
    }
}

/// The month a day (since the epoch) is in, numbered from January of the year 0, and the day of that month from 1.
///
/// The proleptic Gregorian calendar by Howard Hinnant's `civil_from_days`, in which years begin in March, so that the leap day is
/// their last; several times faster than going through a date type, and grids ask for every point.
pub(crate) const fn month_and_day(day: i64) -> (i64, i64) {
    let day = day + MARCH_0000_TO_EPOCH;
    let era = day.div_euclid(DAYS_IN_ERA);
    let day_of_era = day.rem_euclid(DAYS_IN_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = (era * 400 + year_of_era) * 12 + month_from_march + 2;
    (month, day_of_year - (153 * month_from_march + 2) / 5 + 1)
}

/// The day of the week of a day since the epoch.
pub(crate) const fn weekday(day: i64) -> Weekday {
    const WEEK: [Weekday; 7] =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    // From 0 to 6.
    WEEK[weekday_of(day) as usize]
}

/// Day of the week of a day since the epoch, Monday being 0.
pub(crate) const fn weekday_of(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// The first day (since the epoch) of a month numbered from January of the year 0, or `None` some hundred thousand years from now.
pub(crate) const fn first_of(month: i64) -> Option<i64> {
    if month.unsigned_abs() > 12 * 200_000 {
        return None;
    }
    let from_march = month - 2;
    let (year, month) = (from_march.div_euclid(12), from_march.rem_euclid(12));
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * DAYS_IN_ERA + day_of_era - MARCH_0000_TO_EPOCH)
}

/// The last day (since the epoch) of a month numbered from January of the year 0.
pub(crate) fn last_of(month: i64) -> Option<i64> {
    first_of(month.checked_add(1)?).map(|next| next - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_month_edges_avoid_weekends() {
        for month in 12 * 1990..12 * 2040 {
            let (first, last) = (first_of(month).unwrap(), last_of(month).unwrap());
            let start = (first..).find(|&day| weekday_of(day) < 5).unwrap();
            let end = (first..=last).rev().find(|&day| weekday_of(day) < 5).unwrap();
            let got = MonthPosition::BusinessStart.day_of(month).unwrap();
            assert_eq!(got, start, "first business day of month {} of {}", month % 12 + 1, month / 12);
            let got = MonthPosition::BusinessEnd.day_of(month).unwrap();
            assert_eq!(got, end, "last business day of month {} of {}", month % 12 + 1, month / 12);
        }
    }

    #[test]
    fn every_day_of_time_stamps_has_the_date_chrono_gives_it() {
        use chrono::{Datelike, NaiveDate};
        let (first, last) = (i64::MIN.div_euclid(DAY), i64::MAX.div_euclid(DAY));
        let start = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::Duration::days(first);
        for (day, date) in (first..=last).zip(start.iter_days()) {
            let month = i64::from(date.year()) * 12 + i64::from(date.month0());
            assert_eq!(month_and_day(day), (month, i64::from(date.day())), "{date}");
            assert_eq!(first_of(month), Some(day - i64::from(date.day0())), "first of the month of {date}");
            assert_eq!(weekday_of(day), i64::from(date.weekday().num_days_from_monday()), "{date}");
        }
    }

    #[test]
    fn flooring_a_point_gives_its_own_number() {
        let units = [
            CalendarUnit::BusinessDay,
            CalendarUnit::Week(Weekday::Sun),
            CalendarUnit::SemiMonth { end: true, day: 15 },
            CalendarUnit::SemiMonth { end: false, day: 15 },
            CalendarUnit::WeekOfMonth { week: 4, weekday: Weekday::Mon },
            CalendarUnit::Month(MonthPosition::BusinessEnd),
            CalendarUnit::Quarter { position: MonthPosition::Start, month: 11 },
            CalendarUnit::Year { position: MonthPosition::End, month: 2 },
        ];
        for unit in units {
            let (zero, _) = unit.floor(0);
            for index in zero - 200..zero + 200 {
                let day = unit.day(index).unwrap();
                assert_eq!(unit.floor(day), (index, true), "{unit:?}: point {index} is day {day}");
                if !unit.floor(day + 1).1 {
                    assert_eq!(unit.floor(day + 1), (index, false), "{unit:?}: the day after point {index}");
                }
            }
        }
    }
}
