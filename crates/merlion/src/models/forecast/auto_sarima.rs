//! Merlion's search for the orders of a seasonal ARIMA model.
//!
//! The walk of Hyndman & Khandakar (2008), as in [`super::auto_arima`], by AIC. The season is detected; it is taken out by a
//! difference if it is strong (STL over seven seasons), plain differences follow the KPSS test. What is not automatic stays as
//! it is in the inner model.
//!
//! By default candidates have the exact likelihood. Merlion's likelihood leaves out an observation for each state, so that its
//! AIC compares models on different data and large ones look best; and it stops each fit after a few iterations, for time.
//! With `enforce_stationarity: false` in the inner model that is done, too.

mod template;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::auto_arima::stepwise::{self, Candidate, Space};
use super::auto_arima::without_regressors;
use super::sarima::{Coefficients, Effort, FittedSarima, Orders, Sarima, SarimaFit, Trend, Workspace, free_fit};
use crate::math::unit_root;
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::seasonality::{self, Strategy, Test, strength};
pub use template::Template;

/// Seasons that one season of STL is smoothed over: statsmodels' default.
const STL_WINDOW: usize = 7;
/// How far every root must be from 0: its inverse at most 0.99.
const ROOT_RADIUS: f64 = 1.0 / 0.99;
/// Observations below which the walk begins with the simplest models.
const FEW: usize = 10;
/// Iterations of a fit that may not go on until nothing is gained, as far as Merlion's search for their number begins.
const ITERATIONS: usize = 10;

/// Seasonal ARIMA whose orders are chosen by AIC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoSarima {
    /// The model whose orders are chosen. An order "auto" is chosen even where its switch is off.
    pub model: Template,
    /// Whether the length of the season is detected.
    pub auto_seasonality: bool,
    /// Whether `p, q, P, Q` are chosen.
    #[serde(rename = "auto_pqPQ")]
    pub auto_orders: bool,
    /// Whether the number of differences is tested for.
    pub auto_d: bool,
    /// Whether a seasonal difference is tested for.
    #[serde(rename = "auto_D")]
    pub auto_seasonal_d: bool,
    /// Which of several detected seasons is taken; the strongest, as in Merlion. Not "All": the model has one season.
    pub periodicity_strategy: Strategy,
    /// Probability of detecting a season where there is none; 0.05 as in Merlion.
    pub pval: f64,
    /// Longest season looked for; null for the test's own limit.
    pub max_lag: Option<usize>,
    /// What counts as a season: "phases", which finds the 52 weeks of a year and none in noise, or "merlion".
    pub seasonality_test: Test,
    /// Most iterations of a fit; null for as many as there is something to gain, without enforced stationarity 10.
    pub maxiter: Option<usize>,
    /// Most models that are tried; 100 as in Merlion.
    pub max_k: usize,
    /// Seconds after which no further model is tried; 3600 as in Merlion.
    pub max_dur: f64,
    /// Whether candidates are compared after `approx_iter` iterations; null for series longer than 150 or seasons longer than
    /// 12. Matters only without enforced stationarity: exact likelihoods are quick.
    pub approximation: Option<bool>,
    /// Iterations of such a comparison; null for a fifth of `maxiter`.
    pub approx_iter: Option<usize>,
}

impl Default for AutoSarima {
    fn default() -> Self {
        Self {
            model: Template::default(),
            auto_seasonality: true,
            auto_orders: true,
            auto_d: true,
            auto_seasonal_d: true,
            periodicity_strategy: Strategy::default(),
            pval: 0.05,
            max_lag: None,
            seasonality_test: Test::default(),
            maxiter: None,
            max_k: 100,
            max_dur: 3600.0,
            approximation: None,
            approx_iter: None,
        }
    }
}

impl AutoSarima {
    fn seasonality(&self) -> seasonality::Options {
        seasonality::Options {
            strategy: self.periodicity_strategy,
            pval: self.pval,
            max_lag: self.max_lag,
            test: self.seasonality_test,
        }
    }

    fn chooses(&self, switch: bool, places: &[usize]) -> bool {
        switch || places.iter().any(|place| self.model.chosen[*place])
    }

    /// The differences, by tests unless they are given.
    fn differenced(&self, rest: &[f64], period: usize, context: &FitContext) -> Result<Orders, ModelError> {
        let mut orders = Orders { period, ..Orders::default() };
        let ([_, d, _], [_, seasonal_d, ..]) = (self.model.model.order, self.model.model.seasonal_order);
        if period > 1 {
            orders.seasonal_d = if self.chooses(self.auto_seasonal_d, &[4]) {
                usize::from(!unit_root::is_constant(rest) && strength::is_strong(rest, period, STL_WINDOW, context)?)
            } else {
                seasonal_d
            };
        }
        orders.d = if self.chooses(self.auto_d, &[1]) {
            let lags = |n: usize| (3.0 * (n as f64).sqrt() / 13.0).round() as usize;
            unit_root::differences(&orders.differenced(rest), 2, lags)
        } else {
            d
        };
        Ok(orders)
    }

    /// The walk's limits for `n` observations.
    fn space(&self, differences: Orders, n: usize) -> Space {
        let period = differences.period;
        let [seasonal_p, seasonal_q] = [2, 2].map(|limit: usize| limit.min(n / 3 / period));
        let plain = |limit: usize, seasonal: usize| {
            let limit = limit.min(n / 3);
            if period > 1 && seasonal > 0 { limit.min(period - 1) } else { limit }
        };
        let (first, first_seasonal) = if n < FEW { (1, 0) } else { (2, 1) };
        Space {
            start: Orders { p: first, q: first, seasonal_p: first_seasonal, seasonal_q: first_seasonal, ..differences },
            most: Orders { p: plain(5, seasonal_p), q: plain(5, seasonal_q), seasonal_p, seasonal_q, ..differences },
            constant: differences.d + differences.seasonal_d <= 1,
            models: self.max_k,
        }
    }

    /// Walks with the likelihood the inner model asks for.
    fn search(
        &self,
        input: &TrainInput<'_>,
        space: &Space,
        context: &FitContext,
    ) -> Result<(FittedSarima, Vec<Candidate>), ModelError> {
        let y = input.target;
        let free = !self.model.model.enforce_stationarity;
        let invertible = self.model.model.enforce_invertibility;
        let started = Instant::now();
        // Durations that no clock can hold are none.
        let limit = Duration::try_from_secs_f64(self.max_dur).unwrap_or(Duration::MAX);
        let mut workspaces = [false, true]
            .map(|constant| Workspace::new(y, input.exog, &space.start, constant).with_roots_beyond(ROOT_RADIUS));
        let thorough = self.maxiter.unwrap_or(if free { ITERATIONS } else { usize::MAX });
        let approximate = self.approximation.unwrap_or(y.len() > 150 || space.start.period > 12);
        let quick = if approximate && free { self.approx_iter.unwrap_or((thorough / 5).max(1)) } else { thorough };
        let left = y.len().saturating_sub(space.start.lost());
        let mut fit_one = |orders: &Orders, constant: bool, near: Option<&Coefficients>, effort: Effort| {
            if free {
                let iterations = if effort == Effort::Best { thorough } else { quick };
                let near = near.filter(|_| effort == Effort::Best);
                return free_fit(y, input.exog, orders, (constant, invertible), near, iterations, context);
            }
            let workspace = &mut workspaces[usize::from(constant)];
            workspace.limit(thorough);
            workspace.fit(orders, near, effort, context)
        };
        let (best, candidates) = stepwise::walk(space, |orders, constant, near| {
            let parameters = orders.coefficients() + usize::from(constant) + input.exog.len() + 1;
            if parameters >= left || started.elapsed() > limit {
                return Ok(None);
            }
            match fit_one(orders, constant, near, Effort::Search) {
                Ok(fit) => {
                    let suits = fit.coefficients.roots_beyond(ROOT_RADIUS, orders.period) && fit.observations > 0;
                    Ok(suits.then(|| (fit.aic(), fit)))
                }
                // Merlion passes over candidates that cannot be fitted.
                Err(ModelError::Numerical(_)) => Ok(None),
                Err(error) => Err(error),
            }
        })?;
        let Some(found) = best else {
            // Nothing but differences suits every series.
            let plain = Orders { p: 0, q: 0, seasonal_p: 0, seasonal_q: 0, ..space.start };
            let fit = workspaces[usize::from(space.constant)].fit(&plain, None, Effort::Best, context)?;
            return Ok((FittedSarima::new(fit, input, false)?, candidates));
        };
        let again = fit_one(&found.orders, found.has_constant, Some(&found.coefficients), Effort::Best)?;
        let better = again.log_likelihood >= found.log_likelihood
            && again.coefficients.roots_beyond(ROOT_RADIUS, again.orders.period);
        Ok((FittedSarima::new(if better { again } else { found }, input, free)?, candidates))
    }
}

impl Forecaster for AutoSarima {
    const NAME: &'static str = "AutoSarima";
    const SUMMARY: &'static str = "Seasonal ARIMA with season and differences chosen by tests and orders by AIC";
    const CAPABILITIES: Capabilities = Sarima::CAPABILITIES;
    const INNER: Option<&'static str> = Some("model");
    type Fitted = FittedAutoSarima;

    fn into_merlion(self) -> Self {
        let Template { model, chosen } = self.model;
        Self { model: Template { model: model.into_merlion(), chosen }, seasonality_test: Test::Merlion, ..self }
    }

    fn with_season_length(self, length: usize) -> Option<Self> {
        let Template { model, mut chosen } = self.model;
        chosen[6] = false;
        let model = model.with_season_length(length)?;
        Some(Self { model: Template { model, chosen }, auto_seasonality: false, ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.into() })
        };
        self.seasonality().validate(Self::NAME)?;
        if self.periodicity_strategy == Strategy::All {
            return invalid(
                "periodicity_strategy",
                "All".into(),
                "the model has one season; ACF, Min and Max choose it",
            );
        }
        if self.max_k == 0 {
            return invalid("max_k", "0".into(), "one model at least must be tried");
        }
        if self.max_dur.is_nan() || self.max_dur <= 0.0 {
            return invalid("max_dur", self.max_dur.to_string(), "a number of seconds above 0");
        }
        for (parameter, value) in [("maxiter", self.maxiter), ("approx_iter", self.approx_iter)] {
            if value == Some(0) {
                return invalid(parameter, "0".into(), "one iteration at least is needed");
            }
        }
        let mut model = self.model.model.clone();
        if self.model.chosen[6] {
            // To be detected.
            model.seasonal_order[3] = 1;
        }
        model.check(Self::NAME)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedAutoSarima, ModelError> {
        let y = input.target;
        let Template { model, .. } = &self.model;
        let period = if self.chooses(self.auto_seasonality, &[6]) {
            seasonality::detect(y, &self.seasonality(), context)?.first().copied().unwrap_or(1)
        } else {
            model.orders().period
        };
        // A season that was not seen twice cannot be told from the trend.
        let season_length = if y.len() < 2 * period { 1 } else { period };
        let rest = without_regressors(y, input.exog);
        let differences = self.differenced(&rest, season_length, context)?;
        let needed = differences.lost() + 2 + input.exog.len();
        if y.len() < needed {
            return Err(ModelError::TooShort { got: y.len(), needed });
        }
        let done = |model, candidates| Ok(FittedAutoSarima { season_length, candidates, model });
        let explained = Workspace::new(y, input.exog, &differences, false).is_explained();
        if !explained && !self.chooses(self.auto_orders, &[0, 2, 3, 5]) {
            let Orders { d, seasonal_d, .. } = differences;
            let [p, _, q] = model.order;
            let [seasonal_p, _, seasonal_q, _] = model.seasonal_order;
            let trend = if d + seasonal_d <= 1 { Trend::Constant } else { Trend::None };
            let given = Sarima {
                order: [p, d, q],
                seasonal_order: [seasonal_p, seasonal_d, seasonal_q, season_length],
                trend,
                ..model.clone()
            };
            return done(given.train(input, context)?, Vec::new());
        }
        if explained || unit_root::is_constant(&differences.differenced(&rest)) {
            // A constant that is left is the slope of what was differenced once.
            let constant = !explained && differences.d + differences.seasonal_d <= 1;
            let mut workspace = Workspace::new(y, input.exog, &differences, constant);
            let fit = workspace.fit(&differences, None, Effort::Best, context)?;
            return done(FittedSarima::new(fit, input, false)?, Vec::new());
        }
        let (model, candidates) = self.search(input, &self.space(differences, y.len()), context)?;
        done(model, candidates)
    }
}

/// A trained [`AutoSarima`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedAutoSarima {
    /// Length of the season the search was made for, 1 for none.
    season_length: usize,
    /// What was tried, in the order of the walk.
    candidates: Vec<Candidate>,
    /// What was chosen.
    model: FittedSarima,
}

impl FittedAutoSarima {
    /// Length of the season the search was made for, 1 for none.
    #[must_use]
    pub fn season_length(&self) -> usize {
        self.season_length
    }

    /// What was tried, in the order of the walk.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Estimates and likelihood of the chosen model.
    #[must_use]
    pub fn fit(&self) -> &SarimaFit {
        self.model.fit()
    }
}

impl FittedForecaster for FittedAutoSarima {
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
    use crate::models::{Catalog, Compat, ModelSpec};
    use serde_json::{Value, json};

    fn sales(n: usize) -> Vec<f64> {
        let noise = |t: usize| {
            let mixed = (t as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((mixed >> 11) as f64) / (53f64).exp2()
        };
        (0..n).map(|t| 50.0 + 0.3 * t as f64 + [4.0, 1.0, -2.0, -3.0][t % 4] + noise(t)).collect()
    }

    fn parameters(json: Value, compat: Compat) -> Result<Value, ModelError> {
        let spec = ModelSpec::from_json(&json)?;
        Catalog::default().get(&spec.name)?.build(spec.parameters, compat).map(|model| model.parameters())
    }

    #[test]
    fn the_defaults_are_those_of_merlion() {
        let json = serde_json::to_value(AutoSarima::default()).unwrap();
        for key in ["auto_seasonality", "auto_pqPQ", "auto_d", "auto_D"] {
            assert_eq!(json[key], true, "{key}");
        }
        assert_eq!((&json["model"]["name"], &json["max_k"]), (&json!("Sarima"), &json!(100)));
        let merlion = parameters(json!({"name": "AutoSarima"}), Compat::Merlion).unwrap();
        assert_eq!(
            (&merlion["model"]["enforce_stationarity"], &merlion["seasonality_test"]),
            (&json!(false), &json!("merlion"))
        );
    }

    #[test]
    fn orders_may_be_auto() {
        let given = json!({"name": "AutoSarima", "auto_pqPQ": false, "order": ["auto", 1, 5]});
        let model = parameters(given, Compat::None).unwrap();
        assert_eq!((&model["auto_pqPQ"], &model["model"]["order"]), (&json!(false), &json!(["auto", 1, 5])));
        let wrong = parameters(json!({"name": "AutoSarima", "order": ["many", 1, 5]}), Compat::None).unwrap_err();
        assert!(wrong.to_string().contains("many"), "{wrong}");
    }

    #[test]
    fn the_chosen_model_has_the_lowest_criterion_of_all() {
        let fitted = fit(&AutoSarima::default(), &sales(80)).unwrap();
        assert_eq!((fitted.season_length(), fitted.fit().orders.seasonal_d), (4, 1), "{:?}", fitted.candidates());
        let lowest = fitted.candidates().iter().filter_map(|c| c.criterion).fold(f64::INFINITY, f64::min);
        assert!(fitted.fit().aic() <= lowest + 1e-3, "{:?}", fitted.candidates());
        let ahead = forecast(&fitted, 8, None).mean;
        for (h, (got, expected)) in ahead.iter().zip(&sales(88)[80..]).enumerate() {
            assert!((got - expected).abs() < 1.5, "step {h}: {got} vs {expected}");
        }
    }

    #[test]
    fn what_is_not_automatic_stays_as_it_is_in_the_inner_model() {
        let model = Sarima { order: [1, 0, 2], seasonal_order: [0, 1, 1, 4], ..Sarima::default() };
        let auto = AutoSarima {
            model: Template { model, ..Template::default() },
            auto_seasonality: false,
            auto_orders: false,
            auto_d: false,
            auto_seasonal_d: false,
            ..AutoSarima::default()
        };
        let fitted = fit(&auto, &sales(60)).unwrap();
        assert_eq!((fitted.fit().orders.name().as_str(), fitted.fit().has_constant), ("(1,0,2)(0,1,1)[4]", true));
        // W-31: a season of one is none.
        let layered = auto.with_season_length(1).unwrap();
        assert_eq!(fit(&layered, &sales(60)).unwrap().fit().orders.name(), "(1,0,2)");
    }

    #[test]
    fn constants_and_lines_go_on() {
        for (y, next) in [(vec![7.5; 30], 7.5), ((0..30).map(|t| 3.0 + 0.5 * t as f64).collect(), 18.0)] {
            let forecast = forecast(&fit(&AutoSarima::default(), &y).unwrap(), 1, None);
            assert!((forecast.mean[0] - next).abs() < 1e-9, "{:?} {next}", forecast.mean);
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (json, words) in [
            (json!({"auto_Dx": true}), "did you mean 'auto_D'?"),
            (json!({"model": {"name": "ETS"}}), "of which 'ETS' is none"),
            (json!({"periodicity_strategy": "All"}), "the model has one season"),
            (json!({"max_dur": -1.0}), "a number of seconds above 0"),
            (json!({"max_k": 0}), "one model at least"),
            (json!({"maxiter": 0}), "one iteration at least"),
            (json!({"order": [1, 5, 1]}), "at most 2 differences"),
        ] {
            let mut json = json;
            json["name"] = "AutoSarima".into();
            let error = parameters(json.clone(), Compat::None).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
