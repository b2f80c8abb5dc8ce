//! A time offset: a fixed duration, or a step from one calendar point to the next. The text forms are in [`text`] and [`merlion`], the
//! calendar in [`anchor`]; grids with a phase are [`Granularity`](super::Granularity)'s business.

pub(crate) mod anchor;
mod merlion;
pub(crate) mod shift;
mod text;

use std::num::NonZeroU32;

use super::{TimeError, Timestamp};
pub use anchor::{CalendarUnit, MonthPosition};

/// Nanoseconds in a day.
pub(crate) const DAY: i64 = 86_400_000_000_000;

/// More grid points than any series needs. A tiny step over a long span, as a few odd time stamps can cause, must end as an error
/// of that series, not exhaust the memory of a process that has thousands of others.
const MOST_POINTS: usize = 10_000_000;

/// A time offset, as pandas has them: `15min`, `D`, `W-FRI`, `2MS`, `Q-DEC`.
///
/// A calendar offset moves dates and keeps the time of day. Its text is pandas' (`Display`, [`Offset::parse`], serde); Merlion's
/// own reading of user input, where a number means seconds and `1m` means a month, is [`Offset::from_merlion`].
///
/// ```
/// use merlion::time::{Offset, Timestamp};
/// # fn main() -> Result<(), merlion::time::TimeError> {
/// let step = Offset::parse("W-FRI")?;
/// let thursday = Timestamp::from_nanos(0); // 1970-01-01
/// assert_eq!(step.advance(thursday, 2)?.to_string(), "1970-01-09");
/// assert_eq!(Offset::parse("90min")?.to_string(), "90T");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Offset {
    /// A fixed number of nanoseconds.
    Fixed(i64),
    /// Every `count`-th point of a calendar.
    Calendar {
        /// How many calendar points make one step.
        count: NonZeroU32,
        /// The calendar.
        unit: CalendarUnit,
    },
}

impl Offset {
    /// A step from one point of `unit` to the next.
    #[must_use]
    pub const fn every(unit: CalendarUnit) -> Self {
        Self::Calendar { count: NonZeroU32::MIN, unit }
    }

    /// Whether the offset is a fixed duration.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// The duration in seconds of a fixed offset.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a float of seconds is what the caller asks for")]
    pub fn fixed_seconds(&self) -> Option<f64> {
        match self {
            Self::Fixed(nanos) => Some(*nanos as f64 / 1e9),
            Self::Calendar { .. } => None,
        }
    }

    /// The usual length of the step in nanoseconds, averaged over the calendar: for guessing seasons, not for arithmetic.
    #[must_use]
    pub fn nominal_nanos(&self) -> i64 {
        match self {
            Self::Fixed(nanos) => *nanos,
            Self::Calendar { count, unit } => unit.nominal_nanos().saturating_mul(i64::from(count.get())),
        }
    }

    /// Whether `t` is a point of the calendar. A fixed offset has no points of its own, so every instant qualifies.
    #[must_use]
    pub fn is_on(&self, t: Timestamp) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Calendar { unit, .. } => unit.floor(t.days()).1,
        }
    }

    /// `t` moved by `n` offsets. From an instant between calendar points the first step leads to the next point (or, backwards,
    /// to the previous one), as in pandas; `n = 0` rolls forward.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] when the result has no nanosecond time stamp.
    pub fn advance(&self, t: Timestamp, n: i64) -> Result<Timestamp, TimeError> {
        match self {
            Self::Fixed(step) => {
                let distance = step.checked_mul(n).ok_or(TimeError::OutOfRange)?;
                t.checked_add(distance).ok_or(TimeError::OutOfRange)
            }
            Self::Calendar { count, unit } => {
                let (index, on) = unit.floor(t.days());
                let from = if n > 0 || on { index } else { index + 1 };
                let steps = n.checked_mul(i64::from(count.get())).ok_or(TimeError::OutOfRange)?;
                at_index(*unit, from.checked_add(steps), t)
            }
        }
    }

    /// The first calendar point not before `t`; `t` itself for a fixed offset.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] when that point has no nanosecond time stamp.
    pub fn rollforward(&self, t: Timestamp) -> Result<Timestamp, TimeError> {
        self.advance(t, 0)
    }

    /// The last calendar point not after `t`; `t` itself for a fixed offset.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] when that point has no nanosecond time stamp.
    pub fn rollback(&self, t: Timestamp) -> Result<Timestamp, TimeError> {
        match self {
            Self::Fixed(_) => Ok(t),
            Self::Calendar { unit, .. } => at_index(*unit, Some(unit.floor(t.days()).0), t),
        }
    }

    /// The instants `start`, `start + step`, … up to and including `end`; a calendar offset starts at the first point not before
    /// `start`. Empty when `end` is before that.
    ///
    /// # Errors
    /// [`TimeError::NotPositive`] for a step that never reaches `end`, [`TimeError::GridTooFine`] for one that takes forever. A
    /// grid that would leave the nanosecond range simply ends.
    pub fn range(&self, start: Timestamp, end: Timestamp) -> Result<Vec<Timestamp>, TimeError> {
        self.check_grid(start, end)?;
        let mut grid = Vec::new();
        let Ok(mut t) = self.rollforward(start) else { return Ok(grid) };
        while t <= end {
            grid.push(t);
            match self.advance(t, 1) {
                Ok(next) => t = next,
                Err(_) => break,
            }
        }
        Ok(grid)
    }

    /// Refuses grids on which a loop would hang or exhaust the memory: steps that stand still or go backwards, and steps far too
    /// small for the span. The points of calendars are days at least, of which there are not too many.
    pub(crate) fn check_grid(&self, first: Timestamp, last: Timestamp) -> Result<(), TimeError> {
        let Self::Fixed(step) = self else { return Ok(()) };
        if *step <= 0 {
            return Err(TimeError::NotPositive { offset: self.to_string() });
        }
        let span = i128::from(last.nanos()) - i128::from(first.nanos());
        if span / i128::from(*step) >= MOST_POINTS as i128 {
            return Err(TimeError::GridTooFine { step: self.to_string(), first, last, limit: MOST_POINTS });
        }
        Ok(())
    }
}

/// The calendar point number `index`, at the time of day of `t`.
fn at_index(unit: CalendarUnit, index: Option<i64>, t: Timestamp) -> Result<Timestamp, TimeError> {
    let day = index.and_then(|index| unit.day(index)).ok_or(TimeError::OutOfRange)?;
    Timestamp::from_day(day, t.nanos_of_day()).ok_or(TimeError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Lcg, stamp};

    fn walk(offset: &str, from: &str, steps: &[i64]) -> Vec<String> {
        let offset = Offset::parse(offset).unwrap();
        steps.iter().map(|&n| offset.advance(stamp(from), n).unwrap().to_string()).collect()
    }

    #[test]
    fn steps_land_where_pandas_lands() {
        // Each row computed with pandas 2.1.4: Timestamp(from) + n * to_offset(offset).
        let rows: [(&str, &str, &[i64], &[&str]); 16] = [
            ("2D", "2020-02-28", &[1, -1], &["2020-03-01", "2020-02-26"]),
            ("W-FRI", "2010-02-05", &[1, 2, -1], &["2010-02-12", "2010-02-19", "2010-01-29"]),
            ("W-FRI", "2010-02-07", &[1, 2, -1], &["2010-02-12", "2010-02-19", "2010-02-05"]),
            ("B", "2021-03-06", &[1, 2, -1], &["2021-03-08", "2021-03-09", "2021-03-05"]),
            ("B", "2021-03-05", &[1, 6, -5], &["2021-03-08", "2021-03-15", "2021-02-26"]),
            ("MS", "2020-01-15", &[1, 2, -1], &["2020-02-01", "2020-03-01", "2020-01-01"]),
            ("MS", "2020-01-01", &[1, -1], &["2020-02-01", "2019-12-01"]),
            ("M", "2020-01-31", &[1, -1], &["2020-02-29", "2019-12-31"]),
            ("M", "2020-02-10", &[1, -1], &["2020-02-29", "2020-01-31"]),
            ("BM", "2021-01-29", &[1, 3], &["2021-02-26", "2021-04-30"]),
            ("BMS", "2021-05-01", &[1, 2, -1], &["2021-05-03", "2021-06-01", "2021-04-01"]),
            ("QS-OCT", "2021-02-14", &[1, 2, -1], &["2021-04-01", "2021-07-01", "2021-01-01"]),
            ("Q-JAN", "2021-02-14", &[1, 2, -1], &["2021-04-30", "2021-07-31", "2021-01-31"]),
            ("2A-JUN", "2021-06-30", &[1, -1], &["2023-06-30", "2019-06-30"]),
            ("SM", "2021-02-20", &[1, 2, -1], &["2021-02-28", "2021-03-15", "2021-02-15"]),
            ("WOM-3FRI", "2021-03-19", &[1, -1], &["2021-04-16", "2021-02-19"]),
        ];
        for (offset, from, steps, expected) in rows {
            assert_eq!(walk(offset, from, steps), expected, "{from} + {steps:?} x {offset}");
        }
    }

    #[test]
    fn calendar_steps_keep_the_time_of_day() {
        assert_eq!(walk("MS", "2020-01-15 13:30:00", &[1]), ["2020-02-01 13:30:00"]);
        assert_eq!(walk("W-SUN", "1960-01-01 23:59:59", &[1]), ["1960-01-03 23:59:59"]);
    }

    #[test]
    fn rolling_moves_only_instants_between_points() {
        let month = Offset::parse("M").unwrap();
        let (on, off) = (stamp("2020-02-29"), stamp("2020-02-10"));
        assert_eq!((month.rollback(on), month.rollforward(on)), (Ok(on), Ok(on)));
        assert_eq!((month.rollback(off), month.rollforward(off)), (Ok(stamp("2020-01-31")), Ok(on)));
        assert!(month.is_on(on) && !month.is_on(off));
    }

    #[test]
    fn the_range_of_an_offset_counts_from_its_first_point() {
        let texts = |offset: &str, a, b| -> Vec<String> {
            Offset::parse(offset).unwrap().range(stamp(a), stamp(b)).unwrap().iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts("2MS", "2019-01-15", "2019-06-01"), ["2019-02-01", "2019-04-01", "2019-06-01"]);
        assert_eq!(texts("D", "2019-01-15", "2019-01-14"), Vec::<String>::new());
        let tiny = Offset::Fixed(1).range(stamp("2019-01-01"), stamp("2020-01-01"));
        assert!(
            matches!(tiny, Err(TimeError::GridTooFine { .. })),
            "a year of nanoseconds gave {} points",
            tiny.unwrap().len()
        );
        assert!(matches!(
            Offset::Fixed(0).range(stamp("2019-01-01"), stamp("2019-01-02")),
            Err(TimeError::NotPositive { .. })
        ));
    }

    #[test]
    fn leaving_the_nanosecond_range_is_an_error_not_a_panic() {
        let last = Timestamp::from_nanos(i64::MAX);
        let first = Timestamp::from_nanos(i64::MIN);
        for offset in ["N", "D", "W-FRI", "B", "M", "QS", "1000000A", "SM", "WOM-1MON"] {
            let offset = Offset::parse(offset).unwrap();
            assert_eq!(offset.advance(last, 1), Err(TimeError::OutOfRange), "{offset} after the end of time");
            assert_eq!(offset.advance(first, -1), Err(TimeError::OutOfRange), "{offset} before the beginning of time");
            assert_eq!(
                offset.advance(last, i64::MAX),
                Err(TimeError::OutOfRange),
                "{offset} far after the end of time"
            );
        }
    }

    #[test]
    fn going_forth_and_back_returns_to_the_point() {
        let mut random = Lcg::new(7);
        let offsets = [
            "3H", "D", "W-TUE", "B", "MS", "2M", "BMS", "BM", "QS-FEB", "Q-DEC", "BQS-JAN", "AS-MAR", "BA-NOV", "SMS",
            "SM-10", "WOM-2THU",
        ];
        for offset in offsets.map(|text| Offset::parse(text).unwrap()) {
            for _ in 0..500 {
                let t = Timestamp::from_nanos(random.below(4_000_000_000) * 1_000_000_000 - 1_000_000_000_000_000_000);
                let n = random.below(40) + 1;
                let on = offset.rollforward(t).unwrap();
                assert!(on >= t && offset.is_on(on), "{offset}: rolling {t} forward gave {on}");
                let forth = offset.advance(on, n).unwrap();
                assert_eq!(offset.advance(forth, -n), Ok(on), "{offset}: {on} {n} steps forth to {forth} and back");
                let kept = offset.is_fixed() || forth.nanos_of_day() == t.nanos_of_day();
                assert!(kept, "{offset}: the time of day of {t} became that of {forth}");
            }
        }
    }
}
