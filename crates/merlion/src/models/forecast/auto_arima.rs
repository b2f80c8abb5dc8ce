//! The ARIMA model that suits a series best: differences by tests, orders by an information criterion.
//!
//! Hyndman & Khandakar (2008), "Automatic time series forecasting: the forecast package for R", J. Stat. Software 27:
//!
//! 1. the season, if it is strong ([`crate::seasonality::stl`]), is taken out by a seasonal difference;
//! 2. plain differences are taken while the KPSS test finds a unit root ([`crate::math::unit_root`]);
//! 3. the orders follow from a walk that begins with four simple models (`auto_arima/stepwise.rs`). A constant is a mean, or the
//!    drift of a series differenced once. Models with a root within 1 % of the unit circle are passed over.
//!
//! Every candidate has the exact likelihood; where the paper approximates by conditional sums of squares to save time, there is
//! none to save. Seasons longer than `longest_season` would make the state of a model as long: they are taken out by STL, the
//! last one going on, and what is left is modelled without a season.

pub(super) mod stepwise;

use serde::{Deserialize, Serialize};

use super::auto_ets::InformationCriterion;
use super::naive::newer;
use super::sarima::{Effort, FittedSarima, Orders, Sarima, SarimaFit, Workspace};
use crate::math::{dense, unit_root};
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::seasonality::stl::Stl;
use crate::seasonality::{self, strength};
use crate::time::Timestamp;
pub use stepwise::Candidate;
use stepwise::Space;

/// Seasons that one season of STL is smoothed over, as in R's and statsforecast's `mstl`.
const STL_WINDOW: usize = 11;
/// How far every root must be from 0.
const ROOT_RADIUS: f64 = 1.01;
/// Observations below which the walk begins with the simplest models.
const FEW: usize = 10;

/// ARIMA whose orders are chosen by tests and an information criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoArima {
    /// Length of the season, 1 for none; null to detect it.
    pub season_length: Option<usize>,
    /// Differences; null to test for them.
    pub differences: Option<usize>,
    /// Seasonal differences; null to test for them.
    pub seasonal_differences: Option<usize>,
    /// Most differences the test may ask for; 2 as in R's forecast package, like all limits here.
    pub max_differences: usize,
    /// Most seasonal differences the test may ask for.
    pub max_seasonal_differences: usize,
    /// Highest plain orders, autoregressive and moving average.
    pub max_order: [usize; 2],
    /// Highest seasonal orders.
    pub max_seasonal_order: [usize; 2],
    /// Orders the walk begins with.
    pub start_order: [usize; 2],
    /// Seasonal orders the walk begins with.
    pub start_seasonal_order: [usize; 2],
    /// Whether a mean or a drift may be in the model.
    pub allow_constant: bool,
    /// "AICc", "AIC" or "BIC".
    pub information_criterion: InformationCriterion,
    /// Most models that are tried.
    pub max_models: usize,
    /// The longest season that is modelled; longer ones are taken out by STL. 24: the hours of a day.
    pub longest_season: usize,
}

impl Default for AutoArima {
    fn default() -> Self {
        Self {
            season_length: None,
            differences: None,
            seasonal_differences: None,
            max_differences: 2,
            max_seasonal_differences: 1,
            max_order: [5, 5],
            max_seasonal_order: [2, 2],
            start_order: [2, 2],
            start_seasonal_order: [1, 1],
            allow_constant: true,
            information_criterion: InformationCriterion::Aicc,
            max_models: 94,
            longest_season: 24,
        }
    }
}

/// The value of a criterion.
pub(super) fn criterion_of(criterion: InformationCriterion, fit: &SarimaFit) -> f64 {
    match criterion {
        InformationCriterion::Aic => fit.aic(),
        InformationCriterion::Aicc => fit.aicc(),
        InformationCriterion::Bic => fit.bic(),
    }
}

/// What regressors leave of a series, for the tests: least squares about a mean.
pub(super) fn without_regressors(y: &[f64], exog: &[Vec<f64>]) -> Vec<f64> {
    if exog.is_empty() {
        return y.to_vec();
    }
    let columns: Vec<Vec<f64>> = std::iter::once(vec![1.0; y.len()]).chain(exog.iter().cloned()).collect();
    let beta = dense::least_squares(&columns, y);
    let mut rest = y.to_vec();
    for (column, beta) in columns.iter().zip(&beta) {
        rest.iter_mut().zip(column).for_each(|(y, x)| *y -= beta * x);
    }
    rest
}

impl AutoArima {
    /// The differences, and the season they leave: 1 where there are not enough observations.
    fn differenced(&self, input: &TrainInput<'_>, period: usize, context: &FitContext) -> Result<Orders, ModelError> {
        let mut orders = Orders { period, ..Orders::default() };
        let rest = without_regressors(input.target, input.exog);
        if period > 1 {
            let testable = rest.len() > 2 * period && !unit_root::is_constant(&rest);
            orders.seasonal_d = match self.seasonal_differences {
                Some(given) => given,
                None if testable && strength::is_strong(&rest, period, STL_WINDOW, context)? => {
                    self.max_seasonal_differences.min(1)
                }
                None => 0,
            };
        }
        orders.d = self.differences.unwrap_or_else(|| {
            let seasonal = orders.differenced(&rest);
            unit_root::differences(&seasonal, self.max_differences, unit_root::short_lags)
        });
        Ok(orders)
    }

    /// The best model of a series whose season, if any, is short.
    fn search(
        &self,
        input: &TrainInput<'_>,
        period: usize,
        context: &FitContext,
    ) -> Result<(FittedSarima, Vec<Candidate>), ModelError> {
        let (y, n) = (input.target, input.target.len());
        let differences = self.differenced(input, period, context)?;
        let left = n.saturating_sub(differences.lost());
        if left < 2 + input.exog.len() {
            return Err(ModelError::TooShort { got: n, needed: differences.lost() + 2 + input.exog.len() });
        }
        let constant = self.allow_constant && differences.d + differences.seasonal_d <= 1;
        let prepare = |constant| Workspace::new(y, input.exog, &differences, constant).with_roots_beyond(ROOT_RADIUS);
        let mut with = constant.then(|| prepare(true));
        let mut without = prepare(false);
        if without.is_explained() || with.as_ref().is_some_and(Workspace::is_explained) {
            let workspace = with.as_mut().filter(|_| !without.is_explained()).unwrap_or(&mut without);
            let fit = workspace.fit(&differences, None, Effort::Best, context)?;
            return Ok((FittedSarima::new(fit, input, false)?, Vec::new()));
        }
        let criterion = if n <= 3 { InformationCriterion::Aic } else { self.information_criterion };
        let most = |limit: usize, season: usize| {
            let most = limit.min(n / 3 / season);
            if period > 1 && season == 1 { most.min(period - 1) } else { most }
        };
        let [p, q] = self.max_order.map(|limit| most(limit, 1));
        let [seasonal_p, seasonal_q] = self.max_seasonal_order.map(|limit| most(limit, period));
        let first = |start: usize| if n < FEW { start.min(1) } else { start };
        let first_seasonal = |start: usize| if n < FEW { 0 } else { start };
        let space = Space {
            start: Orders {
                p: first(self.start_order[0]),
                q: first(self.start_order[1]),
                seasonal_p: first_seasonal(self.start_seasonal_order[0]),
                seasonal_q: first_seasonal(self.start_seasonal_order[1]),
                ..differences
            },
            most: Orders { p, q, seasonal_p, seasonal_q, ..differences },
            constant,
            models: self.max_models,
        };
        let suits = |fit: &SarimaFit| fit.coefficients.roots_beyond(ROOT_RADIUS, period);
        let (best, candidates) = stepwise::walk(&space, |orders, constant, near| {
            let workspace = if constant { with.as_mut().unwrap_or(&mut without) } else { &mut without };
            let parameters = orders.coefficients() + usize::from(constant) + input.exog.len() + 1;
            if parameters >= left {
                return Ok(None);
            }
            let fit = workspace.fit(orders, near, Effort::Search, context)?;
            Ok(suits(&fit).then(|| (criterion_of(criterion, &fit), fit)))
        })?;
        let has_constant = best.as_ref().map_or(constant, |fit| fit.has_constant);
        let workspace = if has_constant { with.as_mut().unwrap_or(&mut without) } else { &mut without };
        let fit = match best {
            None => workspace.fit(&differences, None, Effort::Best, context)?,
            Some(found) => {
                let again = workspace.fit(&found.orders, Some(&found.coefficients), Effort::Best, context)?;
                // The highest point of the likelihood may lie beyond the radius.
                if suits(&again) && again.log_likelihood >= found.log_likelihood { again } else { found }
            }
        };
        Ok((FittedSarima::new(fit, input, false)?, candidates))
    }
}

impl Forecaster for AutoArima {
    const NAME: &'static str = "AutoARIMA";
    const SUMMARY: &'static str = "ARIMA with differences chosen by tests and orders by AICc, AIC or BIC";
    const CAPABILITIES: Capabilities = Sarima::CAPABILITIES;
    type Fitted = FittedAutoArima;

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: Some(length.max(1)), ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.into() })
        };
        for (parameter, value) in [
            ("differences", self.differences.unwrap_or(0)),
            ("seasonal_differences", self.seasonal_differences.unwrap_or(0)),
            ("max_differences", self.max_differences),
            ("max_seasonal_differences", self.max_seasonal_differences),
        ] {
            if value > 2 {
                return invalid(parameter, value.to_string(), "at most 2 differences");
            }
        }
        for (parameter, value) in [("max_order", self.max_order), ("max_seasonal_order", self.max_seasonal_order)] {
            if value.iter().any(|order| *order > 30) {
                return invalid(parameter, format!("{value:?}"), "orders up to 30 are searched");
            }
        }
        if self.season_length == Some(0) {
            return invalid("season_length", "0".into(), "a season has at least one observation");
        }
        if self.max_models == 0 {
            return invalid("max_models", "0".into(), "one model at least must be tried");
        }
        if self.longest_season > 400 {
            return invalid("longest_season", self.longest_season.to_string(), "states longer than two such seasons");
        }
        Ok(())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedAutoArima, ModelError> {
        let y = input.target;
        let period = match self.season_length {
            Some(length) => length,
            None => seasonality::detect(y, &seasonality::Options::default(), context)?.first().copied().unwrap_or(1),
        };
        let seen_twice = y.len() >= 2 * period;
        let season = if seen_twice && period > self.longest_season {
            Some(Stl { seasonal: STL_WINDOW, ..Stl::new(period) }.decompose(y, context)?.seasonal)
        } else {
            None
        };
        let adjusted: Option<Vec<f64>> =
            season.as_ref().map(|season| y.iter().zip(season).map(|(y, s)| y - s).collect());
        let target = adjusted.as_deref().unwrap_or(y);
        let modelled = if seen_twice && season.is_none() { period } else { 1 };
        let (model, candidates) = self.search(&TrainInput { target, ..*input }, modelled, context)?;
        let season = season.map(|season| Season { period, seasonal: season });
        Ok(FittedAutoArima {
            season_length: period,
            information_criterion: self.information_criterion,
            candidates,
            model,
            season,
            last_time: input.times.last().copied(),
        })
    }
}

/// A season taken out before the model was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Season {
    period: usize,
    /// At each training observation.
    seasonal: Vec<f64>,
}

impl Season {
    /// The last season, going on: `step` counts from 0 after the training data.
    fn after(&self, step: usize) -> f64 {
        self.seasonal[self.seasonal.len() - self.period + step % self.period]
    }
}

/// A trained [`AutoArima`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedAutoArima {
    /// Length of the season the search was made for, 1 for none.
    season_length: usize,
    information_criterion: InformationCriterion,
    /// What was tried, in the order of the walk.
    candidates: Vec<Candidate>,
    /// What was chosen.
    model: FittedSarima,
    season: Option<Season>,
    last_time: Option<Timestamp>,
}

impl FittedAutoArima {
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

impl FittedForecaster for FittedAutoArima {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let Some(season) = &self.season else { return self.model.forecast(request) };
        // Only what is newer than the training data; its season is that of the steps since.
        let new = newer(request, self.last_time);
        let adjusted: Vec<f64> = new.iter().enumerate().map(|(step, y)| y - season.after(step)).collect();
        let mut known: Vec<Vec<f64>> = Vec::new();
        let history = request.history.filter(|_| !new.is_empty()).map(|history| {
            let from = history.times.len() - new.len();
            known = history.exog.iter().map(|x| x[from..].to_vec()).collect();
            TrainInput { times: &history.times[from..], target: &adjusted, exog: &known, ..history }
        });
        let mut forecast = self.model.forecast(&Request { history, ..*request })?;
        for (step, mean) in forecast.mean.iter_mut().enumerate() {
            *mean += season.after(new.len() + step);
        }
        Ok(forecast)
    }

    fn in_sample(&self) -> InSample {
        let mut in_sample = self.model.in_sample();
        if let Some(season) = &self.season {
            in_sample.mean.iter_mut().zip(&season.seasonal).for_each(|(mean, s)| *mean += s);
        }
        in_sample
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    fn noise(t: usize) -> f64 {
        let mixed = (t as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed >> 11) as f64) / (53f64).exp2() - 0.5
    }

    fn air_passengers() -> Vec<f64> {
        let text = include_str!("../../../tests/data/air_passengers.csv");
        text.lines().filter_map(|line| line.rsplit(',').next()?.trim().parse().ok()).collect()
    }

    // R 4.3, forecast 8.21: auto.arima(AirPassengers) is ARIMA(2,1,1)(0,1,0)[12] with AICc = 1018.17, log likelihood -504.92.
    #[test]
    fn air_passengers_have_the_model_they_are_known_for() {
        let model = AutoArima { season_length: Some(12), ..AutoArima::default() };
        let fitted = fit(&model, &air_passengers()).unwrap();
        assert_eq!(fitted.fit().orders.name(), "(2,1,1)(0,1,0)[12]", "{:?}", fitted.candidates());
        let (aicc, log_likelihood) = (fitted.fit().aicc(), fitted.fit().log_likelihood);
        assert!((aicc - 1018.17).abs() < 0.005 && (log_likelihood + 504.92).abs() < 0.005, "{aicc} {log_likelihood}");
        // Its season is detected, too.
        let detected = fit(&AutoArima::default(), &air_passengers()).unwrap();
        assert_eq!(detected.fit(), fitted.fit());
    }

    #[test]
    fn a_random_walk_with_drift_keeps_its_drift() {
        let mut level = 100.0;
        let y: Vec<f64> = (0..120)
            .map(|t| {
                level += 2.0 + noise(t);
                level
            })
            .collect();
        let fitted = fit(&AutoArima { season_length: Some(1), ..AutoArima::default() }, &y).unwrap();
        assert_eq!((fitted.fit().orders.d, fitted.fit().has_constant), (1, true), "{:?}", fitted.candidates());
        let ahead = forecast(&fitted, 10, None).mean;
        assert!(((ahead[9] - y[119]) / 10.0 - 2.0).abs() < 0.1, "{ahead:?}");
    }

    #[test]
    fn an_autoregression_is_recognised() {
        let mut y = vec![0.0, 0.0];
        for t in 2..400 {
            y.push(1.2 * y[t - 1] - 0.5 * y[t - 2] + noise(t));
        }
        let fitted = fit(&AutoArima { season_length: Some(1), ..AutoArima::default() }, &y).unwrap();
        let Orders { p, d, .. } = fitted.fit().orders;
        assert!(p >= 2 && d == 0, "{:?}", fitted.candidates());
        // The noise is uniform in an interval of length one.
        let sigma2 = fitted.fit().sigma2;
        assert!((sigma2 * 12.0 - 1.0).abs() < 0.1, "{sigma2} {:?}", fitted.candidates());
    }

    #[test]
    fn a_long_season_is_taken_out_and_goes_on() {
        let season = |t: usize| 10.0 * (t as f64 * std::f64::consts::TAU / 52.0).sin();
        let y: Vec<f64> = (0..208).map(|t| 100.0 + season(t) + noise(t)).collect();
        let model = AutoArima { season_length: Some(52), ..AutoArima::default() };
        let fitted = fit(&model, &y).unwrap();
        assert_eq!((fitted.season_length, fitted.fit().orders.period), (52, 1));
        let expect = |from: usize, mean: &[f64]| {
            for (h, mean) in mean.iter().enumerate() {
                let expected = 100.0 + season(from + h);
                assert!((mean - expected).abs() < 1.0, "step {h} from {from}: {mean} vs {expected}");
            }
        };
        expect(208, &forecast(&fitted, 60, None).mean);
        let new: Vec<f64> = (208..221).map(|t| 100.0 + season(t) + noise(t)).collect();
        expect(221, &forecast(&fitted, 60, Some((208, &new))).mean);
    }

    #[test]
    fn constants_and_lines_go_on_without_error() {
        for (y, next) in
            [(vec![7.5; 30], 7.5), ((0..30).map(|t| 3.0 + 0.5 * t as f64).collect(), 18.0), (vec![1.0, 1.0], 1.0)]
        {
            let forecast = forecast(&fit(&AutoArima::default(), &y).unwrap(), 1, None);
            assert!(
                (forecast.mean[0] - next).abs() < 1e-9 && forecast.stderr.unwrap()[0] < 1e-9,
                "{:?}",
                forecast.mean
            );
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (model, parameter) in [
            (AutoArima { differences: Some(3), ..AutoArima::default() }, "differences"),
            (AutoArima { season_length: Some(0), ..AutoArima::default() }, "season_length"),
            (AutoArima { max_order: [31, 1], ..AutoArima::default() }, "max_order"),
            (AutoArima { max_models: 0, ..AutoArima::default() }, "max_models"),
        ] {
            let error = model.validate().unwrap_err();
            assert!(matches!(error, ModelError::InvalidParameter { parameter: p, .. } if p == parameter), "{error}");
        }
    }
}
