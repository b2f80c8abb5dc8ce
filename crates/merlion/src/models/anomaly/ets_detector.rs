//! Exponential smoothing's detector: distance from the forecasts of [`Ets`], in standard errors.
//!
//! Scores are not calibrated: they are z-scores by the model's own standard errors. Training scores are honest ones here, where
//! Merlion divides a residual by itself, so a calibrator can be switched on.

use super::residual_detector::{ResidualDetector, ResidualModel};
use crate::models::forecast::ets::Ets;

/// The detector out of exponential smoothing.
pub type EtsDetector = ResidualDetector<Ets>;

impl ResidualModel for Ets {
    const DETECTOR: &'static str = "ETSDetector";
    const DETECTOR_SUMMARY: &'static str = "Distance from the forecasts of exponential smoothing, in standard errors";
    const CALIBRATED: bool = false;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, fit, noise};
    use crate::models::{Catalog, Compat, ModelSpec};

    #[test]
    fn a_jump_out_of_the_season_is_an_alarm() {
        let y: Vec<f64> = (0..90).map(|t| [10.0, 30.0, 20.0][t % 3] + noise(t)).collect();
        let model = json!({"name": "ETSDetector", "seasonal_periods": 3, "trend": null, "damped_trend": false});
        let fitted = fit(&model, &daily(0, &y)).unwrap();
        let mut new: Vec<f64> = (90..99).map(|t| [10.0, 30.0, 20.0][t % 3] + noise(t)).collect();
        new[4] = 20.0;
        let detections = fitted.detect(&daily(90, &new), None).unwrap();
        let alarms: Vec<usize> = (0..9).filter(|&t| detections.alarms[t] != 0.0).collect();
        assert_eq!(alarms, [4], "{:?}", detections.raw);
        assert!(fitted.post_rule().calibration().is_none() && detections.alarms[4] < -10.0);
        let normal = detections.normal.unwrap();
        let (lower, upper) = normal.bounds.unwrap();
        assert!(lower[4] < 30.0 && 30.0 < upper[4] && new[4] < lower[4], "{} to {}", lower[4], upper[4]);
    }

    #[test]
    fn a_forecaster_is_told_its_detector_and_a_detector_its_forecaster() {
        let catalog = Catalog::default();
        let error = |name, detector| {
            let spec = ModelSpec::named(name);
            let built = if detector {
                spec.build_detector(&catalog, Compat::None).map(|_| ())
            } else {
                spec.build(&catalog, Compat::None).map(|_| ())
            };
            built.unwrap_err().to_string()
        };
        assert_eq!(error("ETS", true), "ETS is a forecaster, but a detector is wanted, such as ETSDetector");
        assert_eq!(error("ETSDetector", false), "ETSDetector is a detector, but a forecaster is wanted, such as ETS");
        assert_eq!(error("Drift", true), "Drift is a forecaster, but a detector is wanted");
    }

    #[test]
    fn a_forecaster_has_no_threshold() {
        for key in ["threshold", "calibrator", "enable_threshold", "enable_calibrator", "max_score"] {
            let value = match key {
                "threshold" => json!("AggregateAlarms"),
                "calibrator" => json!("AnomScoreCalibrator"),
                "max_score" => json!(5),
                _ => json!(true),
            };
            let build = |name: &str| {
                let spec = ModelSpec::from_json(&json!({"name": name, key: value.clone()})).unwrap();
                let catalog = Catalog::default();
                match name {
                    "ETS" => spec.build(&catalog, Compat::None).map(|_| ()),
                    _ => spec.build_detector(&catalog, Compat::None).map(|_| ()),
                }
            };
            assert_eq!(build("ETSDetector"), Ok(()), "{key}");
            let error = build("ETS").unwrap_err().to_string();
            assert_eq!(error, format!("ETS has no parameter '{key}'"));
        }
    }
}
