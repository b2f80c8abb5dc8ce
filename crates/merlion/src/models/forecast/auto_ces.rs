//! Complex exponential smoothing with the season that suits the series best.
//!
//! Of the four kinds of [`super::ces`] the one of the lowest information criterion is kept, the smallest on ties. The criterion
//! counts the level's pair, the season's states of one phase and the variance, as in the paper of Svetunkov, Kourentzes & Ord
//! (2022) and its implementations.

use serde::{Deserialize, Serialize};

use super::auto_ets::InformationCriterion;
use super::ces::{FittedCes, Seasonality, period};
use super::theta::validate_season;
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// Complex exponential smoothing whose season is chosen by an information criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoCes {
    /// Length of the season in observations, 1 for none. Null: told from the data. What was not seen twice is no season.
    pub season_length: Option<usize>,
    /// "AICc", because the series may be short, "AIC" or "BIC".
    pub information_criterion: InformationCriterion,
}

impl Default for AutoCes {
    fn default() -> Self {
        Self { season_length: None, information_criterion: InformationCriterion::Aicc }
    }
}

impl Forecaster for AutoCes {
    const NAME: &'static str = "AutoCES";
    const SUMMARY: &'static str = "Complex exponential smoothing with the season chosen by AICc, AIC or BIC";
    const CAPABILITIES: Capabilities = Capabilities::CLASSICAL;
    type Fitted = FittedCes;

    fn with_season_length(self, length: usize) -> Option<Self> {
        Some(Self { season_length: Some(length), ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        validate_season(Self::NAME, self.season_length)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedCes, ModelError> {
        let period = period(self.season_length, input.target, context)?;
        let kinds = [Seasonality::None, Seasonality::Simple, Seasonality::Partial, Seasonality::Full];
        let kinds = if period == 1 { &kinds[..1] } else { &kinds };
        FittedCes::best(kinds, period, self.information_criterion, input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ces::Ces;
    use super::super::naive::tests::fit;
    use super::super::theta::tests::by_month;
    use super::*;

    // statsforecast 2.1.1 chooses the full season, too (AICc 1433.4).
    #[test]
    fn passengers_have_a_full_season() {
        let y = by_month();
        let auto = fit(&AutoCes { season_length: Some(12), ..AutoCes::default() }, &y).unwrap();
        assert_eq!(auto.seasonality(), Seasonality::Full);
        assert!(auto.criterion() <= 1433.37, "{}", auto.criterion());
        for seasonality in [Seasonality::None, Seasonality::Simple, Seasonality::Partial] {
            let other = fit(&Ces { seasonality, season_length: Some(12) }, &y).unwrap();
            assert!(auto.criterion() < other.criterion(), "{seasonality:?}: {}", other.criterion());
        }
    }

    #[test]
    fn without_a_season_there_is_nothing_to_choose() {
        let y: Vec<f64> = (0..30).map(|t| 40.0 + f64::from(t * 37 % 11)).collect();
        let auto = fit(&AutoCes { season_length: Some(1), ..AutoCes::default() }, &y).unwrap();
        assert_eq!(auto, fit(&Ces { season_length: Some(1), ..Ces::default() }, &y).unwrap());
    }
}
