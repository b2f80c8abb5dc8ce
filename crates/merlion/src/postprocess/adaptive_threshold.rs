//! A threshold in the widest empty stretch of the scores' histogram.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{AlarmRule, Training};
use crate::models::ModelError;
use crate::time::Timestamp;

/// Puts the threshold where the histogram of scores has a gap: between two edges of empty stretches of which the upper is more
/// than `default_hist_gap_thres` times the lower. Without such a gap no score is an alarm.
///
/// Without labels the threshold is looked for in whatever scores it is applied to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdaptiveThreshold {
    /// The threshold, as learned from labels; null to look for it in the scores.
    pub alm_threshold: Option<f64>,
    /// Whether scores are replaced by their magnitudes.
    pub abs_score: bool,
    /// Mean number of scores in a bin of the histogram.
    pub bin_sz: usize,
    /// How wide a gap must be.
    pub default_hist_gap_thres: f64,
}

impl Default for AdaptiveThreshold {
    /// Merlion's.
    fn default() -> Self {
        Self { alm_threshold: None, abs_score: true, bin_sz: 10, default_hist_gap_thres: 1.2 }
    }
}

impl AdaptiveThreshold {
    /// Threshold and bin size of the highest value, and as configured if none is good enough or there are no labels. `alarms` says
    /// which alarms a threshold leaves.
    pub(super) fn learn(
        &self,
        times: &[Timestamp],
        scores: &[f64],
        training: &Training<'_>,
        max_early: Option<i64>,
        alarms: impl Fn(f64) -> Result<Vec<f64>, ModelError>,
    ) -> Result<Self, ModelError> {
        let Some(supervision) = training.useful() else { return Ok(Self { alm_threshold: None, ..self.clone() }) };
        let magnitudes = self.magnitudes(scores);
        let mut best: Option<(f64, f64, usize)> = None;
        for bin_sz in BTreeSet::from([5, 10, 15, 20, 25, self.bin_sz]) {
            for gap in [1.1, 1.2, 1.5, 1.7, 2.0] {
                let threshold = gap_threshold(&magnitudes, gap, bin_sz);
                let value = supervision.value(times, &alarms(threshold)?, max_early);
                // Of equally good ones the largest threshold, then the largest bins.
                if best.is_none_or(|best| (value, threshold, bin_sz) >= best) {
                    best = Some((value, threshold, bin_sz));
                }
            }
        }
        Ok(match best {
            Some((value, threshold, bin_sz)) if supervision.accepts(value) => {
                Self { alm_threshold: Some(threshold), bin_sz, ..self.clone() }
            }
            _ => Self { alm_threshold: None, ..self.clone() },
        })
    }

    fn magnitudes(&self, scores: &[f64]) -> Vec<f64> {
        let magnitude = |score: f64| if self.abs_score { score.abs() } else { score };
        scores.iter().map(|score| if score.is_nan() { 0.0 } else { magnitude(*score) }).collect()
    }

    pub(super) fn validate_as(&self, rule: &'static str) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: rule, parameter, value, reason: reason.into() })
        };
        if self.bin_sz == 0 {
            return invalid("bin_sz", "0".into(), "a bin has room for at least one score");
        }
        if self.default_hist_gap_thres.is_nan() {
            return invalid("default_hist_gap_thres", "NaN".into(), "must be a number");
        }
        Ok(())
    }
}

impl AlarmRule for AdaptiveThreshold {
    const NAME: &'static str = "AdaptiveThreshold";
    const SUMMARY: &'static str = "A threshold in a gap of the scores' histogram";

    fn threshold(&self) -> Option<f64> {
        self.alm_threshold
    }

    fn validate(&self) -> Result<(), ModelError> {
        self.validate_as(Self::NAME)
    }

    fn train(&self, times: &[Timestamp], scores: &[f64], training: &Training<'_>) -> Result<Self, ModelError> {
        let alarms = |threshold| Self { alm_threshold: Some(threshold), ..self.clone() }.apply(times, scores);
        self.learn(times, scores, training, None, alarms)
    }

    fn apply(&self, _times: &[Timestamp], scores: &[f64]) -> Result<Vec<f64>, ModelError> {
        let mut scores = self.magnitudes(scores);
        let threshold =
            self.alm_threshold.unwrap_or_else(|| gap_threshold(&scores, self.default_hist_gap_thres, self.bin_sz));
        scores.iter_mut().filter(|score| **score < threshold).for_each(|score| *score = 0.0);
        Ok(scores)
    }
}

/// The middle of the first wide gap of the scores' histogram; infinite if there is none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and positions of bins"
)]
fn gap_threshold(scores: &[f64], gap: f64, bin_sz: usize) -> f64 {
    let known = || scores.iter().copied().filter(|score| !score.is_nan());
    let bins = scores.len() / bin_sz.max(1);
    let (mut low, mut high) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if bins == 0 || low > high {
        return f64::INFINITY;
    }
    if low == high {
        (low, high) = (low - 0.5, high + 0.5);
    }
    let edge = |k: usize| if k == bins { high } else { low + (high - low) / bins as f64 * k as f64 };
    let mut occupied = vec![false; bins];
    for score in known() {
        let mut bin = (((score - low) / (high - low) * bins as f64) as usize).min(bins - 1);
        // Rounding may have gone over an edge.
        if score < edge(bin) {
            bin -= 1;
        } else if bin + 1 < bins && score >= edge(bin + 1) {
            bin += 1;
        }
        occupied[bin] = true;
    }
    let changes: Vec<f64> = (1..bins).filter(|&k| occupied[k] != occupied[k - 1]).map(edge).collect();
    let wide = changes.windows(2).find(|pair| pair[1] / pair[0] > gap);
    wide.map_or(f64::INFINITY, |pair| f64::midpoint(pair[0], pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_in_the_middle_of_the_gap() {
        // Ten bins of width 1: 0 to 3 and 9 are occupied.
        let scores: Vec<f64> = (0..90).map(|k| f64::from(k % 40) / 10.0).chain((0..10).map(|_| -10.0)).collect();
        let rule = AdaptiveThreshold::default();
        let alarms = rule.apply(&[], &scores).unwrap();
        assert_eq!(alarms[..90], [0.0; 90]);
        assert_eq!(alarms[90..], [10.0; 10], "magnitudes, because abs_score is on");
        assert_eq!(gap_threshold(&rule.magnitudes(&scores), 1.2, 10), 6.5);
    }

    #[test]
    fn without_a_gap_or_with_hardly_a_score_there_is_no_alarm() {
        for scores in [vec![], vec![5.0], (0..100).map(f64::from).collect()] {
            let alarms = AdaptiveThreshold::default().apply(&[], &scores).unwrap();
            assert!(alarms.iter().all(|alarm| *alarm == 0.0), "{scores:?}: {alarms:?}");
        }
    }
}
