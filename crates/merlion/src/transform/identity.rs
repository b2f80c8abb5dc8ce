//! The transform that leaves the series alone.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// Leaves the series alone. It has nothing to configure and nothing to learn, so it is its own fitted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity {}

impl Transform for Identity {
    const NAME: &'static str = "Identity";
    const SUMMARY: &'static str = "Leaves the series alone";
    type Fitted = Self;

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(*self)
    }
}

impl Fitted for Identity {
    fn inversion(&self) -> Inversion {
        Inversion::NOTHING
    }

    fn spec(&self) -> TransformSpec {
        (*self).into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        Ok((series.clone(), InversionState::Nothing))
    }

    fn invert(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        Ok(series.clone())
    }
}
