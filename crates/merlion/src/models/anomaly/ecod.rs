//! ECOD (Li et al. 2022, "ECOD: unsupervised outlier detection using empirical cumulative distribution functions", IEEE TKDE, algorithm
//! 1): points with values out in the tails are strange. There is nothing to choose.
//!
//! ```text
//! O_left(x)  = -Σ_j ln F_j(x_j)             F_j(z): the part of training values of column j that are at most z
//! O_right(x) = -Σ_j ln R_j(x_j)             R_j(z): the part that are at least z
//! O_auto(x)  = -Σ_j ln (F_j or R_j)(x_j)    F_j where column j is skewed to the left, else R_j
//! O(x)       = max(O_left, O_right, O_auto)
//! ```
//!
//! A new point is counted among the training points, so that its probabilities are never 0.

use serde::{Deserialize, Serialize};

use super::{check_dim, difference_shingle};
use crate::math::rows::Rows;
use crate::math::tails::Tails;
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::transform::TransformSpec;

/// Values out in the tails of their columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ecod {}

impl Detector for Ecod {
    const NAME: &'static str = "ECOD";
    const SUMMARY: &'static str = "Values out in the tails of their columns";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: false,
        even_sampling: false,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedEcod;

    fn default_transform(&self) -> TransformSpec {
        difference_shingle(2)
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        _: &FitContext,
    ) -> Result<FittedEcod, ModelError> {
        let rows = Rows::from_columns(input.columns);
        let tails = Tails::new(&rows);
        let scores = rows.iter().map(|row| score(&tails, row, true)).collect();
        Ok(FittedEcod { dim: rows.dim(), tails, train: Scores::new(input.times, scores) })
    }
}

fn score(tails: &Tails, row: &[f64], among: bool) -> f64 {
    let sum = tails.surprises(row, among).fold((0.0, 0.0, 0.0), |sum, surprise| {
        (sum.0 + surprise.left, sum.1 + surprise.right, sum.2 + surprise.skewed)
    });
    sum.0.max(sum.1).max(sum.2)
}

/// A trained [`Ecod`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedEcod {
    dim: usize,
    tails: Tails,
    #[serde(skip)]
    train: Scores,
}

impl FittedDetector for FittedEcod {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        _: Option<&Observations<'_>>,
        _: &FitContext,
    ) -> Result<Scores, ModelError> {
        check_dim(new, self.dim)?;
        let rows = Rows::from_columns(new.columns);
        Ok(Scores::new(new.times, rows.iter().map(|row| score(&self.tails, row, false)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_columns_worked_out_by_hand() {
        // The first column is skewed to the right, the second to the left.
        let rows = Rows::from_columns(&[vec![1.0, 2.0, 3.0, 9.0], vec![-9.0, 4.0, 5.0, 6.0]]);
        let tails = Tails::new(&rows);
        let quarters = |parts: &[f64]| -> f64 { parts.iter().map(|part| -(part / 4.0).ln()).sum() };
        // (9, 6): at the right end of both; to the left nothing; skewed ¼ and 1.
        assert!((score(&tails, &[9.0, 6.0], true) - quarters(&[1.0, 1.0])).abs() < 1e-12);
        // (2, -9): left ½ ¼, right ¾ 1, skewed ¾ ¼.
        assert!((score(&tails, &[2.0, -9.0], true) - quarters(&[2.0, 1.0])).abs() < 1e-12);
        // (3, 4): left ¾ ½, right ½ ¾, skewed ½ ½.
        assert!((score(&tails, &[3.0, 4.0], true) - quarters(&[2.0, 2.0])).abs() < 1e-12);
        // A new point beyond all others is one of five on either axis.
        let expected = -2.0 * 0.2_f64.ln();
        assert!((score(&tails, &[99.0, 99.0], false) - expected).abs() < 1e-12);
    }
}
