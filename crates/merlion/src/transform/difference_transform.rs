//! Differences to the value before.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, LagTransform, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// The difference to the value before, `y_t = x_t - x_{t-1}`, which takes a trend out. The first observation is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DifferenceTransform {}

/// Nothing but a lag of one step.
const LAG: LagTransform = LagTransform { k: 1, pad: false };

impl Transform for DifferenceTransform {
    const NAME: &'static str = "DifferenceTransform";
    const SUMMARY: &'static str = "Difference to the value before";
    type Fitted = Self;

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(*self)
    }
}

impl Fitted for DifferenceTransform {
    fn inversion(&self) -> Inversion {
        LAG.inversion()
    }

    fn spec(&self) -> TransformSpec {
        (*self).into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        LAG.apply_with_state(series)
    }

    fn invert(&self, series: &TimeSeries, state: &InversionState) -> Result<TimeSeries, TransformError> {
        LAG.invert(series, state)
    }

    fn end(&self, history: &TimeSeries) -> Result<InversionState, TransformError> {
        LAG.end(history)
    }

    fn invert_forecast(&self, forecast: &TimeSeries, end: &InversionState) -> Result<TimeSeries, TransformError> {
        LAG.invert_forecast(forecast, end)
    }

    fn invert_one_step(&self, predictions: &TimeSeries, history: &TimeSeries) -> Result<TimeSeries, TransformError> {
        LAG.invert_one_step(predictions, history)
    }
}
