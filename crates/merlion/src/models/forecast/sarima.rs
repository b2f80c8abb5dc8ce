//! Seasonal ARIMA: a series whose differences are explained by their own past and by past errors, at the season, too.
//!
//! Box & Jenkins (1970), "Time Series Analysis: Forecasting and Control". With `B` the step back in time, `m` the season's
//! length, `x_t` the regressors and `ε_t` normal with variance `σ²`,
//!
//! ```text
//! φ(B) Φ(Bᵐ) (1 - B)ᵈ (1 - Bᵐ)ᴰ (y_t - β·x_t) = c + θ(B) Θ(Bᵐ) ε_t
//! φ(B) = 1 - φ_1 B - … - φ_p Bᵖ        θ(B) = 1 + θ_1 B + … + θ_q B^q
//! ```
//!
//! All parameters have the highest likelihood there is: of the differenced series, exactly (`sarima/exact.rs`), among
//! stationary and invertible models. Merlion lets the coefficients run free, and statsmodels then starts its filter from a
//! large variance instead; `enforce_stationarity: false` does that (`sarima/filter.rs`, `sarima/fit.rs`).

mod exact;
mod filter;
mod fit;
mod fitted;
mod orders;
mod polynomial;
mod presample;
mod start;

use serde::{Deserialize, Serialize};

pub(super) use fit::free_fit;
pub use fit::{Effort, SarimaFit, Workspace};
pub use fitted::FittedSarima;
pub use orders::Orders;
pub use polynomial::Coefficients;

use crate::models::{Capabilities, FitContext, Forecaster, ModelError, TrainInput};

/// What is added to the differenced series in each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Trend {
    /// Nothing, as in Merlion.
    #[default]
    #[serde(rename = "n")]
    None,
    /// A constant: a mean of the series, or the slope of its line, if it is differenced once.
    #[serde(rename = "c")]
    Constant,
}

/// ARIMA with chosen orders, plain and seasonal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sarima {
    /// `[p, d, q]`; [4, 1, 2] as in Merlion.
    pub order: [usize; 3],
    /// `[P, D, Q, m]`; [2, 0, 1, 24] as in Merlion. With `m` of 1 there is no season.
    pub seasonal_order: [usize; 4],
    /// "n" for no constant, as in Merlion, or "c".
    pub trend: Trend,
    /// Whether the differenced series is stationary. With false, as in Merlion, the likelihood is that of statsmodels, which
    /// leaves out one observation for each lag, and forecasts may explode.
    pub enforce_stationarity: bool,
    /// Whether errors can be told from the series; matters only without enforced stationarity, because otherwise every model has
    /// an invertible twin of the same likelihood.
    pub enforce_invertibility: bool,
}

impl Default for Sarima {
    fn default() -> Self {
        Self {
            order: [4, 1, 2],
            seasonal_order: [2, 0, 1, 24],
            trend: Trend::None,
            enforce_stationarity: true,
            enforce_invertibility: true,
        }
    }
}

/// Most lags a model may have: a likelihood takes time with their third power.
const MOST_LAGS: usize = 2000;
/// Most differences: two make a line of a parabola's slope, and each takes observations away.
const MOST_DIFFERENCES: usize = 2;

impl Sarima {
    /// The orders, a season of 1 being none.
    #[must_use]
    pub fn orders(&self) -> Orders {
        Orders::new(self.order, self.seasonal_order)
    }

    /// Checks the orders in the name of `model`.
    pub(super) fn check(&self, model: &'static str) -> Result<(), ModelError> {
        let invalid = |parameter, value: &dyn std::fmt::Debug, reason: String| {
            Err(ModelError::InvalidParameter { model, parameter, value: format!("{value:?}"), reason })
        };
        let orders = self.orders();
        if orders.d > MOST_DIFFERENCES {
            return invalid("order", &self.order, format!("at most {MOST_DIFFERENCES} differences"));
        }
        if orders.seasonal_d > MOST_DIFFERENCES {
            return invalid("seasonal_order", &self.seasonal_order, format!("at most {MOST_DIFFERENCES} differences"));
        }
        let [p, d, q, period] = self.seasonal_order;
        if period == 0 && p + d + q > 0 {
            return invalid("seasonal_order", &self.seasonal_order, "a season has at least one observation".into());
        }
        let lags = |plain: usize, seasonal: usize| {
            seasonal.checked_mul(orders.period).and_then(|lags| lags.checked_add(plain)).unwrap_or(usize::MAX)
        };
        for (plain, seasonal) in
            [(orders.p, orders.seasonal_p), (orders.q, orders.seasonal_q), (orders.d, orders.seasonal_d)]
        {
            if lags(plain, seasonal) > MOST_LAGS {
                let (parameter, value): (_, &dyn std::fmt::Debug) = match plain > MOST_LAGS {
                    true => ("order", &self.order),
                    false => ("seasonal_order", &self.seasonal_order),
                };
                return invalid(parameter, value, format!("at most {MOST_LAGS} lags"));
            }
        }
        Ok(())
    }

    /// Trains, whatever the model is called.
    pub(super) fn train(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedSarima, ModelError> {
        let orders = self.orders();
        let has_constant = self.trend == Trend::Constant;
        let needed = orders.lost() + orders.coefficients() + usize::from(has_constant) + input.exog.len() + 2;
        if input.target.len() < needed {
            return Err(ModelError::TooShort { got: input.target.len(), needed });
        }
        let mut workspace = Workspace::new(input.target, input.exog, &orders, has_constant);
        // A series that differencing explains leaves nothing to estimate.
        if self.enforce_stationarity || workspace.is_explained() {
            let fit = workspace.fit(&orders, None, Effort::Best, context)?;
            return FittedSarima::new(fit, input, false);
        }
        let how = (has_constant, self.enforce_invertibility);
        let fit = free_fit(input.target, input.exog, &orders, how, None, usize::MAX, context)?;
        FittedSarima::new(fit, input, true)
    }
}

impl Forecaster for Sarima {
    const NAME: &'static str = "Sarima";
    const SUMMARY: &'static str = "ARIMA with chosen plain and seasonal orders, by exact maximum likelihood";
    const CAPABILITIES: Capabilities = Capabilities { exogenous: true, ..Capabilities::CLASSICAL };
    type Fitted = FittedSarima;

    fn into_merlion(self) -> Self {
        Self { enforce_stationarity: false, enforce_invertibility: false, ..self }
    }

    fn with_season_length(self, length: usize) -> Option<Self> {
        let [p, d, q, _] = self.seasonal_order;
        Some(Self { seasonal_order: [p, d, q, length], ..self })
    }

    fn validate(&self) -> Result<(), ModelError> {
        self.check(Self::NAME)
    }

    fn fit(&self, input: &TrainInput<'_>, context: &FitContext) -> Result<FittedSarima, ModelError> {
        self.train(input, context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::tests::{fit, forecast};
    use super::*;
    use crate::models::{Catalog, Compat, FittedForecaster, ModelSpec};
    use serde_json::json;

    fn sales(n: usize) -> Vec<f64> {
        let noise = |t: usize| ((t * 7919) % 101) as f64 / 25.0;
        (0..n).map(|t| 50.0 + 0.3 * t as f64 + [4.0, 1.0, -2.0, -3.0][t % 4] + noise(t)).collect()
    }

    fn model(order: [usize; 3], seasonal_order: [usize; 4]) -> Sarima {
        Sarima { order, seasonal_order, ..Sarima::default() }
    }

    #[test]
    fn the_defaults_are_those_of_merlion() {
        let model: Sarima = serde_json::from_str("{}").unwrap();
        assert_eq!((model.order, model.seasonal_order), ([4, 1, 2], [2, 0, 1, 24]));
        let merlion = model.into_merlion();
        assert!(!merlion.enforce_stationarity && !merlion.enforce_invertibility);
        let json = json!({"name": "Sarima", "order": [1, 1, 1], "seasonal_order": [1, 0, 1, 7], "trend": "c"});
        assert!(ModelSpec::from_json(&json).unwrap().build(&Catalog::default(), Compat::None).is_ok());
    }

    #[test]
    fn orders_that_cannot_be_are_named() {
        for (model, words) in [
            (model([1, 3, 1], [0, 0, 0, 0]), "order = [1, 3, 1]: at most 2 differences"),
            (model([1, 1, 1], [0, 3, 0, 4]), "seasonal_order = [0, 3, 0, 4]: at most 2 differences"),
            (model([1, 1, 1], [1, 0, 0, 0]), "a season has at least one observation"),
            (model([2001, 1, 1], [0, 0, 0, 0]), "order = [2001, 1, 1]: at most 2000 lags"),
            (model([1, 1, 1], [0, 0, 1, usize::MAX]), "at most 2000 lags"),
        ] {
            let error = model.validate().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_season_of_one_is_left_out() {
        let with = |m| model([1, 1, 1], [1, 0, 1, 4]).with_season_length(m).unwrap();
        let y = sales(48);
        let plain = fit(&model([1, 1, 1], [0, 0, 0, 0]), &y).unwrap();
        assert_eq!(forecast(&fit(&with(1), &y).unwrap(), 4, None), forecast(&plain, 4, None));
        assert_eq!(fit(&with(4), &y).unwrap().fit().orders.name(), "(1,1,1)(1,0,1)[4]");
    }

    #[test]
    fn a_constant_series_is_forecast_without_error() {
        for seasonal in [[0, 0, 0, 0], [1, 1, 1, 4]] {
            for model in [model([2, 1, 1], seasonal), model([2, 1, 1], seasonal).into_merlion()] {
                let forecast = forecast(&fit(&model, &[42.5; 30]).unwrap(), 3, None);
                assert_eq!((forecast.mean, forecast.stderr.unwrap()), (vec![42.5; 3], vec![0.0; 3]), "{model:?}");
            }
        }
    }

    #[test]
    fn one_step_errors_have_their_standard_errors() {
        let y = sales(120);
        let fitted = fit(&model([1, 1, 1], [1, 0, 1, 4]), &y).unwrap();
        let InSampleSquares(mean_square) = squares(&fitted, &y, 1);
        // Exactly 1 by the estimate of σ².
        assert!((mean_square - 1.0).abs() < 1e-9, "{mean_square}");
        assert_eq!(fitted.in_sample().mean[0], y[0]);
    }

    struct InSampleSquares(f64);

    fn squares(fitted: &FittedSarima, y: &[f64], lost: usize) -> InSampleSquares {
        let in_sample = fitted.in_sample();
        let stderr = in_sample.stderr.unwrap();
        let sum: f64 = (lost..y.len()).map(|t| ((y[t] - in_sample.mean[t]) / stderr[t]).powi(2)).sum();
        InSampleSquares(sum / (y.len() - lost) as f64)
    }

    #[test]
    fn a_constant_is_the_slope_of_a_differenced_series() {
        let model = Sarima { trend: Trend::Constant, ..model([1, 1, 1], [0, 0, 0, 0]) };
        for model in [model.clone(), model.into_merlion()] {
            let y: Vec<f64> = (0..80).map(|t| 10.0 + 2.0 * t as f64 + ((t * 7919) % 101) as f64 / 50.0).collect();
            let ahead = forecast(&fit(&model, &y).unwrap(), 40, None).mean;
            let slope = (ahead[39] - ahead[19]) / 20.0;
            assert!((slope - 2.0).abs() < 0.02, "{slope} {model:?}");
        }
    }

    #[test]
    fn newer_observations_move_the_forecast_as_if_they_had_been_there() {
        let y = sales(80);
        let model = model([1, 1, 1], [1, 0, 0, 4]);
        let short = fit(&model, &y[..70]).unwrap();
        let moved = forecast(&short, 6, Some((60, &y[60..])));
        // The same parameters run over all the data.
        let again = forecast(&short, 6, Some((1000, &y)));
        for h in 0..6 {
            assert!((moved.mean[h] - again.mean[h]).abs() < 1e-9, "{moved:?} {again:?}");
        }
        assert!(moved.mean != forecast(&short, 6, None).mean);
        assert_eq!(forecast(&short, 6, Some((60, &y[60..70]))), forecast(&short, 6, None), "nothing new");
    }

    #[test]
    fn enforced_invertibility_holds_without_stationarity() {
        let y = sales(60);
        let free = Sarima { enforce_stationarity: false, ..model([1, 1, 1], [0, 1, 1, 4]) };
        let fitted = fit(&free, &y).unwrap();
        let c = &fitted.fit().coefficients;
        assert!(c.ma[0].abs() <= 1.0 && c.seasonal_ma[0].abs() <= 1.0, "{c:?}");
    }

    #[test]
    fn a_short_series_is_refused_with_the_length_it_needs() {
        let error = fit(&model([1, 1, 1], [1, 1, 1, 4]), &sales(10)).unwrap_err();
        assert_eq!(error, ModelError::TooShort { got: 10, needed: 11 });
    }
}
