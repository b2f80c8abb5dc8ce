//! The sampling grid of a series: its step, its phase, and the grid points after an instant. How a grid is found in time stamps
//! is [`infer`]'s business.

mod infer;

use serde::{Deserialize, Serialize};

use super::{Offset, TimeError, Timestamp};

/// How far a time stamp may be from its grid point and still count as on it.
const TOLERANCE: u64 = 2_000_000;

/// A sampling step, and where its grid lies.
///
/// A calendar step has points of its own (first days of months, Fridays), and `phase` is how far after them the grid points are:
/// a monthly series sampled on the 15th has the step `MS` and a phase of 14 days. A fixed step has no points of its own, its grid
/// starts wherever the series starts; there `phase` is how far the grid that ends at the last time stamp is from the first.
///
/// ```
/// use merlion::time::{Granularity, Timestamp};
/// # fn main() -> Result<(), merlion::time::TimeError> {
/// let week = 7 * 86_400;
/// let fridays: Vec<Timestamp> = (5..20).filter_map(|k| Timestamp::from_seconds(k * week + 86_400)).collect();
/// let granularity = Granularity::infer(&fridays)?;
/// assert_eq!(granularity.step.to_string(), "W-FRI");
/// assert_eq!(granularity.after(fridays[14], 1)?[0].seconds(), fridays[14].seconds() + week as f64);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granularity {
    /// The step between grid points.
    pub step: Offset,
    /// Shift of the grid from the calendar points of the offset, in nanoseconds.
    pub phase: i64,
}

impl Granularity {
    /// The grid of `step` without a phase.
    #[must_use]
    pub const fn of(step: Offset) -> Self {
        Self { step, phase: 0 }
    }

    /// Finds the grid of strictly increasing `times`: their exact frequency if they have one (calendar frequencies included, as
    /// pandas' `infer_freq` tells them), else the most common step or the monthly grid that meets most of them, laid so that
    /// the last time stamp is on it.
    ///
    /// # Errors
    /// [`TimeError::TooFewTimestamps`] below two, [`TimeError::NotIncreasing`].
    pub fn infer(times: &[Timestamp]) -> Result<Self, TimeError> {
        infer::infer(times)
    }

    /// The first `n` grid points after `t0`. `t0` is taken to be on the grid of a fixed step.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] when the grid leaves the nanosecond range.
    pub fn after(&self, t0: Timestamp, n: usize) -> Result<Vec<Timestamp>, TimeError> {
        let mut points = Points::after(self, t0)?;
        (0..n).map(|_| points.advance()).collect()
    }

    /// The grid points after `t0` until the first that is not before `last`; at least one.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] when the grid leaves the nanosecond range, [`TimeError::NotPositive`],
    /// [`TimeError::GridTooFine`].
    pub fn until(&self, t0: Timestamp, last: Timestamp) -> Result<Vec<Timestamp>, TimeError> {
        self.step.check_grid(t0, last)?;
        let mut points = Points::after(self, t0)?;
        let mut grid = vec![points.advance()?];
        while grid.last().is_some_and(|&t| t < last) {
            grid.push(points.advance()?);
        }
        Ok(grid)
    }

    /// The grid points from `start` to `end`, both included.
    ///
    /// # Errors
    /// [`TimeError::NotPositive`], [`TimeError::GridTooFine`]. A grid that would leave the nanosecond range simply ends.
    pub fn range(&self, start: Timestamp, end: Timestamp) -> Result<Vec<Timestamp>, TimeError> {
        let (start, end) = match self.step {
            Offset::Fixed(_) => (start.checked_add(self.phase), Some(end)),
            Offset::Calendar { .. } => {
                let back = self.phase.checked_neg().ok_or(TimeError::OutOfRange)?;
                (start.checked_add(back), end.checked_add(back))
            }
        };
        let (Some(start), Some(end)) = (start, end) else { return Err(TimeError::OutOfRange) };
        let mut grid = self.step.range(start, end)?;
        if !self.step.is_fixed() && self.phase != 0 {
            for t in &mut grid {
                *t = t.checked_add(self.phase).ok_or(TimeError::OutOfRange)?;
            }
        }
        Ok(grid)
    }

    /// Whether `times` are consecutive points of the grid, each within 2 ms. Two time stamps or fewer always are.
    #[must_use]
    pub fn is_even(&self, times: &[Timestamp]) -> bool {
        let [first, rest @ ..] = times else { return true };
        if times.len() <= 2 {
            return true;
        }
        let Ok(mut points) = Points::after(self, *first) else { return false };
        rest.iter().all(|t| points.advance().is_ok_and(|point| point.nanos().abs_diff(t.nanos()) <= TOLERANCE))
    }
}

/// The grid points after an instant, one at a time.
struct Points<'a> {
    step: &'a Offset,
    phase: i64,
    /// The calendar point (without phase) or, for a fixed step, the grid point reached so far.
    reached: Timestamp,
    /// Whether `reached` is itself the next point to hand out.
    pending: bool,
}

impl<'a> Points<'a> {
    fn after(granularity: &'a Granularity, t0: Timestamp) -> Result<Self, TimeError> {
        let step = &granularity.step;
        if step.is_fixed() {
            return Ok(Self { step, phase: 0, reached: t0, pending: false });
        }
        let phase = granularity.phase;
        let start = phase.checked_neg().and_then(|back| t0.checked_add(back)).ok_or(TimeError::OutOfRange)?;
        Ok(Self { step, phase, reached: step.rollforward(start)?, pending: !step.is_on(start) })
    }

    fn advance(&mut self) -> Result<Timestamp, TimeError> {
        if !std::mem::take(&mut self.pending) {
            self.reached = self.step.advance(self.reached, 1)?;
        }
        self.reached.checked_add(self.phase).ok_or(TimeError::OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::stamp;

    fn grid(step: &str, phase_days: i64) -> Granularity {
        Granularity { step: Offset::parse(step).unwrap(), phase: phase_days * super::super::DAY }
    }

    fn texts(times: Vec<Timestamp>) -> Vec<String> {
        times.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_points_after_an_instant_follow_the_calendar_and_its_phase() {
        assert_eq!(texts(grid("W-FRI", 0).after(stamp("2012-04-20"), 2).unwrap()), ["2012-04-27", "2012-05-04"]);
        assert_eq!(
            texts(grid("MS", 14).after(stamp("2020-01-15"), 3).unwrap()),
            ["2020-02-15", "2020-03-15", "2020-04-15"]
        );
        assert_eq!(texts(grid("2MS", 14).after(stamp("2020-01-15"), 2).unwrap()), ["2020-03-15", "2020-05-15"]);
        assert_eq!(texts(grid("2MS", 0).after(stamp("2020-01-15"), 2).unwrap()), ["2020-02-01", "2020-04-01"]);
        assert_eq!(texts(grid("36H", 0).after(stamp("2020-01-15"), 2).unwrap()), ["2020-01-16 12:00:00", "2020-01-18"]);
    }

    #[test]
    fn a_grid_until_an_instant_reaches_it() {
        let weekly = grid("W-FRI", 0);
        assert_eq!(
            texts(weekly.until(stamp("2012-04-20"), stamp("2012-05-01")).unwrap()),
            ["2012-04-27", "2012-05-04"]
        );
        assert_eq!(
            texts(weekly.until(stamp("2012-04-20"), stamp("2012-05-04")).unwrap()),
            ["2012-04-27", "2012-05-04"]
        );
        assert_eq!(texts(weekly.until(stamp("2012-04-20"), stamp("2000-01-01")).unwrap()), ["2012-04-27"]);
        let still = Granularity::of(Offset::Fixed(0));
        assert!(matches!(still.until(stamp("2012-04-20"), stamp("2012-05-01")), Err(TimeError::NotPositive { .. })));
    }

    #[test]
    fn a_range_has_both_ends() {
        assert_eq!(
            texts(grid("MS", 14).range(stamp("2020-01-15"), stamp("2020-03-15")).unwrap()),
            ["2020-01-15", "2020-02-15", "2020-03-15"]
        );
        assert_eq!(
            texts(grid("D", 0).range(stamp("2020-01-15"), stamp("2020-01-16")).unwrap()),
            ["2020-01-15", "2020-01-16"]
        );
    }

    #[test]
    fn evenness_forgives_two_milliseconds_and_no_more() {
        let hourly = grid("H", 0);
        let shifted = |nanos: i64| -> Vec<Timestamp> {
            (0..5).map(|k| Timestamp::from_nanos(k * 3_600_000_000_000 + if k == 3 { nanos } else { 0 })).collect()
        };
        assert!(
            hourly.is_even(&shifted(0)) && hourly.is_even(&shifted(2_000_000)) && hourly.is_even(&shifted(-2_000_000))
        );
        assert!(!hourly.is_even(&shifted(2_000_001)) && !hourly.is_even(&shifted(-2_000_001)));
        assert!(hourly.is_even(&shifted(9_000_000)[2..4]) && hourly.is_even(&[]), "two time stamps are always even");
    }

    #[test]
    fn a_grid_beyond_the_end_of_time_is_an_error() {
        let end = Timestamp::from_nanos(i64::MAX - 5);
        assert_eq!(grid("H", 0).after(end, 1), Err(TimeError::OutOfRange));
        assert_eq!(grid("MS", 3).after(end, 1), Err(TimeError::OutOfRange));
        assert_eq!(grid("H", 0).after(end, 0), Ok(vec![]));
    }
}
