//! Normalising to mean 0 and variance 1.

use serde::{Deserialize, Serialize};

use super::{Fitted, Inversion, InversionState, PerColumn, Rescale, Transform, TransformError, TransformSpec};
use crate::series::TimeSeries;

/// Subtracts the mean and divides by the standard deviation (of the population), as found in the training data, missing values left
/// out. A column that is constant, to within rounding, is not divided: scikit-learn's `StandardScaler`, on which Merlion relies, draws
/// the line at a variance of `n ε σ² + (n ε μ)²`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeanVarNormalize {
    /// What is subtracted from each column. It is learned: what is given here is replaced in training.
    pub bias: Option<PerColumn>,
    /// What each column is divided by. It is learned: what is given here is replaced in training.
    pub scale: Option<PerColumn>,
    /// Whether the bias is used.
    pub normalize_bias: bool,
    /// Whether the scale is used.
    pub normalize_scale: bool,
}

impl Default for MeanVarNormalize {
    fn default() -> Self {
        Self { bias: None, scale: None, normalize_bias: true, normalize_scale: true }
    }
}

impl Transform for MeanVarNormalize {
    const NAME: &'static str = "MeanVarNormalize";
    const SUMMARY: &'static str = "Mean 0 and variance 1";
    type Fitted = FittedMeanVarNormalize;

    fn fit(&self, series: &TimeSeries) -> Result<FittedMeanVarNormalize, TransformError> {
        Ok(FittedMeanVarNormalize(Rescale {
            bias: PerColumn::learn(series, |column| Ok::<_, TransformError>(moments(column.values()).0))?,
            scale: PerColumn::learn(series, |column| Ok::<_, TransformError>(moments(column.values()).1))?,
            normalize_bias: self.normalize_bias,
            normalize_scale: self.normalize_scale,
        }))
    }
}

/// A [`MeanVarNormalize`] that knows its amounts.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedMeanVarNormalize(Rescale);

impl Fitted for FittedMeanVarNormalize {
    fn inversion(&self) -> Inversion {
        Inversion::STATELESS
    }

    fn spec(&self) -> TransformSpec {
        let Rescale { bias, scale, normalize_bias, normalize_scale } = self.0.clone();
        MeanVarNormalize { bias: Some(bias), scale: Some(scale), normalize_bias, normalize_scale }.into()
    }

    fn apply_with_state(&self, series: &TimeSeries) -> Result<(TimeSeries, InversionState), TransformError> {
        Ok((self.0.forward(series, MeanVarNormalize::NAME)?, InversionState::Nothing))
    }

    fn invert(&self, series: &TimeSeries, _: &InversionState) -> Result<TimeSeries, TransformError> {
        self.0.backward(series, MeanVarNormalize::NAME)
    }
}

/// Mean and divisor of the values that are not missing; 0 and 1 if there is none.
#[expect(clippy::cast_precision_loss, reason = "a count of observations")]
pub(crate) fn moments(values: &[f64]) -> (f64, f64) {
    let known = || values.iter().copied().filter(|v| !v.is_nan());
    let n = known().count() as f64;
    if n == 0.0 {
        return (0.0, 1.0);
    }
    let mean = known().sum::<f64>() / n;
    // Two passes, and what rounding left of the sum of deviations taken out again.
    let left = known().map(|v| v - mean).sum::<f64>();
    let variance = (known().map(|v| (v - mean) * (v - mean)).sum::<f64>() - left * left / n) / n;
    let rounding = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
    (mean, if variance <= rounding { 1.0 } else { variance.sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_leave_missing_values_out_and_constants_undivided() {
        assert_eq!(moments(&[1.0, f64::NAN, 3.0]), (2.0, 1.0));
        assert_eq!(moments(&[1.0, 5.0]), (3.0, 2.0));
        assert_eq!(moments(&[0.1; 10]).1, 1.0, "a constant whose mean is rounded");
        assert_eq!(moments(&[f64::NAN]), (0.0, 1.0));
        assert_eq!(moments(&[]), (0.0, 1.0));
    }
}
