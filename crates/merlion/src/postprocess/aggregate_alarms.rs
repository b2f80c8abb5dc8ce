//! Alarms only where several scores are high, and not again soon after.

use serde::{Deserialize, Serialize};

use super::{AlarmRule, Threshold, Training, minutes};
use crate::models::ModelError;
use crate::time::Timestamp;

/// Leaves a score that reaches the threshold if there are others in the window before it, and no alarm shortly before.
///
/// As in Merlion, the first observations of a window count for less: `i` observations after the beginning of the window, `i`
/// scores above the threshold are enough, the one in question among them. A lone high score of a daily series is therefore an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AggregateAlarms {
    /// The threshold; null to learn it: from labels, or as just above the largest training score.
    pub alm_threshold: Option<f64>,
    /// Whether a score counts by its magnitude.
    pub abs_score: bool,
    /// How many scores of the window must reach the threshold.
    pub min_alm_in_window: usize,
    /// Length of the window in minutes.
    pub alm_window_minutes: f64,
    /// Minutes after an alarm in which there is no other.
    pub alm_suppress_minutes: f64,
}

impl Default for AggregateAlarms {
    /// Merlion's.
    fn default() -> Self {
        Self {
            alm_threshold: None,
            abs_score: true,
            min_alm_in_window: 2,
            alm_window_minutes: 60.0,
            alm_suppress_minutes: 120.0,
        }
    }
}

impl AggregateAlarms {
    /// Merlion's rule with a threshold.
    #[must_use]
    pub fn at(alm_threshold: f64) -> Self {
        Self { alm_threshold: Some(alm_threshold), ..Self::default() }
    }

    /// The threshold alone.
    #[must_use]
    pub fn simple(&self) -> Threshold {
        Threshold { alm_threshold: self.alm_threshold, abs_score: self.abs_score }
    }

    /// Takes alarms out that are alone, or too soon after another.
    pub(super) fn filter(&self, times: &[Timestamp], alarms: &[f64]) -> Vec<f64> {
        let (window, pause) = (minutes(self.alm_window_minutes), minutes(self.alm_suppress_minutes));
        let mut filtered = vec![0.0; alarms.len()];
        let mut last: Option<Timestamp> = None;
        // The window's first position, and the alarms in it.
        let (mut start, mut recent) = (0, 0_usize);
        for (at, (&time, &alarm)) in times.iter().zip(alarms).enumerate() {
            if alarm == 0.0 {
                continue;
            }
            // Alarms are counted where they are met; those that have left the window are taken off again.
            recent += 1;
            let from = time.nanos().saturating_sub(window);
            while times[start].nanos() < from {
                recent -= usize::from(alarms[start] != 0.0);
                start += 1;
            }
            let suppressed = last.is_some_and(|last| last.nanos() >= time.nanos().saturating_sub(pause));
            if recent >= self.min_alm_in_window.min(at - start) && !suppressed {
                filtered[at] = alarm;
                last = Some(time);
            }
        }
        filtered
    }

    pub(super) fn validate_as(&self, rule: &'static str) -> Result<(), ModelError> {
        for (parameter, value) in
            [("alm_window_minutes", self.alm_window_minutes), ("alm_suppress_minutes", self.alm_suppress_minutes)]
        {
            if value.is_nan() || value < 0.0 {
                let reason = "minutes are not negative".into();
                return Err(ModelError::InvalidParameter { model: rule, parameter, value: value.to_string(), reason });
            }
        }
        Ok(())
    }
}

impl AlarmRule for AggregateAlarms {
    const NAME: &'static str = "AggregateAlarms";
    const SUMMARY: &'static str = "Alarms where several scores are high, and not again soon after";

    fn threshold(&self) -> Option<f64> {
        self.alm_threshold
    }

    fn validate(&self) -> Result<(), ModelError> {
        self.validate_as(Self::NAME)
    }

    fn train(&self, times: &[Timestamp], scores: &[f64], training: &Training<'_>) -> Result<Self, ModelError> {
        let with = |alm_threshold| Self { alm_threshold, ..self.clone() };
        let alarms = |threshold| with(Some(threshold)).apply(times, scores);
        let early = Some(minutes(self.alm_suppress_minutes));
        Ok(with(self.simple().learn(times, scores, training, early, alarms)?))
    }

    fn apply(&self, times: &[Timestamp], scores: &[f64]) -> Result<Vec<f64>, ModelError> {
        Ok(self.filter(times, &self.simple().apply(times, scores)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::seconds;

    fn alarms(rule: &AggregateAlarms, minutes: &[i64], scores: &[f64]) -> Vec<f64> {
        let times: Vec<i64> = minutes.iter().map(|minute| minute * 60).collect();
        rule.apply(&seconds(&times), scores).unwrap()
    }

    #[test]
    fn one_of_many_is_no_alarm_and_two_are() {
        let rule = AggregateAlarms::at(3.0);
        let ten = |k: i64| k * 10;
        let times: Vec<i64> = (0..12).map(ten).collect();
        let mut scores = [0.0; 12];
        scores[8] = -4.0;
        assert_eq!(alarms(&rule, &times, &scores), [0.0; 12]);
        scores[9] = 5.0;
        let mut expected = [0.0; 12];
        expected[9] = 5.0;
        assert_eq!(alarms(&rule, &times, &scores), expected, "the first of the two is not known to have company yet");
    }

    #[test]
    fn every_crossing_of_a_daily_series_is_an_alarm() {
        let days = [0, 1440, 2880, 4320];
        assert_eq!(alarms(&AggregateAlarms::at(3.0), &days, &[4.0, 0.0, 3.0, -3.5]), [4.0, 0.0, 3.0, -3.5]);
    }

    #[test]
    fn alarms_within_the_pause_are_suppressed_its_end_included() {
        let rule = AggregateAlarms { min_alm_in_window: 1, ..AggregateAlarms::at(3.0) };
        assert_eq!(alarms(&rule, &[0, 60, 120, 121], &[4.0; 4]), [4.0, 0.0, 0.0, 4.0]);
    }

    #[test]
    fn a_window_of_all_time_does_not_leave_the_range() {
        let rule = AggregateAlarms { alm_window_minutes: f64::INFINITY, ..AggregateAlarms::at(3.0) };
        assert_eq!(alarms(&rule, &[0, 1, 2, 3], &[0.0, 0.0, 4.0, 4.0]), [0.0, 0.0, 0.0, 4.0]);
        assert!(AggregateAlarms { alm_window_minutes: -1.0, ..rule }.validate().is_err());
    }
}
