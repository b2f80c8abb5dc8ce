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
