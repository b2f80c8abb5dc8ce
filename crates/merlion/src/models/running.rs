//! Models that are a running state: each observation changes it, and the forecasts are read off. What these models share is
//! training, one-step predictions, newer observations and standard errors.

use std::fmt::Debug;

use serde::Serialize;

use super::forecast::naive::{newer, residual_deviation};
use super::{FitContext, FittedForecaster, Forecast, InSample, ModelError, Request, TrainInput};
use crate::time::Timestamp;

/// Observations between two looks at the context.
const CHECKED: usize = 4096;

/// A state that observations change and forecasts are read off.
pub trait Running: Debug + Clone + Serialize + Send + Sync + 'static {
    /// Takes in the next observation.
    fn observe(&mut self, y: f64);
    /// The forecast `h + 1` steps ahead.
    fn ahead(&self, h: usize) -> f64;
}

/// A trained running state.
///
/// Its standard error is the deviation of the one-step errors at every step ahead: the forecasts of these models do not trend,
/// and take errors to be independent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedRunning<R> {
    state: R,
    sigma: f64,
    /// The first value stands for its own prediction.
    fitted: Vec<f64>,
    last_time: Option<Timestamp>,
}

impl<R: Running> FittedRunning<R> {
    /// Runs over the training data from a state that has seen nothing.
    pub(super) fn train(mut state: R, input: &TrainInput<'_>, context: &FitContext) -> Result<Self, ModelError> {
        let y = input.target;
        if y.is_empty() {
            return Err(ModelError::Empty);
        }
        let mut fitted = Vec::with_capacity(y.len());
        for (t, &y) in y.iter().enumerate() {
            if t % CHECKED == 0 {
                context.check()?;
            }
            fitted.push(if t == 0 { y } else { state.ahead(0) });
            state.observe(y);
        }
        let sigma = residual_deviation(y, &fitted, 1);
        Ok(Self { state, sigma, fitted, last_time: input.times.last().copied() })
    }
}

impl<R: Running> FittedForecaster for FittedRunning<R> {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let mut state = self.state.clone();
        newer(request, self.last_time).iter().for_each(|y| state.observe(*y));
        let horizon = request.times.len();
        let mean = (0..horizon).map(|h| state.ahead(h)).collect();
        Ok(Forecast { mean, stderr: Some(vec![self.sigma; horizon]), intervals: Vec::new() })
    }

    fn in_sample(&self) -> InSample {
        InSample { mean: self.fitted.clone(), stderr: Some(vec![self.sigma; self.fitted.len()]) }
    }
}
