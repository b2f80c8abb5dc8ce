//! The historic average: the mean of everything seen.
//!
//! Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", third edition, sections 5.2 and 5.5. With residuals
//! `e_t = y_t - ȳ`,
//!
//! ```text
//! ŷ_{T+h} = ȳ     σ_h = σ √(1 + 1/T)     σ² = Σ e_t² / (T - 1)
//! ```

use serde::{Deserialize, Serialize};

use super::naive::{newer, residual_deviation};
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::time::Timestamp;

/// The mean of everything seen: exact for independent observations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoricAverage {}

impl Forecaster for HistoricAverage {
    const NAME: &'static str = "HistoricAverage";
    const SUMMARY: &'static str = "The mean of everything seen";
    const CAPABILITIES: Capabilities = Capabilities { even_sampling: false, ..Capabilities::CLASSICAL };
    type Fitted = FittedHistoricAverage;

    fn fit(&self, input: &TrainInput<'_>, _: &FitContext) -> Result<FittedHistoricAverage, ModelError> {
        let y = input.target;
        if y.is_empty() {
            return Err(ModelError::Empty);
        }
        let n = y.len();
        // Around the first value, so that equal values have exactly their value as mean.
        let mean = y[0] + y.iter().map(|value| value - y[0]).sum::<f64>() / n as f64;
        let sigma = residual_deviation(y, &vec![mean; n], 1);
        Ok(FittedHistoricAverage { mean, n, sigma, last_time: input.times.last().copied() })
    }
}

/// A trained [`HistoricAverage`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedHistoricAverage {
    mean: f64,
    n: usize,
    sigma: f64,
    last_time: Option<Timestamp>,
}

impl FittedForecaster for FittedHistoricAverage {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let newer = newer(request, self.last_time);
        let n = (self.n + newer.len()) as f64;
        let mean = self.mean + newer.iter().map(|y| y - self.mean).sum::<f64>() / n;
        let horizon = request.times.len();
        let stderr = vec![self.sigma * (1.0 + 1.0 / n).sqrt(); horizon];
        Ok(Forecast { mean: vec![mean; horizon], stderr: Some(stderr), intervals: Vec::new() })
    }

    /// As in the book, the mean of all of the training data stands at each of them.
    fn in_sample(&self) -> InSample {
        InSample { mean: vec![self.mean; self.n], stderr: Some(vec![self.sigma; self.n]) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    #[test]
    fn the_mean_goes_on() {
        let fitted = fit(&HistoricAverage {}, &[1.0, 2.0, 6.0]).unwrap();
        let forecast = forecast(&fitted, 2, None);
        assert_eq!(forecast.mean, [3.0; 2]);
        // Residuals -2, -1, 3 with 3 - 1 degrees of freedom.
        assert_eq!(forecast.stderr.unwrap(), [7f64.sqrt() * (4.0f64 / 3.0).sqrt(); 2]);
        assert_eq!(fitted.in_sample().mean, [3.0; 3]);
    }

    #[test]
    fn newer_observations_join_the_mean() {
        let fitted = fit(&HistoricAverage {}, &[1.0, 2.0, 6.0]).unwrap();
        // Day 2 is part of the training data already.
        assert_eq!(forecast(&fitted, 1, Some((2, &[6.0, 7.0]))).mean, [4.0]);
    }

    #[test]
    fn one_observation_is_its_own_mean_and_a_constant_stays_constant() {
        assert_eq!(forecast(&fit(&HistoricAverage {}, &[2.5]).unwrap(), 1, None).mean, [2.5]);
        let fitted = fit(&HistoricAverage {}, &[0.1; 7]).unwrap();
        let forecast = forecast(&fitted, 1, None);
        assert_eq!((forecast.mean, forecast.stderr.unwrap()), (vec![0.1], vec![0.0]));
    }
}
