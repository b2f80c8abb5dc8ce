//! Scores below a threshold become 0.

use serde::{Deserialize, Serialize};

use super::{AlarmRule, Training};
use crate::math::quantile;
use crate::models::ModelError;
use crate::time::Timestamp;

/// Leaves the scores that reach a threshold and makes all others 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Threshold {
    /// The threshold; null to learn it: from labels, or as just above the largest training score.
    pub alm_threshold: Option<f64>,
    /// Whether a score counts by its magnitude.
    pub abs_score: bool,
}

impl Default for Threshold {
    fn default() -> Self {
        Self { alm_threshold: None, abs_score: true }
    }
}

impl Threshold {
    /// What a score is compared by.
    fn magnitude(&self, score: f64) -> f64 {
        if self.abs_score { score.abs() } else { score }
    }

    /// The threshold the training scores and labels suggest. `alarms` says which alarms a threshold leaves.
    pub(super) fn learn(
        &self,
        times: &[Timestamp],
        scores: &[f64],
        training: &Training<'_>,
        max_early: Option<i64>,
        alarms: impl Fn(f64) -> Result<Vec<f64>, ModelError>,
    ) -> Result<Option<f64>, ModelError> {
        let ascending = quantile::sorted(scores.iter().map(|score| self.magnitude(*score)));
        let (Some(&least), Some(&largest)) = (ascending.first(), ascending.last()) else {
            return Ok(self.alm_threshold);
        };
        // Of scores that are all alike, none is to be an alarm.
        let quantile = |q| if least == largest { largest + 1e-8 } else { quantile::of_sorted(&ascending, q) };
        let by_quantile = training.quantile.map(quantile);
        let Some(supervision) = training.useful() else {
            let highest = scores.iter().filter(|score| !score.is_nan()).fold(0.0, |top: f64, s| top.max(s.abs()));
            return Ok(by_quantile.or(self.alm_threshold).or(Some(highest + 1e-8)));
        };
        let default = by_quantile.or(self.alm_threshold).unwrap_or_else(|| quantile::of_sorted(&ascending, 0.99));
        // What is configured, extreme percentiles, and steps over the whole range.
        let mut candidates: Vec<f64> = vec![default];
        candidates.extend(self.alm_threshold);
        let percentiles = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
        candidates.extend(percentiles.map(|q| quantile::of_sorted(&ascending, q)));
        candidates.extend((0..=10).map(|k| least + (largest - least) * f64::from(k) / 10.0));
        candidates.sort_unstable_by(f64::total_cmp);
        candidates.dedup();
        let mut best: Option<(f64, f64)> = None;
        let mut of_default = f64::NEG_INFINITY;
        for threshold in candidates {
            let value = supervision.value(times, &alarms(threshold)?, max_early);
            if threshold == default {
                of_default = value;
            }
            // Of equally good ones the largest threshold.
            if best.is_none_or(|(best, _)| value >= best) {
                best = Some((value, threshold));
            }
        }
        Ok(Some(match best {
            Some((value, threshold)) if supervision.accepts(value) && value != of_default => threshold,
            _ => default,
        }))
    }
}

impl AlarmRule for Threshold {
    const NAME: &'static str = "Threshold";
    const SUMMARY: &'static str = "Scores below a threshold become 0";

    fn threshold(&self) -> Option<f64> {
        self.alm_threshold
    }

    fn train(&self, times: &[Timestamp], scores: &[f64], training: &Training<'_>) -> Result<Self, ModelError> {
        let with = |alm_threshold| Self { alm_threshold, ..self.clone() };
        let alarms = |threshold| with(Some(threshold)).apply(times, scores);
        Ok(with(self.learn(times, scores, training, None, alarms)?))
    }

    fn apply(&self, _times: &[Timestamp], scores: &[f64]) -> Result<Vec<f64>, ModelError> {
        let Some(threshold) = self.alm_threshold else {
            return Err(ModelError::Request("alm_threshold is null: the threshold must be trained first".into()));
        };
        // A missing score is in no comparison.
        Ok(scores.iter().map(|score| if self.magnitude(*score) >= threshold { *score } else { 0.0 }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Labels, Objective, Supervision};
    use super::*;
    use crate::time::testing::seconds;

    #[test]
    fn scores_that_reach_the_threshold_stay() {
        let scores = [2.0, -3.0, 3.0, f64::NAN, -9.0];
        let rule = |abs_score| Threshold { alm_threshold: Some(3.0), abs_score };
        assert_eq!(rule(true).apply(&[], &scores).unwrap(), [0.0, -3.0, 3.0, 0.0, -9.0]);
        assert_eq!(rule(false).apply(&[], &scores).unwrap(), [0.0, 0.0, 3.0, 0.0, 0.0]);
        assert!(Threshold::default().apply(&[], &scores).unwrap_err().to_string().contains("alm_threshold"));
    }

    #[test]
    fn without_labels_the_threshold_stays_or_is_a_quantile_or_above_everything() {
        let scores = [0.0, 1.0, -2.0, 3.0, 4.0];
        let train = |alm_threshold, quantile| {
            let rule = Threshold { alm_threshold, abs_score: true };
            rule.train(&[], &scores, &Training { supervision: None, quantile }).unwrap().alm_threshold.unwrap()
        };
        assert_eq!(train(Some(2.5), None), 2.5);
        assert_eq!(train(Some(2.5), Some(0.75)), 3.0);
        assert_eq!(train(None, None), 4.0 + 1e-8);
        let alike = Threshold::default().train(&[], &[0.5; 9], &Training { supervision: None, quantile: Some(0.9) });
        assert_eq!(alike.unwrap().apply(&[], &[0.5, 0.7]).unwrap(), [0.0, 0.7]);
    }

    /// How many alarms are at labelled times, less those that are not; or the negative of it.
    #[derive(Debug)]
    struct Hits {
        smaller_is_better: bool,
    }

    impl Objective for Hits {
        fn value(&self, truth: &Labels, _: &[Timestamp], alarms: &[f64], _: Option<i64>, _: Option<i64>) -> f64 {
            let hits = alarms.iter().zip(&truth.anomalous).filter(|(alarm, _)| **alarm != 0.0);
            let value: f64 = hits.map(|(_, anomalous)| if *anomalous { 1.0 } else { -1.0 }).sum();
            if self.smaller_is_better { -value } else { value }
        }

        fn smaller_is_better(&self) -> bool {
            self.smaller_is_better
        }
    }

    #[test]
    fn labels_choose_the_threshold_whichever_way_the_objective_goes() {
        let scores: Vec<f64> = (0..40).map(|k| f64::from(k % 10) * 0.1).chain([2.0, -5.0]).collect();
        let labels =
            Labels { times: seconds(&(0..42).collect::<Vec<_>>()), anomalous: (0..42).map(|k| k >= 40).collect() };
        for smaller_is_better in [false, true] {
            let objective = Hits { smaller_is_better };
            let supervision = |min_allowed_score| Supervision {
                labels: &labels,
                objective: &objective,
                max_early: None,
                max_delay: None,
                min_allowed_score,
            };
            let train = |least| {
                let training = Training { supervision: Some(supervision(least)), quantile: None };
                let rule = Threshold { alm_threshold: Some(3.0), abs_score: true };
                rule.train(&labels.times, &scores, &training).unwrap().alm_threshold.unwrap()
            };
            // Both anomalies, and nothing else: the largest candidate up to the smaller one.
            let learned = train(None);
            assert!(learned > 0.9 && learned <= 2.0, "{learned}");
            let unreachable = if smaller_is_better { -3.0 } else { 3.0 };
            assert_eq!(train(Some(unreachable)), 3.0, "not good enough to leave the configured threshold");
        }
    }
}
