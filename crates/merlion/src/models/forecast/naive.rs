//! The naive forecast: the last value goes on.
//!
//! Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", third edition, sections 5.2 and 5.5. With residuals
//! `e_t = y_t - y_{t-1}`,
//!
//! ```text
//! ŷ_{T+h} = y_T            σ_h = σ √h            σ² = Σ e_t² / (T - 1)
//! ```

use serde::{Deserialize, Serialize};

use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::time::Timestamp;

/// The last value goes on: exact for a random walk, and the yardstick for everything else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Naive {}

impl Forecaster for Naive {
    const NAME: &'static str = "Naive";
    const SUMMARY: &'static str = "The last value goes on";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedNaive;

    fn fit(&self, input: &TrainInput<'_>, _: &FitContext) -> Result<FittedNaive, ModelError> {
        let y = input.target;
        let (Some(&first), Some(&last)) = (y.first(), y.last()) else { return Err(ModelError::Empty) };
        let fitted: Vec<f64> = std::iter::once(first).chain(y.iter().copied()).take(y.len()).collect();
        let sigma = residual_deviation(y, &fitted, 1);
        Ok(FittedNaive { last, sigma, fitted })
    }
}

/// A trained [`Naive`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedNaive {
    last: f64,
    sigma: f64,
    /// The first value stands for its own prediction.
    fitted: Vec<f64>,
}

impl FittedForecaster for FittedNaive {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let last = request.history.and_then(|history| history.target.last().copied()).unwrap_or(self.last);
        let horizon = request.times.len();
        let stderr = (1..=horizon).map(|h| self.sigma * (h as f64).sqrt()).collect();
        Ok(Forecast { mean: vec![last; horizon], stderr: Some(stderr), intervals: Vec::new() })
    }

    fn in_sample(&self) -> InSample {
        InSample { mean: self.fitted.clone(), stderr: Some(vec![self.sigma; self.fitted.len()]) }
    }
}

/// Standard deviation of the residuals, `lost` degrees of freedom having gone into parameters and first values; 0 when none
/// are left.
pub(in crate::models) fn residual_deviation(y: &[f64], fitted: &[f64], lost: usize) -> f64 {
    let squares: f64 = y.iter().zip(fitted).map(|(y, fitted)| (y - fitted) * (y - fitted)).sum();
    let degrees = y.len().saturating_sub(lost);
    if degrees > 0 { (squares / degrees as f64).sqrt() } else { 0.0 }
}

/// The observations of a request that came after the training data.
pub(in crate::models) fn newer<'a>(request: &Request<'a>, last_time: Option<Timestamp>) -> &'a [f64] {
    request.history.map_or(&[], |history| {
        let known = history.times.partition_point(|time| last_time.is_some_and(|last| *time <= last));
        &history.target[known..]
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::time::{Granularity, Offset};

    /// Days since the epoch.
    pub(in super::super) fn days(range: std::ops::Range<i64>) -> Vec<Timestamp> {
        range.map(|day| Timestamp::from_nanos(day * 86_400_000_000_000)).collect()
    }

    fn daily() -> Granularity {
        Granularity { step: Offset::Fixed(86_400_000_000_000), phase: 0 }
    }

    /// Fits on daily values from day 0.
    pub(in super::super) fn fit<F: Forecaster>(model: &F, y: &[f64]) -> Result<F::Fitted, ModelError> {
        let (times, granularity) = (days(0..y.len() as i64), daily());
        let input = TrainInput { times: &times, target: y, covariates: &[], exog: &[], granularity: &granularity };
        model.validate()?;
        model.fit(&input, &FitContext::default())
    }

    /// Forecasts the days after day `from`, given the values of the days from `history.0`, if there are any.
    pub(in super::super) fn forecast(
        fitted: &impl FittedForecaster,
        horizon: usize,
        history: Option<(i64, &[f64])>,
    ) -> Forecast {
        let granularity = daily();
        let past = history.map(|(from, y)| (days(from..from + y.len() as i64), y));
        let history = past.as_ref().map(|(times, y)| TrainInput {
            times,
            target: y,
            covariates: &[],
            exog: &[],
            granularity: &granularity,
        });
        let times = days(1000..1000 + horizon as i64);
        fitted
            .forecast(&Request { times: &times, history, exog: &[], levels: &[], context: &FitContext::with_seed(0) })
            .unwrap()
    }

    // σ² = (1 + 4 + 9) / 3.
    #[test]
    fn the_last_value_goes_on_with_an_error_that_grows_as_the_root_of_the_horizon() {
        let fitted = fit(&Naive {}, &[1.0, 2.0, 4.0, 1.0]).unwrap();
        let forecast = forecast(&fitted, 3, None);
        let sigma = (14.0f64 / 3.0).sqrt();
        assert_eq!(forecast.mean, [1.0; 3]);
        assert_eq!(forecast.stderr.unwrap(), [sigma, sigma * 2f64.sqrt(), sigma * 3f64.sqrt()]);
        assert_eq!(fitted.in_sample().mean, [1.0, 1.0, 2.0, 4.0]);
    }

    #[test]
    fn one_observation_is_enough_and_none_is_not() {
        let fitted = fit(&Naive {}, &[3.0]).unwrap();
        assert_eq!(forecast(&fitted, 2, None).mean, [3.0; 2]);
        assert_eq!(forecast(&fitted, 2, None).stderr.unwrap(), [0.0; 2]);
        assert_eq!(fit(&Naive {}, &[]).unwrap_err(), ModelError::Empty);
    }

    #[test]
    fn newer_observations_move_the_forecast() {
        let fitted = fit(&Naive {}, &[1.0, 2.0]).unwrap();
        assert_eq!(forecast(&fitted, 1, Some((2, &[7.0, 8.0]))).mean, [8.0]);
    }
}
