//! Croston's method without its bias, after Syntetos and Boylan.
//!
//! Syntetos & Boylan (2005), "The accuracy of intermittent demand estimates", Int. J. Forecasting 21: the ratio of Croston's
//! method ([`super::croston`]) is too large on average, by a share of about `α / 2`, and is multiplied by `1 - α / 2`.

use serde::{Deserialize, Serialize};

use super::croston::{Demand, validate_alpha};
use crate::models::running::FittedRunning;
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// Croston's method times `1 - α / 2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrostonSba {
    /// Smoothing of sizes and intervals; 0.1 because demands are few.
    pub alpha: f64,
}

impl Default for CrostonSba {
    fn default() -> Self {
        Self { alpha: 0.1 }
    }
}

impl Forecaster for CrostonSba {
    const NAME: &'static str = "CrostonSBA";
    const SUMMARY: &'static str = "Intermittent demand: Croston's method without its bias";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedRunning<Demand>;

    fn validate(&self) -> Result<(), ModelError> {
        validate_alpha(Self::NAME, "alpha", self.alpha)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        FittedRunning::train(Demand::new(Some(self.alpha), 1.0 - self.alpha / 2.0, input.target), input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::croston::tests::assert_forecasts;
    use super::*;

    // statsforecast 2.1.1: CrostonSBA.
    #[test]
    fn spare_parts_are_forecast_as_by_statsforecast() {
        assert_forecasts(&CrostonSba::default(), 0.858_946_765_940_009_6, &[(3, 0.95), (7, 0.888_71), (33, 0.858_947)]);
    }
}
