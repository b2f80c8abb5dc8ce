//! Normalising to the range from 0 to 1.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, PerColumn, Rescale, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// Subtracts the minimum and divides by the range, as found in the training data, missing values left out. The range counts as at
/// least 1e-8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MinMaxNormalize {
    /// What is subtracted from each column. It is learned: what is given here is replaced in training.
    pub bias: Option<PerColumn>,
    /// What each column is divided by. It is learned: what is given here is replaced in training.
    pub scale: Option<PerColumn>,
    /// Whether the bias is used.
    pub normalize_bias: bool,
    /// Whether the scale is used.
    pub normalize_scale: bool,
}

impl Default for MinMaxNormalize {
    fn default() -> Self {
        Self { bias: None, scale: None, normalize_bias: true, normalize_scale: true }
    }
}

impl Transform for MinMaxNormalize {
    const NAME: &'static str = "MinMaxNormalize";
    const SUMMARY: &'static str = "Smallest value 0, largest 1";
    type Fitted = FittedMinMaxNormalize;

    fn fit(&self, series: &TimeSeries) -> Result<FittedMinMaxNormalize, TransformError> {
        Ok(FittedMinMaxNormalize(Rescale {
            bias: PerColumn::learn(series, |column| Ok::<_, TransformError>(extent(column.values()).0))?,
            scale: PerColumn::learn(series, |column| Ok::<_, TransformError>(extent(column.values()).1))?,
            normalize_bias: self.normalize_bias,
            normalize_scale: self.normalize_scale,
        }))
    }
}

/// A [`MinMaxNormalize`] that knows its amounts.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedMinMaxNormalize(Rescale);

impl Fitted for FittedMinMaxNormalize {
    fn inversion(&self) -> Inversion {
        Inversion::STATELESS
    }

    fn spec(&self) -> TransformSpec {
        let Rescale { bias, scale, normalize_bias, normalize_scale } = self.0.clone();
        MinMaxNormalize { bias: Some(bias), scale: Some(scale), normalize_bias, normalize_scale }.into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        Ok((self.0.forward(series, MinMaxNormalize::NAME)?, InversionState::Nothing))
    }

    fn invert(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        self.0.backward(series, MinMaxNormalize::NAME)
    }
}

/// Minimum and range of the values that are not missing; 0 and 1 if there is none.
fn extent(values: &[f64]) -> (f64, f64) {
    let known = || values.iter().copied().filter(|v| !v.is_nan());
    let Some(least) = known().reduce(f64::min) else { return (0.0, 1.0) };
    let greatest = known().fold(least, f64::max);
    (least, (greatest - least).max(1e-8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_leaves_missing_values_out_and_is_never_zero() {
        assert_eq!(extent(&[3.0, f64::NAN, -1.0]), (-1.0, 4.0));
        assert_eq!(extent(&[2.0, 2.0]), (2.0, 1e-8));
        assert_eq!(extent(&[f64::NAN]), (0.0, 1.0));
    }
}
