//! Intermittent demand summed over time until few zeros are left: aggregate, smooth, disaggregate.
//!
//! Nikolopoulos, Syntetos, Boylan, Petropoulos & Assimakopoulos (2011), "An aggregate-disaggregate intermittent demand approach
//! (ADIDA) to forecasting", Journal of the Operational Research Society 62. The series is cut, from its end, into pieces as long as
//! the mean time between demands; their sums are smoothed exponentially, with the parameter of least squared errors between 0.1
//! and 0.3; the forecast of a sum is spread evenly.

mod pieces;

pub use pieces::Pieces;
pub(super) use pieces::mean_interval;

use serde::{Deserialize, Serialize};

use crate::models::running::FittedRunning;
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// Demand summed over the mean time between demands, smoothed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Adida {}

impl Forecaster for Adida {
    const NAME: &'static str = "ADIDA";
    const SUMMARY: &'static str = "Intermittent demand: sums over the mean time between demands, smoothed";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedRunning<Pieces>;

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        let y = input.target;
        FittedRunning::train(Pieces::new(&[mean_interval(y)], y), input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::croston::tests::{SPARE_PARTS, assert_forecasts};
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    // statsforecast 2.1.1: ADIDA.
    #[test]
    fn spare_parts_are_forecast_as_by_statsforecast() {
        assert_forecasts(&Adida::default(), 0.909_758_904_366_479_2, &[]);
    }

    #[test]
    fn newer_demands_are_taken_in() {
        // Of two pieces of three the mean interval is known; the smoothing parameter, too, when all sums are equal.
        let y = [0.0, 0.0, 3.0, 0.0, 0.0, 3.0, 0.0, 0.0, 3.0];
        let fitted = fit(&Adida::default(), &y).unwrap();
        assert_eq!(forecast(&fitted, 1, None).mean, [1.0]);
        // Pieces now end one observation later: sums 3, 3 and 4 at α = 0.2.
        let moved = forecast(&fitted, 1, Some((9, &[1.0]))).mean[0];
        assert!((moved - (3.0 + 0.2) / 3.0).abs() < 1e-9, "{moved}");
    }

    #[test]
    fn without_demand_nothing_is_forecast() {
        assert_eq!(forecast(&fit(&Adida::default(), &[0.0; 5]).unwrap(), 2, None).mean, [0.0; 2]);
        assert_eq!(mean_interval(&SPARE_PARTS), 3);
    }
}
