//! A random forest on windows of the series.
//!
//! Merlion's `RandomForestForecaster`, which is scikit-learn's `RandomForestRegressor`: each tree learns from a sample of the windows.
//! [`crate::models::autoregression`] says how windows become forecasts, [`crate::trees::forest`] how trees are grown.

use serde::{Deserialize, Serialize};

use crate::models::autoregression::{Autoregression, Features, FittedAutoregression, Regressor};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};
use crate::trees::{Forest, ForestSettings, Sampling};

/// The next values from the last ones, by a random forest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomForestForecaster {
    /// Observations a forecast looks back on; null for the season, but at least 20, or an eighth of a short series.
    pub maxlags: Option<usize>,
    /// Values predicted at once. With several columns, more than 1 predicts the target alone, and no further.
    pub prediction_stride: usize,
    /// Number of trees.
    pub n_estimators: usize,
    /// Splits on the way to a leaf, at most; null for any number.
    pub max_depth: Option<usize>,
    /// Seed of the trees; null for a seed of the series' own.
    pub random_state: Option<u64>,
    /// Windows a node must have to be split.
    pub min_samples_split: usize,
    /// `"aligned"`: features mean the same in training and in every step. `"merlion"`: as Merlion lays them out.
    pub features: Features,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

impl Default for RandomForestForecaster {
    fn default() -> Self {
        Self {
            // Merlion's, all of them; those of the trees are scikit-learn's.
            maxlags: None,
            prediction_stride: 1,
            n_estimators: 100,
            max_depth: None,
            random_state: None,
            min_samples_split: 2,
            // Merlion's other layout is a mistake.
            features: Features::Aligned,
            // Set from the settings every model shares.
            max_forecast_steps: None,
        }
    }
}

impl RandomForestForecaster {
    fn autoregression(&self) -> Autoregression {
        Autoregression {
            maxlags: self.maxlags,
            prediction_stride: self.prediction_stride,
            max_forecast_steps: self.max_forecast_steps,
            features: self.features,
        }
    }

    fn settings(&self, context: &FitContext) -> ForestSettings {
        ForestSettings {
            trees: self.n_estimators,
            sampling: Sampling::Bootstrap,
            max_depth: self.max_depth,
            min_samples_split: self.min_samples_split,
            seed: self.random_state.unwrap_or(context.seed),
        }
    }
}

impl Forecaster for RandomForestForecaster {
    const NAME: &'static str = "RandomForestForecaster";
    const SUMMARY: &'static str = "A random forest on the last observations of all columns";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: true,
        even_sampling: true,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedAutoregression<Forest>;

    fn into_merlion(self) -> Self {
        Self { features: Features::Merlion, ..self }
    }

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn validate(&self) -> Result<(), ModelError> {
        let least = [("n_estimators", Some(self.n_estimators), 1), ("max_depth", self.max_depth, 1)];
        for (parameter, value, least) in
            least.into_iter().chain([("min_samples_split", Some(self.min_samples_split), 2)])
        {
            if let Some(value) = value.filter(|value| *value < least) {
                let (value, reason) = (value.to_string(), format!("at least {least}"));
                return Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason });
            }
        }
        self.autoregression().validate(Self::NAME)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        self.autoregression()
            .fit(input, context, |columns, targets| self.settings(context).fit(columns, targets, context))
    }
}

impl Regressor for Forest {
    fn predict(&self, features: &[f64], outputs: &mut [f64]) {
        Self::predict(self, features, outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    fn season(n: usize) -> Vec<f64> {
        (0..n).map(|t| [1.0, 4.0, 9.0, 3.0, 0.0, -5.0, -2.0, 2.0][t % 8] + (t * 7 % 5) as f64 / 50.0).collect()
    }

    #[test]
    fn a_season_is_learnt_and_never_left() {
        let y = season(120);
        let fitted = fit(&RandomForestForecaster::default(), &y).unwrap();
        let got = forecast(&fitted, 40, None);
        assert!(got.stderr.is_none());
        for (h, (got, expected)) in got.mean.iter().zip(&season(160)[120..]).enumerate() {
            assert!((got - expected).abs() < 0.3, "step {}: {got} for {expected}", h + 1);
        }
    }

    // Each tree has the windows of its sample by heart, so that in-sample errors are a third of true ones or so: the rows that were
    // not drawn.
    #[test]
    fn in_sample_the_forest_knows_most_of_what_it_saw() {
        let y: Vec<f64> = (0..150u64).map(|t| (t * t * 7919 % 1009) as f64 / 1009.0).collect();
        let fitted = fit(&RandomForestForecaster { maxlags: Some(4), ..Default::default() }, &y).unwrap();
        let in_sample = crate::models::FittedForecaster::in_sample(&fitted).mean;
        assert_eq!(in_sample[..4], y[..4], "the first window stands for itself");
        let deviation =
            |with: &dyn Fn(usize) -> f64| ((4..150).map(|t| (y[t] - with(t)).powi(2)).sum::<f64>() / 146.0).sqrt();
        let (noise, left) = (deviation(&|_| 0.5), deviation(&|t| in_sample[t]));
        assert!((0.25..0.5).contains(&(left / noise)), "{left} of {noise}");
    }

    #[test]
    fn a_seed_of_its_own_makes_it_independent_of_the_series() {
        let y = season(60);
        let run = |random_state, seed| {
            let model = RandomForestForecaster { random_state, n_estimators: 3, ..Default::default() };
            model.settings(&FitContext::with_seed(seed)).seed
        };
        assert_eq!([run(Some(4), 1), run(Some(4), 2), run(None, 1), run(None, 2)], [4, 4, 1, 2]);
        let default = RandomForestForecaster { n_estimators: 3, ..Default::default() };
        assert_ne!(fit(&default, &y), fit(&RandomForestForecaster { random_state: Some(4), ..default.clone() }, &y));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (model, words) in [
            (RandomForestForecaster { n_estimators: 0, ..Default::default() }, "n_estimators = 0: at least 1"),
            (RandomForestForecaster { max_depth: Some(0), ..Default::default() }, "max_depth = 0: at least 1"),
            (
                RandomForestForecaster { min_samples_split: 1, ..Default::default() },
                "min_samples_split = 1: at least 2",
            ),
            (RandomForestForecaster { maxlags: Some(0), ..Default::default() }, "maxlags = 0: at least 1"),
        ] {
            let error = model.validate().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
