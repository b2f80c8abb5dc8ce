//! Minimum trace reconciliation: forecasts of all series of a hierarchy, each made on its own, adjusted so that they add up and are
//! as little wrong as possible. The forecasts of one time stamp at a time; several are `series`' business.
//!
//! Wickramasuriya, Athanasopoulos & Hyndman, "Optimal forecast reconciliation for hierarchical and grouped time series through
//! trace minimization", JASA 114 (2019), with a diagonal `W`:
//!
//! ```text
//! ỹ = S P ŷ      P = (Sᵀ W⁻¹ S)⁻¹ Sᵀ W⁻¹
//! ```
//!
//! The standard errors of the result are those of `S P ŷ` when the forecasts' errors are independent with variances `Σ`, the
//! squares of the given standard errors (or of what is taken for missing ones):
//!
//! ```text
//! error_i = sqrt((S P Σ Pᵀ Sᵀ)_ii)
//! ```
//!
//! - Weighted by variances ([`Weighting::Variance`]), `Σ = W` and this is `sqrt(diag(S (Sᵀ W⁻¹ S)⁻¹ Sᵀ))`, never larger than the
//!   error given.
//! - Weighted by standard errors ([`Weighting::Stderr`]), `Σ = W²` and this is `sqrt(Σ_j (S P W)²_ij)`, which is what Merlion's Spark
//!   application writes: the right error of not quite the best adjustment.
//! - Weighted by size it is the error of that adjustment, if any standard error is known.

use serde::{Deserialize, Serialize};

use super::{HierarchyError, SumMatrix, SumTree, Weighting, sum_matrix_solver, sum_tree_solver};

/// What becomes of a time stamp at which some series has no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRows {
    /// Nothing is reconciled there, as in Merlion.
    #[default]
    Unchanged,
    /// The others are reconciled as if the missing series did not exist. Right for totals that were summed over whichever leaves there
    /// were, as Merlion's are. A sum that has no leaf left stands for itself as a leaf in a tree, and stays as it is otherwise.
    Restrict,
}

/// How forecasts are reconciled. See the [module](crate::hierarchy) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MinTrace {
    /// What a forecast's weight is.
    pub weighting: Weighting,
    /// What becomes of a time stamp at which some series has no forecast.
    pub missing: MissingRows,
}

/// What happened to the forecasts of a time stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// They add up now.
    Reconciled,
    /// Those there are add up now.
    Restricted {
        /// How many series have no forecast.
        missing: usize,
    },
    /// They are as they were.
    Unchanged {
        /// How many series have no forecast.
        missing: usize,
    },
}

/// The forecasts of one time stamp after reconciliation.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconciled {
    /// The forecasts.
    pub mean: Vec<f64>,
    /// Their standard errors; absent if no forecast had one.
    pub stderr: Option<Vec<f64>>,
    /// What happened to them.
    pub status: Status,
}

/// A hierarchy along which forecasts can be reconciled.
pub trait SumStructure: Sized {
    /// How many series there are.
    fn n_series(&self) -> usize;

    /// The size of each: how many leaves it is the sum of, in general its row sum in the summing matrix.
    fn sizes(&self) -> Vec<f64>;

    /// Forecasts that add up, given weights that are not negative, and their variances, given those of the forecasts. A weight of
    /// zero means exact for a leaf and infinitesimal for a sum, which is what the pseudo-inverse in Merlion's formula amounts to:
    /// leaves of weight zero stay as they are, and where exact leaves contradict an exact sum the leaves win.
    ///
    /// # Errors
    /// [`HierarchyError::TooLarge`] if there is no way to solve a hierarchy of this size.
    fn solve(
        &self,
        mean: &[f64],
        weights: &[f64],
        variances: Option<&[f64]>,
    ) -> Result<(Vec<f64>, Option<Vec<f64>>), HierarchyError>;

    /// The hierarchy of some of the series, and which those are.
    ///
    /// # Errors
    /// [`HierarchyError::LengthMismatch`] if `keep` does not have one entry for each series.
    fn restricted(&self, keep: &[bool]) -> Result<(Self, Vec<usize>), HierarchyError>;
}

impl SumStructure for SumTree {
    fn n_series(&self) -> usize {
        self.len()
    }

    fn sizes(&self) -> Vec<f64> {
        self.leaf_counts()
    }

    fn solve(
        &self,
        mean: &[f64],
        weights: &[f64],
        variances: Option<&[f64]>,
    ) -> Result<(Vec<f64>, Option<Vec<f64>>), HierarchyError> {
        Ok(sum_tree_solver::solve(self, mean, weights, variances))
    }

    fn restricted(&self, keep: &[bool]) -> Result<(Self, Vec<usize>), HierarchyError> {
        self.restrict(keep)
    }
}

impl SumStructure for SumMatrix {
    fn n_series(&self) -> usize {
        self.len()
    }

    fn sizes(&self) -> Vec<f64> {
        self.row_sums()
    }

    fn solve(
        &self,
        mean: &[f64],
        weights: &[f64],
        variances: Option<&[f64]>,
    ) -> Result<(Vec<f64>, Option<Vec<f64>>), HierarchyError> {
        match self.tree() {
            Some(tree) => tree.solve(mean, weights, variances),
            None => sum_matrix_solver::solve(self, mean, weights, variances),
        }
    }

    fn restricted(&self, keep: &[bool]) -> Result<(Self, Vec<usize>), HierarchyError> {
        self.restrict(keep)
    }
}

impl MinTrace {
    /// What Merlion's Spark application does: weights are standard errors, and a time stamp with a forecast missing is left alone.
    pub const SPARK: Self = Self { weighting: Weighting::Stderr, missing: MissingRows::Unchanged };

    /// Reconciles the forecasts of one time stamp, in order of the hierarchy's series. A forecast that is not finite is a missing one,
    /// and so is a standard error. (In Merlion a row is missing when it is not there; a forecast of NaN makes all of them NaN.)
    ///
    /// ```
    /// use merlion::hierarchy::{MinTrace, SumTree};
    /// let tree = SumTree::from_parents(&[Some(2), Some(2), None])?;
    /// // Three too little below, shared in proportion to the variances 1, 1 and 4.
    /// let got = MinTrace::default().reconcile(&tree, &[1.0, 2.0, 6.0], Some(&[1.0, 1.0, 2.0]))?;
    /// assert_eq!(got.mean, [1.5, 2.5, 4.0]);
    /// # Ok::<(), merlion::hierarchy::HierarchyError>(())
    /// ```
    ///
    /// # Errors
    /// [`HierarchyError::LengthMismatch`]; [`HierarchyError::NegativeError`]; [`HierarchyError::RowSum`] if sizes are needed and one is
    /// not positive; [`HierarchyError::TooLarge`].
    pub fn reconcile<S: SumStructure>(
        &self,
        structure: &S,
        mean: &[f64],
        stderr: Option<&[f64]>,
    ) -> Result<Reconciled, HierarchyError> {
        let expected = structure.n_series();
        let lengths = [("forecasts", mean.len()), ("standard errors", stderr.map_or(expected, <[f64]>::len))];
        if let Some(&(what, got)) = lengths.iter().find(|(_, got)| *got != expected) {
            return Err(HierarchyError::LengthMismatch { what, got, expected });
        }
        let missing = mean.iter().filter(|value| !value.is_finite()).count();
        if missing == 0 {
            return self.reconcile_all(structure, mean, stderr);
        }
        let mut result = Reconciled {
            mean: mean.to_vec(),
            stderr: stderr.map(<[f64]>::to_vec),
            status: Status::Unchanged { missing },
        };
        if self.missing == MissingRows::Unchanged {
            return Ok(result);
        }
        let keep: Vec<bool> = mean.iter().map(|value| value.is_finite()).collect();
        let (structure, kept) = structure.restricted(&keep)?;
        let pick = |values: &[f64]| -> Vec<f64> { kept.iter().map(|&node| values[node]).collect() };
        let part = self.reconcile_all(&structure, &pick(mean), stderr.map(pick).as_deref())?;
        kept.iter().zip(&part.mean).for_each(|(&node, &value)| result.mean[node] = value);
        if let (Some(all), Some(part)) = (&mut result.stderr, &part.stderr) {
            kept.iter().zip(part).for_each(|(&node, &value)| all[node] = value);
        }
        result.status = Status::Restricted { missing };
        Ok(result)
    }

    fn reconcile_all<S: SumStructure>(
        &self,
        structure: &S,
        mean: &[f64],
        stderr: Option<&[f64]>,
    ) -> Result<Reconciled, HierarchyError> {
        let weights = self.weighting.weights(&structure.sizes(), stderr)?;
        let (mean, variances) = structure.solve(mean, &weights.weights, weights.variances.as_deref())?;
        let stderr = variances.map(|variances| variances.into_iter().map(f64::sqrt).collect());
        Ok(Reconciled { mean, stderr, status: Status::Reconciled })
    }
}
