//! The seasonal naive forecast: the last season goes on.
//!
//! Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", third edition, sections 5.2 and 5.5. With residuals
//! `e_t = y_t - y_{t-m}` and `k = ⌊(h - 1) / m⌋`,
//!
//! ```text
//! ŷ_{T+h} = y_{T+h-m(k+1)}     σ_h = σ √(k + 1)     σ² = Σ e_t² / (T - m)
//! ```

use serde::{Deserialize, Serialize};

use super::naive::{newer, residual_deviation};
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::time::Timestamp;

/// The last season goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeasonalNaive {
    /// Length of the season in observations; 1, the naive forecast, because nothing is known about the data yet.
    pub season_length: usize,
}

impl Default for SeasonalNaive {
    fn default() -> Self {
        Self { season_length: 1 }
    }
}

impl Forecaster for SeasonalNaive {
    const NAME: &'static str = "SeasonalNaive";
    const SUMMARY: &'static str = "The last season goes on";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedSeasonalNaive;

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: length })
    }

    fn validate(&self) -> Result<(), ModelError> {
        if self.season_length == 0 {
            return Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "season_length",
                value: "0".into(),
                reason: "a season has at least one observation".into(),
            });
        }
        Ok(())
    }

    fn fit(&self, input: &TrainInput<'_>, _: &FitContext) -> Result<FittedSeasonalNaive, ModelError> {
        let (y, m) = (input.target, self.season_length);
        if y.len() < m {
            return Err(ModelError::TooShort { got: y.len(), needed: m });
        }
        let fitted: Vec<f64> = y[..m].iter().chain(y).copied().take(y.len()).collect();
        let sigma = residual_deviation(y, &fitted, m);
        let last_season = y[y.len() - m..].to_vec();
        Ok(FittedSeasonalNaive { last_season, sigma, fitted, last_time: input.times.last().copied() })
    }
}

/// A trained [`SeasonalNaive`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedSeasonalNaive {
    last_season: Vec<f64>,
    sigma: f64,
    /// The first season stands for its own prediction.
    fitted: Vec<f64>,
    last_time: Option<Timestamp>,
}

impl FittedForecaster for FittedSeasonalNaive {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let m = self.last_season.len();
        let known: Vec<f64> = self.last_season.iter().chain(newer(request, self.last_time)).copied().collect();
        let season = &known[known.len() - m..];
        let horizon = request.times.len();
        let mean = (0..horizon).map(|h| season[h % m]).collect();
        let stderr = (0..horizon).map(|h| self.sigma * ((h / m + 1) as f64).sqrt()).collect();
        Ok(Forecast { mean, stderr: Some(stderr), intervals: Vec::new() })
    }

    fn in_sample(&self) -> InSample {
        InSample { mean: self.fitted.clone(), stderr: Some(vec![self.sigma; self.fitted.len()]) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    #[test]
    fn the_last_season_goes_on() {
        let model = SeasonalNaive { season_length: 2 };
        let fitted = fit(&model, &[1.0, 5.0, 2.0, 7.0, 1.0]).unwrap();
        let forecast = forecast(&fitted, 5, None);
        // Residuals 1, 2, -1 with 5 - 2 degrees of freedom.
        let sigma = 2f64.sqrt();
        assert_eq!(forecast.mean, [7.0, 1.0, 7.0, 1.0, 7.0]);
        let expected = [1.0f64, 1.0, 2.0, 2.0, 3.0].map(|k| sigma * k.sqrt());
        assert_eq!(forecast.stderr.unwrap(), expected);
        assert_eq!(fitted.in_sample().mean, [1.0, 5.0, 1.0, 5.0, 2.0]);
    }

    #[test]
    fn newer_observations_turn_the_season() {
        let model = SeasonalNaive { season_length: 3 };
        let fitted = fit(&model, &[1.0, 2.0, 3.0]).unwrap();
        // Day 2 is known already; day 3 is new and takes the place of day 0.
        assert_eq!(forecast(&fitted, 4, Some((2, &[9.0, 4.0]))).mean, [2.0, 3.0, 4.0, 2.0]);
    }

    #[test]
    fn less_than_a_season_is_too_short() {
        let error = fit(&SeasonalNaive { season_length: 4 }, &[1.0, 2.0, 3.0]).unwrap_err();
        assert_eq!(error, ModelError::TooShort { got: 3, needed: 4 });
        let error = fit(&SeasonalNaive { season_length: 0 }, &[1.0]).unwrap_err();
        assert!(error.to_string().starts_with("SeasonalNaive: season_length = 0"), "{error}");
    }
}
