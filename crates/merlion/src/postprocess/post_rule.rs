//! Calibrator and threshold one after the other, as they surround every detector.

use serde::Serialize;

use super::{AnomScoreCalibrator, Calibration, ThresholdRule, Training};
use crate::models::ModelError;
use crate::time::Timestamp;

/// What happens to a detector's scores: either part may be switched off.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PostRule {
    /// Turns scores into z-scores.
    pub calibrator: Option<AnomScoreCalibrator>,
    /// Leaves the scores that deserve an alarm.
    pub threshold: Option<ThresholdRule>,
}

impl PostRule {
    /// Learns from the scores of the training data: the calibrator first, then the threshold from calibrated scores.
    ///
    /// # Errors
    /// A [`ModelError`] of the threshold.
    pub fn fit(
        &self,
        times: &[Timestamp],
        scores: &[f64],
        training: &Training<'_>,
    ) -> Result<FittedPostRule, ModelError> {
        let calibration = self.calibrator.as_ref().map(|calibrator| calibrator.fit(scores));
        let calibrated = calibration.as_ref().map(|calibration| calibration.apply(scores));
        let scores = calibrated.as_deref().unwrap_or(scores);
        let threshold = self.threshold.as_ref().map(|rule| rule.train(times, scores, training)).transpose()?;
        Ok(FittedPostRule { calibration, threshold })
    }
}

/// A [`PostRule`] that has seen the training scores.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct FittedPostRule {
    calibration: Option<Calibration>,
    threshold: Option<ThresholdRule>,
}

impl FittedPostRule {
    /// The scores as z-scores, if there is a calibrator.
    #[must_use]
    pub fn calibrate(&self, scores: &[f64]) -> Vec<f64> {
        self.calibration.as_ref().map_or_else(|| scores.to_vec(), |calibration| calibration.apply(scores))
    }

    /// The calibrated scores that deserve an alarm, 0 elsewhere, if there is a threshold; all of them otherwise.
    ///
    /// # Errors
    /// A [`ModelError`] of the threshold.
    pub fn apply(&self, times: &[Timestamp], scores: &[f64]) -> Result<Vec<f64>, ModelError> {
        let calibrated = self.calibrate(scores);
        match &self.threshold {
            Some(rule) => rule.apply(times, &calibrated),
            None => Ok(calibrated),
        }
    }

    /// The calibrator, if it is on.
    #[must_use]
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// The threshold rule, if it is on.
    #[must_use]
    pub fn threshold(&self) -> Option<&ThresholdRule> {
        self.threshold.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AggregateAlarms, Threshold};
    use super::*;
    use crate::time::testing::seconds;

    #[test]
    fn the_threshold_sees_calibrated_scores() {
        let scores: Vec<f64> =
            (0..500).map(|k| crate::math::normal::quantile((f64::from(k) + 0.5) / 500.0) * 40.0).collect();
        let times = seconds(&(0..500).map(|k| 86_400 * k).collect::<Vec<_>>());
        let rule = PostRule {
            calibrator: Some(AnomScoreCalibrator::default()),
            threshold: Some(AggregateAlarms::at(3.0).into()),
        };
        let fitted = rule.fit(&times, &scores, &Training::default()).unwrap();
        let alarms = fitted.apply(&times[..3], &[80.0, -300.0, f64::NAN]).unwrap();
        assert!(alarms[0] == 0.0 && alarms[1] < -4.0 && alarms[2] == 0.0, "{alarms:?}");
        let raw = PostRule { calibrator: None, ..rule.clone() }.fit(&times, &scores, &Training::default()).unwrap();
        assert_eq!(raw.apply(&times[..2], &[2.0, -30.0]).unwrap(), [0.0, -30.0]);
    }

    #[test]
    fn whatever_is_switched_off_changes_nothing() {
        let fitted = PostRule::default().fit(&seconds(&[1]), &[5.0], &Training::default()).unwrap();
        assert_eq!(fitted.apply(&seconds(&[2]), &[-7.0]).unwrap(), [-7.0]);
    }

    #[test]
    fn a_threshold_without_a_value_is_learned() {
        let rule = PostRule { calibrator: None, threshold: Some(ThresholdRule::Threshold(Threshold::default())) };
        let fitted = rule.fit(&seconds(&[1, 2]), &[1.0, -2.0], &Training::default()).unwrap();
        assert_eq!(fitted.threshold().and_then(ThresholdRule::threshold), Some(2.0 + 1e-8));
    }
}
