//! Means and deviations of windows: what [`WindStats`](super::WindStats) and
//! [`MonthlyWindStats`](super::super::monthly_wind_stats::MonthlyWindStats) have in common.

use std::collections::BTreeMap;

use serde::Serialize;

use super::AggregateAlarms;
use crate::models::{Capabilities, ModelError, Observations, Scores};
use crate::postprocess::ThresholdRule;
use crate::time::Timestamp;

/// Nanoseconds of a minute.
const MINUTE: i64 = 60_000_000_000;

pub(in super::super) const CAPABILITIES: Capabilities = Capabilities {
    univariate_only: true,
    exogenous: false,
    even_sampling: false,
    standard_errors: true,
    online: false,
};

pub(in super::super) fn threshold(wind_sz: i64, calibrated: bool) -> ThresholdRule {
    #[expect(clippy::cast_precision_loss, reason = "a number of minutes")]
    let alm_window_minutes = wind_sz as f64;
    let alm_threshold = Some(if calibrated { 3.0 } else { 8.8 });
    AggregateAlarms { alm_threshold, alm_window_minutes, min_alm_in_window: 1, ..AggregateAlarms::default() }.into()
}

pub(in super::super) fn validate(model: &'static str, wind_sz: i64, max_day: usize) -> Result<(), ModelError> {
    let invalid = |parameter, value: String, reason: &str| {
        Err(ModelError::InvalidParameter { model, parameter, value, reason: reason.into() })
    };
    if wind_sz < 1 {
        return invalid("wind_sz", wind_sz.to_string(), "a window is a minute at least");
    }
    if max_day < 1 {
        return invalid("max_day", max_day.to_string(), "there must be a day to compare with");
    }
    Ok(())
}

/// One window on one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Day {
    mean: f64,
    deviation: f64,
}

/// The windows of one kind of day at one time of day.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Group {
    kind: i64,
    window: i64,
    /// The latest days.
    days: Vec<Day>,
}

/// Windows by kind of day and time of day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in super::super) struct Table {
    wind_sz: i64,
    /// Ordered by kind and window.
    groups: Vec<Group>,
}

impl Table {
    pub(in super::super) fn new(
        rows: &Observations<'_>,
        wind_sz: i64,
        max_day: usize,
        kind: impl Fn(Timestamp) -> i64,
    ) -> Self {
        let mut windows: BTreeMap<(i64, i64), BTreeMap<i64, Vec<f64>>> = BTreeMap::new();
        for (t, x) in rows.times.iter().zip(rows.target()) {
            let days = windows.entry((kind(*t), window(*t, wind_sz))).or_default();
            days.entry(t.days()).or_default().push(*x);
        }
        let group = |((kind, window), days): ((i64, i64), BTreeMap<i64, Vec<f64>>)| {
            let skipped = days.len().saturating_sub(max_day);
            Group { kind, window, days: days.values().skip(skipped).map(|x| Day::of(x)).collect() }
        };
        Self { wind_sz, groups: windows.into_iter().map(group).collect() }
    }

    pub(in super::super) fn scores(&self, rows: &Observations<'_>, kind: impl Fn(Timestamp) -> i64) -> Scores {
        let n = rows.len();
        let (mut values, mut expected, mut deviations) =
            (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
        for (t, &x) in rows.times.iter().zip(rows.target()) {
            let key = (kind(*t), window(*t, self.wind_sz));
            let days = match self.groups.binary_search_by_key(&key, |group| (group.kind, group.window)) {
                Ok(position) => self.groups[position].days.as_slice(),
                Err(_) => &[],
            };
            let smaller = |a: (f64, Day), b: (f64, Day)| if b.0.abs() < a.0.abs() { b } else { a };
            // Nothing to compare with, or nothing that varies: the observation is as normal as any.
            let unknown = (0.0, Day { mean: x, deviation: 0.0 });
            let score = |day: &Day| if day.deviation == 0.0 { unknown } else { ((x - day.mean) / day.deviation, *day) };
            let (score, day) = days.iter().map(score).reduce(smaller).unwrap_or(unknown);
            values.push(score);
            expected.push(day.mean);
            deviations.push(day.deviation);
        }
        Scores::new(rows.times, values).with_expected(expected, Some(deviations))
    }
}

impl Day {
    #[expect(clippy::cast_precision_loss, reason = "a count of observations")]
    fn of(x: &[f64]) -> Self {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let deviation = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        // Equal values whose mean is rounded do not vary.
        let deviation = if deviation <= 4.0 * f64::EPSILON * mean.abs() { 0.0 } else { deviation };
        Self { mean, deviation }
    }
}

/// Which window of its day a time is in.
fn window(t: Timestamp, wind_sz: i64) -> i64 {
    t.nanos_of_day() / MINUTE / wind_sz
}
