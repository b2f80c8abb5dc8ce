//! Precision and recall by nearness in time: Huet, Navarro & Rossi (2022), "Local evaluation of time series anomaly detection
//! algorithms", KDD, section 3.
//!
//! Time is cut half way between the anomalies into one zone for each. Within a zone `E` with the anomaly `J`, and `X` uniform on `E`:
//!
//! ```text
//! precision   mean over the alarms x of the zone of P(dist(X, J) > dist(x, J))
//! recall      mean over y in J of P(|X - y| > dist(y, alarms of the zone))
//! ```
//!
//! so an alarm is as precise as it is nearer to the anomaly than a random one would be, and 1 within. The precision of all is the mean over
//! the zones with alarms, the recall over all zones, 0 for those without.
//!
//! Both integrands are piecewise linear, so that the integrals below are exact.

use super::{TsadError, runs};

/// Precision and recall, of one zone or of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affiliation {
    /// From 0 to 1; `None` where there is no alarm.
    pub precision: Option<f64>,
    /// From 0 to 1.
    pub recall: f64,
}

impl Affiliation {
    /// The harmonic mean of precision and recall; 0 without alarms.
    #[must_use]
    pub fn f1(&self) -> f64 {
        let p = self.precision.unwrap_or(0.0);
        if p + self.recall == 0.0 { 0.0 } else { 2.0 * p * self.recall / (p + self.recall) }
    }
}

/// Precision and recall of alarms at evenly spaced times, each lasting from one time to the next.
///
/// ```
/// use merlion::evaluate::anomaly_metrics::affiliation;
/// let labels = [false, false, false, true, true, false, false, false];
/// let near = affiliation::of_labels(&labels, &[false, false, false, false, false, true, false, false])?;
/// let far = affiliation::of_labels(&labels, &[false, false, false, false, false, false, false, true])?;
/// assert!(near.precision > far.precision && near.recall > far.recall);
/// # Ok::<(), merlion::evaluate::TsadError>(())
/// ```
///
/// # Errors
/// [`TsadError::LengthMismatch`], [`TsadError::Empty`] without an anomaly.
pub fn of_labels(labels: &[bool], alarms: &[bool]) -> Result<Affiliation, TsadError> {
    if alarms.len() != labels.len() {
        return Err(TsadError::LengthMismatch { what: "alarms", got: alarms.len(), expected: labels.len() });
    }
    let intervals = |set: &[bool]| -> Vec<(f64, f64)> {
        runs(set).into_iter().map(|run| (run.start as f64, run.end as f64)).collect()
    };
    of_intervals(&intervals(labels), &intervals(alarms), (0.0, labels.len() as f64))
}

/// Precision and recall of alarms over a span of time, all as intervals from a start to an end, in order and apart.
///
/// # Errors
/// [`TsadError::Empty`] without an anomaly, [`TsadError::Interval`].
pub fn of_intervals(
    anomalies: &[(f64, f64)],
    alarms: &[(f64, f64)],
    span: (f64, f64),
) -> Result<Affiliation, TsadError> {
    let zones = zones(anomalies, alarms, span)?;
    let precisions: Vec<f64> = zones.iter().filter_map(|zone| zone.precision).collect();
    let precision = (!precisions.is_empty()).then(|| precisions.iter().sum::<f64>() / precisions.len() as f64);
    let recall = zones.iter().map(|zone| zone.recall).sum::<f64>() / zones.len() as f64;
    Ok(Affiliation { precision, recall })
}

/// Precision and recall of each anomaly's zone.
///
/// # Errors
/// As [`of_intervals`].
pub fn zones(anomalies: &[(f64, f64)], alarms: &[(f64, f64)], span: (f64, f64)) -> Result<Vec<Affiliation>, TsadError> {
    check("anomaly", anomalies, span)?;
    check("alarm", alarms, span)?;
    if anomalies.is_empty() {
        return Err(TsadError::Empty { what: "anomalies" });
    }
    let zone = |(index, anomaly): (usize, &(f64, f64))| {
        let half_way = |a: &(f64, f64), b: &(f64, f64)| f64::midpoint(a.1, b.0);
        let from = index.checked_sub(1).map_or(span.0, |before| half_way(&anomalies[before], anomaly));
        let to = anomalies.get(index + 1).map_or(span.1, |after| half_way(anomaly, after));
        let within: Vec<(f64, f64)> =
            alarms.iter().map(|alarm| (alarm.0.max(from), alarm.1.min(to))).filter(|alarm| alarm.0 < alarm.1).collect();
        let zone = Zone { from, to, anomaly: *anomaly };
        Affiliation { precision: zone.precision(&within), recall: zone.recall(&within) }
    };
    Ok(anomalies.iter().enumerate().map(zone).collect())
}

fn check(what: &'static str, intervals: &[(f64, f64)], span: (f64, f64)) -> Result<(), TsadError> {
    let mut before = f64::NEG_INFINITY;
    for (position, &(start, end)) in intervals.iter().enumerate() {
        let reason = if !(start < end && end.is_finite() && start.is_finite()) {
            "has no length"
        } else if start <= before {
            "is not after the one before"
        } else if start < span.0 || end > span.1 {
            "is not within the span"
        } else {
            before = end;
            continue;
        };
        return Err(TsadError::Interval { what, position, start, end, reason });
    }
    Ok(())
}

/// The part of time that is nearest to one anomaly.
struct Zone {
    from: f64,
    to: f64,
    anomaly: (f64, f64),
}

impl Zone {
    fn precision(&self, alarms: &[(f64, f64)]) -> Option<f64> {
        let (start, end) = self.anomaly;
        let (before, after) = (start - self.from, self.to - end);
        // The length of the zone that is farther than `d` from the anomaly, integrated from 0 to `d`.
        let farther = |d: f64| triangle(before, d) + triangle(after, d);
        let mut sum = 0.0;
        let mut length = 0.0;
        for &(a, b) in alarms {
            length += b - a;
            let inside = (b.min(end) - a.max(start)).max(0.0);
            let left = farther((start - a).max(0.0)) - farther((start - b).max(0.0));
            let right = farther((b - end).max(0.0)) - farther((a - end).max(0.0));
            sum += inside + (left + right) / (self.to - self.from);
        }
        (length > 0.0).then(|| sum / length)
    }

    fn recall(&self, alarms: &[(f64, f64)]) -> f64 {
        let (start, end) = self.anomaly;
        let mut sum = 0.0;
        for (index, &(a, b)) in alarms.iter().enumerate() {
            // The part of the anomaly that is nearest to this alarm.
            let from = index.checked_sub(1).map_or(start, |before| f64::midpoint(alarms[before].1, a).max(start));
            let to = alarms.get(index + 1).map_or(end, |after| f64::midpoint(b, after.0).min(end));
            sum += (b.min(to) - a.max(from)).max(0.0) * (self.to - self.from);
            sum += self.beyond(b, b.max(from), to);
            // Seen from the other side, an alarm that is still to come is one that has been.
            let mirrored = Zone { from: -self.to, to: -self.from, anomaly: (-end, -start) };
            sum += mirrored.beyond(-a, (-a).max(-to), -from);
        }
        sum / (self.to - self.from) / (end - start)
    }

    /// The length of the zone that is farther from `y` than an alarm that ended at `edge`, integrated over `y` from `from` to `to`.
    fn beyond(&self, edge: f64, from: f64, to: f64) -> f64 {
        if from >= to {
            return 0.0;
        }
        // To the left always `edge - zone.from`; to the right `zone.to - 2 y + edge`, as long as that is positive.
        let turn = f64::midpoint(self.to, edge).clamp(from, to);
        let right = |y: f64| (self.to - 2.0 * y + edge).max(0.0);
        (edge - self.from) * (to - from) + (turn - from) * f64::midpoint(right(from), right(turn))
    }
}

/// The integral of `max(height - x, 0)` from 0 to `d`.
fn triangle(height: f64, d: f64) -> f64 {
    let d = d.min(height);
    d * (height - d / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
    }

    #[test]
    fn the_example_of_the_paper() {
        // In minutes: figure 2 of the paper, whose second zone reaches from 30 to 120.
        let anomalies = [(0.0, 10.0), (50.0, 70.0), (170.0, 175.0)];
        let alarms =
            [(5.0, 6.0), (7.0, 10.0), (11.0, 12.0), (40.0, 60.0), (115.0, 130.0), (135.0, 140.0), (165.0, 170.0)];
        let zones = zones(&anomalies, &alarms, (0.0, 180.0)).unwrap();
        // By hand: ten minutes within; ten up to the anomaly at a mean of 60 / 90; five 45 to 50 behind it at a mean of 2.5 / 90.
        close(zones[1].precision.unwrap(), (10.0 + 10.0 * 60.0 / 90.0 + 5.0 * 2.5 / 90.0) / 25.0);
        // Ten minutes found; ten more from 0 to 10 behind the alarm, at a mean of 80 / 90.
        close(zones[1].recall, (10.0 + 10.0 * 80.0 / 90.0) / 20.0);
        // The published values of this zone.
        assert!((zones[1].precision.unwrap() - 0.672_222_222).abs() < 1e-8);
        assert!((zones[1].recall - 0.944_444_444).abs() < 1e-8);
    }

    #[test]
    fn a_grid_of_random_positions_says_the_same() {
        // The definitions, summed over a fine grid.
        let anomalies = [(3.0, 5.0), (9.0, 12.0)];
        let alarms = [(0.5, 1.0), (4.5, 6.0), (6.5, 7.5), (11.0, 11.5), (14.0, 15.0)];
        let bounds = [(0.0, 7.0), (7.0, 15.0)];
        let zones = zones(&anomalies, &alarms, (0.0, 15.0)).unwrap();
        let distance = |x: f64, list: &[(f64, f64)]| {
            list.iter().map(|&(a, b)| (a - x).max(x - b).max(0.0)).fold(f64::INFINITY, f64::min)
        };
        let steps = |(a, b): (f64, f64)| (0..700).map(move |i| a + (b - a) * (f64::from(i) + 0.5) / 700.0);
        for (index, zone) in zones.iter().enumerate() {
            let (from, to) = bounds[index];
            let within: Vec<(f64, f64)> =
                alarms.iter().map(|&(a, b)| (a.max(from), b.min(to))).filter(|&(a, b)| a < b).collect();
            let mean = |values: Vec<(f64, f64)>| {
                values.iter().map(|(value, weight)| value * weight).sum::<f64>()
                    / values.iter().map(|(_, weight)| weight).sum::<f64>()
            };
            let share = |far: &dyn Fn(f64) -> bool| steps((from, to)).filter(|&x| far(x)).count() as f64 / 700.0;
            let this = [anomalies[index]];
            let precision = mean(
                within
                    .iter()
                    .flat_map(|&(a, b)| steps((a, b)).map(move |x| (x, b - a)))
                    .map(|(x, w)| {
                        let d = distance(x, &this);
                        (if d == 0.0 { 1.0 } else { share(&|z| distance(z, &this) > d) }, w)
                    })
                    .collect(),
            );
            let recall = mean(
                steps(this[0])
                    .map(|y| {
                        let d = distance(y, &within);
                        (if d == 0.0 { 1.0 } else { share(&|z| (z - y).abs() > d) }, 1.0)
                    })
                    .collect(),
            );
            assert!((zone.precision.unwrap() - precision).abs() < 2e-3, "{zone:?}: precision {precision}");
            assert!((zone.recall - recall).abs() < 2e-3, "{zone:?}: recall {recall}");
        }
    }

    #[test]
    fn the_anomalies_themselves_are_perfect_alarms() {
        let anomalies = [(1.0, 2.0), (5.0, 6.5)];
        let score = of_intervals(&anomalies, &anomalies, (0.0, 10.0)).unwrap();
        assert_eq!((score.precision, score.recall, score.f1()), (Some(1.0), 1.0, 1.0));
    }

    #[test]
    fn zones_without_alarms_have_no_precision_and_no_recall() {
        let anomalies = [(1.0, 2.0), (5.0, 6.0)];
        let score = of_intervals(&anomalies, &[(1.0, 2.0)], (0.0, 10.0)).unwrap();
        assert_eq!((score.precision, score.recall), (Some(1.0), 0.5));
        let none = of_intervals(&anomalies, &[], (0.0, 10.0)).unwrap();
        assert_eq!((none.precision, none.recall, none.f1()), (None, 0.0, 0.0));
        let labels = of_labels(&[false, true, true, false], &[false, true, true, false]).unwrap();
        assert_eq!((labels.precision, labels.recall), (Some(1.0), 1.0));
    }

    #[test]
    fn intervals_are_in_order_and_apart() {
        for (anomalies, reason) in [
            (&[(2.0, 1.0)][..], "has no length"),
            (&[(1.0, 3.0), (2.0, 4.0)], "is not after the one before"),
            (&[(1.0, 11.0)], "is not within the span"),
            (&[(1.0, f64::NAN)], "has no length"),
        ] {
            let error = of_intervals(anomalies, &[], (0.0, 10.0)).unwrap_err();
            assert!(error.to_string().ends_with(reason), "{error}");
        }
        assert!(matches!(of_intervals(&[], &[], (0.0, 1.0)), Err(TsadError::Empty { .. })));
    }
}
