//! The dynamic optimised θ model: θ estimated, and the line drawn anew with each observation.
//!
//! Fiorucci et al. (2016), "Models for optimising the theta method and their relationship to state space models", Int. J.
//! Forecasting 32, section 3.2. With `A_t + B_t s`, `s ≤ t`, the least-squares line through the first `t` observations and `Ȳ_t` their mean,
//!
//! ```text
//! y_t = μ_t + ε_t
//! μ_t = l_{t-1} + (1 - 1/θ) ((1-α)^{t-1} A_{t-1} + B_{t-1} (1 - (1-α)^t) / α)
//! l_t = α y_t + (1-α) l_{t-1}
//! Ȳ_t = ((t-1) Ȳ_{t-1} + y_t) / t
//! B_t = ((t-2) B_{t-1} + 6 (y_t - Ȳ_{t-1}) / t) / (t+1)
//! A_t = Ȳ_t - B_t (t+1) / 2
//! ```
//!
//! Forecasts take the place of the observations to come. Everything is linear in them, so that the standard errors follow
//! from the covariance of `(l, Ȳ, B)`, exactly. Seasons are taken out as in [`super::theta`].

use serde::{Deserialize, Serialize};

use super::theta::{FittedTheta, Kind, validate_season};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};
use crate::seasonality::classical::Decomposition;

/// Exponential smoothing with as much of the drift of the series so far as it shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DynamicOptimizedTheta {
    /// Length of the season in observations, taken out if it is significant, 1 for none. Null: told from the data.
    pub season_length: Option<usize>,
    /// "multiplicative", as in the paper, or "additive"; additive in any case where the data is not positive.
    pub decomposition_type: Decomposition,
}

impl DynamicOptimizedTheta {
    pub(super) const KIND: Kind = Kind { dynamic: true, optimized: true };
}

impl Forecaster for DynamicOptimizedTheta {
    const NAME: &'static str = "DynamicOptimizedTheta";
    const SUMMARY: &'static str = "Exponential smoothing with an estimated share of the drift of the series so far";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedTheta;

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: Some(length), ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        validate_season(Self::NAME, self.season_length)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedTheta, ModelError> {
        FittedTheta::best(&[Self::KIND], self.season_length, self.decomposition_type, input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::super::theta::tests::assert_as_good_as;
    use super::*;

    // statsforecast 2.1.1: auto_theta(y, m, model="DOTM"). The prior of θ costs fit, most where ten errors count.
    #[test]
    fn passengers_are_forecast_as_by_statsforecast() {
        let month = (106.713_037, [442.927_195, 432.298_401, 495.482_454, 482.575_341]);
        let year = (221.204_808, [507.921_681, 540.507_130, 573.506_811, 606.775_776]);
        assert_as_good_as(&DynamicOptimizedTheta::default(), [month, year], (1.3, 0.02));
    }

    // The same errors by brute force: the forecasts after an error of one in the next step, two steps ahead, and so on.
    #[test]
    fn standard_errors_are_those_of_the_recursion() {
        let y: Vec<f64> = (0..25).map(|t| 30.0 + 2.0 * f64::from(t) + f64::from(t * 37 % 11)).collect();
        let model = DynamicOptimizedTheta { season_length: Some(1), ..DynamicOptimizedTheta::default() };
        let fitted = fit(&model, &y).unwrap();
        let horizon = 6;
        let plain = forecast(&fitted, horizon, None);
        let mut variances = vec![1.0; horizon];
        for error in 0..horizon {
            let mut newer = plain.mean[..=error].to_vec();
            newer[error] += 1.0;
            let moved = forecast(&fitted, horizon - error - 1, Some((25, &newer))).mean;
            for (h, moved) in (error + 1..horizon).zip(moved) {
                variances[h] += (moved - plain.mean[h]).powi(2);
            }
        }
        let stderr = plain.stderr.unwrap();
        for (h, (got, variance)) in stderr.iter().zip(variances).enumerate() {
            let expected = stderr[0] * variance.sqrt();
            assert!((got / expected - 1.0).abs() < 1e-9, "step {}: {got} vs {expected}", h + 1);
        }
    }
}
