//! The dynamic standard θ model: the θ model of [`super::theta`] with a line that is drawn anew with each observation.
//!
//! Fiorucci et al. (2016), "Models for optimising the theta method and their relationship to state space models", Int. J.
//! Forecasting 32, section 3.2; see [`super::dynamic_optimized_theta`] for the equations.

use serde::{Deserialize, Serialize};

use super::theta::{FittedTheta, Kind, validate_season};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};
use crate::seasonality::classical::Decomposition;

/// Exponential smoothing with half the drift of the series so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DynamicTheta {
    /// Length of the season in observations, taken out if it is significant, 1 for none. Null: told from the data.
    pub season_length: Option<usize>,
    /// "multiplicative", as in the paper, or "additive"; additive in any case where the data is not positive.
    pub decomposition_type: Decomposition,
}

impl DynamicTheta {
    pub(super) const KIND: Kind = Kind { dynamic: true, optimized: false };
}

impl Forecaster for DynamicTheta {
    const NAME: &'static str = "DynamicTheta";
    const SUMMARY: &'static str = "Exponential smoothing with half the drift of the series so far";
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

    // statsforecast 2.1.1: auto_theta(y, m, model="DSTM"). Nelder-Mead stops a little above our minimum.
    #[test]
    fn passengers_are_forecast_as_by_statsforecast() {
        let month = (109.910_352, [440.774_114, 429.061_861, 490.483_268, 476.461_291]);
        let year = (603.205_851, [491.806_795, 507.835_412, 523.673_978, 539.191_308]);
        assert_as_good_as(&DynamicTheta::default(), [month, year], (1.0 + 1e-9, 1e-3));
    }
}
