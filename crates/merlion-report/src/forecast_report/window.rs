//! Where a chart of a forecast begins, and where the forecast in it does.

use crate::calendar::Precision;
use crate::chart::{Point, Rule};

/// The chart shows at least so many of the last observations: two years of weeks.
const RECENT: usize = 104;

/// The chart shows at least so many times the horizon of what was observed.
const RECENT_HORIZONS: i128 = 3;

/// The last observation, if the forecast follows it without a gap.
pub(super) fn joint(history: &[Point], forecast: &[Point], bridge: i64) -> Option<Point> {
    let (last, (first, _)) = (*history.last()?, forecast.first()?);
    let distance = first.checked_sub(last.0)?;
    (last.1.is_finite() && distance > 0 && distance <= bridge).then_some(last)
}

/// The last observation before the forecast, and the forecast's first time behind it. Predictions of the past do not count, unless
/// there is nothing else: then the forecast starts where it starts.
pub(super) fn split(history: &[Point], forecast: &[Point]) -> Option<(i64, i64)> {
    let (first, _) = *forecast.first()?;
    let future = history.last().and_then(|&(last, _)| {
        let (next, _) = forecast.get(forecast.partition_point(|(time, _)| *time <= last))?;
        Some((last, *next))
    });
    Some(future.unwrap_or((first, first)))
}

/// The line where the forecast starts.
pub(super) fn rule(history: &[Point], forecast: &[Point]) -> Option<Rule> {
    let (at, first) = split(history, forecast)?;
    let precision = Precision::of(forecast.iter().map(|(time, _)| *time));
    Some(Rule { at, label: format!("Forecast from {}", precision.text(first)) })
}

/// Where the chart should begin so that the forecast can be made out, if the whole would be too long.
pub(super) fn focus(history: &[Point], forecast: &[Point]) -> Option<i64> {
    let (at, _) = split(history, forecast)?;
    let (&(first, _), &(last, _), &(end, _)) = (history.first()?, history.last()?, forecast.last()?);
    let end = i128::from(end.max(last));
    let by_horizon = i64::try_from(i128::from(at) - RECENT_HORIZONS * (end - i128::from(at))).ok()?;
    let observed = history.partition_point(|(time, _)| *time <= at);
    let (by_number, _) = *history.get(observed.checked_sub(RECENT)?)?;
    let start = by_horizon.min(by_number);
    // A window of most of it is worth less than all of it.
    let hidden = i128::from(start) - i128::from(first);
    (hidden * 2 > end - i128::from(first)).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{DAY, HOUR};
    use crate::chart::longest_bridge;

    fn every(step: i64, numbers: std::ops::Range<i64>) -> Vec<Point> {
        numbers.map(|number| (number * step, number as f64)).collect()
    }

    #[test]
    fn a_long_history_is_shown_from_where_the_forecast_can_be_seen() {
        let hourly = every(HOUR, 0..17_520);
        let week = every(HOUR, 17_520..17_688);
        let start = focus(&hourly, &week).unwrap();
        let shown = hourly.iter().filter(|(time, _)| *time >= start).count();
        assert_eq!(shown, 3 * 168 + 1, "three horizons");
        let two_hours = every(HOUR, 17_520..17_522);
        let start = focus(&hourly, &two_hours).unwrap();
        assert_eq!(hourly.iter().filter(|(time, _)| *time >= start).count(), RECENT);
    }

    #[test]
    fn a_short_history_is_shown_whole() {
        assert_eq!(focus(&every(DAY, 0..60), &every(DAY, 60..62)), None);
        assert_eq!(focus(&every(DAY, 0..120), &every(DAY, 120..150)), None);
        assert_eq!(focus(&every(7 * DAY, 0..200), &every(7 * DAY, 200..203)), None);
        assert_eq!(focus(&every(DAY, 0..1), &every(DAY, 1..2)), None);
        assert_eq!(focus(&[], &every(DAY, 1..2)), None);
        assert_eq!(focus(&every(DAY, 0..900), &[]), None);
    }

    #[test]
    fn predictions_of_the_past_do_not_hide_the_future() {
        let history = every(DAY, 0..900);
        assert_eq!(split(&history, &every(DAY, 0..930)), Some((899 * DAY, 900 * DAY)));
        assert_eq!(focus(&history, &every(DAY, 0..930)), focus(&history, &every(DAY, 900..930)));
        assert!(focus(&history, &every(DAY, 900..930)).is_some());
        assert_eq!(focus(&history, &every(DAY, 0..900)), None, "nothing but the past");
    }

    #[test]
    fn a_forecast_of_known_days_starts_with_itself() {
        let history = every(DAY, 0..900);
        assert_eq!(split(&history, &every(DAY, 860..890)), Some((860 * DAY, 860 * DAY)));
        assert_eq!(
            focus(&history, &every(DAY, 860..890)),
            Some((860 - 3 * 39) * DAY),
            "known days behind it count, too"
        );
        assert_eq!(split(&[], &every(DAY, 3..5)), Some((3 * DAY, 3 * DAY)));
        assert_eq!(split(&history, &[]), None);
    }

    #[test]
    fn a_forecast_far_behind_the_history_is_not_joined_to_it() {
        let history = every(DAY, 0..10);
        let bridge = longest_bridge(&history);
        assert_eq!(joint(&history, &every(DAY, 10..12), bridge), Some((9 * DAY, 9.0)));
        assert_eq!(joint(&history, &every(DAY, 13..15), bridge), None);
        assert_eq!(joint(&history, &every(DAY, 5..15), bridge), None);
        assert_eq!(joint(&[(0, f64::NAN)], &every(DAY, 1..2), i64::MAX), None);
    }
}
