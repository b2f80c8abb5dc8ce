//! Scores become z-scores: the curve through the quantiles of the training scores and those of the normal distribution.
//!
//! The quantiles of `|score|` at the levels `2Φ(τ) - 1` are mapped to `τ = 0, 0.5, 1, 1.5, 2`. With `n` scores and
//! `u = √(2 ln n)`, a bound of the largest of `n` normal variables, the largest score is mapped to `u` and twice the largest to
//! `u + 1` if `u > 4`; else twice the largest is mapped to 5. Between these anchors the curve is a [`Pchip`], beyond them a line.

use serde::{Deserialize, Serialize};

use crate::math::pchip::Pchip;
use crate::math::{normal, quantile};
use crate::models::ModelError;

/// Anchors nearer to each other than this are one.
const APART: f64 = 1e-8;

/// Scores read as z-scores of a standard normal distribution, learned from the training scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnomScoreCalibrator {
    /// The largest score there can be. Larger ones in training raise it to twice their largest.
    pub max_score: f64,
    /// Whether the sign of a score says only in which direction the anomaly lies.
    pub abs_score: bool,
    /// Pairs of a score and its z-score, as learned before; null to learn them.
    pub anchors: Option<Vec<(f64, f64)>>,
}

impl Default for AnomScoreCalibrator {
    /// Merlion's limit of most detectors.
    fn default() -> Self {
        Self { max_score: 1000.0, abs_score: true, anchors: None }
    }
}

impl AnomScoreCalibrator {
    pub(super) const NAME: &'static str = "AnomScoreCalibrator";

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`ModelError::InvalidParameter`].
    pub fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.into() })
        };
        if self.max_score.is_nan() || self.max_score <= 0.0 {
            return invalid("max_score", self.max_score.to_string(), "must be positive");
        }
        match &self.anchors {
            Some(anchors) if anchors.len() > 1 && Pchip::new(anchors).is_none() => {
                invalid("anchors", format!("{anchors:?}"), "the scores must increase")
            }
            _ => Ok(()),
        }
    }

    /// Learns from the scores of the training data, unless that was done before. Missing scores (NaN) teach nothing.
    #[must_use]
    pub fn fit(&self, scores: &[f64]) -> Calibration {
        let known = self.anchors.as_deref().and_then(Pchip::new);
        let (max_score, curve) = match known {
            Some(curve) => (self.max_score, Some(curve)),
            None => self.learn(scores),
        };
        Calibration { max_score, abs_score: self.abs_score, curve }
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of observations")]
    fn learn(&self, scores: &[f64]) -> (f64, Option<Pchip>) {
        let sorted = quantile::sorted(scores.iter().map(|x| if self.abs_score { x.abs() } else { *x }));
        let Some(&largest) = sorted.last() else { return (self.max_score, None) };
        let max_score = if self.max_score < largest { 2.0 * largest } else { self.max_score };
        let bound = (2.0 * (sorted.len() as f64).ln()).sqrt();
        let at = |z: f64| (quantile::of_sorted(&sorted, 2.0 * normal::cdf(z) - 1.0), z);
        let mut listed: Vec<(f64, f64)> = [0.0, 0.0, 0.5, 1.0, 1.5, 2.0].map(at).to_vec();
        let end = max_score.min(2.0 * largest);
        if bound > 4.0 {
            listed.extend([(largest, bound), (end, bound + 1.0)]);
        } else {
            listed.push((end, 5.0));
        }
        let mut anchors = vec![listed[0]];
        // Of two that are not apart the first is kept, whether or not it was kept itself: Merlion's rule.
        anchors.extend(listed.windows(2).filter(|pair| pair[1].0 - pair[0].0 > APART).map(|pair| pair[1]));
        // Scores that are all 0 have no scale: they are left as they are.
        (max_score, Pchip::new(&anchors))
    }
}

/// A calibrator that has seen the training scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    max_score: f64,
    abs_score: bool,
    curve: Option<Pchip>,
}

impl Calibration {
    /// The scores as z-scores. Missing ones stay missing.
    #[must_use]
    pub fn apply(&self, scores: &[f64]) -> Vec<f64> {
        let Some(curve) = &self.curve else { return scores.to_vec() };
        let ((end, top), slope) = curve.end();
        let at = |x: f64| if x > end { (x - end) * slope + top } else { curve.at(x) };
        let calibrated = |&x: &f64| match self.abs_score {
            // The sign of zero is zero.
            true if x == 0.0 => 0.0,
            true => at(x.abs()).max(0.0).copysign(x),
            false => at(x),
        };
        scores.iter().map(calibrated).collect()
    }

    /// The largest score there can be, after training.
    #[must_use]
    pub fn max_score(&self) -> f64 {
        self.max_score
    }

    /// Whether there was nothing to learn: scores that are all 0 leave a calibrator that changes nothing.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.curve.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal_scores(n: usize) -> Vec<f64> {
        (0..n).map(|k| normal::quantile((k as f64 + 0.5) / n as f64)).collect()
    }

    #[test]
    fn normal_scores_stay_as_they_are_whatever_their_unit() {
        for unit in [1e-3, 1.0, 250.0] {
            let scores: Vec<f64> = normal_scores(2001).iter().map(|z| z * unit).collect();
            let calibration = AnomScoreCalibrator::default().fit(&scores);
            for z in [-2.0, -1.0, -0.5, 0.0, 0.5, 1.5, 2.0] {
                let got = calibration.apply(&[z * unit])[0];
                assert!((got - z).abs() < 0.01, "unit {unit}: {z} became {got}");
            }
        }
    }

    #[test]
    fn equal_scores_are_normal_and_missing_ones_teach_nothing() {
        // Twice the score is the one other anchor.
        assert_eq!(AnomScoreCalibrator::default().fit(&[0.5; 20]).apply(&[0.5, -1.0, 1.5]), [0.0, -5.0, 10.0]);
        let zeros = AnomScoreCalibrator::default().fit(&[0.0; 20]);
        assert!(zeros.is_identity());
        assert_eq!(zeros.apply(&[0.3, 7.0]), [0.3, 7.0]);
        let scores = normal_scores(101);
        let mut gappy = scores.clone();
        gappy.extend([f64::NAN; 7]);
        assert_eq!(AnomScoreCalibrator::default().fit(&gappy), AnomScoreCalibrator::default().fit(&scores));
        assert!(AnomScoreCalibrator::default().fit(&[f64::NAN]).is_identity());
    }

    #[test]
    fn a_calibrator_that_was_trained_is_not_trained_again() {
        let trained = AnomScoreCalibrator { anchors: Some(vec![(0.0, 0.0), (10.0, 5.0)]), ..Default::default() };
        assert_eq!(trained.fit(&normal_scores(50)).apply(&[-4.0, 20.0]), [-2.0, 10.0]);
        let wrong = AnomScoreCalibrator { anchors: Some(vec![(1.0, 0.0), (1.0, 5.0)]), ..Default::default() };
        assert!(wrong.validate().unwrap_err().to_string().contains("anchors"));
    }

    #[test]
    fn scores_beyond_the_limit_raise_it() {
        let calibrator = AnomScoreCalibrator { max_score: 2.0, ..Default::default() };
        assert_eq!(calibrator.fit(&[0.0, 1.0, 2.0, 8.0]).max_score(), 16.0);
    }
}
