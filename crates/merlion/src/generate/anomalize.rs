//! Anomalies put into series, with labels: Merlion's `Shock`, `LevelShift` and `TrendChange`.
//!
//! Here they are no transforms: they are random, they need a seed, and what they do cannot be undone.

use std::sync::Arc;

use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::GenerateError;
use super::error::probability;
use crate::math::rng;
use crate::series::{TimeSeries, Univariate};

/// The random stream of anomalies.
const STREAM: u64 = 0x616e_6f6d_616c_6965;

/// Points after a level shift that are labelled, as in Merlion.
const SHIFT_WIDTH: usize = 20;

/// The column of labels.
const LABELS: &str = "anomaly";

/// A way to put anomalies into a series, under Merlion's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name")]
#[non_exhaustive]
pub enum Anomalizer {
    /// Spikes and dips.
    Shock(Shock),
    /// Levels that change for good.
    LevelShift(LevelShift),
    /// Slopes that change.
    TrendChange(TrendChange),
}

/// Spikes and dips: where an anomaly begins, and for a random number of values, `sign · U(sd_range) · sd_t` is added, with the
/// exponentially weighted standard deviation `sd_t` of the series up to where it begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shock {
    /// The probability that an anomaly begins at a value.
    pub anom_prob: f64,
    /// Least and greatest value that the series can have; what is beyond is cut off.
    pub natural_bounds: (Option<f64>, Option<f64>),
    /// The weight of a new value in the standard deviation, from 0 to 1.
    pub alpha: f64,
    /// The probability that an anomaly is a spike, not a dip.
    pub pos_prob: f64,
    /// The height, in standard deviations.
    pub sd_range: (f64, f64),
    /// The number of values, both bounds included.
    pub anom_width_range: (usize, usize),
    /// Whether the last shock stays in the values after it, without a label.
    pub persist_shock: bool,
}

impl Default for Shock {
    /// Merlion's.
    fn default() -> Self {
        Self {
            anom_prob: 0.01,
            natural_bounds: (None, None),
            alpha: 0.2,
            pos_prob: 1.0,
            sd_range: (3.0, 6.0),
            anom_width_range: (1, 5),
            persist_shock: false,
        }
    }
}

/// Levels that change for good: a [`Shock`] that stays, of which the first twenty values are labelled. The next one takes the place of
/// the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LevelShift {
    /// The probability that an anomaly begins at a value.
    pub anom_prob: f64,
    /// Least and greatest value that the series can have; what is beyond is cut off.
    pub natural_bounds: (Option<f64>, Option<f64>),
    /// The weight of a new value in the standard deviation, from 0 to 1.
    pub alpha: f64,
    /// The probability that the level rises.
    pub pos_prob: f64,
    /// The height, in standard deviations.
    pub sd_range: (f64, f64),
}

impl Default for LevelShift {
    /// Merlion's.
    fn default() -> Self {
        let Shock { anom_prob, natural_bounds, alpha, pos_prob, sd_range, .. } = Shock::default();
        Self { anom_prob, natural_bounds, alpha, pos_prob, sd_range }
    }
}

/// Slopes that change: the steps of the series become `v_t + Δ_t`, where an anomaly sets `Δ_t = sign · U(scale_range) · m_t` with the
/// exponentially weighted mean `m_t` of the steps, and `Δ_t = beta Δ_{t-1}` otherwise. The series goes on from where that leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrendChange {
    /// The probability of an anomaly at a value.
    pub anom_prob: f64,
    /// Least and greatest value that the series can have; what is beyond is cut off.
    pub natural_bounds: (Option<f64>, Option<f64>),
    /// The weight of a new step in the mean, from 0 to 1.
    pub alpha: f64,
    /// How much of a change stays from one value to the next, from 0 to 1.
    pub beta: f64,
    /// The probability that the change has the direction of the mean step.
    pub pos_prob: f64,
    /// The size of the change, in mean steps.
    pub scale_range: (f64, f64),
}

impl Default for TrendChange {
    /// Merlion's.
    fn default() -> Self {
        Self {
            anom_prob: 0.01,
            natural_bounds: (None, None),
            alpha: 0.5,
            beta: 0.95,
            pos_prob: 0.5,
            scale_range: (0.5, 3.0),
        }
    }
}

impl Anomalizer {
    /// The series with anomalies, and a column `anomaly` that is 1 where they are. A second column of `series` whose name contains
    /// `anom` holds the labels so far, which are kept. Equal seeds give equal anomalies.
    ///
    /// ```
    /// use merlion::generate::{Anomalizer, LevelShift, Shock, TimeSeriesGenerator};
    /// let series = TimeSeriesGenerator::default().generate(1)?;
    /// let spikes = Anomalizer::Shock(Shock::default()).inject(&series, 2)?;
    /// let both = Anomalizer::LevelShift(LevelShift::default()).inject(&spikes, 3)?;
    /// let labelled = |series: &merlion::series::TimeSeries| series.univariates()[1].values().iter().sum::<f64>();
    /// assert!(labelled(&both) > labelled(&spikes));
    /// # Ok::<(), merlion::generate::GenerateError>(())
    /// ```
    ///
    /// # Errors
    /// [`GenerateError::Columns`], [`GenerateError::InvalidParameter`].
    pub fn inject(&self, series: &TimeSeries, seed: u64) -> Result<TimeSeries, GenerateError> {
        let mut stream = rng::stream(seed, STREAM);
        let columns = || GenerateError::Columns { columns: series.names().map(str::to_owned).collect() };
        let (column, before) = match series.univariates() {
            [column] => (column, None),
            [column, labels] if labels.name().contains("anom") && series.is_aligned() => (column, Some(labels)),
            _ => return Err(columns()),
        };
        if column.name() == LABELS {
            return Err(columns());
        }
        let (mut values, mut labels, (lower, upper)) = match self {
            Self::Shock(shock) => {
                shock.validate("Shock")?;
                let (values, labels) = shock.apply(column.values(), &mut stream);
                (values, labels, shock.natural_bounds)
            }
            Self::LevelShift(shift) => {
                let shock = Shock {
                    anom_prob: shift.anom_prob,
                    natural_bounds: shift.natural_bounds,
                    alpha: shift.alpha,
                    pos_prob: shift.pos_prob,
                    sd_range: shift.sd_range,
                    anom_width_range: (SHIFT_WIDTH, SHIFT_WIDTH),
                    persist_shock: true,
                };
                shock.validate("LevelShift")?;
                let (values, labels) = shock.apply(column.values(), &mut stream);
                (values, labels, shock.natural_bounds)
            }
            Self::TrendChange(change) => {
                change.validate()?;
                let (values, labels) = change.apply(column.values(), &mut stream);
                (values, labels, change.natural_bounds)
            }
        };
        for value in &mut values {
            // A missing value stays missing, which `f64::max` would not let it.
            *value = lower.filter(|lower| *value < *lower).unwrap_or(*value);
            *value = upper.filter(|upper| *value > *upper).unwrap_or(*value);
        }
        if let Some(before) = before {
            for (label, before) in labels.iter_mut().zip(before.values()) {
                *label = label.max(*before);
            }
        }
        Ok(with_labels(column, values, labels))
    }
}

fn with_labels(column: &Univariate, values: Vec<f64>, labels: Vec<f64>) -> TimeSeries {
    TimeSeries::aligned(column.times().to_vec(), vec![(Arc::from(column.name()), values), (Arc::from(LABELS), labels)])
}

fn check_bounds(name: &'static str, bounds: (Option<f64>, Option<f64>)) -> Result<(), GenerateError> {
    match bounds {
        (Some(lower), Some(upper)) if lower.partial_cmp(&upper) != Some(std::cmp::Ordering::Less) => {
            Err(GenerateError::invalid(name, "natural_bounds", (lower, upper), "the lower must be below the upper"))
        }
        _ => Ok(()),
    }
}

fn check_range(name: &'static str, parameter: &'static str, range: (f64, f64)) -> Result<(), GenerateError> {
    if range.0 <= range.1 && range.0.is_finite() && range.1.is_finite() {
        return Ok(());
    }
    Err(GenerateError::invalid(name, parameter, range, "must be finite and in order"))
}

/// A draw from a range with a random sign.
fn signed(stream: &mut Pcg64, pos_prob: f64, range: (f64, f64)) -> f64 {
    let sign = if rng::uniform(stream) < pos_prob { 1.0 } else { -1.0 };
    sign * (range.0 + (range.1 - range.0) * rng::uniform(stream))
}

impl Shock {
    fn validate(&self, name: &'static str) -> Result<(), GenerateError> {
        probability(name, "anom_prob", self.anom_prob)?;
        probability(name, "pos_prob", self.pos_prob)?;
        probability(name, "alpha", self.alpha)?;
        check_range(name, "sd_range", self.sd_range)?;
        check_bounds(name, self.natural_bounds)?;
        let (least, most) = self.anom_width_range;
        if least == 0 || least > most {
            let reason = "must be at least 1 and in order";
            return Err(GenerateError::invalid(name, "anom_width_range", self.anom_width_range, reason));
        }
        Ok(())
    }

    fn apply(&self, x: &[f64], stream: &mut Pcg64) -> (Vec<f64>, Vec<f64>) {
        let mut values = Vec::with_capacity(x.len());
        let mut labels = Vec::with_capacity(x.len());
        let mut spread = Spread { alpha: self.alpha, mean: None, variance: 0.0 };
        let (mut left, mut shock) = (0, 0.0);
        for &x in x {
            spread.observe(x);
            let begins = left == 0 && rng::uniform(stream) < self.anom_prob;
            if begins {
                shock = signed(stream, self.pos_prob, self.sd_range) * spread.variance.sqrt();
                left =
                    self.anom_width_range.0 + rng::below(stream, self.anom_width_range.1 - self.anom_width_range.0 + 1);
            }
            let anomalous = left > 0;
            left = left.saturating_sub(1);
            values.push(if anomalous || self.persist_shock { x + shock } else { x });
            labels.push(f64::from(u8::from(anomalous)));
        }
        (values, labels)
    }
}

/// The exponentially weighted variance of the values so far, with bias (pandas' `ewm(adjust=False).var(bias=True)`).
struct Spread {
    alpha: f64,
    mean: Option<f64>,
    variance: f64,
}

impl Spread {
    fn observe(&mut self, x: f64) {
        if x.is_nan() {
            return;
        }
        let mean = *self.mean.get_or_insert(x);
        let step = x - mean;
        self.variance = (1.0 - self.alpha) * (self.variance + self.alpha * step * step);
        self.mean = Some(mean + self.alpha * step);
    }
}

impl TrendChange {
    const NAME: &'static str = "TrendChange";

    fn validate(&self) -> Result<(), GenerateError> {
        probability(Self::NAME, "anom_prob", self.anom_prob)?;
        probability(Self::NAME, "pos_prob", self.pos_prob)?;
        probability(Self::NAME, "alpha", self.alpha)?;
        probability(Self::NAME, "beta", self.beta)?;
        check_range(Self::NAME, "scale_range", self.scale_range)?;
        if self.scale_range.0 <= 0.0 {
            return Err(GenerateError::invalid(Self::NAME, "scale_range", self.scale_range, "must be positive"));
        }
        check_bounds(Self::NAME, self.natural_bounds)
    }

    fn apply(&self, x: &[f64], stream: &mut Pcg64) -> (Vec<f64>, Vec<f64>) {
        let mut values = Vec::with_capacity(x.len());
        let mut labels = Vec::with_capacity(x.len());
        let Some(&first) = x.first() else { return (values, labels) };
        let (mut before, mut level, mut mean, mut change) = (first, first, 0.0, 0.0);
        for &x in x {
            let step = x - before;
            mean += self.alpha * (step - mean);
            let anomalous = rng::uniform(stream) < self.anom_prob;
            change =
                if anomalous { signed(stream, self.pos_prob, self.scale_range) * mean } else { self.beta * change };
            level += step + change;
            before = x;
            values.push(level);
            labels.push(f64::from(u8::from(anomalous)));
        }
        (values, labels)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::time::testing::seconds;

    fn series(values: &[f64]) -> TimeSeries {
        let times: Vec<i64> = (0..).take(values.len()).collect();
        TimeSeries::from_columns(seconds(&times), vec![("x".to_owned(), values.to_vec())]).unwrap()
    }

    fn wave(n: usize) -> TimeSeries {
        series(&(0..n).map(|i| (i as f64 / 3.0).sin()).collect::<Vec<_>>())
    }

    fn anomalizer(json: serde_json::Value) -> Anomalizer {
        serde_json::from_value(json).unwrap()
    }

    fn columns(series: &TimeSeries) -> (&[f64], &[f64]) {
        (series.univariates()[0].values(), series.univariates()[1].values())
    }

    #[test]
    fn only_labelled_values_are_shocked() {
        let before = wave(2_000);
        let shock =
            anomalizer(json!({"name": "Shock", "anom_prob": 0.02, "pos_prob": 0.5, "anom_width_range": [2, 4]}));
        let after = shock.inject(&before, 5).unwrap();
        let (values, labels) = columns(&after);
        let x = before.univariates()[0].values();
        let changed: Vec<bool> = x.iter().zip(values).map(|(x, y)| x != y).collect();
        assert_eq!(changed, labels.iter().map(|label| *label == 1.0).collect::<Vec<_>>());
        // About 2,000 · 0.02 / (1 + 0.02 · 2) anomalies of 3 values on average; 5 standard deviations.
        let labelled = labels.iter().sum::<f64>();
        assert!((70.0..165.0).contains(&labelled), "{labelled}");
        // A wave of amplitude 1 has no exponentially weighted deviation above 1.
        let largest = x.iter().zip(values).map(|(x, y)| (y - x).abs()).fold(0.0, f64::max);
        assert!(largest > 1.0 && largest <= 6.0, "{largest}");
        assert_eq!(after, shock.inject(&before, 5).unwrap());
        assert_ne!(after, shock.inject(&before, 6).unwrap());
    }

    #[test]
    fn the_deviation_is_the_exponentially_weighted_one() {
        // pandas: Series([1, 3, 2]).ewm(alpha=0.5, adjust=False).std(bias=True) is 0, 1, 0.7071…
        let mut spread = Spread { alpha: 0.5, mean: None, variance: 0.0 };
        let deviations: Vec<f64> = [1.0, 3.0, 2.0]
            .map(|x| {
                spread.observe(x);
                spread.variance.sqrt()
            })
            .to_vec();
        assert_eq!(deviations, [0.0, 1.0, 0.5_f64.sqrt()]);
    }

    #[test]
    fn a_shifted_level_stays() {
        let before = series(&(0..400).map(|i| f64::from(i % 2)).collect::<Vec<_>>());
        let shift = anomalizer(json!({"name": "LevelShift", "anom_prob": 0.005, "pos_prob": 1}));
        let after = shift.inject(&before, 1).unwrap();
        let (values, labels) = columns(&after);
        let first = labels.iter().position(|label| *label == 1.0).expect("a shift within 400 values");
        let x = before.univariates()[0].values();
        assert_eq!(values[..first], x[..first]);
        assert!(x[first..].iter().zip(&values[first..]).all(|(x, y)| y > x), "{values:?}");
        assert_eq!(labels[first..first + 20], [1.0; 20]);
    }

    #[test]
    fn a_changed_trend_goes_on_and_fades() {
        let before = series(&(0..300).map(f64::from).collect::<Vec<_>>());
        let change =
            anomalizer(json!({"name": "TrendChange", "anom_prob": 0.004, "pos_prob": 1, "scale_range": [2, 2]}));
        let after = change.inject(&before, 2).unwrap();
        let (values, labels) = columns(&after);
        let first = labels.iter().position(|label| *label == 1.0).expect("a change within 300 values");
        assert!(first > 20, "early enough to compare with, late enough for a mean step of 1: {first}");
        assert_eq!(values[..first], before.univariates()[0].values()[..first]);
        let steps: Vec<f64> = values[first - 1..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        let second = labels[first + 1..].iter().position(|label| *label == 1.0).unwrap_or(steps.len() - 1);
        for (i, step) in steps[..=second.min(50)].iter().enumerate() {
            let expected = 1.0 + 2.0 * 0.95_f64.powi(i32::try_from(i).unwrap());
            assert!((step - expected).abs() < 1e-5, "step {i}: {step}, expected {expected}");
        }
    }

    #[test]
    fn bounds_labels_and_missing_values_are_kept() {
        let mut x: Vec<f64> = (0..500).map(|i| f64::from(i % 5)).collect();
        x[7] = f64::NAN;
        let series = series(&x);
        let shock = anomalizer(json!({"name": "Shock", "anom_prob": 0.1, "natural_bounds": [null, 4]}));
        let once = shock.inject(&series, 1).unwrap();
        assert!(columns(&once).0[7].is_nan());
        assert!(columns(&once).0.iter().all(|y| y.is_nan() || *y <= 4.0));
        let twice = shock.inject(&once, 2).unwrap();
        let (a, b) = (columns(&once).1, columns(&twice).1);
        assert!(a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().sum::<f64>() < b.iter().sum());
        assert_eq!(twice.names().collect::<Vec<_>>(), ["x", "anomaly"]);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for (json, message) in [
            (json!({"name": "Shock", "anom_prob": 1.5}), "Shock: anom_prob = 1.5: must be from 0 to 1"),
            (
                json!({"name": "LevelShift", "sd_range": [3, 2]}),
                "LevelShift: sd_range = (3.0, 2.0): must be finite and in order",
            ),
            (
                json!({"name": "Shock", "anom_width_range": [0, 2]}),
                "Shock: anom_width_range = (0, 2): must be at least 1 and in order",
            ),
            (
                json!({"name": "TrendChange", "scale_range": [0, 2]}),
                "TrendChange: scale_range = (0.0, 2.0): must be positive",
            ),
            (
                json!({"name": "TrendChange", "natural_bounds": [2, 1]}),
                "TrendChange: natural_bounds = (2.0, 1.0): the lower must be below the upper",
            ),
        ] {
            assert_eq!(anomalizer(json).inject(&wave(5), 0).unwrap_err().to_string(), message);
        }
        assert!(
            serde_json::from_value::<Anomalizer>(json!({"name": "LevelShift", "anom_width_range": [1, 2]})).is_err()
        );
        let two = wave(5).beside(&wave(5).rename(&["other"]).unwrap()).unwrap();
        let error = Anomalizer::Shock(Shock::default()).inject(&two, 0).unwrap_err().to_string();
        assert!(error.ends_with("not of 'x', 'other'"), "{error}");
        let empty = Anomalizer::TrendChange(TrendChange::default()).inject(&series(&[]), 0).unwrap();
        assert!(empty.is_empty() && empty.dim() == 2);
    }
}
