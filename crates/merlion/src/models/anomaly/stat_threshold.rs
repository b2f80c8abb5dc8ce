//! A static threshold: a score is how many standard deviations an observation lies from the mean of the training data.
//!
//! ```text
//! s_t = (x_t - μ) / σ
//! ```

use serde::{Deserialize, Serialize};

use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::transform::{MeanVarNormalize, TransformSpec};

/// Standard deviations from the mean of the training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatThreshold {
    /// How observations are normalised: to mean 0 and variance 1, as in Merlion.
    pub normalize: TransformSpec,
}

impl Default for StatThreshold {
    fn default() -> Self {
        Self { normalize: MeanVarNormalize::default().into() }
    }
}

impl Detector for StatThreshold {
    const NAME: &'static str = "StatThreshold";
    const SUMMARY: &'static str = "Standard deviations from the mean of the training data";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: true,
        exogenous: false,
        even_sampling: false,
        standard_errors: true,
        online: false,
    };
    type Fitted = FittedStatThreshold;

    fn transform(&self) -> Option<TransformSpec> {
        Some(self.normalize.clone())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        _: &FitContext,
    ) -> Result<FittedStatThreshold, ModelError> {
        Ok(FittedStatThreshold { train: distances(input) })
    }
}

/// A trained [`StatThreshold`]: the normalisation knows everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedStatThreshold {
    #[serde(skip)]
    train: Scores,
}

/// After normalisation, observations are their own distances from what is normal.
fn distances(rows: &Observations<'_>) -> Scores {
    let n = rows.len();
    Scores::new(rows.times, rows.target().to_vec()).with_expected(vec![0.0; n], Some(vec![1.0; n]))
}

impl FittedDetector for FittedStatThreshold {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        _: Option<&Observations<'_>>,
        _: &FitContext,
    ) -> Result<Scores, ModelError> {
        Ok(distances(new))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit};

    #[test]
    fn scores_are_standard_deviations_from_the_training_mean() {
        let train = daily(0, &[8.0, 12.0, 8.0, 12.0]);
        let fitted = fit(&json!({"name": "StatThreshold", "enable_calibrator": false}), &train).unwrap();
        assert_eq!(fitted.train_detections().raw, [-1.0, 1.0, -1.0, 1.0]);
        let new = fitted.detect(&daily(4, &[10.0, 18.0]), None).unwrap();
        assert_eq!(new.raw, [0.0, 4.0]);
        let normal = new.normal.unwrap();
        assert_eq!((normal.expected, normal.bounds.unwrap()), (vec![10.0; 2], (vec![4.0; 2], vec![16.0; 2])));
    }

    #[test]
    fn without_a_calibrator_the_threshold_is_a_quantile_of_the_training_scores() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let model = json!({"name": "StatThreshold", "enable_calibrator": false});
        let alarms = fit(&model, &daily(0, &values)).unwrap().train_detections().alarms.clone();
        // 0.27 % of 1,000, the largest distance on either side of the mean.
        let fired: Vec<usize> = (0..1000).filter(|&k| alarms[k] != 0.0).collect();
        assert_eq!(fired, [0, 1, 998, 999]);
    }

    #[test]
    fn a_missing_observation_has_no_score() {
        let train = daily(0, &[8.0, 12.0, f64::NAN, 12.0, 8.0]);
        let detections = detect(&json!({"name": "StatThreshold"}), &train, &daily(5, &[f64::NAN, 50.0])).unwrap();
        assert!(detections.raw[0] == 0.0 && detections.raw[1] > 10.0, "{detections:?}");
    }
}
