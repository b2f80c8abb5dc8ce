//! Differences to the value some steps before.

use serde::{Deserialize, Serialize};

use super::recursion::{self, Recursion};
use super::{Fitted, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// The difference to the value `k` steps before: `y_t = x_t - x_{t-k}`, which takes a season of `k` steps out.
///
/// The first `k` observations have no difference and are left out, or stand against the first one with `pad`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LagTransform {
    /// How many steps lie between the two values.
    pub k: usize,
    /// Whether the first `k` observations are kept, as differences to the first one.
    pub pad: bool,
}

impl Default for LagTransform {
    /// The smallest lag there is.
    fn default() -> Self {
        Self { k: 1, pad: false }
    }
}

impl Transform for LagTransform {
    const NAME: &'static str = "LagTransform";
    const SUMMARY: &'static str = "Difference to the value k steps before";
    const REQUIRED: &'static [&'static str] = &["k"];
    type Fitted = Self;

    fn validate(&self) -> Result<(), TransformError> {
        match self.k {
            0 => Err(TransformError::invalid(Self::NAME, "k", 0, "must be at least 1")),
            _ => Ok(()),
        }
    }

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(*self)
    }
}

impl Recursion for LagTransform {
    const TRANSFORM: &'static str = Self::NAME;

    fn order(&self) -> usize {
        self.k
    }

    fn period(&self) -> usize {
        self.k
    }

    fn next(&self, before: &[f64], y: f64) -> f64 {
        match before.len().checked_sub(self.k) {
            Some(at) => before[at] + y,
            None if self.pad => before.first().map_or(f64::NAN, |first| first + y),
            None => f64::NAN,
        }
    }
}

impl Fitted for LagTransform {
    fn inversion(&self) -> Inversion {
        Inversion::STATEFUL
    }

    fn spec(&self) -> TransformSpec {
        (*self).into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let k = self.k;
        let kept = if self.pad {
            series.map_columns(|column| {
                let x = column.values();
                (0..x.len()).map(|i| x[i] - x[i.saturating_sub(k)]).collect()
            })
        } else {
            let mut inputs = series.univariates().iter();
            series.at_positions(|times| k.min(times.len())..times.len()).map_columns(|column| {
                let x = inputs.next().map_or(column.values(), |input| input.values());
                (0..column.len()).map(|i| x[i + k] - x[i]).collect()
            })
        };
        let state = InversionState::Observations(recursion::undetermined(series, &kept, k)?);
        Ok((kept, state))
    }

    fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        recursion::invert(self, series, state.observations(Self::NAME)?)
    }

    /// Merlion takes the first `k` values of the input for the first `k` of a padded series, whatever its times.
    fn invert_as_merlion(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        if !self.pad {
            return self.invert(series, state);
        }
        let known = state.observations(Self::NAME)?;
        Ok(series.map_columns(|column| {
            let first = known.find(column.name()).map_or(&[][..], |known| known.values());
            let mut values: Vec<f64> = first.iter().copied().take(self.k.min(column.len())).collect();
            for &y in &column.values()[values.len()..] {
                values.push(self.next(&values, y));
            }
            values
        }))
    }

    fn end(&self, history: &TimeSeries) -> Result<InversionState, TransformError> {
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
    use super::*;
    use crate::time::testing::seconds;

    fn series(times: &[i64], values: &[f64]) -> TimeSeries {
        TimeSeries::from_columns(seconds(times), vec![("x".to_owned(), values.to_vec())]).unwrap()
    }

    #[test]
    fn differences_of_a_small_array() {
        let x = series(&[0, 1, 2, 3, 4], &[1., 2., 4., 8., 16.]);
        let lag = |pad| LagTransform { k: 2, pad }.apply_with_state(&x).unwrap().0;
        assert_eq!(lag(false), series(&[2, 3, 4], &[3., 6., 12.]));
        assert_eq!(lag(true), series(&[0, 1, 2, 3, 4], &[0., 1., 3., 6., 12.]));
    }

    #[test]
    fn a_series_no_longer_than_the_lag_has_no_difference_and_still_comes_back() {
        let x = series(&[0, 1], &[1., 2.]);
        let lag = LagTransform { k: 3, pad: false };
        let (none, state) = lag.apply_with_state(&x).unwrap();
        assert!(none.is_empty());
        assert_eq!(lag.invert(&none, &state), Ok(x));
    }

    #[test]
    fn a_forecast_goes_on_from_the_last_season_and_steps_over_missing_values() {
        let history = series(&[0, 1, 2, 3, 4, 5], &[1., 2., 3., 11., f64::NAN, 13.]);
        let lag = LagTransform { k: 3, pad: false };
        let end = lag.end(&history).unwrap();
        let forecast = lag.invert_forecast(&series(&[6, 7, 8, 9], &[1., 1., 1., 1.]), &end).unwrap();
        assert_eq!(forecast, series(&[6, 7, 8, 9], &[12., 3., 14., 13.]));
        let before = lag.invert_one_step(&series(&[3, 4, 5], &[10., 20., 30.]), &history).unwrap();
        assert_eq!(before, series(&[3, 4, 5], &[11., 22., 33.]));
    }

    #[test]
    fn the_state_of_something_else_is_refused() {
        let lag = LagTransform::default();
        let x = series(&[0, 1], &[1., 2.]);
        assert_eq!(
            lag.invert(&x, &InversionState::Nothing).unwrap_err().to_string(),
            "LagTransform: the inversion state does not belong to this series: there is none"
        );
        let other = lag.end(&x.rename(&["z"]).unwrap()).unwrap();
        assert!(matches!(lag.invert_forecast(&x, &other), Err(TransformError::WrongState { .. })));
    }
}
