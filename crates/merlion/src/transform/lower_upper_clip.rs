//! Values held between two bounds.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// Replaces values below `lower` by `lower` and values above `upper` by `upper`. What was beyond is lost, so the inverse leaves
/// values as they are.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LowerUpperClip {
    /// The least value; none if absent.
    pub lower: Option<f64>,
    /// The greatest value; none if absent. One of the two must be given.
    pub upper: Option<f64>,
}

impl Transform for LowerUpperClip {
    const NAME: &'static str = "LowerUpperClip";
    const SUMMARY: &'static str = "Values held between two bounds";
    type Fitted = Self;

    fn validate(&self) -> Result<(), TransformError> {
        let nan = |bound: Option<f64>| bound.is_some_and(f64::is_nan);
        match (self.lower, self.upper) {
            (None, None) => Err(TransformError::invalid(Self::NAME, "lower", "null", "give lower, upper or both")),
            (lower, upper) if nan(lower) || nan(upper) => {
                Err(TransformError::invalid(Self::NAME, "lower or upper", f64::NAN, "is not a number"))
            }
            (Some(lower), Some(upper)) if lower >= upper => {
                Err(TransformError::invalid(Self::NAME, "upper", upper, format!("must be above lower = {lower}")))
            }
            _ => Ok(()),
        }
    }

    fn fit(&self, _: &TimeSeries) -> Result<Self, TransformError> {
        Ok(*self)
    }
}

impl Fitted for LowerUpperClip {
    fn inversion(&self) -> Inversion {
        Inversion::LEFT_AS_IS
    }

    fn spec(&self) -> TransformSpec {
        (*self).into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        let (lower, upper) = (self.lower.unwrap_or(f64::NEG_INFINITY), self.upper.unwrap_or(f64::INFINITY));
        let series = series.map_columns(|column| column.values().iter().map(|x| x.clamp(lower, upper)).collect());
        Ok((series, InversionState::Nothing))
    }

    fn invert(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        Ok(series.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_must_exist_and_be_in_order() {
        for (lower, upper, valid) in [
            (None, None, false),
            (Some(1.0), None, true),
            (None, Some(1.0), true),
            (Some(1.0), Some(2.0), true),
            (Some(2.0), Some(2.0), false),
            (Some(f64::NAN), None, false),
            (None, Some(f64::NAN), false),
        ] {
            assert_eq!(LowerUpperClip { lower, upper }.validate().is_ok(), valid, "{lower:?} to {upper:?}");
        }
    }
}
