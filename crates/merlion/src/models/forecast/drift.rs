//! The drift forecast: the line through the first and the last value goes on.
//!
//! Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", third edition, sections 5.2 and 5.5. With the mean step
//! `d = (y_T - y_1) / (T - 1)` and residuals `e_t = y_t - y_{t-1} - d`,
//!
//! ```text
//! ŷ_{T+h} = y_T + h d     σ_h = σ √(h (1 + h / (T - 1)))     σ² = Σ e_t² / (T - 2)
//! ```

use serde::{Deserialize, Serialize};

use super::naive::{newer, residual_deviation};
use crate::models::{
    Capabilities, FitContext, FittedForecaster, Forecast, Forecaster, InSample, ModelError, Request, TrainInput,
};
use crate::time::Timestamp;

/// The line through the first and the last value goes on: exact for a random walk with drift.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Drift {}

impl Forecaster for Drift {
    const NAME: &'static str = "Drift";
    const SUMMARY: &'static str = "The line through the first and the last value goes on";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedDrift;

    fn fit(&self, input: &TrainInput<'_>, _: &FitContext) -> Result<FittedDrift, ModelError> {
        let y = input.target;
        let [first, .., last] = *y else { return Err(ModelError::TooShort { got: y.len(), needed: 2 }) };
        let steps = (y.len() - 1) as f64;
        let drift = (last - first) / steps;
        let fitted: Vec<f64> = std::iter::once(first).chain(y[..y.len() - 1].iter().map(|y| y + drift)).collect();
        let sigma = residual_deviation(y, &fitted, 2);
        Ok(FittedDrift { last, drift, steps, sigma, fitted, last_time: input.times.last().copied() })
    }
}

/// A trained [`Drift`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedDrift {
    last: f64,
    drift: f64,
    /// Steps between the first and the last training observation.
    steps: f64,
    sigma: f64,
    /// The first value stands for its own prediction.
    fitted: Vec<f64>,
    last_time: Option<Timestamp>,
}

impl FittedForecaster for FittedDrift {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        // Newer observations are one more point of the line: its far end.
        let newer = newer(request, self.last_time);
        let steps = self.steps + newer.len() as f64;
        let (last, drift) = match newer.last() {
            Some(&last) => (last, (last - (self.last - self.drift * self.steps)) / steps),
            None => (self.last, self.drift),
        };
        let ahead = |h: usize| (h + 1) as f64;
        let mean = (0..request.times.len()).map(|h| last + ahead(h) * drift).collect();
        let stderr =
            (0..request.times.len()).map(|h| self.sigma * (ahead(h) * (1.0 + ahead(h) / steps)).sqrt()).collect();
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
    fn the_line_through_the_ends_goes_on() {
        let fitted = fit(&Drift {}, &[1.0, 2.0, 6.0, 7.0]).unwrap();
        let forecast = forecast(&fitted, 2, None);
        assert_eq!(forecast.mean, [9.0, 11.0]);
        // Residuals -1, 2, -1 with 4 - 2 degrees of freedom.
        for (got, expected) in forecast.stderr.unwrap().iter().zip([2.0, 10f64.sqrt()]) {
            assert!((got - expected).abs() < 1e-12, "{got} vs {expected}");
        }
        assert_eq!(fitted.in_sample().mean, [1.0, 3.0, 4.0, 8.0]);
    }

    #[test]
    fn newer_observations_become_the_far_end_of_the_line() {
        let fitted = fit(&Drift {}, &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(forecast(&fitted, 2, Some((3, &[4.0, 9.0]))).mean, [11.0, 13.0]);
    }

    #[test]
    fn a_line_needs_two_points() {
        assert_eq!(fit(&Drift {}, &[1.0]).unwrap_err(), ModelError::TooShort { got: 1, needed: 2 });
        assert_eq!(forecast(&fit(&Drift {}, &[1.0, 3.0]).unwrap(), 1, None).mean, [5.0]);
    }
}
