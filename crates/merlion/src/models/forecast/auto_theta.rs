//! The θ model that fits best: standard or optimised, with a fixed line or with one that is drawn anew.
//!
//! Of [`super::theta`], [`super::optimized_theta`], [`super::dynamic_theta`] and [`super::dynamic_optimized_theta`] the one of
//! the lowest mean squared one-step error is kept, the first on ties.

use serde::{Deserialize, Serialize};

use super::dynamic_optimized_theta::DynamicOptimizedTheta;
use super::dynamic_theta::DynamicTheta;
use super::optimized_theta::OptimizedTheta;
use super::theta::{FittedTheta, Kind, Theta, validate_season};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};
use crate::seasonality::classical::Decomposition;

/// The θ models, in the order in which they win ties.
const KINDS: [Kind; 4] = [Theta::KIND, OptimizedTheta::KIND, DynamicTheta::KIND, DynamicOptimizedTheta::KIND];

/// The θ model of the lowest mean squared one-step error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoTheta {
    /// Length of the season in observations, taken out if it is significant, 1 for none. Null: told from the data.
    pub season_length: Option<usize>,
    /// "multiplicative", as in the paper, or "additive"; additive in any case where the data is not positive.
    pub decomposition_type: Decomposition,
}

impl Forecaster for AutoTheta {
    const NAME: &'static str = "AutoTheta";
    const SUMMARY: &'static str = "The θ model with the lowest one-step errors";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedTheta;

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: Some(length), ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        validate_season(Self::NAME, self.season_length)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedTheta, ModelError> {
        FittedTheta::best(&KINDS, self.season_length, self.decomposition_type, input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::fit;
    use super::super::theta::tests::{by_month, by_year};
    use super::*;

    #[test]
    fn the_lowest_error_wins() {
        for (y, length) in [(by_month(), 12), (by_year(), 1)] {
            let season_length = Some(length);
            let auto = fit(&AutoTheta { season_length, ..AutoTheta::default() }, &y).unwrap();
            let decomposition_type = Decomposition::default();
            let all = [
                fit(&Theta { season_length, decomposition_type }, &y).unwrap(),
                fit(&OptimizedTheta { season_length, decomposition_type }, &y).unwrap(),
                fit(&DynamicTheta { season_length, decomposition_type }, &y).unwrap(),
                fit(&DynamicOptimizedTheta { season_length, decomposition_type }, &y).unwrap(),
            ];
            let lowest = all.iter().map(FittedTheta::mse).fold(f64::INFINITY, f64::min);
            assert_eq!(auto.mse(), lowest, "{:?}", all.each_ref().map(FittedTheta::mse));
            assert!(all.contains(&auto));
        }
    }
}
