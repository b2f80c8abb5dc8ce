//! The detector of automatic exponential smoothing: distance from the forecasts of [`AutoEts`], in standard errors.
//!
//! Merlion has no name for it; there it is `{"name": "AutoETS", "model": {"name": "ETSDetector"}}`, which is understood as well.

use super::residual_detector::{ResidualDetector, ResidualModel};
use crate::models::forecast::auto_ets::AutoEts;

/// The detector out of automatic exponential smoothing.
pub type AutoEtsDetector = ResidualDetector<AutoEts>;

impl ResidualModel for AutoEts {
    const DETECTOR: &'static str = "AutoETSDetector";
    const DETECTOR_SUMMARY: &'static str =
        "Distance from the forecasts of automatically chosen exponential smoothing, in standard errors";
    const CALIBRATED: bool = false;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, fit, noise};
    use crate::models::{Catalog, Compat, ModelSpec};

    #[test]
    fn merlions_layer_around_a_detector_is_this_detector() {
        let y: Vec<f64> = (0..84).map(|t| 50.0 + [5.0, 0.0, -5.0, 2.0, 8.0, 1.0, 3.0][t % 7] + noise(t)).collect();
        let raw = |model: serde_json::Value| fit(&model, &daily(0, &y)).unwrap().train_detections().raw.clone();
        let layered = raw(json!({"name": "AutoETS", "pval": 0.01, "model": {"name": "ETSDetector", "refit": false}}));
        let named = raw(json!({"name": "AutoETSDetector", "pval": 0.01, "model": {"name": "ETS", "refit": false}}));
        assert_eq!(layered, named);
    }

    #[test]
    fn settings_inside_are_settings_of_the_whole() {
        let threshold = json!({"name": "Threshold", "alm_threshold": 7});
        let json = json!({
            "name": "AutoETS", "model": {"name": "ETSDetector", "threshold": threshold, "enable_calibrator": true},
        });
        let spec = ModelSpec::from_json(&json).unwrap();
        let pipeline = spec.build_detector(&Catalog::default(), Compat::None).unwrap();
        assert_eq!(pipeline.threshold().and_then(|rule| rule.threshold()), Some(7.0));
        // As a forecaster, it would have a detector inside.
        assert!(spec.build(&Catalog::default(), Compat::None).is_err());
    }
}
