//! Several models whose forecasts are combined: by mean, median or maximum, or the best of them by their errors on the end of the
//! training data.
//!
//! Merlion's `ForecasterEnsemble`. A combiner that goes by a metric trains every member on the first part of the series in time,
//! has the rest forecast in one piece, and trains the members it uses once more on the whole. A member that fails is left out.
//!
//! ```
//! use merlion::models::{Catalog, Compat, ModelSpec};
//! let json = serde_json::json!({
//!     "name": "ForecasterEnsemble",
//!     "models": ["AutoETS", {"name": "DynamicOptimizedTheta", "season_length": 7}],
//!     "combiner": {"name": "ModelSelector", "metric": "ForecastMetric.sMAPE"},
//! });
//! assert!(ModelSpec::from_json(&json)?.build(&Catalog::default(), Compat::None).is_ok());
//! # Ok::<(), merlion::models::ModelError>(())
//! ```

mod combiner;

pub use combiner::{Combination, ForecastCombiner};

use serde::{Deserialize, Serialize};

use crate::models::members::{self, Failure};
use crate::models::{
    Capabilities, Compat, DynFittedForecaster, DynForecaster, FitContext, FittedForecaster, Forecast, Forecaster,
    InSample, ModelError, ModelSpec, Origin, Request, TrainInput,
};

/// Several models whose forecasts are combined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForecasterEnsemble {
    /// The members, by name or as JSON dicts. Three of different kinds, because Merlion has no default.
    pub models: Vec<ModelSpec>,
    /// "Mean", as in Merlion, "Median" or "Max"; "ModelSelector" or "MetricWeightedMean" with a "metric".
    pub combiner: ForecastCombiner,
    /// Share of the time at the end of the series by which a combiner with a metric judges; 0.2 as in Merlion, where it is part of
    /// the training configuration. 0: it judges by the predictions over the training data.
    pub valid_frac: f64,
    /// Accepted because Merlion writes it; nothing reads it, there or here.
    pub verbose: bool,
    #[serde(skip)]
    origin: Origin,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

/// The members by default.
const MEMBERS: [&str; 3] = ["AutoETS", "AutoCES", "DynamicOptimizedTheta"];

impl Default for ForecasterEnsemble {
    fn default() -> Self {
        Self {
            models: MEMBERS.map(ModelSpec::named).to_vec(),
            combiner: ForecastCombiner::default(),
            valid_frac: 0.2,
            verbose: false,
            origin: Origin::default(),
            max_forecast_steps: None,
        }
    }
}

impl ForecasterEnsemble {
    fn members(&self) -> Result<Vec<Box<dyn DynForecaster>>, ModelError> {
        members::build(&self.models, &self.origin, self.max_forecast_steps)
    }

    /// How many observations come before the time that divides the series, as Merlion divides it.
    fn divide(&self, input: &TrainInput<'_>) -> usize {
        let (Some(first), Some(last)) = (input.times.first(), input.times.last()) else { return 0 };
        let (first, last) = (first.nanos() as f64, last.nanos() as f64);
        let at = first + (last - first) * (1.0 - self.valid_frac);
        input.times.partition_point(|time| (time.nanos() as f64) < at)
    }

    /// The members' values of the metric, NaN for one that failed.
    fn judge(
        &self,
        models: &[Box<dyn DynForecaster>],
        input: &TrainInput<'_>,
        failures: &mut Vec<Failure>,
        context: &FitContext,
    ) -> Result<Vec<f64>, ModelError> {
        let trained = self.divide(input);
        let mut values = Vec::with_capacity(models.len());
        for model in models {
            let predicted = if self.valid_frac > 0.0 && trained > 0 && trained < input.target.len() {
                let rest = input.target.len() - trained;
                let reminded = self.origin.compat == Compat::Merlion;
                members::backtest_reminded(&**model, input, (trained, rest), reminded, context)
                    .map(|forecast| (forecast.mean, &input.target[trained..]))
            } else {
                model.fit(input, context).map(|fitted| (fitted.in_sample().mean, input.target))
            };
            values.push(match predicted.and_then(|(mean, truth)| self.combiner.measure(truth, &mean)) {
                Ok(value) => value,
                Err(error) => {
                    failures.push(Failure::of(model.name(), error)?);
                    f64::NAN
                }
            });
        }
        Ok(values)
    }
}

impl Forecaster for ForecasterEnsemble {
    const NAME: &'static str = "ForecasterEnsemble";
    const SUMMARY: &'static str = "Several models combined: mean, median, maximum, or the best by a metric";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedForecasterEnsemble;

    fn with_origin(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn capabilities(&self) -> Capabilities {
        self.members().map_or(Self::CAPABILITIES, |models| members::capabilities(&models))
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        self.members()?.iter().try_for_each(|model| model.check_columns(columns))
    }

    fn validate(&self) -> Result<(), ModelError> {
        members::validate_models(Self::NAME, &self.models)?;
        if !(0.0..1.0).contains(&self.valid_frac) {
            return Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "valid_frac",
                value: self.valid_frac.to_string(),
                reason: "a share from 0 and below 1".into(),
            });
        }
        self.combiner.validate(Self::NAME)?;
        self.members().map(|_| ())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedForecasterEnsemble, ModelError> {
        let models = self.members()?;
        let mut failures = Vec::new();
        let metric =
            if self.combiner.needs_metric() { self.judge(&models, input, &mut failures, context)? } else { Vec::new() };
        let weights = self.combiner.weights(&metric, models.len());
        let mut members = Vec::new();
        for (model, weight) in models.into_iter().zip(weights) {
            if weight == 0.0 {
                continue;
            }
            match model.fit(input, context) {
                Ok(fitted) => members.push(Member { name: model.name(), weight, model: fitted }),
                Err(error) => failures.push(Failure::of(model.name(), error)?),
            }
        }
        if members.is_empty() {
            return Err(members::none_left(&failures));
        }
        Ok(FittedForecasterEnsemble { combination: self.combiner.combination(), metric, members, failures })
    }
}

/// A trained member.
#[derive(Debug, Serialize)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) weight: f64,
    #[serde(serialize_with = "members::state")]
    pub(super) model: Box<dyn DynFittedForecaster>,
}

/// A trained [`ForecasterEnsemble`].
#[derive(Debug, Serialize)]
pub struct FittedForecasterEnsemble {
    pub(super) combination: Combination,
    /// Each model's metric, NaN for one that failed; empty when none decides.
    pub(super) metric: Vec<f64>,
    /// The members in use.
    pub(super) members: Vec<Member>,
    /// Models that are left out because they failed.
    pub(super) failures: Vec<Failure>,
}

impl FittedForecasterEnsemble {
    /// The names of the members in use.
    #[must_use]
    pub fn members(&self) -> Vec<&'static str> {
        self.members.iter().map(|member| member.name).collect()
    }

    /// Models that are left out because they failed.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Each model's metric, NaN for one that failed; empty when none decides.
    #[must_use]
    pub fn metric(&self) -> &[f64] {
        &self.metric
    }

    /// One column of several, position by position.
    fn combine<'a>(&self, columns: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
        let columns: Vec<&[f64]> = columns.collect();
        let weights: Vec<f64> = self.members.iter().map(|member| member.weight).collect();
        let mut row = vec![0.0; columns.len()];
        (0..columns.first().map_or(0, |column| column.len()))
            .map(|t| {
                row.iter_mut().zip(&columns).for_each(|(value, column)| *value = column[t]);
                self.combination.of(&mut row, &weights)
            })
            .collect()
    }

    /// The standard errors, if all members have some.
    fn combine_errors<'a>(&self, columns: impl Iterator<Item = Option<&'a Vec<f64>>>) -> Option<Vec<f64>> {
        let columns: Option<Vec<&[f64]>> = columns.map(|column| column.map(Vec::as_slice)).collect();
        columns.map(|columns| self.combine(columns.into_iter()))
    }
}

impl FittedForecaster for FittedForecasterEnsemble {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let forecasts: Vec<Forecast> =
            self.members.iter().map(|member| member.model.forecast(request)).collect::<Result<_, _>>()?;
        Ok(Forecast {
            mean: self.combine(forecasts.iter().map(|forecast| forecast.mean.as_slice())),
            stderr: self.combine_errors(forecasts.iter().map(|forecast| forecast.stderr.as_ref())),
            intervals: Vec::new(),
        })
    }

    fn in_sample(&self) -> InSample {
        let all: Vec<InSample> = self.members.iter().map(|member| member.model.in_sample()).collect();
        InSample {
            mean: self.combine(all.iter().map(|one| one.mean.as_slice())),
            stderr: self.combine_errors(all.iter().map(|one| one.stderr.as_ref())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;
    use serde_json::json;

    fn ensemble(json: serde_json::Value) -> ForecasterEnsemble {
        serde_json::from_value(json).unwrap()
    }

    const Y: [f64; 10] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];

    // Naive 10, Drift 11, 12 and HistoricAverage 5.5.
    #[test]
    fn forecasts_are_combined_step_by_step() {
        for (combiner, expected) in
            [("Mean", [26.5 / 3.0, 27.5 / 3.0]), ("Median", [10.0, 10.0]), ("Max", [11.0, 12.0])]
        {
            let model = ensemble(json!({"models": ["Naive", "Drift", "HistoricAverage"], "combiner": combiner}));
            let ahead = forecast(&fit(&model, &Y).unwrap(), 2, None);
            for (got, expected) in ahead.mean.iter().zip(expected) {
                assert!((got - expected).abs() < 1e-12, "{combiner}: {ahead:?}");
            }
            assert_eq!(ahead.stderr.map(|stderr| stderr.len()), Some(2));
        }
    }

    // The last two of ten days are a fifth of the time: Drift foresees them exactly, Naive is off by 1 and 2.
    #[test]
    fn the_model_with_the_best_metric_is_selected() {
        let combiner = json!({"name": "ModelSelector", "metric": "ForecastMetric.MAE"});
        let model = ensemble(json!({"models": ["Naive", "Drift"], "combiner": combiner}));
        let fitted = fit(&model, &Y).unwrap();
        assert_eq!((fitted.members(), fitted.metric()), (vec!["Drift"], &[1.5, 0.0][..]));
        assert_eq!(forecast(&fitted, 2, None).mean, [11.0, 12.0]);
        // The same metric twice: both are used.
        let model = ensemble(json!({"models": ["Naive", {"name": "SeasonalNaive"}], "combiner": combiner}));
        assert_eq!(fit(&model, &Y).unwrap().members(), ["Naive", "SeasonalNaive"]);
    }

    #[test]
    fn a_metric_can_be_the_weight() {
        let combiner = json!({"name": "MetricWeightedMean", "metric": "RMSE"});
        let model = ensemble(json!({"models": ["Naive", "HistoricAverage"], "combiner": combiner}));
        let fitted = fit(&model, &Y).unwrap();
        // Naive is off by 1 and 2, the mean of eight days, 4.5, by 4.5 and 5.5.
        let (naive, mean) = (1.0 / 2.5f64.sqrt(), 1.0 / 25.25f64.sqrt());
        let expected = (naive * 10.0 + mean * 5.5) / (naive + mean);
        let got = forecast(&fitted, 1, None).mean[0];
        assert!((got - expected).abs() < 1e-12, "{got} vs {expected}");
    }

    #[test]
    fn who_fails_is_left_out_and_named() {
        let model = ensemble(json!({"models": [{"name": "SeasonalNaive", "season_length": 50}, "Naive"]}));
        let fitted = fit(&model, &Y).unwrap();
        assert_eq!(fitted.members(), ["Naive"]);
        assert_eq!(fitted.failures()[0].model, "SeasonalNaive");
        let model = ensemble(json!({"models": [{"name": "SeasonalNaive", "season_length": 50}]}));
        let error = fit(&model, &Y).unwrap_err().to_string();
        assert!(error.contains("SeasonalNaive: 10 observations, at least 50 needed"), "{error}");
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (json, words) in [
            (json!({"models": []}), "at least one model"),
            (json!({"models": ["EST"]}), "did you mean 'ETS'?"),
            (json!({"valid_frac": 1.0}), "valid_frac = 1"),
            (json!({"combiner": {"name": "ModelSelector"}}), "needs a metric"),
            (json!({"combiner": {"name": "ModelSelector", "metric": "MSIS"}}), "not for MSIS"),
            (json!({"combiner": {"name": "Mean", "abs_score": true}}), "abs_score"),
        ] {
            let model = serde_json::from_value::<ForecasterEnsemble>(json.clone());
            let error = match model {
                Ok(model) => model.validate().unwrap_err().to_string(),
                Err(error) => error.to_string(),
            };
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
