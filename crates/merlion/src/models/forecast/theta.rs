//! The θ model: exponential smoothing with drift, by least squares.
//!
//! Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler (2016), "Models for optimising the theta method and their relationship to
//! state space models", Int. J. Forecasting 32; the method is that of Assimakopoulos & Nikolopoulos (2000), ibid. 16. With
//! `A + B t` the least-squares line through the series,
//!
//! ```text
//! y_t = μ_t + ε_t
//! μ_t = l_{t-1} + (1 - 1/θ) ((1-α)^{t-1} A + B (1 - (1-α)^t) / α)
//! l_t = α y_t + (1-α) l_{t-1}
//! ```
//!
//! where `θ = 2` for this model. A significant season is taken out first, by classical decomposition, and put back. The standard
//! error of step `h` is `σ √(1 + (h-1) α²)`.
//!
//! [`super::optimized_theta`], [`super::dynamic_theta`] and [`super::dynamic_optimized_theta`] are the paper's other models.

mod fit;
mod fitted;
mod line;

pub(super) use fit::Kind;
pub use fitted::FittedTheta;

use serde::{Deserialize, Serialize};

use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};
use crate::seasonality::classical::Decomposition;

/// Exponential smoothing with half the drift of the series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Theta {
    /// Length of the season in observations, taken out if it is significant, 1 for none. Null: told from the data.
    pub season_length: Option<usize>,
    /// "multiplicative", as in the paper, or "additive"; additive in any case where the data is not positive.
    pub decomposition_type: Decomposition,
}

impl Theta {
    pub(super) const KIND: Kind = Kind { dynamic: false, optimized: false };
}

/// Refuses a season of no observation.
pub(super) fn validate_season(model: &'static str, season_length: Option<usize>) -> Result<(), ModelError> {
    if season_length == Some(0) {
        return Err(ModelError::InvalidParameter {
            model,
            parameter: "season_length",
            value: "0".into(),
            reason: "a season has at least one observation".into(),
        });
    }
    Ok(())
}

impl Forecaster for Theta {
    const NAME: &'static str = "Theta";
    const SUMMARY: &'static str = "Exponential smoothing with half the drift of the series";
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
pub(super) mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;
    use crate::models::FittedForecaster;

    /// Airline passengers by month, 1949 to 1960.
    pub(in super::super) fn by_month() -> Vec<f64> {
        let text = include_str!("../../../tests/data/air_passengers.csv");
        text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect()
    }

    /// Means of the years.
    pub(in super::super) fn by_year() -> Vec<f64> {
        by_month().chunks(12).map(|year| year.iter().sum::<f64>() / 12.0).collect()
    }

    /// Holds a model against another implementation's mean squared error and forecasts of the passengers, by month and by year:
    /// the error is at most `slack` times as large, and forecasts are within `near` of theirs.
    pub(in super::super) fn assert_as_good_as<F: Forecaster<Fitted = FittedTheta>>(
        model: &F,
        [month, year]: [(f64, [f64; 4]); 2],
        (slack, near): (f64, f64),
    ) {
        let with = |length| model.clone().with_season_length(length).unwrap();
        for (fitted, (mse, expected)) in [(fit(&with(12), &by_month()), month), (fit(&with(1), &by_year()), year)] {
            let fitted = fitted.unwrap();
            assert!(fitted.mse() <= slack * mse, "mean squared error {} vs {mse}", fitted.mse());
            let ahead = forecast(&fitted, 4, None).mean;
            let apart =
                ahead.iter().zip(expected).map(|(got, expected)| (got / expected - 1.0).abs()).fold(0.0, f64::max);
            assert!(apart < near, "{ahead:?} vs {expected:?}");
        }
    }

    // statsforecast 2.1.1: auto_theta(y, m, model="STM"). Nelder-Mead stops within 1e-4 of its minimum, here a little above ours.
    #[test]
    fn passengers_are_forecast_as_by_statsforecast() {
        let month = (108.268_538, [440.969_195, 429.249_242, 490.693_187, 476.659_920]);
        let year = (507.110_631, [491.806_795, 507.768_770, 523.730_746, 539.692_721]);
        assert_as_good_as(&Theta::default(), [month, year], (1.0 + 1e-9, 1e-3));
    }

    // forecast(h) = level + drift for a line: half of it is the line's, half is left to smoothing.
    #[test]
    fn a_line_goes_on_at_half_its_slope_or_more() {
        let y: Vec<f64> = (0..30).map(|t| 5.0 + 2.0 * f64::from(t)).collect();
        let ahead = forecast(&fit(&Theta::default(), &y).unwrap(), 3, None).mean;
        let steps = [ahead[0] - y[29], ahead[1] - ahead[0], ahead[2] - ahead[1]];
        for step in &steps[1..] {
            assert!((step - 1.0).abs() < 1e-6, "{ahead:?}");
        }
        assert!(steps[0] > 0.0 && steps[0] < 2.0, "{ahead:?}");
    }

    #[test]
    fn errors_grow_with_the_smoothing_of_the_level() {
        let y: Vec<f64> = (0..40).map(|t| 50.0 + f64::from(t) + f64::from(t * 37 % 11)).collect();
        let fitted = fit(&Theta { season_length: Some(1), ..Theta::default() }, &y).unwrap();
        let stderr = forecast(&fitted, 4, None).stderr.unwrap();
        for (h, got) in stderr.iter().enumerate() {
            let expected = stderr[0] * (1.0 + h as f64 * fitted.alpha().powi(2)).sqrt();
            assert!((got - expected).abs() < 1e-12 * expected, "step {}: {got} vs {expected}", h + 1);
        }
        assert_eq!(fitted.theta(), 2.0);
    }

    #[test]
    fn three_observations_are_too_short() {
        let error = fit(&Theta::default(), &[1.0, 2.0, 3.0]).unwrap_err();
        assert_eq!(error, ModelError::TooShort { got: 3, needed: 4 });
        assert_eq!(forecast(&fit(&Theta::default(), &[2.5; 4]).unwrap(), 2, None).mean, [2.5; 2]);
    }

    #[test]
    fn a_season_is_taken_out_and_put_back() {
        let season = [0.8, 1.3, 0.9, 1.0];
        let y: Vec<f64> = (0..40).map(|t| (100.0 + t as f64) * season[t % 4] + ((t * 31) % 7) as f64 / 10.0).collect();
        for season_length in [None, Some(4)] {
            let model = Theta { season_length, ..Theta::default() };
            let fitted = fit(&model, &y).unwrap();
            let ahead = forecast(&fitted, 8, None).mean;
            for (h, got) in ahead.iter().enumerate() {
                let expected = (140.0 + h as f64) * season[h % 4];
                assert!((got / expected - 1.0).abs() < 0.05, "{model:?}, step {}: {got} vs {expected}", h + 1);
            }
            assert_eq!(fitted.in_sample().mean.len(), 40);
        }
    }

    #[test]
    fn newer_observations_go_on_where_the_training_data_ended() {
        let y: Vec<f64> = (0..44).map(|t| (100 + t) as f64 * [0.8, 1.3, 0.9, 1.0][t % 4] + (t % 3) as f64).collect();
        let fitted = fit(&Theta { season_length: Some(4), ..Theta::default() }, &y[..40]).unwrap();
        let moved = forecast(&fitted, 3, Some((38, &y[38..42]))).mean;
        // A forecast that comes true changes nothing.
        let ahead = forecast(&fitted, 5, None).mean;
        let confirmed = forecast(&fitted, 3, Some((40, &ahead[..2]))).mean;
        for (got, expected) in confirmed.iter().zip(&ahead[2..]) {
            assert!((got - expected).abs() < 1e-9 * expected, "{confirmed:?} vs {ahead:?}");
        }
        assert_ne!(moved, confirmed);
    }
}
