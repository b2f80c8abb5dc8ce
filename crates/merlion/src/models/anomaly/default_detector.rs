//! The detector for those who have no opinion: for one column, the mean of automatic exponential smoothing, random cut forests and
//! z-scores at several lags. Several columns are left to an autoencoder and forests in Merlion, which are not available here yet;
//! [`Detector::check_columns`] says so before any data is read.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::detector_ensemble::{DetectorEnsemble, FittedDetectorEnsemble};
use crate::models::{Capabilities, Detector, FitContext, ModelError, ModelSpec, Observations, Origin};
use crate::postprocess::Supervision;

/// An ensemble of the detectors that suit most series, as far as they are in the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DefaultDetector {
    /// Step of the grid the data is brought to; null for the step found in the data.
    pub granularity: Option<Value>,
    /// Threads of the forest in Merlion. Accepted because Merlion writes it; series are worked on in parallel here.
    pub n_threads: usize,
    /// Null: the models are chosen by the number of columns. Accepted because Merlion writes it.
    pub model: Option<ModelSpec>,
    #[serde(skip)]
    origin: Origin,
}

impl Default for DefaultDetector {
    fn default() -> Self {
        Self { granularity: None, n_threads: 1, model: None, origin: Origin::default() }
    }
}

impl DefaultDetector {
    /// The ensemble for one column.
    fn ensemble(&self) -> Result<DetectorEnsemble, ModelError> {
        let resample = json!({"name": "TemporalResample", "granularity": self.granularity});
        let models = [
            json!({"name": "AutoETS", "model": {"name": "ETSDetector"}, "transform": resample}),
            json!({"name": "RandomCutForest", "online_updates": true, "n_estimators": 100, "max_n_samples": 512}),
            json!({"name": "ZMS", "n_lags": 3, "transform": resample}),
        ];
        let specs = models.iter().map(ModelSpec::from_json).collect::<Result<Vec<_>, _>>()?;
        // A catalogue of somebody else's need not have them all.
        let catalog = &self.origin.catalog;
        let known = specs.into_iter().filter(|spec| catalog.get(&spec.name).is_ok()).collect();
        let ensemble = DetectorEnsemble::of(known, self.origin.clone());
        ensemble.validate()?;
        Ok(ensemble)
    }
}

impl Detector for DefaultDetector {
    const NAME: &'static str = "DefaultDetector";
    const SUMMARY: &'static str =
        "AutoETS, random cut forest and z-scores together, for one column (several columns: not yet)";
    const CAPABILITIES: Capabilities = DetectorEnsemble::CAPABILITIES;
    const TWIN: Option<&'static str> = Some("DefaultForecaster");
    const CALIBRATED: bool = false;
    const QUANTILE: bool = false;
    type Fitted = FittedDetectorEnsemble;

    fn with_origin(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        if columns > 1 {
            return Err(ModelError::Delegated { model: Self::NAME, columns, name: "RandomCutForest and VAE" });
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), ModelError> {
        if let Some(model) = &self.model {
            return Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "model",
                value: model.name.clone(),
                reason: "the data decides; to have this model, name it in the first place".into(),
            });
        }
        self.ensemble().map(|_| ())
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        supervision: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedDetectorEnsemble, ModelError> {
        self.check_columns(input.columns.len())?;
        self.ensemble()?.fit(input, supervision, context)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit, noise};
    use super::*;
    use crate::models::{Catalog, Compat};

    #[test]
    fn a_jump_is_an_alarm_and_a_season_is_none() {
        let y = |t: usize| 50.0 + [5.0, 0.0, -5.0, 2.0, 8.0, 1.0, 3.0][t % 7] + noise(t);
        let train: Vec<f64> = (0..105).map(y).collect();
        let mut test: Vec<f64> = (105..126).map(y).collect();
        test[10] += 40.0;
        let detections = detect(&json!({"name": "DefaultDetector"}), &daily(0, &train), &daily(105, &test)).unwrap();
        let alarms: Vec<usize> = (0..21).filter(|&t| detections.alarms[t] != 0.0).collect();
        assert!(alarms.contains(&10), "{:?}", detections.raw);
        assert!(alarms.iter().all(|t| [10, 11, 12, 14].contains(t)), "{alarms:?}: the lags of the jump at most");
    }

    #[test]
    fn several_columns_are_refused_before_there_is_data() {
        let spec = ModelSpec::named("DefaultDetector");
        let pipeline = spec.build_detector(&Catalog::default(), Compat::None).unwrap();
        assert_eq!(pipeline.check_columns(1), Ok(()));
        let error = pipeline.check_columns(5).unwrap_err().to_string();
        assert!(error.contains("5 columns to RandomCutForest and VAE"), "{error}");
    }

    #[test]
    fn merlions_parameters_are_accepted() {
        let json = json!({
            "name": "DefaultDetector", "granularity": "1d", "n_threads": 4, "model": null,
            "threshold": {"name": "AggregateAlarms", "alm_threshold": 4}, "enable_calibrator": false,
        });
        let y: Vec<f64> = (0..40).map(noise).collect();
        assert!(fit(&json, &daily(0, &y)).is_ok());
        for (json, words) in [
            (json!({"granularity": "1 fortnite"}), "granularity"),
            (json!({"model": {"name": "ZMS"}}), "name it in the first place"),
            (json!({"n_estimators": 5}), "no parameter 'n_estimators'"),
        ] {
            let mut json = json;
            json["name"] = "DefaultDetector".into();
            let error = fit(&json, &daily(0, &y)).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
