//! ARIMA without a season: [`Sarima`] with plain orders alone.
//!
//! Box & Jenkins (1970), "Time Series Analysis: Forecasting and Control": `d` differences make the series stationary, `p` of
//! its own values and `q` past errors explain what is left. See [`super::sarima`] for the equations and the estimation.

use serde::{Deserialize, Serialize};

use super::sarima::{FittedSarima, Sarima, Trend};
use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// ARIMA with chosen orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Arima {
    /// `[p, d, q]`; [4, 1, 2] as in Merlion.
    pub order: [usize; 3],
    /// As in Merlion, nothing but zeros: a season is [`Sarima`]'s.
    pub seasonal_order: [usize; 4],
    /// "n" for no constant, as in Merlion, or "c".
    pub trend: Trend,
    /// As in [`Sarima`]; false in Merlion.
    pub enforce_stationarity: bool,
    /// As in [`Sarima`]; false in Merlion.
    pub enforce_invertibility: bool,
}

impl Default for Arima {
    fn default() -> Self {
        let Sarima { order, trend, enforce_stationarity, enforce_invertibility, .. } = Sarima::default();
        Self { order, seasonal_order: [0; 4], trend, enforce_stationarity, enforce_invertibility }
    }
}

impl Arima {
    fn sarima(&self) -> Sarima {
        let Self { order, seasonal_order, trend, enforce_stationarity, enforce_invertibility } = *self;
        Sarima { order, seasonal_order, trend, enforce_stationarity, enforce_invertibility }
    }
}

impl Forecaster for Arima {
    const NAME: &'static str = "Arima";
    const SUMMARY: &'static str = "ARIMA with chosen orders, by exact maximum likelihood";
    const CAPABILITIES: Capabilities = Sarima::CAPABILITIES;
    type Fitted = FittedSarima;

    fn into_merlion(self) -> Self {
        Self { enforce_stationarity: false, enforce_invertibility: false, ..self }
    }

    fn validate(&self) -> Result<(), ModelError> {
        if self.seasonal_order != [0; 4] {
            return Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "seasonal_order",
                value: format!("{:?}", self.seasonal_order),
                reason: "this model has no season; Sarima has".into(),
            });
        }
        self.sarima().check(Self::NAME)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedSarima, ModelError> {
        self.sarima().train(input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;

    fn values(n: usize) -> Vec<f64> {
        (0..n).map(|t| 20.0 + 0.5 * t as f64 + ((t * 7919) % 101) as f64 / 20.0).collect()
    }

    #[test]
    fn it_is_sarima_without_a_season() {
        let y = values(60);
        let sarima = Sarima { seasonal_order: [0; 4], ..Sarima::default() };
        assert_eq!(
            forecast(&fit(&Arima::default(), &y).unwrap(), 5, None),
            forecast(&fit(&sarima, &y).unwrap(), 5, None)
        );
    }

    #[test]
    fn a_season_is_left_to_sarima() {
        let error = Arima { seasonal_order: [1, 0, 0, 12], ..Arima::default() }.validate().unwrap_err().to_string();
        assert!(error.contains("seasonal_order = [1, 0, 0, 12]: this model has no season; Sarima has"), "{error}");
        assert!(Arima { order: [1, 3, 0], ..Arima::default() }.validate().is_err());
    }
}
