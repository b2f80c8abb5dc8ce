//! Intermittent demand summed over pieces of many lengths, whose forecasts are averaged.
//!
//! Petropoulos & Kourentzes (2015), "Forecast combinations for intermittent demand", Journal of the Operational Research Society
//! 66: the forecasts of [`super::adida`] for pieces of 1, 2, … observations up to the mean time between demands.

use serde::{Deserialize, Serialize};

use super::adida::{Pieces, mean_interval};
use crate::models::running::FittedRunning;
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// Most lengths of pieces; if the mean time between demands is longer, they are spread over it evenly.
const LENGTHS: usize = 100;

/// Demand summed over pieces of all lengths up to the mean time between demands, smoothed, averaged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Imapa {}

impl Forecaster for Imapa {
    const NAME: &'static str = "IMAPA";
    const SUMMARY: &'static str = "Intermittent demand: sums over pieces of several lengths, smoothed and averaged";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedRunning<Pieces>;

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        let y = input.target;
        let longest = mean_interval(y);
        let count = longest.min(LENGTHS);
        let lengths: Vec<usize> = (1..=count).map(|k| k * longest / count).collect();
        FittedRunning::train(Pieces::new(&lengths, y), input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::croston::tests::assert_forecasts;
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    // statsforecast 2.1.1: IMAPA.
    #[test]
    fn spare_parts_are_forecast_as_by_statsforecast() {
        assert_forecasts(&Imapa::default(), 0.831_232_212_321_385_7, &[]);
    }

    #[test]
    fn a_single_demand_after_years_is_no_burden() {
        let mut y = vec![0.0; 30_000];
        y[25_000] = 5.0;
        let ahead = forecast(&fit(&Imapa::default(), &y).unwrap(), 1, None).mean[0];
        assert!(ahead.is_finite() && ahead >= 0.0, "{ahead}");
    }
}
