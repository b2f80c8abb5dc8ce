//! COPOD (Li et al. 2020, "COPOD: copula-based outlier detection", ICDM): points with values out in the tails are strange, each column
//! on the side that is the stranger one there. There is nothing to choose.
//!
//! ```text
//! u_j = -ln F_j(x_j)      v_j = -ln R_j(x_j)      w_j = u_j where column j is skewed to the left, else v_j
//! O(x) = Σ_j max(w_j, (u_j + v_j) / 2)
//! ```
//!
//! with the empirical probabilities `F` and `R` of values that are at most and at least so large. The paper's algorithm takes the maximum of
//! the three sums, which is [`ECOD`](super::ecod)'s; this is the authors' program (PyOD), which decides column by column, so that a point
//! may be strange to the left in one column and to the right in another.

use serde::{Deserialize, Serialize};

use super::{check_dim, difference_shingle};
use crate::math::rows::Rows;
use crate::math::tails::Tails;
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;
use crate::transform::TransformSpec;

/// Values out in the tails of their columns, column by column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Copod {}

impl Detector for Copod {
    const NAME: &'static str = "COPOD";
    const SUMMARY: &'static str = "Values out in the tails of their columns, column by column";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: false,
        even_sampling: false,
        standard_errors: false,
        online: false,
    };
    type Fitted = FittedCopod;

    fn default_transform(&self) -> TransformSpec {
        difference_shingle(2)
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        _: &FitContext,
    ) -> Result<FittedCopod, ModelError> {
        let rows = Rows::from_columns(input.columns);
        let tails = Tails::new(&rows);
        let scores = rows.iter().map(|row| score(&tails, row, true)).collect();
        Ok(FittedCopod { dim: rows.dim(), tails, train: Scores::new(input.times, scores) })
    }
}

fn score(tails: &Tails, row: &[f64], among: bool) -> f64 {
    tails.surprises(row, among).map(|surprise| surprise.skewed.max(f64::midpoint(surprise.left, surprise.right))).sum()
}

/// A trained [`Copod`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedCopod {
    dim: usize,
    tails: Tails,
    #[serde(skip)]
    train: Scores,
}

impl FittedDetector for FittedCopod {
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
        let surprise = |quarters: f64| -(quarters / 4.0).ln();
        // (9, -9): both on the skewed side.
        assert!((score(&tails, &[9.0, -9.0], true) - 2.0 * surprise(1.0)).abs() < 1e-12);
        // (1, 6): both on the other one, where the mean of both sides, ¼ and 1, counts.
        assert!((score(&tails, &[1.0, 6.0], true) - 2.0 * surprise(1.0) / 2.0).abs() < 1e-12);
        // A new point beyond all others: one of five on the skewed side of the first column only.
        let expected = -0.2_f64.ln() - 0.2_f64.ln() / 2.0;
        assert!((score(&tails, &[99.0, 99.0], false) - expected).abs() < 1e-12);
    }
}
