//! An adaptive threshold, and of the alarms it leaves those that are not alone and not too soon after another.

use serde::{Deserialize, Serialize};

use super::{AdaptiveThreshold, AggregateAlarms, AlarmRule, Training, minutes};
use crate::models::ModelError;
use crate::time::Timestamp;

/// [`AdaptiveThreshold`], then the filter of [`AggregateAlarms`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdaptiveAggregateAlarms {
    /// The threshold, as learned from labels; null to look for it in the scores.
    pub alm_threshold: Option<f64>,
    /// Whether scores are replaced by their magnitudes.
    pub abs_score: bool,
    /// How many scores of the window must reach the threshold.
    pub min_alm_in_window: usize,
    /// Length of the window in minutes.
    pub alm_window_minutes: f64,
    /// Minutes after an alarm in which there is no other.
    pub alm_suppress_minutes: f64,
    /// Mean number of scores in a bin of the histogram.
    pub bin_sz: usize,
    /// How wide a gap of the histogram must be.
    pub default_hist_gap_thres: f64,
}

impl Default for AdaptiveAggregateAlarms {
    fn default() -> Self {
        Self::of(&AggregateAlarms::default(), &AdaptiveThreshold::default())
    }
}

impl AdaptiveAggregateAlarms {
    fn of(filter: &AggregateAlarms, adaptive: &AdaptiveThreshold) -> Self {
        Self {
            alm_threshold: adaptive.alm_threshold,
            abs_score: adaptive.abs_score,
            min_alm_in_window: filter.min_alm_in_window,
            alm_window_minutes: filter.alm_window_minutes,
            alm_suppress_minutes: filter.alm_suppress_minutes,
            bin_sz: adaptive.bin_sz,
            default_hist_gap_thres: adaptive.default_hist_gap_thres,
        }
    }

    fn adaptive(&self) -> AdaptiveThreshold {
        let Self { alm_threshold, abs_score, bin_sz, default_hist_gap_thres, .. } = *self;
        AdaptiveThreshold { alm_threshold, abs_score, bin_sz, default_hist_gap_thres }
    }

    fn filter(&self) -> AggregateAlarms {
        let Self { abs_score, min_alm_in_window, alm_window_minutes, alm_suppress_minutes, .. } = *self;
        AggregateAlarms { alm_threshold: None, abs_score, min_alm_in_window, alm_window_minutes, alm_suppress_minutes }
    }
}

impl AlarmRule for AdaptiveAggregateAlarms {
    const NAME: &'static str = "AdaptiveAggregateAlarms";
    const SUMMARY: &'static str = "An adaptive threshold, without lone alarms and repetitions";

    fn threshold(&self) -> Option<f64> {
        self.alm_threshold
    }

    fn validate(&self) -> Result<(), ModelError> {
        self.filter().validate_as(Self::NAME)?;
        self.adaptive().validate_as(Self::NAME)
    }

    fn train(&self, times: &[Timestamp], scores: &[f64], training: &Training<'_>) -> Result<Self, ModelError> {
        let alarms = |threshold| Self { alm_threshold: Some(threshold), ..self.clone() }.apply(times, scores);
        let early = Some(minutes(self.alm_suppress_minutes));
        Ok(Self::of(&self.filter(), &self.adaptive().learn(times, scores, training, early, alarms)?))
    }

    fn apply(&self, times: &[Timestamp], scores: &[f64]) -> Result<Vec<f64>, ModelError> {
        Ok(self.filter().filter(times, &self.adaptive().apply(times, scores)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;

    #[test]
    fn the_parameters_are_those_of_both() {
        let both = AdaptiveAggregateAlarms { bin_sz: 7, min_alm_in_window: 3, ..Default::default() };
        assert_eq!(AdaptiveAggregateAlarms::of(&both.filter(), &both.adaptive()), both);
        assert!(AdaptiveAggregateAlarms { bin_sz: 0, ..both }.validate().is_err());
    }

    #[test]
    fn a_lone_score_beyond_the_gap_is_no_alarm() {
        let times = seconds(&(0..100).map(|k| 600 * k).collect::<Vec<_>>());
        let mut scores: Vec<f64> = (0..100).map(|k| f64::from(k % 40) / 10.0).collect();
        scores[70] = 10.0;
        let rule = AdaptiveAggregateAlarms::default();
        assert_eq!(rule.apply(&times, &scores).unwrap(), [0.0; 100]);
        scores[71] = -9.9;
        let alarms = rule.apply(&times, &scores).unwrap();
        assert_eq!(alarms.iter().position(|alarm| *alarm != 0.0), Some(71), "{alarms:?}");
        assert_eq!(alarms[71], 9.9);
    }
}
