//! Finding the grid in time stamps: first an exact frequency, as pandas' `infer_freq` finds it, then the best of a few candidates,
//! as Merlion does.

use std::num::NonZeroU32;

use super::Granularity;
use crate::time::offset::anchor::{first_of, month_and_day, weekday};
use crate::time::{CalendarUnit, DAY, DateShift, MonthPosition, Offset, TimeError, Timestamp};

pub(super) fn infer(times: &[Timestamp]) -> Result<Granularity, TimeError> {
    let [first, second, rest @ ..] = times else { return Err(TimeError::TooFewTimestamps { got: times.len() }) };
    if let Some(position) = times.windows(2).position(|pair| pair[1] <= pair[0]) {
        let (before, after) = (times[position], times[position + 1]);
        return Err(TimeError::NotIncreasing { position: position + 1, before, after });
    }
    if second.nanos().checked_sub(first.nanos()).is_none() || span(times).is_none() {
        return Err(TimeError::OutOfRange);
    }
    if rest.is_empty() {
        return Ok(Granularity::of(Offset::Fixed(second.nanos() - first.nanos())));
    }
    if let Some(step) = exact_frequency(times) {
        return Ok(Granularity::of(step));
    }
    Ok(best_candidate(times))
}

/// From the first to the last time stamp, if that fits.
fn span(times: &[Timestamp]) -> Option<i64> {
    times.last()?.nanos().checked_sub(times.first()?.nanos())
}

fn delta(pair: &[Timestamp]) -> i64 {
    pair[1].nanos() - pair[0].nanos()
}

/// The frequency all of `times` (three or more) follow without exception. Business hours, which pandas also tells, are left to
/// [`best_candidate`].
fn exact_frequency(times: &[Timestamp]) -> Option<Offset> {
    let step = delta(times);
    let constant = times.windows(2).all(|pair| delta(pair) == step);
    // The usual case first: nothing shorter than four weeks can be a month, and what does not keep the time of day is no calendar.
    if constant && (step < 28 * DAY || step % DAY != 0) {
        return Some(constant_frequency(times[0], step));
    }
    if times.windows(2).any(|pair| delta(pair) % DAY != 0) {
        return None;
    }
    if let Some(monthly) = monthly_frequency(times) {
        return Some(monthly);
    }
    if constant {
        return Some(constant_frequency(times[0], step));
    }
    let business_days = Offset::every(CalendarUnit::BusinessDay);
    if follows(times, &business_days) {
        return Some(business_days);
    }
    // pandas forgives gaps here, and here alone.
    week_of_month(times).map(Offset::every).filter(|step| times.iter().all(|t| step.is_on(*t)))
}

/// A constant step: weeks by their day, everything else as a duration.
fn constant_frequency(first: Timestamp, step: i64) -> Offset {
    const WEEK: i64 = 7 * DAY;
    match u32::try_from(step / WEEK).ok().and_then(NonZeroU32::new) {
        Some(count) if step % WEEK == 0 => Offset::Calendar { count, unit: CalendarUnit::Week(weekday(first.days())) },
        _ => Offset::Fixed(step),
    }
}

/// The yearly, quarterly or monthly frequency of days that are all first, last, first business or last business days of months
/// a constant number of months apart.
fn monthly_frequency(times: &[Timestamp]) -> Option<Offset> {
    let (first, _) = month_and_day(times[0].days());
    let step = month_and_day(times[1].days()).0 - first;
    if step == 0 {
        return None;
    }
    // In pandas' order: a month's end may also be its last business day in every month at hand. Most series are neither, which
    // the first time stamp tells without a look at the others.
    let position = [MonthPosition::End, MonthPosition::BusinessEnd, MonthPosition::Start, MonthPosition::BusinessStart]
        .into_iter()
        .find(|position| {
            let months = (0..).map(|k| first + k * step);
            times.iter().zip(months).all(|(t, month)| position.day_of(month) == Some(t.days()))
        })?;
    let month_of_year = u8::try_from(first.rem_euclid(12) + 1).ok()?;
    let (unit, count) = if step % 12 == 0 {
        (CalendarUnit::Year { position, month: month_of_year }, step / 12)
    } else if step % 3 == 0 {
        // pandas names a quarter grid by its last month of the year: October, November or December.
        let month = match month_of_year % 3 {
            0 => 12,
            1 => 10,
            _ => 11,
        };
        (CalendarUnit::Quarter { position, month }, step / 3)
    } else {
        (CalendarUnit::Month(position), step)
    };
    Some(Offset::Calendar { count: NonZeroU32::new(u32::try_from(count).ok()?)?, unit })
}

/// The week-of-month calendar of the first time stamp, for the first four weeks.
fn week_of_month(times: &[Timestamp]) -> Option<CalendarUnit> {
    let day = times[0].days();
    let (month, _) = month_and_day(day);
    let week = (day - first_of(month)?) / 7 + 1;
    (week <= 4).then_some(CalendarUnit::WeekOfMonth { week: u8::try_from(week).ok()?, weekday: weekday(day) })
}

/// Whether `times` are exactly the consecutive points of `step`, from the first on.
fn follows(times: &[Timestamp], step: &Offset) -> bool {
    step.is_on(times[0]) && times.windows(2).all(|pair| step.advance(pair[0], 1) == Ok(pair[1]))
}

/// The most common step, or the grid of month starts or ends that meets more of `times`; among equals the later candidate wins,
/// as in Merlion.
fn best_candidate(times: &[Timestamp]) -> Granularity {
    let step = most_common_step(times);
    let (first, last) = (times[0], times[times.len() - 1]);
    // The caller has seen that the span fits.
    let phase = (last.nanos() - first.nanos()).rem_euclid(step);
    let fixed = Granularity { step: Offset::Fixed(step), phase };

    let months = |days: i64| (step + days * DAY - 1) / (days * DAY);
    let counts = (months(31)..months(28)).filter_map(|count| NonZeroU32::new(u32::try_from(count).ok()?));
    let monthly = counts.flat_map(|count| {
        [MonthPosition::Start, MonthPosition::End]
            .map(|position| Offset::Calendar { count, unit: CalendarUnit::Month(position) })
    });
    let mut best: Option<(usize, Granularity)> = None;
    for step in monthly {
        let Some(met) = stamps_met(times, &step) else { continue };
        if best.as_ref().is_none_or(|(most, _)| met >= *most)
            && let Some(phase) = step.rollback(last).ok().map(|point| last.nanos() - point.nanos())
        {
            best = Some((met, Granularity { step, phase }));
        }
    }
    match best {
        Some((met, monthly)) if Some(met) >= stamps_met(times, &fixed.step) => monthly,
        _ => fixed,
    }
}

/// The most frequent difference of neighbours, the smallest of several.
fn most_common_step(times: &[Timestamp]) -> i64 {
    let mut deltas: Vec<i64> = times.windows(2).map(delta).collect();
    deltas.sort_unstable();
    let mut best = (0, deltas[0]);
    for run in deltas.chunk_by(|a, b| a == b) {
        if run.len() > best.0 {
            best = (run.len(), run[0]);
        }
    }
    best.1
}

/// How many of `times` the grid of `step` meets once its last point is moved to the last time stamp. All candidates are moved by
/// months and days, as Merlion moves them, which favours months where a constant step does about as well.
fn stamps_met(times: &[Timestamp], step: &Offset) -> Option<usize> {
    let (first, last) = (*times.first()?, *times.last()?);
    let grid = step.range(first, last).ok()?;
    let shift = DateShift::between(*grid.last()?, last);
    Some(grid.into_iter().filter_map(|t| shift.apply(t)).filter(|t| times.binary_search(t).is_ok()).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Lcg, stamp};

    fn inferred(times: &[&str]) -> (String, i64) {
        let times: Vec<Timestamp> = times.iter().map(|t| stamp(t)).collect();
        let granularity = Granularity::infer(&times).unwrap();
        (granularity.step.to_string(), granularity.phase / DAY)
    }

    #[test]
    fn regular_time_stamps_have_pandas_frequency() {
        // Each row is what pandas 2.1.4's infer_freq answers.
        for (times, expected) in [
            (["2021-01-01", "2021-01-02", "2021-01-03"], "D"),
            (["2021-01-01", "2021-01-03", "2021-01-05"], "2D"),
            (["2021-01-01", "2021-01-08", "2021-01-15"], "W-FRI"),
            (["2021-01-01", "2021-01-15", "2021-01-29"], "2W-FRI"),
            (["2021-01-01", "2021-02-01", "2021-03-01"], "MS"),
            (["2021-01-31", "2021-02-28", "2021-03-31"], "M"),
            (["2021-01-29", "2021-02-26", "2021-03-31"], "BM"),
            (["2021-05-03", "2021-06-01", "2021-07-01"], "BMS"),
            (["2021-01-01", "2021-03-01", "2021-05-01"], "2MS"),
            (["2021-01-01", "2021-04-01", "2021-07-01"], "QS-OCT"),
            (["2021-02-28", "2021-05-31", "2021-08-31"], "Q-NOV"),
            (["2020-12-31", "2021-06-30", "2021-12-31"], "2Q-DEC"),
            (["2001-01-01", "2002-01-01", "2003-01-01"], "AS-JAN"),
            (["2001-06-30", "2003-06-30", "2005-06-30"], "2A-JUN"),
            (["2021-03-04", "2021-03-05", "2021-03-08"], "B"),
            (["2021-01-15", "2021-02-19", "2021-03-19"], "WOM-3FRI"),
            (["2021-01-01 00:00:00", "2021-01-01 00:45:00", "2021-01-01 01:30:00"], "45T"),
            (["2021-01-01 10:00:00", "2021-02-01 10:00:00", "2021-03-01 10:00:00"], "MS"),
        ] {
            assert_eq!(inferred(&times), (expected.to_owned(), 0), "frequency of {times:?}");
        }
    }

    #[test]
    fn two_time_stamps_give_their_difference_and_one_is_too_few() {
        assert_eq!(inferred(&["2021-01-01", "2021-02-01"]), ("31D".to_owned(), 0));
        assert_eq!(Granularity::infer(&[stamp("2021-01-01")]), Err(TimeError::TooFewTimestamps { got: 1 }));
        assert_eq!(Granularity::infer(&[]), Err(TimeError::TooFewTimestamps { got: 0 }));
    }

    #[test]
    fn gaps_leave_the_most_common_step() {
        assert_eq!(inferred(&["2021-01-01", "2021-01-02", "2021-01-05", "2021-01-06"]), ("D".to_owned(), 0));
        let uneven = ["2021-01-01 00:00:00", "2021-01-01 01:00:00", "2021-01-01 02:00:00", "2021-01-01 04:30:00"];
        let times = uneven.map(stamp);
        let granularity = Granularity::infer(&times).unwrap();
        assert_eq!((granularity.step.to_string().as_str(), granularity.phase), ("H", 1_800_000_000_000));
    }

    #[test]
    fn months_with_a_gap_or_in_the_middle_are_still_months() {
        let gap = ["2021-01-01", "2021-02-01", "2021-04-01", "2021-05-01", "2021-06-01"];
        assert_eq!(inferred(&gap), ("MS".to_owned(), 0), "months with a gap");
        let fifteenth = ["2021-01-15", "2021-02-15", "2021-03-15", "2021-04-15", "2021-05-15", "2021-06-15"];
        assert_eq!(inferred(&fifteenth), ("MS".to_owned(), 14), "fifteenths");
        let fridays = ["2021-01-15", "2021-02-19", "2021-04-16", "2021-05-21"];
        assert_eq!(inferred(&fridays), ("WOM-3FRI".to_owned(), 0), "third Fridays with a gap");
    }

    #[test]
    fn time_stamps_out_of_order_are_refused_with_their_position() {
        let times = ["2021-01-01", "2021-01-03", "2021-01-02"].map(stamp);
        assert_eq!(
            Granularity::infer(&times),
            Err(TimeError::NotIncreasing { position: 2, before: times[1], after: times[2] })
        );
    }

    #[test]
    fn a_generated_grid_is_recognised_and_continued() {
        let mut random = Lcg::new(11);
        for step in [
            "5T", "H", "D", "W-WED", "B", "MS", "M", "BM", "BMS", "QS-NOV", "Q-OCT", "AS-MAR", "BA-DEC", "2M",
            "WOM-2TUE",
        ] {
            let step = Offset::parse(step).unwrap();
            for _ in 0..50 {
                let start = Timestamp::from_nanos(random.below(1_000_000_000) * 1_000_000_000);
                let grid = Granularity::of(step.clone());
                let times = grid.after(step.rollforward(start).unwrap(), 40).unwrap();
                let found = Granularity::infer(&times[..30]).unwrap();
                assert_eq!(found, grid, "{} from {}", step, times[0]);
                assert_eq!(found.after(times[29], 10).unwrap(), times[30..], "{step} continued after {}", times[29]);
                assert!(found.is_even(&times), "{step} from {} is even", times[0]);
            }
        }
    }
}
