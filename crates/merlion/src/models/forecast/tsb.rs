//! The method of Teunter, Syntetos and Babai for intermittent demand that may come to an end.
//!
//! Teunter, Syntetos & Babai (2011), "Intermittent demand: linking forecasting to inventory obsolescence", European Journal of
//! Operational Research 214. The probability of a demand is smoothed in every period, its size at each demand:
//!
//! ```text
//! p_t = α_p [y_t ≠ 0] + (1-α_p) p_{t-1}      z_t = α_d y_t + (1-α_d) z_{t-1} if y_t ≠ 0      ŷ_{T+h} = p_T z_T
//! ```
//!
//! so that, other than with Croston's method, forecasts sink while demand fails to appear.

use serde::{Deserialize, Serialize};

use super::croston::{Smoothed, validate_alpha};
use crate::models::running::{FittedRunning, Running};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// Smoothed probability of a demand times its smoothed size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tsb {
    /// Smoothing of the size of demands; 0.1 because demands are few.
    pub alpha_d: f64,
    /// Smoothing of the probability of a demand; 0.1, too: ten periods without one let the forecast sink to a third.
    pub alpha_p: f64,
}

impl Default for Tsb {
    fn default() -> Self {
        Self { alpha_d: 0.1, alpha_p: 0.1 }
    }
}

impl Forecaster for Tsb {
    const NAME: &'static str = "TSB";
    const SUMMARY: &'static str = "Intermittent demand that may end: smoothed probability times smoothed size";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedRunning<Chance>;

    fn validate(&self) -> Result<(), ModelError> {
        validate_alpha(Self::NAME, "alpha_d", self.alpha_d)?;
        validate_alpha(Self::NAME, "alpha_p", self.alpha_p)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        let state = Chance { probability: Smoothed::new(self.alpha_p), size: Smoothed::new(self.alpha_d) };
        FittedRunning::train(state, input, context)
    }
}

/// Probability and size of a demand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chance {
    probability: Smoothed,
    size: Smoothed,
}

impl Running for Chance {
    fn observe(&mut self, y: f64) {
        self.probability.observe(f64::from(u8::from(y != 0.0)));
        if y != 0.0 {
            self.size.observe(y);
        }
    }

    fn ahead(&self, _: usize) -> f64 {
        self.probability.level().zip(self.size.level()).map_or(0.0, |(probability, size)| probability * size)
    }
}

#[cfg(test)]
mod tests {
    use super::super::croston::tests::assert_forecasts;
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    // statsforecast 2.1.1: TSB(0.2, 0.1) and TSB(0.1, 0.1).
    #[test]
    fn spare_parts_are_forecast_as_by_statsforecast() {
        let within = [(3, 0.3), (7, 0.463_708), (33, 0.913_386)];
        assert_forecasts(&Tsb { alpha_d: 0.2, alpha_p: 0.1 }, 0.822_047_512_624_944_7, &within);
        assert_forecasts(&Tsb::default(), 0.856_396_469_711_060_2, &[(33, 0.951_552)]);
    }

    #[test]
    fn forecasts_sink_while_there_is_no_demand() {
        let mut y = vec![2.0; 10];
        y.extend([0.0; 10]);
        let ahead = forecast(&fit(&Tsb::default(), &y).unwrap(), 1, None).mean[0];
        assert!((ahead - 2.0 * 0.9f64.powi(10)).abs() < 1e-12, "{ahead}");
    }
}
