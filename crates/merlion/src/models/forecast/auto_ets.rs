//! The exponential smoothing model that suits a series best: season, error, trend and damping chosen by an information
//! criterion.
//!
//! Hyndman, Koehler, Snyder & Grose (2002), "A state space framework for automatic forecasting using exponential smoothing
//! methods", Int. J. Forecasting 18. The season's length is detected first ([`crate::seasonality`]), then every candidate of
//! the search is fitted and the one of the lowest criterion is kept, the first on ties:
//!
//! ```text
//! AIC = -2 ln L + 2k     AICc = AIC + 2k(k + 1) / (n - k - 1)     BIC = -2 ln L + k ln n
//! ```
//!
//! with `L` the likelihood and `k` the number of smoothing parameters and initial states, and one for the variance.

mod criterion;
mod inner;
mod search;

use serde::{Deserialize, Serialize};

pub use criterion::InformationCriterion;
pub use search::{Candidate, Search};

use super::ets::{Component, Ets, EtsFit, FittedEts, Variant, Workspace};
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::seasonality::{self, Strategy, Test};
use search::Space;

/// Exponential smoothing whose components are chosen by an information criterion.
///
/// ```
/// use merlion::models::{Catalog, Compat, ModelSpec};
/// let json = serde_json::json!({"name": "AutoETS", "information_criterion": "BIC", "simulations": 500});
/// assert!(ModelSpec::from_json(&json)?.build(&Catalog::default(), Compat::None).is_ok());
/// # Ok::<(), merlion::models::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoEts {
    /// The model whose components are chosen; what is not chosen stays as it is there.
    #[serde(with = "inner")]
    pub model: Ets,
    /// Whether the length of the season is detected.
    pub auto_seasonality: bool,
    /// Whether the error is chosen.
    pub auto_error: bool,
    /// Whether the trend is chosen.
    pub auto_trend: bool,
    /// Whether the season's form is chosen.
    pub auto_seasonal: bool,
    /// Whether damping is chosen.
    pub auto_damped: bool,
    /// Which of several detected seasons is taken; the strongest, as in Merlion. Not "All": the model has one season.
    pub periodicity_strategy: Strategy,
    /// Probability of detecting a season where there is none; 0.05 as in Merlion.
    pub pval: f64,
    /// Longest season looked for; null for the test's own limit.
    pub max_lag: Option<usize>,
    /// What counts as a season: "phases", which finds the 52 weeks of a year and none in noise, or "merlion".
    pub seasonality_test: Test,
    /// "AIC", "AICc" or "BIC". Null for AIC, as in Merlion; with the full search for AICc, as in R's forecast package.
    pub information_criterion: Option<InformationCriterion>,
    /// Whether no component may multiply.
    pub additive_only: bool,
    /// Whether the trend may multiply; no as in Merlion and R, because it explodes.
    pub allow_multiplicative_trend: bool,
    /// Whether combinations that forecast badly are left out; yes as in Merlion and R. See [`Search`].
    pub restrict: bool,
    /// "merlion" or "full".
    pub search: Search,
    /// Largest β/α of the candidates. Null for the inner model's, and with the full search no more than 0.1.
    pub trend_limit: Option<f64>,
}

impl Default for AutoEts {
    fn default() -> Self {
        Self {
            model: Ets::default(),
            auto_seasonality: true,
            auto_error: true,
            auto_trend: true,
            auto_seasonal: true,
            auto_damped: true,
            periodicity_strategy: Strategy::default(),
            pval: 0.05,
            max_lag: None,
            seasonality_test: Test::default(),
            information_criterion: None,
            additive_only: false,
            allow_multiplicative_trend: false,
            restrict: true,
            search: Search::default(),
            trend_limit: None,
        }
    }
}

impl AutoEts {
    fn seasonality(&self) -> seasonality::Options {
        seasonality::Options {
            strategy: self.periodicity_strategy,
            pval: self.pval,
            max_lag: self.max_lag,
            test: self.seasonality_test,
        }
    }

    /// The criterion the search goes by.
    #[must_use]
    pub fn criterion(&self) -> InformationCriterion {
        self.information_criterion.unwrap_or(match self.search {
            Search::Merlion => InformationCriterion::Aic,
            Search::Full => InformationCriterion::Aicc,
        })
    }

    /// The inner model with the components of a variant.
    fn model_of(&self, variant: Variant) -> Ets {
        Ets {
            error: variant.error,
            trend: variant.trend,
            damped_trend: variant.damped,
            seasonal: variant.seasonal,
            seasonal_periods: Some(variant.period).filter(|period| *period > 1),
            trend_limit: self.trend_limit(),
            ..self.model.clone()
        }
    }

    fn trend_limit(&self) -> f64 {
        self.trend_limit.unwrap_or(match self.search {
            Search::Merlion => self.model.trend_limit,
            Search::Full => self.model.trend_limit.min(search::FULL_TREND_LIMIT),
        })
    }
}

impl Forecaster for AutoEts {
    const NAME: &'static str = "AutoETS";
    const SUMMARY: &'static str =
        "Exponential smoothing with season, error, trend and damping chosen by AIC, AICc or BIC";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    const INNER: Option<&'static str> = Some("model");
    type Fitted = FittedAutoEts;

    fn into_merlion(self) -> Self {
        Self { model: self.model.into_merlion(), seasonality_test: Test::Merlion, ..self }
    }

    fn with_season_length(self, length: usize) -> Option<Self> {
        let model = self.model.with_season_length(length)?;
        Some(Self { model, auto_seasonality: false, ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: &str, reason: &str| {
            Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter,
                value: value.into(),
                reason: reason.into(),
            })
        };
        self.seasonality().validate(Self::NAME)?;
        if self.periodicity_strategy == Strategy::All {
            return invalid("periodicity_strategy", "All", "the model has one season; ACF, Min and Max choose it");
        }
        // Damping without a trend is a combination the search leaves out.
        Ets { damped_trend: false, trend_limit: self.trend_limit(), ..self.model.clone() }.validate()?;
        let possible =
            [(1, true), (2, true)].into_iter().any(|(period, positive)| !self.space(period, positive).is_empty());
        if !possible {
            return invalid("model", &self.model_of(self.model.variant()).variant().name(), "no candidate is allowed");
        }
        Ok(())
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedAutoEts, ModelError> {
        let y = input.target;
        let period = if self.auto_seasonality {
            seasonality::detect(y, &self.seasonality(), context)?.first().copied().unwrap_or(1)
        } else {
            self.model.seasonal_periods.unwrap_or(1).max(1)
        };
        // A season that was not seen twice cannot be told from the trend.
        let period = if y.len() < 2 * period { 1 } else { period };
        let candidates = if y.len() <= LEVEL_ONLY {
            vec![Variant { error: Component::Additive, trend: None, damped: false, seasonal: None, period: 1 }]
        } else {
            self.space(period, y.iter().all(|y| *y > 0.0))
        };
        let mut workspace = Workspace::new(y)?.with_trend_limit(self.trend_limit());
        let (fit, candidates) =
            search::best(&mut workspace, &candidates, self.model.estimation, self.criterion(), context)?;
        Ok(FittedAutoEts {
            season_length: period,
            information_criterion: self.criterion(),
            candidates,
            model: FittedEts::new(self.model_of(fit.variant), fit, input.times.last().copied()),
        })
    }
}

/// Observations up to which nothing but a level is fitted. (Merlion fails on them.)
const LEVEL_ONLY: usize = 3;

impl AutoEts {
    /// The candidates for a season of this length and for data of this sign.
    fn space(&self, period: usize, positive: bool) -> Vec<Variant> {
        let model = &self.model;
        let space = Space {
            error: (!self.auto_error).then_some(model.error),
            trend: (!self.auto_trend).then_some(model.trend),
            seasonal: (!self.auto_seasonal).then_some(model.seasonal),
            damped: (!self.auto_damped).then_some(model.damped_trend),
            period,
            positive,
            additive_only: self.additive_only,
            multiplicative_trend: self.allow_multiplicative_trend,
            restrict: self.restrict,
        };
        space.candidates(self.search)
    }
}

/// A trained [`AutoEts`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedAutoEts {
    /// Length of the season the search was made for, 1 for none.
    season_length: usize,
    information_criterion: InformationCriterion,
    /// What was tried, in the order of the search.
    candidates: Vec<Candidate>,
    /// What was chosen.
    model: FittedEts,
}

impl FittedAutoEts {
    /// Length of the season the search was made for, 1 for none. The chosen model need not be seasonal in the full search.
    #[must_use]
    pub fn season_length(&self) -> usize {
        self.season_length
    }

    /// What was tried, in the order of the search.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Estimates, states and likelihood of the chosen model.
    #[must_use]
    pub fn fit(&self) -> &EtsFit {
        self.model.fit()
    }
}

impl FittedForecaster for FittedAutoEts {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        self.model.forecast(request)
    }

    fn in_sample(&self) -> InSample {
        self.model.in_sample()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ets::Estimation;
    use super::super::naive::tests::{days, fit, forecast};
    use super::*;
    use crate::models::{Catalog, Compat, ModelSpec};
    use crate::time::{Granularity, Offset};
    use serde_json::{Value, json};

    fn sales(n: usize) -> Vec<f64> {
        let noise = |t: usize| ((t * 7919) % 101) as f64 / 50.0;
        (0..n).map(|t| (30.0 + 0.3 * t as f64) * [1.0, 1.3, 0.8, 0.9][t % 4] + noise(t)).collect()
    }

    fn parameters(json: Value, compat: Compat) -> Result<Value, ModelError> {
        let spec = ModelSpec::from_json(&json)?;
        Catalog::default().get(&spec.name)?.build(spec.parameters, compat).map(|model| model.parameters())
    }

    #[test]
    fn the_defaults_are_those_of_merlion() {
        let json = serde_json::to_value(AutoEts::default()).unwrap();
        for key in ["auto_seasonality", "auto_error", "auto_trend", "auto_seasonal", "auto_damped", "restrict"] {
            assert_eq!(json[key], true, "{key}");
        }
        assert_eq!((&json["model"]["name"], &json["model"]["error"]), (&json!("ETS"), &json!("add")));
        assert_eq!((&json["periodicity_strategy"], &json["pval"]), (&json!("ACF"), &json!(0.05)));
        assert_eq!(AutoEts::default().criterion(), InformationCriterion::Aic);
        let full = AutoEts { search: Search::Full, ..AutoEts::default() };
        assert_eq!((full.criterion(), full.trend_limit()), (InformationCriterion::Aicc, 0.1));
    }

    #[test]
    fn parameters_of_ets_are_passed_on() {
        let json = json!({"name": "AutoETS", "estimation": "merlion", "model": {"name": "ETS", "refit": false}});
        let inner = &parameters(json, Compat::None).unwrap()["model"];
        assert_eq!((&inner["estimation"], &inner["refit"]), (&json!("merlion"), &json!(false)));
        // In Merlion's mode the inner model is Merlion's, as far as it was not chosen.
        let merlion = parameters(json!({"name": "AutoETS", "model": {"name": "ETS", "refit": false}}), Compat::Merlion);
        let merlion = merlion.unwrap();
        assert_eq!(merlion["model"]["estimation"], "merlion");
        assert_eq!((&merlion["model"]["refit"], &merlion["seasonality_test"]), (&json!(false), &json!("merlion")));
        let chosen = parameters(json!({"name": "AutoETS", "estimation": "maximum"}), Compat::Merlion).unwrap();
        assert_eq!(chosen["model"]["estimation"], "maximum");
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (json, words) in [
            (json!({"aditive_only": true}), "AutoETS has no parameter 'aditive_only', did you mean 'additive_only'?"),
            (json!({"model": {"name": "ETS", "tend": null}}), "ETS has no parameter 'tend', did you mean 'trend'?"),
            (json!({"model": {"name": "Naive"}}), "the search is among ETS models, of which 'Naive' is none"),
            (json!({"information_criterion": "HQIC"}), "'HQIC' is not one of AIC, AICc, BIC"),
            (json!({"periodicity_strategy": "All"}), "the model has one season"),
            (json!({"pval": 0.0}), "a probability between 0 and 1"),
            (json!({"trend_limit": 2.0}), "a share of α"),
            (json!({"simulations": 0}), "at least two paths"),
            (
                json!({"auto_trend": false, "auto_damped": false, "model": {"name": "ETS", "trend": null}}),
                "no candidate",
            ),
        ] {
            let mut json = json;
            json["name"] = "AutoETS".into();
            let error = parameters(json.clone(), Compat::None).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn the_chosen_model_has_the_lowest_criterion_of_all() {
        for search in [Search::Merlion, Search::Full] {
            let model = AutoEts { search, ..AutoEts::default() };
            let fitted = fit(&model, &sales(60)).unwrap();
            assert_eq!((fitted.season_length(), fitted.fit().variant.period), (4, 4), "{search:?}");
            assert_eq!(fitted.fit().variant.seasonal, Some(Component::Multiplicative), "{:?}", fitted.candidates());
            let chosen = model.criterion().of(fitted.fit());
            let lowest = fitted.candidates().iter().filter_map(|c| c.criterion).fold(f64::INFINITY, f64::min);
            assert_eq!(chosen, lowest, "{:?}", fitted.candidates());
            let state = serde_json::to_value(&fitted).unwrap();
            assert_eq!(state["candidates"].as_array().unwrap().len(), fitted.candidates().len());
            assert_eq!(state.pointer("/model/model/seasonal"), Some(&json!("mul")), "{state}");
        }
    }

    #[test]
    fn what_is_not_automatic_stays_as_it_is_in_the_inner_model() {
        let inner = Ets { error: Component::Multiplicative, trend: None, seasonal_periods: Some(12), ..Ets::default() };
        let model = AutoEts {
            model: inner,
            auto_seasonality: false,
            auto_error: false,
            auto_trend: false,
            ..AutoEts::default()
        };
        let fitted = fit(&model, &sales(60)).unwrap();
        let names: Vec<&str> = fitted.candidates().iter().map(|c| c.model.as_str()).collect();
        assert_eq!((fitted.season_length(), names), (12, vec!["MNA", "MNM"]));
        let set = Forecaster::with_season_length(AutoEts::default(), 4).unwrap();
        assert_eq!((set.auto_seasonality, set.model.seasonal_periods), (false, Some(4)));
    }

    #[test]
    fn the_season_is_left_out_when_it_was_not_seen_twice() {
        let model = Forecaster::with_season_length(AutoEts::default(), 12).unwrap();
        assert_eq!(fit(&model, &sales(23)).unwrap().season_length(), 1);
        assert_eq!(fit(&model, &sales(24)).unwrap().season_length(), 12);
    }

    #[test]
    fn up_to_three_observations_have_a_level() {
        for n in [2, 3] {
            let fitted = fit(&AutoEts::default(), &sales(n)).unwrap();
            assert_eq!(fitted.fit().variant.name(), "ANN", "n = {n}");
        }
        assert_eq!(fit(&AutoEts::default(), &[1.0]).unwrap_err(), ModelError::TooShort { got: 1, needed: 2 });
        for n in 4..12 {
            for search in [Search::Merlion, Search::Full] {
                let fitted = fit(&AutoEts { search, ..AutoEts::default() }, &sales(n)).unwrap();
                let mean = forecast(&fitted, 6, None).mean;
                assert!(
                    mean.iter().all(|y| y.abs() < 200.0),
                    "n = {n}, {search:?}: {:?} {mean:?}",
                    fitted.fit().variant
                );
            }
        }
    }

    #[test]
    fn candidates_that_cannot_be_fitted_are_left_out_and_the_first_error_tells_why_none_can() {
        let mut y = sales(40);
        y[7] = -1.0;
        // The inner error multiplies and is not chosen, so that no candidate suits.
        let inner = Ets { error: Component::Multiplicative, ..Ets::default() };
        let model = AutoEts { model: inner, auto_error: false, ..AutoEts::default() };
        let error = fit(&model, &y).unwrap_err();
        assert!(matches!(error, ModelError::UnsuitableValue { position: 7, .. }), "{error}");
        let fitted = fit(&AutoEts::default(), &y).unwrap();
        assert!(fitted.candidates().iter().all(|c| c.model.starts_with('A') && c.error.is_none()));
    }

    #[test]
    fn constant_series_go_on() {
        for search in [Search::Merlion, Search::Full] {
            let fitted = fit(&AutoEts { search, ..AutoEts::default() }, &[5.0; 30]).unwrap();
            assert_eq!(forecast(&fitted, 4, None).mean, [5.0; 4], "{search:?}");
        }
    }

    #[test]
    fn merlions_mode_differs_in_estimation_and_season_test_alone() {
        let merlion = AutoEts::default().into_merlion();
        assert_eq!((merlion.model.estimation, merlion.seasonality_test), (Estimation::Merlion, Test::Merlion));
        let back = AutoEts { model: Ets::default(), seasonality_test: Test::Phases, ..merlion };
        assert_eq!(back, AutoEts::default());
    }

    #[test]
    fn a_cancelled_search_ends() {
        let (times, granularity) = (days(0..40), Granularity { step: Offset::Fixed(86_400_000_000_000), phase: 0 });
        let y = sales(40);
        let input = TrainInput { times: &times, target: &y, covariates: &[], exog: &[], granularity: &granularity };
        let context = FitContext::default();
        context.stop.stop();
        let model = Forecaster::with_season_length(AutoEts::default(), 4).unwrap();
        assert_eq!(model.fit(&input, &context).unwrap_err(), ModelError::Cancelled);
    }
}
