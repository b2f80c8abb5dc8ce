//! Merlion's counts of alarms in labelled windows, from which its metrics follow.
//!
//! The labels cut time into windows that are anomalous and normal in turn; the last one ends a second after the last label. An
//! anomalous window may start earlier and end earlier than its labels do ([`Tolerance`]), and the normal windows around it give way.
//! A window always covers at least one value of the detector, if there is one left.

use std::ops::AddAssign;

use super::TsadError;
use super::nab::Profile;
use crate::series::TimeSeries;
use crate::time::Timestamp;

/// How the points of an anomaly count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ScoreType {
    /// Each point for itself.
    Pointwise,
    /// All points of an anomaly as detected if one is.
    PointAdjusted,
    /// Each anomaly once, and false alarms point by point: Merlion's default.
    #[default]
    RevisedPointAdjusted,
}

/// How far an alarm may be from the anomaly it announces. The default demands alarms between its beginning and its end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tolerance {
    /// Seconds that an alarm may come before the anomaly begins; none if absent, zero or negative.
    pub max_early_sec: Option<f64>,
    /// Seconds after the beginning of an anomaly from which alarms no longer count as detecting it; no limit if absent, zero or
    /// negative. It does not apply to an anomaly that lasts to the end of the labels.
    pub max_delay_sec: Option<f64>,
}

/// Counts of alarms in labelled windows. Those of several series add up.
///
/// ```
/// use merlion::evaluate::{Tolerance, TsadMetric, TsadScore};
/// use merlion::time::Timestamp;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let times: Vec<_> = (0..6).filter_map(Timestamp::from_seconds).collect();
/// let labels = [0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
/// let alarms = [3.5, 0.0, 0.0, 4.1, 0.0, 0.0];
/// let score = TsadScore::from_slices(&times, &labels, &times, &alarms, Tolerance::default())?;
/// assert_eq!(TsadMetric::Recall.value(&score), 1.0);
/// assert_eq!(TsadMetric::Precision.value(&score), 0.5);
/// assert_eq!(TsadMetric::MeanTimeToDetect.value(&score), 1.0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TsadScore {
    /// Anomalies with an alarm.
    pub num_tp_anom: usize,
    /// Points with an alarm in anomalies.
    pub num_tp_pointwise: usize,
    /// Points of the anomalies with an alarm.
    pub num_tp_point_adj: usize,
    /// Anomalies without an alarm.
    pub num_fn_anom: usize,
    /// Points without an alarm in anomalies.
    pub num_fn_pointwise: usize,
    /// Points of the anomalies without an alarm.
    pub num_fn_point_adj: usize,
    /// Points with an alarm in normal windows.
    pub num_fp: usize,
    /// Points without an alarm in normal windows.
    pub num_tn: usize,
    /// What NAB gives for the detected anomalies: up to 1 each, the more the earlier the first alarm is.
    pub tp_score: f64,
    /// What NAB takes for false alarms: up to 1 each.
    pub fp_score: f64,
    /// Seconds from the beginning of each detected anomaly to its first alarm.
    pub tp_detection_delays: Vec<f64>,
    /// Seconds that each detected anomaly lasts.
    pub tp_anom_durations: Vec<f64>,
    /// Seconds that each anomaly lasts.
    pub anom_durations: Vec<f64>,
}

impl TsadScore {
    /// Measures alarms against labels, each a series of one column. What is neither 0 nor missing is an anomaly or an alarm.
    ///
    /// # Errors
    /// [`TsadError::Columns`], [`TsadError::Empty`] without labels.
    pub fn new(labels: &TimeSeries, alarms: &TimeSeries, tolerance: Tolerance) -> Result<Self, TsadError> {
        let column = |series: &TimeSeries, what| match series.univariates() {
            [column] => Ok(column.clone()),
            columns => Err(TsadError::Columns { what, columns: columns.len() }),
        };
        let (labels, alarms) = (column(labels, "labels")?, column(alarms, "alarms")?);
        Self::from_slices(labels.times(), labels.values(), alarms.times(), alarms.values(), tolerance)
    }

    /// The same on slices whose times increase.
    ///
    /// # Errors
    /// [`TsadError::LengthMismatch`], [`TsadError::Empty`] without labels.
    pub fn from_slices(
        label_times: &[Timestamp],
        labels: &[f64],
        alarm_times: &[Timestamp],
        alarms: &[f64],
        tolerance: Tolerance,
    ) -> Result<Self, TsadError> {
        for (what, times, values) in [("label times", label_times, labels), ("alarm times", alarm_times, alarms)] {
            if times.len() != values.len() {
                return Err(TsadError::LengthMismatch { what, got: times.len(), expected: values.len() });
            }
        }
        let (Some(&start), Some(&last)) = (label_times.first(), label_times.last()) else {
            return Err(TsadError::Empty { what: "labels" });
        };
        let set = |value: &f64| *value != 0.0 && !value.is_nan();
        let labels: Vec<bool> = labels.iter().map(set).collect();
        let alarms: Vec<bool> = alarms.iter().map(set).collect();
        let nanos = |t: Timestamp| i128::from(t.nanos());
        // Windows in nanoseconds; wide, because a tolerance may lead out of the range of time stamps.
        let mut edges: Vec<i128> = vec![nanos(start)];
        edges.extend((1..labels.len()).filter(|&i| labels[i] != labels[i - 1]).map(|i| nanos(label_times[i])));
        edges.push(nanos(last) + 1_000_000_000);
        let first_at = |edge: i128| alarm_times.partition_point(|t| nanos(*t) < edge);
        let (early, late) = (tolerance_nanos(tolerance.max_early_sec), tolerance_nanos(tolerance.max_delay_sec));
        let mut score = Self::default();
        let mut anomalous = labels[0];
        let mut before = edges[0];
        for (position, pair) in edges.windows(2).enumerate() {
            let (begin, end) = (pair[0], pair[1]);
            let (mut from, mut to) = (begin, end);
            if anomalous {
                from = early.map_or(from, |early| before.max(begin - early));
                if position + 2 < edges.len() {
                    to = late.map_or(to, |late| end.min(begin + late));
                }
            } else {
                from = late.map_or(from, |late| begin.min(before + late));
                to = early.map_or(to, |early| begin.max(end - early));
            }
            let first = first_at(from);
            let window = first.min(alarms.len())..first_at(to).max(first + 1).min(alarms.len());
            let window = Window { alarms: &alarms[window.clone()], times: &alarm_times[window], from, to };
            if anomalous {
                score.count_anomaly(&window, begin, end);
            } else {
                score.count_normal(&window);
            }
            before = begin;
            anomalous = !anomalous;
        }
        Ok(score)
    }

    fn count_anomaly(&mut self, window: &Window<'_>, begin: i128, end: i128) {
        let duration = seconds(end - begin);
        let hits = window.alarms.iter().filter(|alarm| **alarm).count();
        self.anom_durations.push(duration);
        self.num_tp_pointwise += hits;
        self.num_fn_pointwise += window.alarms.len() - hits;
        let Some(first) = window.alarms.iter().position(|alarm| *alarm) else {
            self.num_fn_anom += 1;
            self.num_fn_point_adj += window.alarms.len();
            return;
        };
        self.num_tp_anom += 1;
        self.num_tp_point_adj += window.alarms.len();
        self.tp_detection_delays.push(seconds(i128::from(window.times[first].nanos()) - begin));
        self.tp_anom_durations.push(duration);
        self.tp_score += scaled_sigmoid(window.relative(first).unwrap_or(0.0));
    }

    fn count_normal(&mut self, window: &Window<'_>) {
        for (position, alarm) in window.alarms.iter().enumerate() {
            if *alarm {
                self.num_fp += 1;
                self.fp_score += scaled_sigmoid(window.relative(position).unwrap_or(f64::INFINITY));
            } else {
                self.num_tn += 1;
            }
        }
    }

    /// The part of the alarms that is right; 0 without alarms.
    #[must_use]
    pub fn precision(&self, score_type: ScoreType) -> f64 {
        share(self.true_positives(score_type), self.num_fp)
    }

    /// The part of the anomalies that is found; 0 without anomalies.
    #[must_use]
    pub fn recall(&self, score_type: ScoreType) -> f64 {
        let missed = match score_type {
            ScoreType::Pointwise => self.num_fn_pointwise,
            ScoreType::PointAdjusted => self.num_fn_point_adj,
            ScoreType::RevisedPointAdjusted => self.num_fn_anom,
        };
        share(self.true_positives(score_type), missed)
    }

    /// The harmonic mean of precision and recall in which recall counts `beta` times; 0 if either is 0.
    #[must_use]
    pub fn f_beta(&self, score_type: ScoreType, beta: f64) -> f64 {
        let (p, r) = (self.precision(score_type), self.recall(score_type));
        if p == 0.0 || r == 0.0 { 0.0 } else { (1.0 + beta * beta) * p * r / (beta * beta * p + r) }
    }

    /// Mean seconds from the beginning of a detected anomaly to its first alarm, cut to whole seconds. It is negative if alarms come
    /// early, and 0 if nothing was detected.
    #[must_use]
    pub fn mean_time_to_detect(&self) -> f64 {
        mean(&self.tp_detection_delays).trunc()
    }

    /// Mean seconds that the detected anomalies last, cut to whole seconds; 0 if there are none.
    #[must_use]
    pub fn mean_detected_anomaly_duration(&self) -> f64 {
        mean(&self.tp_anom_durations).trunc()
    }

    /// Mean seconds that the anomalies last, cut to whole seconds; 0 if there are none.
    #[must_use]
    pub fn mean_anomaly_duration(&self) -> f64 {
        mean(&self.anom_durations).trunc()
    }

    /// Merlion's NAB score: 0 for no alarm, 1 for alarms at the beginning of each anomaly and nowhere else; negative for many false
    /// ones.
    ///
    /// It measures where in its normal window a false alarm is, and takes most for those at the window's beginning; [`nab`](super::nab)
    /// is the benchmark's own count, which takes least there.
    #[must_use]
    pub fn nab_score(&self, profile: &Profile) -> f64 {
        let anomalies = (self.num_tp_anom + self.num_fn_anom) as f64;
        let null = -anomalies * profile.fn_weight;
        let perfect = anomalies * profile.tp_weight;
        let score = self.tp_score * profile.tp_weight
            - self.fp_score * profile.fp_weight
            - self.num_fn_anom as f64 * profile.fn_weight;
        // Merlion's guard for labels without an anomaly.
        (score - null) / (perfect - null + 1e-8)
    }

    fn true_positives(&self, score_type: ScoreType) -> usize {
        match score_type {
            ScoreType::Pointwise => self.num_tp_pointwise,
            ScoreType::PointAdjusted => self.num_tp_point_adj,
            ScoreType::RevisedPointAdjusted => self.num_tp_anom,
        }
    }
}

impl AddAssign<&TsadScore> for TsadScore {
    fn add_assign(&mut self, other: &TsadScore) {
        self.num_tp_anom += other.num_tp_anom;
        self.num_tp_pointwise += other.num_tp_pointwise;
        self.num_tp_point_adj += other.num_tp_point_adj;
        self.num_fn_anom += other.num_fn_anom;
        self.num_fn_pointwise += other.num_fn_pointwise;
        self.num_fn_point_adj += other.num_fn_point_adj;
        self.num_fp += other.num_fp;
        self.num_tn += other.num_tn;
        self.tp_score += other.tp_score;
        self.fp_score += other.fp_score;
        self.tp_detection_delays.extend_from_slice(&other.tp_detection_delays);
        self.tp_anom_durations.extend_from_slice(&other.tp_anom_durations);
        self.anom_durations.extend_from_slice(&other.anom_durations);
    }
}

/// The alarms from one edge to another, in nanoseconds.
struct Window<'a> {
    alarms: &'a [bool],
    times: &'a [Timestamp],
    from: i128,
    to: i128,
}

impl Window<'_> {
    /// Where in the window an alarm is, from 0 to 1; `None` in a window without length.
    fn relative(&self, position: usize) -> Option<f64> {
        let passed = i128::from(self.times[position].nanos()) - self.from;
        (self.to != self.from).then(|| passed as f64 / (self.to - self.from) as f64)
    }
}

/// From 1 at the beginning of a window over 0 at its end to -1 beyond twice its length.
fn scaled_sigmoid(x: f64) -> f64 {
    const SCALE: f64 = 2.5;
    if x > 2.0 {
        -1.0
    } else if x < 0.0 {
        1.0
    } else {
        (SCALE * (1.0 - x)).tanh() / SCALE.tanh()
    }
}

fn tolerance_nanos(seconds: Option<f64>) -> Option<i128> {
    // The conversion saturates, which is as good as no limit.
    seconds.filter(|seconds| *seconds > 0.0).map(|seconds| i128::from((seconds * 1e9).round() as i64))
}

fn seconds(nanos: i128) -> f64 {
    nanos as f64 / 1e9
}

fn share(part: usize, rest: usize) -> f64 {
    if part + rest == 0 { 0.0 } else { part as f64 / (part + rest) as f64 }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::super::TsadMetric;
    use super::*;
    use crate::time::testing::seconds as at;

    fn score(labels: &[f64], alarms: &[f64], tolerance: Tolerance) -> TsadScore {
        let times: Vec<i64> = (0..).map(|i| 60 * i).take(labels.len()).collect();
        TsadScore::from_slices(&at(&times), labels, &at(&times), alarms, tolerance).unwrap()
    }

    #[test]
    fn three_ways_to_count_two_anomalies() {
        // The first anomaly is hit by two of three points, the second is missed; one false alarm.
        let labels = [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        let alarms = [0.0, 0.0, 2.0, 2.0, 0.0, -3.0, 0.0, 0.0, 0.0];
        let score = score(&labels, &alarms, Tolerance::default());
        for (metric, expected) in [
            (TsadMetric::Precision, 0.5),
            (TsadMetric::Recall, 0.5),
            (TsadMetric::F1, 0.5),
            (TsadMetric::PointwisePrecision, 2.0 / 3.0),
            (TsadMetric::PointwiseRecall, 2.0 / 5.0),
            (TsadMetric::PointwiseF1, 0.5),
            (TsadMetric::PointAdjustedPrecision, 3.0 / 4.0),
            (TsadMetric::PointAdjustedRecall, 3.0 / 5.0),
            (TsadMetric::PointAdjustedF1, 2.0 / 3.0),
            (TsadMetric::F2, 0.5),
            (TsadMetric::MeanTimeToDetect, 60.0),
        ] {
            let value = metric.value(&score);
            assert!((value - expected).abs() < 1e-15, "{metric}: {value}, expected {expected}");
        }
        assert_eq!(score.anom_durations, [180.0, 120.0]);
        assert_eq!(score.tp_anom_durations, [180.0]);
        assert_eq!(score.num_tn, 3);
    }

    #[test]
    fn an_early_alarm_counts_where_it_is_allowed_to() {
        let labels = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        let alarms = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        let strict = score(&labels, &alarms, Tolerance::default());
        assert_eq!((strict.num_tp_anom, strict.num_fn_anom, strict.num_fp), (0, 1, 1));
        let early = score(&labels, &alarms, Tolerance { max_early_sec: Some(60.0), max_delay_sec: None });
        assert_eq!((early.num_tp_anom, early.num_fn_anom, early.num_fp), (1, 0, 0));
        assert_eq!(early.mean_time_to_detect(), -60.0);
    }

    #[test]
    fn a_late_alarm_is_a_false_one_where_delay_is_limited() {
        let labels = [0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0];
        let alarms = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        let late = score(&labels, &alarms, Tolerance { max_early_sec: None, max_delay_sec: Some(120.0) });
        assert_eq!((late.num_tp_anom, late.num_fn_anom, late.num_fp), (0, 1, 1));
        let unlimited = score(&labels, &alarms, Tolerance::default());
        assert_eq!((unlimited.num_tp_anom, unlimited.num_fn_anom, unlimited.num_fp), (1, 0, 0));
    }

    #[test]
    fn missing_values_are_neither_labels_nor_alarms() {
        let score = score(&[0.0, f64::NAN, 1.0], &[f64::NAN, 0.0, 1.0], Tolerance::default());
        assert_eq!((score.num_tp_anom, score.num_fp, score.num_tn), (1, 0, 2));
    }

    #[test]
    fn counts_of_series_add_up() {
        let one = score(&[0.0, 1.0, 0.0], &[1.0, 1.0, 0.0], Tolerance::default());
        let mut both = one.clone();
        both += &one;
        assert_eq!((both.num_tp_anom, both.num_fp, both.num_tn), (2, 2, 2));
        assert_eq!(both.precision(ScoreType::default()), one.precision(ScoreType::default()));
        assert_eq!(both.tp_detection_delays.len(), 2);
    }

    #[test]
    fn what_cannot_be_compared_is_an_error() {
        let times = at(&[0, 1]);
        let error = TsadScore::from_slices(&times, &[1.0], &times, &[1.0, 0.0], Tolerance::default()).unwrap_err();
        assert!(matches!(error, TsadError::LengthMismatch { got: 2, expected: 1, .. }), "{error}");
        let error = TsadScore::from_slices(&[], &[], &times, &[1.0, 0.0], Tolerance::default()).unwrap_err();
        assert_eq!(error.to_string(), "there are no labels");
        let none = TsadScore::from_slices(&times, &[0.0, 1.0], &[], &[], Tolerance::default()).unwrap();
        assert_eq!(
            (none.num_fn_anom, none.num_fn_point_adj),
            (1, 0),
            "a detector that answers nothing misses everything"
        );
    }
}
