//! Extremely randomised trees on windows of the series.
//!
//! Merlion's `ExtraTreesForecaster`, which is scikit-learn's `ExtraTreesRegressor`: each tree learns from all windows, and is offered one
//! random threshold for each lag at each node. [`crate::models::autoregression`] says how windows become forecasts,
//! [`crate::trees::forest`] how trees are grown.

use serde::{Deserialize, Serialize};

use crate::models::autoregression::{Autoregression, Features, FittedAutoregression};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};
use crate::trees::{Forest, ForestSettings, Sampling};

/// The next values from the last ones, by extremely randomised trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExtraTreesForecaster {
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

impl Default for ExtraTreesForecaster {
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

impl ExtraTreesForecaster {
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
            sampling: Sampling::Thresholds,
            max_depth: self.max_depth,
            min_samples_split: self.min_samples_split,
            seed: self.random_state.unwrap_or(context.seed),
        }
    }
}

impl Forecaster for ExtraTreesForecaster {
    const NAME: &'static str = "ExtraTreesForecaster";
    const SUMMARY: &'static str = "Extremely randomised trees on the last observations of all columns";
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

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    #[test]
    fn a_season_is_learnt() {
        let season = |t: usize| [1.0, 4.0, 9.0, 3.0, 0.0, -5.0, -2.0, 2.0][t % 8] + (t * 7 % 5) as f64 / 50.0;
        let y: Vec<f64> = (0..120).map(season).collect();
        let fitted = fit(&ExtraTreesForecaster::default(), &y).unwrap();
        let got = forecast(&fitted, 40, None);
        assert!(got.stderr.is_none());
        for (h, got) in got.mean.iter().enumerate() {
            assert!((got - season(120 + h)).abs() < 0.3, "step {}: {got} for {}", h + 1, season(120 + h));
        }
    }

    // No window is left out and leaves hold one window each: what was seen is repeated.
    #[test]
    fn in_sample_nothing_is_left_to_explain() {
        let y: Vec<f64> = (0..150u64).map(|t| (t * t * 7919 % 1009) as f64 / 1009.0).collect();
        let in_sample = |min_samples_split| {
            let model = ExtraTreesForecaster { maxlags: Some(4), min_samples_split, ..Default::default() };
            crate::models::FittedForecaster::in_sample(&fit(&model, &y).unwrap()).mean
        };
        let apart = |fitted: Vec<f64>| y.iter().zip(fitted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart(in_sample(2)) < 1e-12);
        assert!(apart(in_sample(20)) > 0.05);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let error = ExtraTreesForecaster { min_samples_split: 1, ..Default::default() }.validate().unwrap_err();
        assert!(error.to_string().contains("min_samples_split = 1: at least 2"), "{error}");
    }
}
