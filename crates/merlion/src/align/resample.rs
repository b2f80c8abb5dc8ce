//! Resampling to a grid: observations are gathered into bins, each bin becomes one value, empty bins are filled. Bins of a fixed
//! step end at grid points, (t - step, t]; bins of a calendar step are pandas': periods named by their end (`M`, `Q`, `A`, `W`)
//! are labelled by it, all others by their start. Two oddities of pandas 2.1 are not followed: it moves the bins
//! of several days (`7D`) to ends of days and labels them as before, and puts the last afternoon of a `BA` year into the next.

use std::sync::Arc;

use super::{AggregationPolicy, AlignOptions, MissingValuePolicy, fill, is_complete};
use crate::series::{SeriesError, TimeSeries, Univariate};
use crate::time::{CalendarUnit, DAY, DateShift, MonthPosition, Offset, TimeError, Timestamp};

/// Resamples every column of a series, which is not empty, to the grid of `step`.
pub(super) fn resample(series: &TimeSeries, step: &Offset, options: &AlignOptions) -> Result<TimeSeries, SeriesError> {
    if let (Some(first), Some(last)) = (series.t0(), series.tf()) {
        step.check_grid(first, last)?;
    }
    if is_on_grid(series, step, options.origin) {
        return Ok(series.clone());
    }
    let series = match (options.remove_non_overlapping, series.overlap()) {
        _ if series.dim() == 1 => series.clone(),
        (true, Some((t0, tf))) => series.window(t0, tf, true),
        (true, None) => return Ok(empty(series)),
        (false, _) => series.clone(),
    };
    let (Some(first), Some(last)) = (series.t0(), series.tf()) else { return Ok(empty(&series)) };

    let grid = match step {
        Offset::Fixed(nanos) => Grid::fixed(*nanos, first, last, options.origin)?,
        Offset::Calendar { unit, .. } => Grid::calendar(step, *unit, first, last, options.on_calendar)?,
    };
    // The grid may begin before the data (labels at period starts) and end after them (labels at bin ends).
    let kept = grid.times.partition_point(|t| *t < first)..grid.times.partition_point(|t| *t <= last);
    let column = |column: &Univariate| {
        let binned = aggregate(column, &grid.ends, options.aggregation_policy);
        let mut values = grid.fill(binned, options.missing_value_policy);
        values.truncate(kept.end);
        values.drain(..kept.start);
        (Arc::from(column.name()), values)
    };
    let columns = series.univariates().iter().map(column).collect();
    Ok(TimeSeries::aligned(grid.times[kept.clone()].to_vec(), columns))
}

fn empty(series: &TimeSeries) -> TimeSeries {
    TimeSeries::aligned(Vec::new(), series.names().map(|name| (Arc::from(name), Vec::new())).collect())
}

/// Whether resampling would change nothing: all columns are complete and have an observation at each point of the grid.
fn is_on_grid(series: &TimeSeries, step: &Offset, origin: Option<Timestamp>) -> bool {
    if !series.is_aligned() || !series.univariates().iter().all(is_complete) {
        return false;
    }
    let Some(times) = series.univariates().first().map(Univariate::times) else { return true };
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return true };
    match step {
        Offset::Fixed(nanos) => {
            let origin = origin.unwrap_or(*last);
            let on_origin = (i128::from(last.nanos()) - i128::from(origin.nanos())) % i128::from(*nanos) == 0;
            on_origin && times.windows(2).all(|pair| pair[1].nanos().checked_sub(pair[0].nanos()) == Some(*nanos))
        }
        Offset::Calendar { count, unit } => {
            let (mut index, on) = unit.floor(first.days());
            on && times.iter().skip(1).all(|t| {
                index += i64::from(count.get());
                unit.day(index) == Some(t.days()) && t.nanos_of_day() == first.nanos_of_day()
            })
        }
    }
}

/// The bins of a grid, and the times of the values they give.
struct Grid {
    /// The instant each bin ends with, included.
    ends: Vec<Timestamp>,
    /// The time of each bin's value before [`Grid::times`] were moved to meet the last observation.
    labels: Vec<Timestamp>,
    /// The time of each bin's value.
    times: Vec<Timestamp>,
    /// Whether interpolation goes by bins instead of by time, as it does between calendar periods of different length.
    by_position: bool,
}

impl Grid {
    fn fixed(step: i64, first: Timestamp, last: Timestamp, origin: Option<Timestamp>) -> Result<Self, SeriesError> {
        // A grid point at the origin is a grid point at its remainder; in 128 bits no difference overflows.
        let (step_wide, last_wide) = (i128::from(step), i128::from(last.nanos()));
        let origin = i128::from(origin.unwrap_or(last).nanos());
        let ceiling = |t: i128| t + (origin - t).rem_euclid(step_wide);
        let (start, end) = (ceiling(i128::from(first.nanos())), ceiling(last_wide));
        let points = usize::try_from((end - start) / step_wide + 1).map_err(|_| TimeError::OutOfRange)?;
        let mut ends = Vec::with_capacity(points);
        let mut t = start;
        for _ in 0..points {
            ends.push(Timestamp::from_nanos(i64::try_from(t).map_err(|_| TimeError::OutOfRange)?));
            t += step_wide;
        }
        Ok(Self { labels: ends.clone(), times: ends.clone(), ends, by_position: false })
    }

    fn calendar(
        step: &Offset,
        unit: CalendarUnit,
        first: Timestamp,
        last: Timestamp,
        on_calendar: bool,
    ) -> Result<Self, SeriesError> {
        let midnight = |t: Timestamp| Timestamp::from_day(t.days(), 0).ok_or(TimeError::OutOfRange);
        let by_end = is_labelled_by_end(unit);
        let start = if by_end { step.rollforward(midnight(first)?)? } else { step.rollback(midnight(first)?)? };
        let (mut labels, mut ends) = (Vec::new(), Vec::new());
        let mut label = start;
        loop {
            labels.push(label);
            // The last bin may end after the end of time.
            let next = step.advance(label, 1);
            let end = match (by_end, &next) {
                (true, _) => label.checked_add(DAY - 1),
                (false, Ok(next)) => next.checked_add(-1),
                (false, Err(_)) => None,
            };
            let end = end.unwrap_or(Timestamp::from_nanos(i64::MAX));
            ends.push(end);
            if end >= last {
                break;
            }
            label = next?;
        }
        let times =
            if on_calendar { labels.clone() } else { move_to(&labels, last, unit).ok_or(TimeError::OutOfRange)? };
        Ok(Self { ends, labels, times, by_position: true })
    }

    /// A value for every bin, where `binned` has one per bin or NaN.
    fn fill(&self, binned: Vec<f64>, policy: MissingValuePolicy) -> Vec<f64> {
        if !binned.iter().any(|value| value.is_nan()) {
            return binned;
        }
        if self.by_position && policy == MissingValuePolicy::Interpolate {
            let known = fill::known((0_i64..).zip(binned.iter().copied()));
            fill::evaluate(policy, &known, (0_i64..).take(binned.len()))
        } else {
            let positions = self.labels.iter().map(|t| t.nanos());
            let known = fill::known(positions.clone().zip(binned));
            fill::evaluate(policy, &known, positions)
        }
    }
}

/// Whether pandas labels a period by its end.
const fn is_labelled_by_end(unit: CalendarUnit) -> bool {
    match unit {
        CalendarUnit::Week(_) => true,
        CalendarUnit::Month(position)
        | CalendarUnit::Quarter { position, .. }
        | CalendarUnit::Year { position, .. } => matches!(position, MonthPosition::End | MonthPosition::BusinessEnd),
        CalendarUnit::BusinessDay | CalendarUnit::SemiMonth { .. } | CalendarUnit::WeekOfMonth { .. } => false,
    }
}

/// The labels moved so that the last is the last observation: a monthly series sampled on the 15th stays on the 15th. Labels of
/// month calendars move by months and days. Those of weeks and business days move by a fixed time: moved by months, as Merlion
/// moves them too, weeks would not stay seven days apart.
fn move_to(labels: &[Timestamp], last: Timestamp, unit: CalendarUnit) -> Option<Vec<Timestamp>> {
    let last_label = *labels.last()?;
    if matches!(unit, CalendarUnit::Week(_) | CalendarUnit::BusinessDay) {
        let shift = last.nanos().checked_sub(last_label.nanos())?;
        return labels.iter().map(|t| t.checked_add(shift)).collect();
    }
    let shift = DateShift::between(last_label, last);
    if shift.is_zero() { Some(labels.to_vec()) } else { labels.iter().map(|t| shift.apply(*t)).collect() }
}

/// One value for each bin, NaN where there is no observation (but a sum of nothing is 0). The first bin has no lower bound.
#[expect(clippy::cast_precision_loss, reason = "there are fewer observations than 2^52")]
fn aggregate(column: &Univariate, ends: &[Timestamp], policy: AggregationPolicy) -> Vec<f64> {
    let (times, values) = (column.times(), column.values());
    let mut from = 0;
    let mut bin = Vec::new();
    ends.iter()
        .map(|end| {
            bin.clear();
            while from < times.len() && times[from] <= *end {
                if !values[from].is_nan() {
                    bin.push(values[from]);
                }
                from += 1;
            }
            match (bin.as_slice(), policy) {
                // From +0, because the standard library's sum of nothing is -0.
                (all, AggregationPolicy::Sum) => all.iter().fold(0.0, |sum, value| sum + value),
                ([], _) => f64::NAN,
                ([first, ..], AggregationPolicy::First) => *first,
                ([.., last], AggregationPolicy::Last) => *last,
                (all, AggregationPolicy::Mean) => all.iter().sum::<f64>() / all.len() as f64,
                (all, AggregationPolicy::Min) => all.iter().copied().fold(f64::INFINITY, f64::min),
                (all, AggregationPolicy::Max) => all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                (all, AggregationPolicy::Median) => median(all.to_vec()),
            }
        })
        .collect()
}

/// The median of some values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Lcg, seconds, stamp};

    fn series(times: &[Timestamp], values: &[f64]) -> TimeSeries {
        TimeSeries::from_columns(times.to_vec(), vec![("y".to_owned(), values.to_vec())]).unwrap()
    }

    fn resampled(series: &TimeSeries, step: &str, options: AlignOptions) -> Vec<(String, f64)> {
        let result = resample(series, &Offset::parse(step).unwrap(), &options).unwrap();
        result.univariates()[0].iter().map(|(t, value)| (t.to_string(), value)).collect()
    }

    #[test]
    fn bins_of_a_fixed_step_end_with_the_last_observation() {
        let series = series(&seconds(&[0, 4, 5, 11]), &[1., 2., 4., 8.]);
        let points: Vec<(i64, f64)> =
            resample(&series, &Offset::parse("3s").unwrap(), &AlignOptions::default()).unwrap().univariates()[0]
                .iter()
                .map(|(t, value)| (t.nanos() / 1_000_000_000, value))
                .collect();
        // Bins (-1, 2], (2, 5], (5, 8], (8, 11]; the third is empty and halfway between its neighbours.
        assert_eq!(points, [(2, 1.), (5, 3.), (8, 5.5), (11, 8.)]);
    }

    #[test]
    fn a_sum_of_nothing_is_zero() {
        let series = series(&seconds(&[0, 4, 5, 11]), &[1., 2., 4., 8.]);
        let options = AlignOptions { aggregation_policy: AggregationPolicy::Sum, ..Default::default() };
        let sums: Vec<f64> = resampled(&series, "3s", options).into_iter().map(|(_, value)| value).collect();
        assert_eq!(sums, [1., 6., 0., 8.]);
        assert!(sums[2].is_sign_positive(), "the sum of nothing is shown as {}", sums[2]);
    }

    #[test]
    fn a_missing_month_is_halfway_by_months_not_by_days() {
        let times = ["2021-01-01", "2021-03-01", "2021-04-01"].map(stamp);
        let points = resampled(&series(&times, &[1., 2., 3.]), "MS", AlignOptions::default());
        assert_eq!(points[1], ("2021-02-01".to_owned(), 1.5));
        assert_eq!(points.len(), 4);
    }

    #[test]
    fn months_sampled_on_the_fifteenth_stay_there() {
        let times = ["2021-01-15 06:00:00", "2021-02-15 06:00:00", "2021-04-15 06:00:00"].map(stamp);
        let points = resampled(&series(&times, &[1., 2., 4.]), "MS", AlignOptions::default());
        let (labels, values): (Vec<String>, Vec<f64>) = points.into_iter().unzip();
        assert_eq!(
            labels,
            ["2021-01-15 06:00:00", "2021-02-15 06:00:00", "2021-03-15 06:00:00", "2021-04-15 06:00:00"]
        );
        assert_eq!(values, [1., 2., 3., 4.]);
    }

    #[test]
    fn weeks_stay_seven_days_apart_whatever_day_the_data_end_on() {
        let times: Vec<Timestamp> =
            (0..40).map(|k| stamp("2021-01-01").checked_add(k * 5 * DAY / 2).unwrap()).collect();
        for end in 20..40 {
            let values: Vec<f64> = (0..end).map(|k| k as f64).collect();
            let series = series(&times[..end], &values);
            let weekly = resample(&series, &Offset::parse("W-SUN").unwrap(), &AlignOptions::default()).unwrap();
            assert_eq!(weekly.tf(), series.tf(), "the last label is the last observation");
            for pair in weekly.times().windows(2) {
                assert_eq!(pair[1].nanos() - pair[0].nanos(), 7 * DAY, "from {} to {}", pair[0], pair[1]);
            }
        }
    }

    #[test]
    fn a_series_on_its_grid_is_handed_through_without_a_copy() {
        let mut random = Lcg::new(2);
        for step in ["7s", "D", "W-FRI", "3W-TUE", "MS", "2M", "BM", "Q-JAN", "AS-JUL", "B"] {
            let step = Offset::parse(step).unwrap();
            let start = stamp("1999-05-07").checked_add(random.below(1000) * DAY).unwrap();
            let times = crate::time::Granularity::of(step.clone()).after(step.rollforward(start).unwrap(), 30).unwrap();
            let values: Vec<f64> = (0..30).map(|_| random.unit()).collect();
            let whole = series(&times, &values);
            let same = resample(&whole, &step, &AlignOptions::default()).unwrap();
            let address = |series: &TimeSeries| series.univariates()[0].values().as_ptr();
            assert_eq!(address(&same), address(&whole), "{step} from {start}");
            // What the long way gives must agree: leaving out one observation and its filled value changes nothing else.
            let gap = [&times[..10], &times[11..]].concat();
            let rest = [&values[..10], &values[11..]].concat();
            let filled = resample(&series(&gap, &rest), &step, &AlignOptions::default()).unwrap();
            assert_eq!(filled.times().as_ref(), times, "times of {step} from {start} with a gap");
            for (k, (got, wanted)) in filled.univariates()[0].values().iter().zip(&values).enumerate() {
                assert!(k == 10 || got == wanted, "{step}: value {k} is {got}, was {wanted}");
            }
        }
    }

    #[test]
    fn a_grid_of_billions_of_points_is_refused() {
        let series = series(&[stamp("2000-01-01"), stamp("2020-01-01")], &[1., 2.]);
        let error = resample(&series, &Offset::parse("ms").unwrap(), &AlignOptions::default()).unwrap_err();
        assert!(matches!(error, SeriesError::Time(TimeError::GridTooFine { .. })), "got {error}");
    }

    #[test]
    fn the_ends_of_time_are_errors_or_values_but_no_panic() {
        let series = series(&[Timestamp::from_nanos(i64::MIN), Timestamp::from_nanos(i64::MAX)], &[1., 2.]);
        for step in ["100D", "W", "MS", "M", "Q", "QS", "A", "AS", "B", "SM", "WOM-1MON"] {
            let step = Offset::parse(step).unwrap();
            if let Ok(result) = resample(&series, &step, &AlignOptions::default()) {
                assert!(result.len() > 100, "{step} gave {} points", result.len());
            }
        }
    }
}
