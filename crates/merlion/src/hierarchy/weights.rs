//! The weight of each forecast in a reconciliation: from standard errors, with a guess for missing ones, or from the hierarchy alone.

use serde::{Deserialize, Serialize};

use super::HierarchyError;

/// What a forecast's weight `w` is, `1 / w` being how much it counts. Names follow Hyndman & Athanasopoulos, "Forecasting:
/// Principles and Practice", third edition, section 11.3, where there are names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Weighting {
    /// The variance of its error: minimum trace reconciliation for independent errors, hence the default. Python Merlion's
    /// `minT_reconciliation`. A missing variance is taken to be the mean of `variance / size` times the size.
    #[default]
    #[serde(rename = "wls_var")]
    Variance,
    /// Its standard error, which Merlion's Spark application uses where the theory has the variance. A missing standard error is
    /// taken to be the mean of `standard error / size` times the size.
    #[serde(rename = "wls_std")]
    Stderr,
    /// The size: how many leaves it is the sum of (in general its row sum), as if all leaves had independent errors of the same
    /// variance. What the others do when no forecast has a standard error. Standard errors, where given, are not weighed but are
    /// carried through; missing ones are guessed as for [`Variance`](Self::Variance).
    #[serde(rename = "wls_struct")]
    Structural,
}

/// Weights, and the variances of the forecasts if anything is known about them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    pub(super) weights: Vec<f64>,
    pub(super) variances: Option<Vec<f64>>,
}

impl Weighting {
    /// Weights for series of these sizes. A standard error that is not finite is a missing one.
    pub(super) fn weights(self, sizes: &[f64], stderr: Option<&[f64]>) -> Result<Weights, HierarchyError> {
        let known = stderr.filter(|stderr| stderr.iter().any(|e| e.is_finite()));
        if known.is_none_or(|stderr| self == Self::Structural || !stderr.iter().all(|e| e.is_finite()))
            && let Some(row) = sizes.iter().position(|&size| size.is_nan() || size <= 0.0)
        {
            return Err(HierarchyError::RowSum { row, sum: sizes[row] });
        }
        let Some(stderr) = known else { return Ok(Weights { weights: sizes.to_vec(), variances: None }) };
        if let Some(node) = stderr.iter().position(|&e| e < 0.0) {
            return Err(HierarchyError::NegativeError { node, value: stderr[node] });
        }
        Ok(match self {
            Self::Stderr => {
                let weights = imputed(stderr.iter().copied(), sizes);
                let variances = weights.iter().map(|e| e * e).collect();
                Weights { weights, variances: Some(variances) }
            }
            Self::Variance => {
                let weights = imputed(stderr.iter().map(|e| e * e), sizes);
                Weights { variances: Some(weights.clone()), weights }
            }
            Self::Structural => {
                let variances = imputed(stderr.iter().map(|e| e * e), sizes);
                Weights { weights: sizes.to_vec(), variances: Some(variances) }
            }
        })
    }
}

/// The values, with `size · mean(value / size)` over the others where there is none.
fn imputed(values: impl Iterator<Item = f64>, sizes: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    if values.iter().all(|value| value.is_finite()) {
        return values;
    }
    let known = || values.iter().zip(sizes).filter(|(value, _)| value.is_finite()).map(|(value, size)| value / size);
    let mean = known().sum::<f64>() / known().count() as f64;
    values.iter_mut().zip(sizes).filter(|(value, _)| !value.is_finite()).for_each(|(value, size)| *value = mean * size);
    values
}
