//! Exponential smoothing as a state-space model: error, trend, season.
//!
//! Hyndman, Koehler, Snyder & Grose (2002), "A state space framework for automatic forecasting using exponential smoothing
//! methods", Int. J. Forecasting 18; Hyndman, Koehler, Ord & Snyder (2008), "Forecasting with Exponential Smoothing: the
//! State Space Approach". For ETS(A,Ad,A), the default with a season,
//!
//! ```text
//! y_t = ℓ_{t-1} + φ b_{t-1} + s_{t-m} + ε_t
//! ℓ_t = ℓ_{t-1} + φ b_{t-1} + α ε_t
//! b_t = φ b_{t-1} + β ε_t
//! s_t = s_{t-m} + γ ε_t
//! ```
//!
//! and where a component multiplies, `·` and powers stand for `+` and products (`ets/recursion.rs` has all thirty models).
//! With `σ²` the mean squared residual, the log-likelihood is
//!
//! ```text
//! -n/2 (ln(2π σ²) + 1)                 additive errors, residual y - ŷ
//! -n/2 (ln(2π σ²) + 1) - Σ ln ŷ_t      multiplicative errors, residual (y - ŷ) / ŷ
//! ```
//!
//! It is maximised over `α`, `β* = β/α` and `γ* = γ/(1-α)` in (0.0001, 0.9999), `φ` in (0.8, 0.98) and the initial states,
//! the first seasonal term being 0 or 1 by normalisation: the parameter space of statsmodels, which Merlion uses.

mod components;
mod fit;
mod recursion;
mod search;
mod simulate;
mod start;
mod variance;

use serde::{Deserialize, Serialize};

pub use components::{Component, Smoothing, State, Variant};
pub use fit::{Estimation, EtsFit, Workspace};

use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, Interval, ModelError, Request,
    TrainInput,
};
use crate::time::Timestamp;

/// Exponential smoothing with a chosen error, trend and season.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ets {
    /// How the error enters; "add" as in Merlion.
    pub error: Component,
    /// How the trend enters, null for none; "add" as in Merlion.
    pub trend: Option<Component>,
    /// Whether the trend levels off; true as in Merlion, and the safer choice over long horizons (Gardner & McKenzie 1985).
    pub damped_trend: bool,
    /// How the season enters, null for none; it does not enter without `seasonal_periods`. "add" as in Merlion.
    pub seasonal: Option<Component>,
    /// Length of the season in observations; null or 1 for no season.
    pub seasonal_periods: Option<usize>,
    /// Given newer observations with a request, whether to estimate all parameters again on their tail (Merlion's default)
    /// or to move the trained model along them.
    pub refit: bool,
    /// Length of that tail; null for Merlion's: 10, with a season the larger of 10 + m and 2m.
    pub refit_window: Option<usize>,
    /// "maximum" for the best fit there is, "merlion" for the one Merlion stops at. The two differ most for seasonal models of
    /// data in the thousands.
    pub estimation: Estimation,
    /// Largest β/α: how quickly the trend may change, compared with the level. 1, no limit, as in statsmodels.
    pub trend_limit: f64,
    /// Sample paths behind the standard errors of models without a closed form (a multiplicative trend, or a multiplicative
    /// season with an additive error); 1000 as in statsmodels, but drawn so that they are worth several thousand.
    pub simulations: usize,
}

impl Default for Ets {
    fn default() -> Self {
        Self {
            error: Component::Additive,
            trend: Some(Component::Additive),
            damped_trend: true,
            seasonal: Some(Component::Additive),
            seasonal_periods: None,
            refit: true,
            refit_window: None,
            estimation: Estimation::Maximum,
            trend_limit: 1.0,
            simulations: 1000,
        }
    }
}

impl Ets {
    /// The member of the family these parameters select.
    #[must_use]
    pub fn variant(&self) -> Variant {
        let period = self.seasonal_periods.unwrap_or(1);
        let seasonal = if period > 1 { self.seasonal } else { None };
        Variant {
            error: self.error,
            trend: self.trend,
            damped: self.damped_trend,
            seasonal,
            period: if seasonal.is_some() { period } else { 1 },
        }
    }

    /// How many of the newest observations a refit looks at.
    fn window(&self) -> usize {
        let variant = self.variant();
        let m = variant.period;
        let merlion = if variant.seasonal.is_some() { (10 + 2 * (m / 2)).max(2 * m) } else { 10 };
        self.refit_window.unwrap_or(merlion)
    }
}

impl Forecaster for Ets {
    const NAME: &'static str = "ETS";
    const SUMMARY: &'static str = "Exponential smoothing: level, damped trend and season, additive or multiplicative";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedEts;

    fn into_merlion(self) -> Self {
        Self { estimation: Estimation::Merlion, ..self }
    }

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { seasonal_periods: Some(length).filter(|length| *length > 1), ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.into() })
        };
        if self.damped_trend && self.trend.is_none() {
            return invalid("damped_trend", "true".into(), "there is no trend to damp");
        }
        if self.seasonal_periods == Some(0) {
            return invalid("seasonal_periods", "0".into(), "a season has at least one observation");
        }
        if let Some(window) = self.refit_window
            && window < if self.variant().seasonal.is_some() { 2 * self.variant().period } else { 2 }
        {
            return invalid("refit_window", window.to_string(), "too short to fit the model on");
        }
        if !(self.trend_limit > 0.0 && self.trend_limit <= 1.0) {
            return invalid("trend_limit", self.trend_limit.to_string(), "a share of α, above 0 and up to 1");
        }
        if self.simulations < 2 {
            return invalid("simulations", self.simulations.to_string(), "at least two paths are needed");
        }
        Ok(())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedEts, ModelError> {
        let mut workspace = Workspace::new(input.target)?.with_trend_limit(self.trend_limit);
        let fit = workspace.fit(self.variant(), self.estimation, None, context)?;
        Ok(FittedEts { model: self.clone(), fit, last_time: input.times.last().copied() })
    }
}

/// A trained [`Ets`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedEts {
    model: Ets,
    fit: EtsFit,
    /// Time of the last training observation.
    last_time: Option<Timestamp>,
}

impl FittedEts {
    /// A fitted model out of a fit made elsewhere, by a search over variants.
    #[must_use]
    pub fn new(model: Ets, fit: EtsFit, last_time: Option<Timestamp>) -> Self {
        Self { model, fit, last_time }
    }

    /// Estimates, states and likelihood.
    #[must_use]
    pub fn fit(&self) -> &EtsFit {
        &self.fit
    }

    /// The model moved on to the end of newer observations.
    ///
    /// With `refit` and more observations than its window the newest window is fitted anew, as in Merlion. Otherwise the
    /// trained model is run on over the observations after its training data. When these do not reach back to the training
    /// data the states are first guessed from the observations themselves.
    fn moved_along(&self, history: &TrainInput<'_>, context: &FitContext) -> Result<EtsFit, ModelError> {
        let variant = self.fit.variant;
        let y = history.target;
        let window = self.model.window();
        if self.model.refit && y.len() > window {
            let tail = &y[y.len() - window..];
            let mut workspace = Workspace::new(tail)?.with_trend_limit(self.model.trend_limit);
            return workspace.fit(variant, self.model.estimation, Some(&self.fit), context);
        }
        let newer = history.times.partition_point(|t| self.last_time.is_some_and(|last| *t <= last));
        if newer == y.len() && newer > 0 {
            return Ok(self.fit.clone());
        }
        let follows = newer > 0
            || match (self.last_time, history.times.first()) {
                (Some(last), Some(&first)) => history.granularity.after(last, 1)?.contains(&first),
                _ => true,
            };
        if !follows {
            return Workspace::new(y)?.smooth_from_guess(variant, self.fit.smoothing);
        }
        Ok(self.fit.continued(&y[newer..]))
    }
}

impl FittedForecaster for FittedEts {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let moved = match &request.history {
            Some(history) if !history.target.is_empty() => Some(self.moved_along(history, request.context)?),
            _ => None,
        };
        let fit = moved.as_ref().unwrap_or(&self.fit);
        let horizon = request.times.len();
        let mean = fit.last.path(fit.variant, fit.smoothing.phi, horizon);
        if let Some(position) = mean.iter().position(|y| !y.is_finite()) {
            return Err(ModelError::Numerical(format!("the forecast of step {} is not finite", position + 1)));
        }
        if let Some(v) = variance::forecast_variance(fit.variant, fit.smoothing, &fit.last, fit.sigma2, horizon) {
            let stderr = v.into_iter().map(|v| v.max(0.0).sqrt()).collect();
            return Ok(Forecast { mean, stderr: Some(stderr), intervals: Vec::new() });
        }
        let probabilities: Vec<f64> =
            request.levels.iter().flat_map(|level| [0.5 - level / 200.0, 0.5 + level / 200.0]).collect();
        let simulated = simulate::simulate(
            fit.variant,
            fit.smoothing,
            &fit.last,
            fit.sigma2.sqrt(),
            (horizon, self.model.simulations),
            &probabilities,
            request.context,
        )?;
        let mut bounds = simulated.quantiles.into_iter();
        let mut intervals = Vec::with_capacity(request.levels.len());
        for &level in request.levels {
            if let (Some(lower), Some(upper)) = (bounds.next(), bounds.next()) {
                intervals.push(Interval { level, lower, upper });
            }
        }
        Ok(Forecast { mean, stderr: Some(simulated.deviation), intervals })
    }

    fn in_sample(&self) -> InSample {
        let sigma = self.fit.sigma2.sqrt();
        let stderr = match self.fit.variant.error {
            Component::Additive => vec![sigma; self.fit.fitted.len()],
            Component::Multiplicative => self.fit.fitted.iter().map(|fitted| sigma * fitted.abs()).collect(),
        };
        InSample { mean: self.fit.fitted.clone(), stderr: Some(stderr) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::naive::tests::{days, fit, forecast};
    use super::*;
    use crate::time::{Granularity, Offset};
    use Component::{Additive, Multiplicative};

    /// Positive values around a rising line with a season of four.
    fn sales(n: usize) -> Vec<f64> {
        (0..n).map(|t| 100.0 + t as f64 + [8.0, -9.0, 3.0, -2.0][t % 4] + ((t * 37) % 11) as f64).collect()
    }

    #[test]
    fn the_defaults_are_those_of_merlion() {
        let model: Ets = serde_json::from_str("{}").unwrap();
        assert_eq!(model, Ets::default());
        assert_eq!((model.variant().name().as_str(), model.refit), ("AAdN", true));
        let json =
            r#"{"error": "mul", "trend": null, "damped_trend": false, "seasonal": "mul", "seasonal_periods": 4}"#;
        let model: Ets = serde_json::from_str(json).unwrap();
        assert_eq!((model.variant().name().as_str(), model.variant().period), ("MNM", 4));
        let text = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<Ets>(&text).unwrap(), model, "{text}");
    }

    #[test]
    fn a_season_of_one_is_no_season() {
        let model = Ets { seasonal_periods: Some(1), ..Ets::default() };
        assert_eq!(model.variant(), Ets::default().variant());
    }

    #[test]
    fn parameters_that_contradict_each_other_are_named() {
        for (model, parameter) in [
            (Ets { trend: None, ..Ets::default() }, "damped_trend"),
            (Ets { seasonal_periods: Some(0), ..Ets::default() }, "seasonal_periods"),
            (Ets { refit_window: Some(1), ..Ets::default() }, "refit_window"),
            (Ets { trend_limit: 0.0, ..Ets::default() }, "trend_limit"),
            (Ets { simulations: 1, ..Ets::default() }, "simulations"),
        ] {
            let error = model.validate().unwrap_err();
            assert!(matches!(error, ModelError::InvalidParameter { parameter: p, .. } if p == parameter), "{error}");
        }
    }

    #[test]
    fn a_constant_series_is_forecast_without_error() {
        let fitted = fit(&Ets::default(), &[42.5; 12]).unwrap();
        let forecast = forecast(&fitted, 3, None);
        assert_eq!((forecast.mean, forecast.stderr.unwrap()), (vec![42.5; 3], vec![0.0; 3]));
        assert_eq!(fitted.in_sample().mean, [42.5; 12]);
    }

    #[test]
    fn in_sample_errors_are_standard_errors() {
        let y = sales(40);
        let fitted = fit(&Ets { error: Multiplicative, ..Ets::default() }, &y).unwrap();
        let InSample { mean, stderr } = fitted.in_sample();
        let standardised = y.iter().zip(&mean).zip(stderr.unwrap()).map(|((y, mean), s)| ((y - mean) / s).powi(2));
        let mean_square = standardised.sum::<f64>() / 40.0;
        assert!((mean_square - 1.0).abs() < 1e-12, "{mean_square}");
    }

    #[test]
    fn simulated_models_bring_their_own_intervals() {
        let model = Ets { seasonal: Some(Multiplicative), seasonal_periods: Some(4), ..Ets::default() };
        let fitted = fit(&model, &sales(40)).unwrap();
        let times = days(40..48);
        let request = Request {
            times: &times,
            history: None,
            exog: &[],
            levels: &[80.0, 95.0],
            context: &FitContext::with_seed(5),
        };
        let forecast = fitted.forecast(&request).unwrap();
        let [narrow, wide] = &forecast.intervals[..] else { panic!("{:?}", forecast.intervals) };
        let stderr = forecast.stderr.unwrap();
        for (h, (&mean, s)) in forecast.mean.iter().zip(stderr).enumerate() {
            assert!(wide.lower[h] < narrow.lower[h] && narrow.lower[h] < mean, "{h}: {wide:?} {narrow:?}");
            assert!(mean < narrow.upper[h] && narrow.upper[h] < wide.upper[h], "{h}: {wide:?} {narrow:?}");
            let half = (wide.upper[h] - wide.lower[h]) / 2.0;
            assert!((half / (1.96 * s) - 1.0).abs() < 0.1, "h = {}: {half} vs {}", h + 1, 1.96 * s);
        }
        let additive = fit(&Ets { seasonal: Some(Additive), ..model }, &sales(40)).unwrap();
        assert!(additive.forecast(&request).unwrap().intervals.is_empty(), "left to the normal approximation");
    }

    #[test]
    fn known_observations_change_nothing_and_a_gap_starts_from_a_guess() {
        let y = sales(40);
        let model = Ets { refit: false, ..Ets::default() };
        let fitted = fit(&model, &y).unwrap();
        let plain = forecast(&fitted, 4, None).mean;
        assert_eq!(forecast(&fitted, 4, Some((30, &y[30..]))).mean, plain);
        // The same values a hundred days later and ten times as large: only the smoothing parameters are kept.
        let later: Vec<f64> = y.iter().map(|y| 10.0 * y).collect();
        let far = forecast(&fitted, 4, Some((140, &later))).mean;
        assert!(far.iter().zip(&plain).all(|(far, plain)| (far / plain - 10.0).abs() < 1.0), "{far:?} vs {plain:?}");
    }

    #[test]
    fn a_deadline_ends_the_fit_within_milliseconds() {
        let (times, granularity) = (days(0..8000), Granularity { step: Offset::Fixed(86_400_000_000_000), phase: 0 });
        let y = sales(8000);
        let input = TrainInput { times: &times, target: &y, covariates: &[], exog: &[], granularity: &granularity };
        let model = Ets { seasonal_periods: Some(365), ..Ets::default() };
        let started = Instant::now();
        let context = FitContext { deadline: Some(started + Duration::from_millis(5)), ..FitContext::default() };
        assert_eq!(model.fit(&input, &context).unwrap_err(), ModelError::DeadlineExceeded);
        assert!(started.elapsed() < Duration::from_millis(200), "{:?}", started.elapsed());
    }
}
