//! Absolute values.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// Takes absolute values: `y = |x|`. The sign is lost, so the inverse leaves values as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AbsVal {}

impl Transform for AbsVal {
    const NAME: &'static str = "AbsVal";
    const SUMMARY: &'static str = "Absolute values";
    type Fitted = Self;

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(*self)
    }
}

impl Fitted for AbsVal {
    fn inversion(&self) -> Inversion {
        Inversion::LEFT_AS_IS
    }

    fn spec(&self) -> TransformSpec {
        (*self).into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let series = series.map_columns(|column| column.values().iter().map(|x| x.abs()).collect());
        Ok((series, InversionState::Nothing))
    }

    fn invert(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        Ok(series.clone())
    }
}
