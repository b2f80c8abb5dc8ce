//! Boosted trees on windows of the series, as LightGBM grows them.
//!
//! Merlion's `LGBMForecaster`: scikit-learn's `MultiOutputRegressor` around LightGBM's regressor, a sequence of trees for each value that
//! is predicted. [`crate::models::autoregression`] says how windows become forecasts, [`crate::trees::boosting`] how trees are grown.
//! With fewer than 40 windows there is no split LightGBM would make, and the forecast is the mean.

use serde::{Deserialize, Serialize};

use crate::models::autoregression::{Autoregression, Features, FittedAutoregression, Regressor};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};
use crate::trees::{Boosting, BoostingSet};

/// The next values from the last ones, by gradient boosting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LgbmForecaster {
    /// Observations a forecast looks back on; null for the season, but at least 20, or an eighth of a short series.
    pub maxlags: Option<usize>,
    /// Values predicted at once. With several columns, more than 1 predicts the target alone, and no further.
    pub prediction_stride: usize,
    /// Number of trees.
    pub n_estimators: usize,
    /// Splits on the way to a leaf, at most; null or below 1 for any number.
    pub max_depth: Option<i64>,
    /// Accepted because Merlion has it. Nothing is random here.
    pub random_state: Option<u64>,
    /// Share of each tree that is added.
    pub learning_rate: f64,
    /// Accepted because Merlion has it. A series is one thread's work.
    pub n_jobs: i64,
    /// `"aligned"`: features mean the same in training and in every step. `"merlion"`: as Merlion lays them out.
    pub features: Features,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

impl Default for LgbmForecaster {
    fn default() -> Self {
        Self {
            // Merlion's, all of them; those of the trees are LightGBM's.
            maxlags: None,
            prediction_stride: 1,
            n_estimators: 100,
            max_depth: None,
            random_state: None,
            learning_rate: 0.1,
            n_jobs: -1,
            // Merlion's other layout is a mistake.
            features: Features::Aligned,
            // Set from the settings every model shares.
            max_forecast_steps: None,
        }
    }
}

impl LgbmForecaster {
    fn autoregression(&self) -> Autoregression {
        Autoregression {
            maxlags: self.maxlags,
            prediction_stride: self.prediction_stride,
            max_forecast_steps: self.max_forecast_steps,
            features: self.features,
        }
    }

    fn boosting(&self) -> Boosting {
        let max_depth = self.max_depth.and_then(|depth| usize::try_from(depth).ok()).filter(|depth| *depth > 0);
        Boosting { trees: self.n_estimators, learning_rate: self.learning_rate, max_depth }
    }
}

impl Forecaster for LgbmForecaster {
    const NAME: &'static str = "LGBMForecaster";
    const SUMMARY: &'static str = "Boosted trees (LightGBM) on the last observations of all columns";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: true,
        even_sampling: true,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedAutoregression<BoostingSet>;

    fn into_merlion(self) -> Self {
        Self { features: Features::Merlion, ..self }
    }

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.into() })
        };
        if self.n_estimators == 0 {
            return invalid("n_estimators", "0".into(), "at least 1");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return invalid("learning_rate", self.learning_rate.to_string(), "a number above 0");
        }
        self.autoregression().validate(Self::NAME)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        self.autoregression().fit(input, context, |columns, targets| self.boosting().fit_all(columns, targets, context))
    }
}

impl Regressor for BoostingSet {
    fn predict(&self, features: &[f64], outputs: &mut [f64]) {
        for (output, model) in outputs.iter_mut().zip(self.models()) {
            *output = model.predict(features);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::naive::tests::{fit, forecast};
    use super::*;
    use crate::models::{Catalog, Compat, ModelSpec};

    /// A season of 8 with a little of everything else.
    fn season(n: usize) -> Vec<f64> {
        (0..n).map(|t| [1.0, 4.0, 9.0, 3.0, 0.0, -5.0, -2.0, 2.0][t % 8] + (t * 7 % 5) as f64 / 50.0).collect()
    }

    fn build(json: Value) -> Result<Value, String> {
        let mut json = json;
        json["name"] = "LGBMForecaster".into();
        let spec = ModelSpec::from_json(&json).map_err(|error| error.to_string())?;
        spec.build(&Catalog::default(), Compat::None).map(|_| json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_season_is_learnt() {
        let y = season(200);
        let fitted = fit(&LgbmForecaster::default(), &y).unwrap();
        let got = forecast(&fitted, 16, None);
        assert!(got.stderr.is_none());
        for (h, (got, expected)) in got.mean.iter().zip(&season(216)[200..]).enumerate() {
            assert!((got - expected).abs() < 0.2, "step {}: {got} for {expected}", h + 1);
        }
        let again = fit(&LgbmForecaster { random_state: Some(9), n_jobs: 3, ..LgbmForecaster::default() }, &y);
        assert_eq!(again.unwrap(), fitted, "nothing is random");
    }

    #[test]
    fn depth_and_rate_bound_what_is_learnt() {
        let y = season(200);
        let near = |model: &LgbmForecaster| {
            let in_sample = crate::models::FittedForecaster::in_sample(&fit(model, &y).unwrap()).mean;
            y.iter().zip(in_sample).map(|(y, fitted)| (y - fitted).powi(2)).sum::<f64>()
        };
        let plain = near(&LgbmForecaster::default());
        let shallow = near(&LgbmForecaster { max_depth: Some(1), n_estimators: 5, ..LgbmForecaster::default() });
        let slow = near(&LgbmForecaster { learning_rate: 0.001, ..LgbmForecaster::default() });
        assert!(plain < 10.0 && shallow > 100.0 && slow > 100.0, "{plain}, {shallow}, {slow}");
        assert_eq!(near(&LgbmForecaster { max_depth: Some(-1), ..LgbmForecaster::default() }), plain);
    }

    #[test]
    fn parameters_are_merlions_and_checked() {
        let all = json!({
            "maxlags": 8, "prediction_stride": 2, "n_estimators": 10, "max_depth": 7, "random_state": 0,
            "learning_rate": 0.2, "n_jobs": -1, "max_forecast_steps": 4, "target_seq_index": 0, "invert_transform": true,
        });
        assert!(build(all).is_ok());
        for (json, words) in [
            (json!({"n_estimators": 0}), "n_estimators = 0: at least 1"),
            (json!({"learning_rate": 0.0}), "learning_rate = 0: a number above 0"),
            (json!({"maxlags": 0}), "maxlags = 0: at least 1"),
            (json!({"prediction_stride": 0}), "prediction_stride = 0: at least 1"),
            (json!({"features": "other"}), "features"),
        ] {
            let error = build(json.clone()).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
