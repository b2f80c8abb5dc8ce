//! The mean of the newest observations goes on.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::models::running::{FittedRunning, Running};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// The mean of the newest observations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowAverage {
    /// How many observations; ten, of which one stray value moves the mean by a tenth. Fewer while there are fewer.
    pub window_size: usize,
}

impl Default for WindowAverage {
    fn default() -> Self {
        Self { window_size: 10 }
    }
}

/// Refuses a window of nothing.
pub(super) fn validate_window(model: &'static str, window_size: usize) -> Result<(), ModelError> {
    if window_size == 0 {
        return Err(ModelError::InvalidParameter {
            model,
            parameter: "window_size",
            value: "0".into(),
            reason: "a mean is of one observation at least".into(),
        });
    }
    Ok(())
}

impl Forecaster for WindowAverage {
    const NAME: &'static str = "WindowAverage";
    const SUMMARY: &'static str = "The mean of the newest observations goes on";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedRunning<Window>;

    fn validate(&self) -> Result<(), ModelError> {
        validate_window(Self::NAME, self.window_size)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        FittedRunning::train(Window::new(self.window_size, 1), input, context)
    }
}

/// The newest observations of one or more phases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    size: usize,
    period: usize,
    newest: VecDeque<f64>,
}

impl Window {
    /// A state that has seen nothing: `size` observations of each of `period` phases.
    pub(super) fn new(size: usize, period: usize) -> Self {
        Self { size: size.saturating_mul(period), period, newest: VecDeque::new() }
    }
}

impl Running for Window {
    fn observe(&mut self, y: f64) {
        if self.newest.len() == self.size {
            self.newest.pop_front();
        }
        self.newest.push_back(y);
    }

    fn ahead(&self, h: usize) -> f64 {
        let first = (self.newest.len() + h) % self.period;
        let (mut sum, mut count) = (0.0, 0.0);
        for y in self.newest.iter().skip(first).step_by(self.period) {
            (sum, count) = (sum + y, count + 1.0);
        }
        // In the first season a phase may not have been seen: the newest value stands for it.
        if count > 0.0 { sum / count } else { self.newest.back().copied().unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;
    use crate::models::FittedForecaster;

    #[test]
    fn the_mean_of_the_window_goes_on() {
        let model = WindowAverage { window_size: 3 };
        let fitted = fit(&model, &[1.0, 3.0, 5.0, 4.0, 9.0]).unwrap();
        let ahead = forecast(&fitted, 2, None);
        assert_eq!(ahead.mean, [6.0; 2]);
        assert_eq!(fitted.in_sample().mean, [1.0, 1.0, 2.0, 3.0, 4.0]);
        // Errors 2, 3, 1 and 5 of four predictions.
        assert_eq!(ahead.stderr.unwrap(), [(39.0f64 / 4.0).sqrt(); 2]);
        assert_eq!(forecast(&fitted, 1, Some((4, &[9.0, 8.0]))).mean, [7.0]);
    }

    #[test]
    fn a_window_of_nothing_is_refused() {
        let error = fit(&WindowAverage { window_size: 0 }, &[1.0]).unwrap_err().to_string();
        assert!(error.starts_with("WindowAverage: window_size = 0"), "{error}");
    }
}
