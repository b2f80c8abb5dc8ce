//! Croston's method for intermittent demand: the size of the demands and the time between them, smoothed apart.
//!
//! Croston (1972), "Forecasting and stock control for intermittent demands", Operational Research Quarterly 23. At each demand
//! `y_t ≠ 0`, with `q_t` periods since the one before,
//!
//! ```text
//! z_t = α y_t + (1-α) z_{t-1}      p_t = α q_t + (1-α) p_{t-1}      ŷ_{T+h} = z_T / p_T
//! ```
//!
//! from the first demand and its time; between demands nothing changes.

mod smoothed;

pub(super) use smoothed::{Smoothed, best_alpha, validate_alpha};

use serde::{Deserialize, Serialize};

use crate::models::running::{FittedRunning, Running};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// Size of demands over time between demands, both smoothed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Croston {
    /// Smoothing of sizes and intervals; 0.1 because demands are few. Null: those of least squared errors, from 0.1 to 0.3.
    pub alpha: Option<f64>,
}

impl Default for Croston {
    fn default() -> Self {
        Self { alpha: Some(0.1) }
    }
}

impl Forecaster for Croston {
    const NAME: &'static str = "Croston";
    const SUMMARY: &'static str = "Intermittent demand: smoothed size over smoothed time between demands";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedRunning<Demand>;

    fn validate(&self) -> Result<(), ModelError> {
        self.alpha.map_or(Ok(()), |alpha| validate_alpha(Self::NAME, "alpha", alpha))
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        FittedRunning::train(Demand::new(self.alpha, 1.0, input.target), input, context)
    }
}

/// Size of demands, and the time between them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Demand {
    size: Smoothed,
    interval: Smoothed,
    /// Periods since the last demand.
    since: usize,
    /// What the rate is multiplied by.
    correction: f64,
}

impl Demand {
    /// A state that has seen nothing. `y` is for the smoothing parameters, where they are not given.
    pub(super) fn new(alpha: Option<f64>, correction: f64, y: &[f64]) -> Self {
        let [size, interval] = match alpha {
            Some(alpha) => [alpha; 2],
            None => [best_alpha(&demands(y)), best_alpha(&intervals(y))],
        };
        Self { size: Smoothed::new(size), interval: Smoothed::new(interval), since: 0, correction }
    }
}

impl Running for Demand {
    fn observe(&mut self, y: f64) {
        self.since += 1;
        if y != 0.0 {
            self.size.observe(y);
            self.interval.observe(self.since as f64);
            self.since = 0;
        }
    }

    fn ahead(&self, _: usize) -> f64 {
        match (self.size.level(), self.interval.level()) {
            (Some(size), Some(interval)) => self.correction * size / interval,
            _ => 0.0,
        }
    }
}

/// The demands.
pub(super) fn demands(y: &[f64]) -> Vec<f64> {
    y.iter().copied().filter(|y| *y != 0.0).collect()
}

/// Periods from each demand to the one before, for the first to the beginning.
pub(super) fn intervals(y: &[f64]) -> Vec<f64> {
    let mut last = 0;
    let times = y.iter().enumerate().filter(|(_, y)| **y != 0.0).map(|(t, _)| t + 1);
    times
        .map(|t| {
            let interval = t - last;
            last = t;
            interval as f64
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;
    use crate::models::FittedForecaster;

    /// A few demands among many zeros.
    pub(in super::super) const SPARE_PARTS: [f64; 34] = [
        0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 5.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 2.0, 0.0, 0.0, 0.0,
        0.0, 6.0, 0.0, 0.0, 1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 2.0, 0.0,
    ];

    /// Holds forecast and some one-step predictions (position, value) against another implementation's.
    pub(in super::super) fn assert_forecasts<F: Forecaster>(model: &F, expected: f64, within: &[(usize, f64)]) {
        let fitted = fit(model, &SPARE_PARTS).unwrap();
        let ahead = forecast(&fitted, 3, None).mean;
        assert!(ahead.iter().all(|y| (y - expected).abs() < 1e-8), "{model:?}: {ahead:?} vs {expected}");
        let in_sample = fitted.in_sample().mean;
        for (t, expected) in within {
            // Printed with six decimals.
            assert!((in_sample[*t] - expected).abs() < 1e-6, "{model:?}, {t}: {} vs {expected}", in_sample[*t]);
        }
    }

    // statsforecast 2.1.1: CrostonClassic and CrostonOptimized.
    #[test]
    fn spare_parts_are_forecast_as_by_statsforecast() {
        let within = [(1, 0.0), (3, 1.0), (7, 0.935_484), (12, 0.969_241), (32, 0.961_819), (33, 0.904_154)];
        assert_forecasts(&Croston::default(), 0.904_154_490_463_168_1, &within);
        assert_forecasts(&Croston { alpha: None }, 0.904_154_490_462_943_4, &[]);
    }

    #[test]
    fn newer_demands_are_taken_in() {
        let fitted = fit(&Croston::default(), &SPARE_PARTS[..20]).unwrap();
        let moved = forecast(&fitted, 1, Some((18, &SPARE_PARTS[18..]))).mean;
        assert!((moved[0] - 0.904_154_490_463_168_1).abs() < 1e-12, "{moved:?}");
    }

    #[test]
    fn without_demand_nothing_is_forecast() {
        for model in [Croston::default(), Croston { alpha: None }] {
            assert_eq!(forecast(&fit(&model, &[0.0; 5]).unwrap(), 2, None).mean, [0.0; 2]);
        }
        assert_eq!(fit(&Croston::default(), &[]).unwrap_err(), ModelError::Empty);
        let error = fit(&Croston { alpha: Some(1.5) }, &[1.0]).unwrap_err().to_string();
        assert!(error.contains("alpha = 1.5"), "{error}");
    }
}
