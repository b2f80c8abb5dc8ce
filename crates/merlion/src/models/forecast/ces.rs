//! Complex exponential smoothing: level and information potential of a series smoothed together, as the real and imaginary part
//! of a complex number.
//!
//! Svetunkov, Kourentzes & Ord (2022), "Complex exponential smoothing", Naval Research Logistics 69. In real numbers, with
//! `e_t = y_t - ŷ_t`,
//!
//! ```text
//! ŷ_t = l_{t-1}
//! l_t = l_{t-1} - (1 - α_1) c_{t-1} + (α_0 - α_1) e_t
//! c_t = l_{t-1} + (1 - α_0) c_{t-1} + (α_0 + α_1) e_t
//! ```
//!
//! which follows levels and trends without telling them apart. A *simple* season smooths each phase so; a *partial* one adds a
//! state `s_t = s_{t-m} + β e_t` to the level, a *full* one a pair like the level's, with parameters of its own. The initial states
//! come from running the recursion forwards and backwards over the series, the parameters from least squares.
//!
//! With `ψ_j` the effect of an error `j` steps later, the standard error of step `h` is `σ √(1 + ψ_1² + … + ψ_{h-1}²)`.

mod filter;
mod fit;

pub use filter::Seasonality;

use serde::{Deserialize, Serialize};

use super::auto_ets::InformationCriterion;
use super::naive::newer;
use super::theta::validate_season;
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::seasonality::{self, Options};
use crate::time::Timestamp;
use filter::{Filter, Smoothing, States};

/// Shortest series: the estimates of the smallest model, and one observation more.
const SHORTEST: usize = 4;

/// Complex exponential smoothing with a season of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ces {
    /// "none", "simple", "partial" or "full". None, the smallest model, because nothing is known about the data yet.
    pub seasonality: Seasonality,
    /// Length of the season in observations, 1 for none. Null: told from the data. What was not seen twice is no season.
    pub season_length: Option<usize>,
}

impl Forecaster for Ces {
    const NAME: &'static str = "CES";
    const SUMMARY: &'static str = "Complex exponential smoothing: level and trend in one, with or without a season";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedCes;

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: Some(length), ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        validate_season(Self::NAME, self.season_length)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedCes, ModelError> {
        let period = match self.seasonality {
            Seasonality::None => 1,
            _ => period(self.season_length, input.target, context)?,
        };
        let seasonality = if period == 1 { Seasonality::None } else { self.seasonality };
        FittedCes::best(&[seasonality], period, InformationCriterion::Aicc, input, context)
    }
}

/// The season that is given or detected, if it was seen twice.
pub(super) fn period(given: Option<usize>, y: &[f64], context: &FitContext) -> Result<usize, ModelError> {
    let period = match given {
        Some(period) => period,
        None => seasonality::detect(y, &Options::default(), context)?.first().copied().unwrap_or(1),
    };
    Ok(if y.len() < 2 * period { 1 } else { period })
}

/// A trained [`Ces`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedCes {
    seasonality: Seasonality,
    season_length: usize,
    smoothing: Smoothing,
    /// Sum of squared one-step errors.
    squares: f64,
    /// The criterion, by which kinds of season compete.
    criterion: f64,
    sigma: f64,
    /// The states after the training data.
    states: States,
    fitted: Vec<f64>,
    last_time: Option<Timestamp>,
}

impl FittedCes {
    /// The first kind of the lowest criterion.
    pub(super) fn best(
        kinds: &[Seasonality],
        period: usize,
        criterion: InformationCriterion,
        input: &TrainInput<'_>,
        context: &FitContext,
    ) -> Result<Self, ModelError> {
        let y = input.target;
        if y.len() < SHORTEST {
            return Err(ModelError::TooShort { got: y.len(), needed: SHORTEST });
        }
        let mut best: Option<Self> = None;
        for &kind in kinds {
            let fit = fit::fit(y, kind, period, context)?;
            let filter = fit.filter();
            let mut states = fit.initial;
            let mut fitted = Vec::with_capacity(y.len());
            for (t, y) in y.iter().enumerate() {
                let next = filter.predict(&states, t % fit.period);
                fitted.push(next);
                filter.step(&mut states, t % fit.period, y - next);
            }
            let (n, k) = (y.len() as f64, fit.parameters as f64);
            let deviance = n * fit.squares.max(f64::MIN_POSITIVE).ln();
            let criterion = deviance
                + match criterion {
                    InformationCriterion::Aic => 2.0 * k,
                    InformationCriterion::Aicc if n > k + 1.0 => 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0),
                    InformationCriterion::Aicc => f64::INFINITY,
                    InformationCriterion::Bic => k * n.ln(),
                };
            if best.as_ref().is_none_or(|best| criterion < best.criterion) {
                best = Some(Self {
                    seasonality: kind,
                    season_length: fit.period,
                    smoothing: fit.smoothing,
                    squares: fit.squares,
                    criterion,
                    sigma: (fit.squares / (n - k).max(1.0)).sqrt(),
                    states,
                    fitted,
                    last_time: input.times.last().copied(),
                });
            }
        }
        best.ok_or(ModelError::Empty)
    }

    fn filter(&self) -> Filter {
        Filter { seasonality: self.seasonality, period: self.season_length, smoothing: self.smoothing }
    }

    /// Sum of squared one-step errors.
    #[must_use]
    pub fn squares(&self) -> f64 {
        self.squares
    }

    /// The kind of season.
    #[must_use]
    pub fn seasonality(&self) -> Seasonality {
        self.seasonality
    }

    /// The criterion by which kinds of season compete, the AICc unless another was asked for.
    #[must_use]
    pub fn criterion(&self) -> f64 {
        self.criterion
    }

    /// Standard errors of the next steps: the states an error leaves behind are moved on like any others.
    fn deviations(&self, first: usize, horizon: usize) -> Vec<f64> {
        let filter = self.filter();
        let period = self.season_length;
        let mut effect = States { level: [0.0; 2], season: vec![[0.0; 2]; self.states.season.len()] };
        filter.step(&mut effect, first % period, 1.0);
        let mut variance = 1.0;
        (1..=horizon)
            .map(|h| {
                let deviation = self.sigma * f64::sqrt(variance);
                let phase = (first + h) % period;
                variance += filter.predict(&effect, phase).powi(2);
                filter.step(&mut effect, phase, 0.0);
                deviation
            })
            .collect()
    }
}

impl FittedForecaster for FittedCes {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let filter = self.filter();
        let mut states = self.states.clone();
        let mut t = self.fitted.len();
        for y in newer(request, self.last_time) {
            let next = filter.predict(&states, t % self.season_length);
            filter.step(&mut states, t % self.season_length, y - next);
            t += 1;
        }
        let stderr = self.deviations(t, request.times.len());
        let mut mean = Vec::with_capacity(request.times.len());
        for h in 0..request.times.len() {
            let phase = (t + h) % self.season_length;
            mean.push(filter.predict(&states, phase));
            filter.step(&mut states, phase, 0.0);
        }
        if let Some(step) = mean.iter().zip(&stderr).position(|(mean, s)| !mean.is_finite() || !s.is_finite()) {
            return Err(ModelError::Numerical(format!("the forecast of step {} is not finite", step + 1)));
        }
        Ok(Forecast { mean, stderr: Some(stderr), intervals: Vec::new() })
    }

    fn in_sample(&self) -> InSample {
        InSample { mean: self.fitted.clone(), stderr: Some(vec![self.sigma; self.fitted.len()]) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::super::theta::tests::by_month;
    use super::*;

    // statsforecast 2.1.1: auto_ces(y, 12, model=…), sum of squared residuals. Its Nelder-Mead stops early.
    #[test]
    fn passengers_are_fitted_at_least_as_well_as_by_statsforecast() {
        for (seasonality, squares) in [
            (Seasonality::None, 186_054.239),
            (Seasonality::Simple, 59_602.836),
            (Seasonality::Partial, 29_558.921),
            (Seasonality::Full, 19_563.677),
        ] {
            let fitted = fit(&Ces { seasonality, season_length: Some(12) }, &by_month()).unwrap();
            // A search that ends when a step gains less than 1e-9 is not asked for more than seven figures.
            assert!(fitted.squares() < squares * (1.0 + 1e-7), "{seasonality:?}: {} vs {squares}", fitted.squares());
        }
    }

    // The same errors by brute force: the forecasts after an error of one in the next step, two steps ahead, and so on.
    #[test]
    fn standard_errors_are_those_of_the_recursion() {
        for seasonality in [Seasonality::None, Seasonality::Simple, Seasonality::Partial, Seasonality::Full] {
            let fitted = fit(&Ces { seasonality, season_length: Some(12) }, &by_month()).unwrap();
            let horizon = 26;
            let plain = forecast(&fitted, horizon, None);
            let mut variances = vec![1.0; horizon];
            for error in 0..horizon {
                let mut newer = plain.mean[..=error].to_vec();
                newer[error] += 1.0;
                let moved = forecast(&fitted, horizon - error - 1, Some((144, &newer))).mean;
                for (h, moved) in (error + 1..horizon).zip(moved) {
                    variances[h] += (moved - plain.mean[h]).powi(2);
                }
            }
            let stderr = plain.stderr.unwrap();
            for (h, (got, variance)) in stderr.iter().zip(variances).enumerate() {
                let expected = stderr[0] * variance.sqrt();
                assert!((got / expected - 1.0).abs() < 1e-6, "{seasonality:?}, {}: {got} vs {expected}", h + 1);
            }
        }
    }

    #[test]
    fn a_constant_stays_and_a_season_not_seen_twice_is_none() {
        for season_length in [Some(1), Some(4), Some(9)] {
            let model = Ces { seasonality: Seasonality::Full, season_length };
            let fitted = fit(&model, &[7.5; 16]).unwrap();
            let ahead = forecast(&fitted, 30, None).mean;
            assert!(ahead.iter().all(|y| (y / 7.5 - 1.0).abs() < 1e-9), "{ahead:?}");
            let expected = if season_length == Some(4) { Seasonality::Full } else { Seasonality::None };
            assert_eq!(fitted.seasonality(), expected);
        }
        assert_eq!(fit(&Ces::default(), &[1.0; 3]).unwrap_err(), ModelError::TooShort { got: 3, needed: 4 });
    }
}
