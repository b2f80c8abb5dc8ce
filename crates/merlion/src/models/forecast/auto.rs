//! The model that forecasts the end of the series best, chosen among several by backtests.
//!
//! Rolling origin (Tashman 2000, "Out-of-sample tests of forecasting accuracy", Int. J. Forecasting 16): from several points in the
//! second half of the series each model is trained on what comes before and forecasts what comes next. The lowest mean absolute
//! error over all of these forecasts wins, the first on ties, and is trained on the whole series.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::theta::validate_season;
use crate::models::members::{self, Failure};
use crate::models::{
    Capabilities, Catalog, DynFittedForecaster, DynForecaster, FitContext, FittedForecaster, Forecast, Forecaster,
    InSample, ModelError, ModelSpec, Origin, Request, TrainInput,
};
use crate::seasonality::{self, Options};

/// The models tried by default, the quick ones first. One that this build does not have is not tried.
const CANDIDATES: [&str; 6] = ["DynamicOptimizedTheta", "SeasonalNaive", "Croston", "AutoCES", "AutoETS", "AutoARIMA"];

/// The best of several models by backtests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Auto {
    /// The models tried, in this order, by name or as JSON dicts.
    pub models: Vec<ModelSpec>,
    /// Length of the season in observations, 1 for none. Null: told from the data.
    pub season_length: Option<usize>,
    /// How many points in the second half of the series are forecast from, if there is room; three tell luck from merit.
    pub windows: usize,
    /// Steps ahead that count. Null: as many as will be asked for, or a tenth of the series.
    pub horizon: Option<usize>,
    /// Seconds after which no further model is tried. Null for no limit: with one, answers depend on the speed of the machine.
    pub max_seconds: Option<f64>,
    #[serde(skip)]
    origin: Origin,
    #[serde(skip)]
    max_forecast_steps: Option<usize>,
}

impl Default for Auto {
    fn default() -> Self {
        let catalog = Catalog::default();
        let models = CANDIDATES.into_iter().filter(|name| catalog.get(name).is_ok()).map(ModelSpec::named).collect();
        Self {
            models,
            season_length: None,
            windows: 3,
            horizon: None,
            max_seconds: None,
            origin: Origin::default(),
            max_forecast_steps: None,
        }
    }
}

impl Auto {
    fn candidates(&self) -> Result<Vec<Box<dyn DynForecaster>>, ModelError> {
        members::build(&self.models, &self.origin, self.max_forecast_steps)
    }

    /// The mean absolute error of a model over all backtests; `None` when there was no time for them.
    fn judge(
        &self,
        model: &dyn DynForecaster,
        input: &TrainInput<'_>,
        (origins, horizon): (&[usize], usize),
        (context, limit): (&FitContext, Option<Instant>),
    ) -> Result<Option<f64>, ModelError> {
        let deadline = [context.deadline, limit].into_iter().flatten().min();
        let limited = FitContext { deadline, ..context.clone() };
        let (mut sum, mut count) = (0.0, 0.0);
        for &origin in origins {
            let forecast = match members::backtest(model, input, (origin, horizon), &limited) {
                // It was this model's limit, unless the job's own has passed.
                Err(ModelError::DeadlineExceeded) => {
                    context.check()?;
                    return Ok(None);
                }
                other => other?,
            };
            for (mean, y) in forecast.mean.iter().zip(&input.target[origin..]) {
                (sum, count) = (sum + (mean - y).abs(), count + 1.0);
            }
        }
        Ok(Some(sum / count))
    }
}

impl Forecaster for Auto {
    const NAME: &'static str = "Auto";
    const SUMMARY: &'static str = "The model with the lowest errors in backtests on the end of the series";
    // Of the models it has by default, one uses regressors.
    const CAPABILITIES: Capabilities = Capabilities { exogenous: true, ..Capabilities::CLASSICAL };
    type Fitted = FittedAuto;

    fn with_origin(self, origin: &Origin) -> Self {
        Self { origin: origin.clone(), ..self }
    }

    fn with_max_forecast_steps(self, max_forecast_steps: Option<usize>) -> Self {
        Self { max_forecast_steps, ..self }
    }

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: Some(length), ..self })
    }

    fn capabilities(&self) -> Capabilities {
        self.candidates().map_or(Self::CAPABILITIES, |models| members::capabilities(&models))
    }

    fn check_columns(&self, columns: usize) -> Result<(), ModelError> {
        self.candidates()?.iter().try_for_each(|model| model.check_columns(columns))
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.into() })
        };
        members::validate_models(Self::NAME, &self.models)?;
        validate_season(Self::NAME, self.season_length)?;
        if self.windows == 0 {
            return invalid("windows", "0".into(), "models are compared by one forecast at least");
        }
        if self.horizon == Some(0) {
            return invalid("horizon", "0".into(), "models are compared by one step at least");
        }
        if let Some(seconds) = self.max_seconds
            && !(seconds > 0.0 && seconds <= 1e9)
        {
            return invalid("max_seconds", seconds.to_string(), "a number of seconds above 0");
        }
        self.candidates().map(|_| ())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedAuto, ModelError> {
        let limit = self.max_seconds.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
        let n = input.target.len();
        let season = match self.season_length {
            Some(length) => length,
            None => seasonality::detect(input.target, &Options::default(), context)?.first().copied().unwrap_or(1),
        };
        let horizon = members::backtest_horizon(n, self.horizon.or(self.max_forecast_steps));
        let origins = members::origins(n, horizon, self.windows);
        let models = self.candidates()?.into_iter().map(|model| members::with_season(model, Some(season)));
        let mut failures = Vec::new();
        let mut order: Vec<(f64, Box<dyn DynForecaster>)> = Vec::new();
        let mut untried = Vec::new();
        for model in models {
            // Without room for a backtest the first model is taken that can be trained.
            let late = limit.is_some_and(|limit| Instant::now() >= limit);
            let judged = match (late, origins.is_empty()) {
                (true, _) => Ok(None),
                (false, true) => Ok(Some(f64::INFINITY)),
                (false, false) => self.judge(&*model, input, (&origins, horizon), (context, limit)),
            };
            match judged {
                Ok(Some(error)) => order.push((error, model)),
                Ok(None) => untried.push((f64::INFINITY, model)),
                Err(error) => failures.push(Failure::of(model.name(), error)?),
            }
        }
        let errors = order.iter().map(|(error, model)| (model.name(), *error)).collect();
        // Equal errors stay in the order of the list; models there was no time for come last.
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, model) in order.into_iter().chain(untried) {
            match model.fit(input, context) {
                Ok(fitted) => return Ok(FittedAuto { name: model.name(), model: fitted, season, errors, failures }),
                Err(error) => failures.push(Failure::of(model.name(), error)?),
            }
        }
        Err(members::none_left(&failures))
    }
}

/// A trained [`Auto`].
#[derive(Debug, Serialize)]
pub struct FittedAuto {
    name: &'static str,
    #[serde(serialize_with = "members::state")]
    model: Box<dyn DynFittedForecaster>,
    /// Length of the season the models were given.
    season: usize,
    /// Mean absolute errors of the backtests, in the order of the list.
    errors: Vec<(&'static str, f64)>,
    failures: Vec<Failure>,
}

impl FittedAuto {
    /// The name of the model that was chosen.
    #[must_use]
    pub fn chosen(&self) -> &'static str {
        self.name
    }

    /// Models tried, and their mean absolute errors.
    #[must_use]
    pub fn errors(&self) -> &[(&'static str, f64)] {
        &self.errors
    }

    /// Models that failed.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }
}

impl FittedForecaster for FittedAuto {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        self.model.forecast(request)
    }

    fn in_sample(&self) -> InSample {
        self.model.in_sample()
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    fn auto(names: &[&str]) -> Auto {
        Auto { models: names.iter().map(|name| ModelSpec::named(name)).collect(), ..Auto::default() }
    }

    #[test]
    fn the_model_that_fits_the_data_is_chosen() {
        let line: Vec<f64> = (0..40).map(|t| 3.0 + 2.0 * f64::from(t)).collect();
        let season: Vec<f64> = (0..40).map(|t| [1.0, 5.0, 2.0, 9.0][t % 4]).collect();
        let level: Vec<f64> = (0..40).map(|t| f64::from(t * 41 % 101)).collect();
        let model = Auto { season_length: Some(4), ..auto(&["SeasonalNaive", "Drift", "HistoricAverage"]) };
        for (y, chosen) in [(line, "Drift"), (season, "SeasonalNaive"), (level, "HistoricAverage")] {
            let fitted = fit(&model, &y).unwrap();
            assert_eq!(fitted.chosen(), chosen, "{:?}", fitted.errors());
            assert_eq!(fitted.errors().len(), 3);
        }
    }

    #[test]
    fn errors_are_those_of_all_backtests() {
        let y: Vec<f64> = (0..20).map(|t| f64::from(t * t)).collect();
        let model = Auto { windows: 2, horizon: Some(2), ..auto(&["Naive"]) };
        let fitted = fit(&model, &y).unwrap();
        // From 17² = 289: 35 and 72; from 15² = 225: 31 and 64.
        assert_eq!(fitted.errors(), [("Naive", (35.0 + 72.0 + 31.0 + 64.0) / 4.0)]);
    }

    #[test]
    fn without_room_or_time_the_first_that_can_be_trained_is_taken() {
        let fitted = fit(&auto(&["Drift", "Naive"]), &[4.0]).unwrap();
        assert_eq!((fitted.chosen(), fitted.failures()[0].model.as_str()), ("Naive", "Drift"));
        let y: Vec<f64> = (0..40).map(f64::from).collect();
        let fitted = fit(&Auto { max_seconds: Some(1e-12), ..auto(&["Naive", "Drift"]) }, &y).unwrap();
        assert_eq!((fitted.chosen(), fitted.errors()), ("Naive", &[][..]));
        assert_eq!(forecast(&fitted, 2, None).mean, [39.0; 2]);
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (model, words) in [
            (Auto { windows: 0, ..Auto::default() }, "windows = 0"),
            (Auto { horizon: Some(0), ..Auto::default() }, "horizon = 0"),
            (Auto { max_seconds: Some(-1.0), ..Auto::default() }, "max_seconds = -1"),
            (auto(&[]), "at least one model"),
        ] {
            let error = model.validate().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
