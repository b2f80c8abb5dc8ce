//! The optimised θ model: the θ model of [`super::theta`] with θ estimated.
//!
//! Fiorucci et al. (2016), "Models for optimising the theta method and their relationship to state space models", Int. J.
//! Forecasting 32, section 3.1.

use serde::{Deserialize, Serialize};

use super::theta::{FittedTheta, Kind, validate_season};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};
use crate::seasonality::classical::Decomposition;

/// Exponential smoothing with as much of the drift as the series shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OptimizedTheta {
    /// Length of the season in observations, taken out if it is significant, 1 for none. Null: told from the data.
    pub season_length: Option<usize>,
    /// "multiplicative", as in the paper, or "additive"; additive in any case where the data is not positive.
    pub decomposition_type: Decomposition,
}

impl OptimizedTheta {
    pub(super) const KIND: Kind = Kind { dynamic: false, optimized: true };
}

impl Forecaster for OptimizedTheta {
    const NAME: &'static str = "OptimizedTheta";
    const SUMMARY: &'static str = "Exponential smoothing with an estimated share of the drift of the series";
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
    use super::super::theta::tests::assert_as_good_as;
    use super::*;

    // statsforecast 2.1.1: auto_theta(y, m, model="OTM"). The prior of θ costs fit, most where ten errors count.
    #[test]
    fn passengers_are_forecast_as_by_statsforecast() {
        let month = (105.538_204, [442.942_533, 432.231_016, 495.307_935, 482.308_003]);
        let year = (177.230_505, [507.929_837, 539.853_625, 571.777_413, 603.701_200]);
        assert_as_good_as(&OptimizedTheta::default(), [month, year], (1.3, 0.03));
    }
}
