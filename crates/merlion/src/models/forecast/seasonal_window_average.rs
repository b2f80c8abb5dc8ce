//! The mean of the newest seasons goes on.

use serde::{Deserialize, Serialize};

use super::theta::validate_season;
use super::window_average::{Window, validate_window};
use crate::models::running::FittedRunning;
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// The mean of the newest seasons, phase by phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeasonalWindowAverage {
    /// Length of the season in observations; 1, the mean of the newest observations, because nothing is known about the data yet.
    pub season_length: usize,
    /// How many seasons; three, which follow a change within as many. Fewer while there are fewer.
    pub window_size: usize,
}

impl Default for SeasonalWindowAverage {
    fn default() -> Self {
        Self { season_length: 1, window_size: 3 }
    }
}

impl Forecaster for SeasonalWindowAverage {
    const NAME: &'static str = "SeasonalWindowAverage";
    const SUMMARY: &'static str = "The mean of the newest seasons goes on";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedRunning<Window>;

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: length, ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        validate_season(Self::NAME, Some(self.season_length))?;
        validate_window(Self::NAME, self.window_size)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<Self::Fitted, ModelError> {
        if input.target.len() < self.season_length {
            return Err(ModelError::TooShort { got: input.target.len(), needed: self.season_length });
        }
        FittedRunning::train(Window::new(self.window_size, self.season_length), input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::croston::tests::SPARE_PARTS;
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    // statsforecast 2.1.1: SeasonalWindowAverage(season_length=4, window_size=3).
    #[test]
    fn spare_parts_are_forecast_as_by_statsforecast() {
        let model = SeasonalWindowAverage { season_length: 4, window_size: 3 };
        let ahead = forecast(&fit(&model, &SPARE_PARTS).unwrap(), 6, None).mean;
        let third = 1.0 / 3.0;
        for (got, expected) in ahead.iter().zip([third, 2.0, 5.0 * third, 0.0, third, 2.0]) {
            assert!((got - expected).abs() < 1e-12, "{ahead:?}");
        }
    }

    #[test]
    fn two_seasons_are_averaged_while_there_are_no_three() {
        let model = SeasonalWindowAverage { season_length: 3, window_size: 3 };
        let fitted = fit(&model, &[1.0, 2.0, 3.0, 3.0, 6.0]).unwrap();
        assert_eq!(forecast(&fitted, 4, None).mean, [3.0, 2.0, 4.0, 3.0]);
        assert_eq!(fit(&model, &[1.0]).unwrap_err(), ModelError::TooShort { got: 1, needed: 3 });
    }
}
