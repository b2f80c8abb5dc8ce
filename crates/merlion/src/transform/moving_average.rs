//! Weighted averages over a moving window.

use serde::{Deserialize, Serialize};

use super::recursion::{self, Recursion};
use super::{Fitted, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// The weighted average of each value and those before it, where the first value also counts as all that were before it:
///
/// ```text
/// y_t = w_1 x_{t-n+1} + … + w_{n-1} x_{t-1} + w_n x_t
/// ```
///
/// The inverse solves this for `x_t`, one value after the other. That is exact, but it passes errors on: it only works on data that
/// differ from an average's (forecasts) if the newest weight is not small against the others, or `x` grows without bound.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MovingAverage {
    /// The length of the window; that of `weights` if absent.
    pub n_steps: Option<usize>,
    /// The weights, oldest value first; all the same if absent. They are used as they are: nothing makes them add up to 1.
    pub weights: Option<Vec<f64>>,
}

impl MovingAverage {
    /// The weights, oldest value first.
    #[expect(clippy::cast_precision_loss, reason = "a length of window")]
    fn weights(&self) -> Vec<f64> {
        let n = self.n_steps.unwrap_or(0);
        self.weights.clone().unwrap_or_else(|| vec![1.0 / n as f64; n])
    }
}

impl Transform for MovingAverage {
    const NAME: &'static str = "MovingAverage";
    const SUMMARY: &'static str = "Weighted average over a moving window";
    type Fitted = FittedMovingAverage;

    fn validate(&self) -> Result<(), TransformError> {
        let invalid =
            |parameter, value: String, reason| Err(TransformError::invalid(Self::NAME, parameter, value, reason));
        match (self.n_steps, &self.weights) {
            (None, None) => invalid("n_steps", "null".to_owned(), "give n_steps or weights"),
            (Some(n), None) if n < 2 => invalid("n_steps", n.to_string(), "must be at least 2"),
            (_, Some(weights)) if weights.len() < 2 => {
                invalid("weights", format!("{weights:?}"), "at least 2 are needed")
            }
            (Some(n), Some(weights)) if n != weights.len() => {
                invalid("n_steps", n.to_string(), "is not the number of weights")
            }
            (_, Some(weights)) if weights.iter().any(|w| !w.is_finite()) => {
                invalid("weights", format!("{weights:?}"), "must be finite")
            }
            _ => Ok(()),
        }
    }

    fn fit(&self, _: &TimeSeries) -> Result<FittedMovingAverage, TransformError> {
        let weights = self.weights();
        Ok(FittedMovingAverage { sum: weights.iter().sum(), weights })
    }
}

/// A [`MovingAverage`] with its weights at hand: at least two, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedMovingAverage {
    weights: Vec<f64>,
    sum: f64,
}

impl FittedMovingAverage {
    fn newest(&self) -> f64 {
        self.weights[self.weights.len() - 1]
    }

    /// The average of the window that ends with `before` and `x`, and starts with copies of `first`.
    fn older(&self, before: &[f64], first: f64) -> f64 {
        let back = self.weights.len() - 1;
        let missing = back.saturating_sub(before.len());
        let window = &before[before.len().saturating_sub(back)..];
        let older = &self.weights[..back];
        let start: f64 = older[..missing].iter().map(|w| w * first).sum();
        older[missing..].iter().zip(window).fold(start, |sum, (w, x)| sum + w * x)
    }

    /// Whether the weights take the level out, to within rounding.
    fn cancels(&self) -> bool {
        self.sum.abs() <= 1e-12 * self.weights.iter().map(|w| w.abs()).sum::<f64>()
    }

    fn invertible(&self) -> Result<(), TransformError> {
        if self.newest() == 0.0 {
            let reason = "the newest value has no weight".to_owned();
            return Err(TransformError::NotInvertible { transform: MovingAverage::NAME, reason });
        }
        Ok(())
    }
}

impl Recursion for FittedMovingAverage {
    const TRANSFORM: &'static str = MovingAverage::NAME;

    fn order(&self) -> usize {
        self.weights.len() - 1
    }

    fn period(&self) -> usize {
        1
    }

    fn next(&self, before: &[f64], y: f64) -> f64 {
        match before.first() {
            Some(&first) => (y - self.older(before, first)) / self.newest(),
            // The whole window was filled with the value looked for.
            None => y / self.sum,
        }
    }
}

impl Fitted for FittedMovingAverage {
    fn inversion(&self) -> Inversion {
        if self.newest() == 0.0 {
            return Inversion::IMPOSSIBLE;
        }
        Inversion { requires_state: self.cancels(), ..Inversion::STATELESS }
    }

    fn spec(&self) -> TransformSpec {
        MovingAverage { n_steps: Some(self.weights.len()), weights: Some(self.weights.clone()) }.into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let averages = series.map_columns(|column| {
            let x = column.values();
            (0..x.len()).map(|i| self.older(&x[..i], x[0]) + self.newest() * x[i]).collect()
        });
        // Weights that cancel take the level out, which the first value then brings back.
        let state = recursion::undetermined(series, &averages, usize::from(self.cancels()))?;
        Ok((averages, if state.is_empty() { InversionState::Nothing } else { InversionState::Observations(state) }))
    }

    fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        self.invertible()?;
        match state {
            InversionState::Nothing => recursion::invert(self, series, &TimeSeries::default()),
            state => recursion::invert(self, series, state.observations(MovingAverage::NAME)?),
        }
    }

    /// Merlion takes the first average for the values before the first, whatever the weights add up to, and keeps no state.
    fn invert_as_merlion(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        self.invertible()?;
        Ok(series.map_columns(|column| {
            let Some(&first) = column.values().first() else { return Vec::new() };
            let mut values = vec![first; self.order()];
            for &y in column.values() {
                values.push((y - self.older(&values, first)) / self.newest());
            }
            values.split_off(self.order())
        }))
    }

    fn end(&self, history: &TimeSeries) -> Result<InversionState, TransformError> {
        self.invertible()?;
        Ok(recursion::end(self, history))
    }

    fn invert_forecast(&self, forecast: &TimeSeries, end: &InversionState) -> Result<TimeSeries, TransformError> {
        recursion::invert_forecast(self, forecast, end)
    }

    fn invert_one_step(&self, predictions: &TimeSeries, history: &TimeSeries) -> Result<TimeSeries, TransformError> {
        recursion::invert_one_step(self, predictions, history)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::time::testing::seconds;

    fn series(values: &[f64]) -> TimeSeries {
        let times: Vec<i64> = (0..).take(values.len()).collect();
        TimeSeries::from_columns(seconds(&times), vec![("x".to_owned(), values.to_vec())]).unwrap()
    }

    fn fitted(weights: &[f64]) -> FittedMovingAverage {
        MovingAverage { n_steps: None, weights: Some(weights.to_vec()) }.fit(&TimeSeries::default()).unwrap()
    }

    #[test]
    fn the_first_value_also_counts_as_those_before_it() {
        let (averages, _) = fitted(&[0.5, 0.25, 0.25]).apply_with_state(&series(&[4., 8., 12., 4.])).unwrap();
        assert_eq!(averages.univariates()[0].values(), [4., 5., 7., 8.]);
    }

    #[test]
    fn weights_need_not_add_up_to_one() {
        let x = series(&[4., 8., 12., 4.]);
        for weights in [&[1.0, 1.0][..], &[-1.0, 1.0], &[0.5, -2.0, 1.5]] {
            let average = fitted(weights);
            let (y, state) = average.apply_with_state(&x).unwrap();
            assert_eq!(average.invert(&y, &state), Ok(x.clone()), "{weights:?}");
        }
        assert!(fitted(&[-1.0, 1.0]).inversion().requires_state);
        assert!(!fitted(&[1.0, 1.0]).inversion().requires_state);
        assert_eq!(fitted(&[1.0, 0.0]).inversion(), Inversion::IMPOSSIBLE);
        assert!(fitted(&[1.0, 0.0]).invert(&x, &InversionState::Nothing).is_err());
    }

    #[test]
    fn one_of_length_and_weights_is_needed_and_both_must_agree() {
        for (json, message) in [
            (json!({}), "n_steps = null: give n_steps or weights"),
            (json!({"n_steps": 1}), "n_steps = 1: must be at least 2"),
            (json!({"weights": [1]}), "weights = [1.0]: at least 2 are needed"),
            (json!({"n_steps": 3, "weights": [1, 2]}), "n_steps = 3: is not the number of weights"),
        ] {
            let mut json = json;
            json["name"] = "MovingAverage".into();
            let error = TransformSpec::from_json(&json).unwrap_err().to_string();
            assert_eq!(error, format!("MovingAverage: {message}"));
        }
    }
}
