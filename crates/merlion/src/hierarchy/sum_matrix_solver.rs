//! Least squares along a summing matrix that is no tree, by a dense matrix with a row for each sum. Trees have a better way
//! (`sum_tree_solver`).
//!
//! Wickramasuriya, Athanasopoulos & Hyndman, "Optimal forecast reconciliation for hierarchical and grouped time series through
//! trace minimization", JASA 114 (2019), section 2.4, in the form that inverts a matrix of the size of the sums: with `A` the rows
//! of the sums, `W` the weights and `d = ŷ_sums - A ŷ_leaves`,
//!
//! ```text
//! M = W_sums + A W_leaves Aᵀ      ỹ_leaves = ŷ_leaves + W_leaves Aᵀ M⁺ d      ỹ_sums = A ỹ_leaves
//! ```
//!
//! For independent errors of variances `Σ`, with `N = Σ_sums + A Σ_leaves Aᵀ` and `K = M⁺ N M⁺`, the leaf of column `c` of `A` gets
//! `Var = σ² - 2 w σ² cᵀ M⁺ c + w² cᵀ K c`, and a sum with rows `p` of `A W_leaves Aᵀ` and `g` of `A Σ_leaves Aᵀ`
//! gets `Var = g_own - 2 pᵀ M⁺ g + pᵀ K p`.

use super::pseudo_inverse::{dot, pseudo_inverse_root};
use super::{HierarchyError, SumMatrix};

/// How many sums there can be: the work grows with the cube, to seconds for this many.
pub(super) const MAX_SUMS: usize = 1_000;

/// Forecasts that add up, and their variances if those of the forecasts are given.
pub(super) fn solve(
    matrix: &SumMatrix,
    mean: &[f64],
    weights: &[f64],
    variances: Option<&[f64]>,
) -> Result<(Vec<f64>, Option<Vec<f64>>), HierarchyError> {
    let n_sums = matrix.n_sums();
    if n_sums > MAX_SUMS {
        return Err(HierarchyError::TooLarge { got: n_sums, limit: MAX_SUMS });
    }
    let leaves_weighed = products(matrix, weights);
    let root = pseudo_inverse_root(with_sums(matrix, &leaves_weighed, weights));
    let inverse = outer(&root);

    let mut reconciled = mean.to_vec();
    let gaps: Vec<f64> = (0..n_sums).map(|sum| mean[matrix.sum_row(sum)] - value(matrix, sum, mean)).collect();
    let lambda: Vec<f64> = inverse.iter().map(|row| dot(row, &gaps)).collect();
    for leaf in 0..matrix.n_leaves() {
        let pull: f64 = matrix.sums_of(leaf).iter().map(|&(sum, a)| a * lambda[sum as usize]).sum();
        reconciled[matrix.leaf_row(leaf)] += weights[matrix.leaf_row(leaf)] * pull;
    }
    for sum in 0..n_sums {
        reconciled[matrix.sum_row(sum)] = value(matrix, sum, &reconciled);
    }
    let variances = variances.map(|variances| propagate(matrix, weights, variances, &leaves_weighed, &inverse));
    Ok((reconciled, variances))
}

fn propagate(
    matrix: &SumMatrix,
    weights: &[f64],
    variances: &[f64],
    leaves_weighed: &[Vec<f64>],
    inverse: &[Vec<f64>],
) -> Vec<f64> {
    let leaves_varied = products(matrix, variances);
    // K = M⁺ N M⁺, which is M⁺ if the weights are the variances; both factors are symmetric.
    let inner = if weights == variances {
        inverse.to_vec()
    } else {
        times(&times(inverse, &with_sums(matrix, &leaves_varied, variances)), inverse)
    };
    let mut result = vec![0.0; matrix.len()];
    for leaf in 0..matrix.n_leaves() {
        let row = matrix.leaf_row(leaf);
        let (w, v) = (weights[row], variances[row]);
        let column = matrix.sums_of(leaf);
        let quadratic = |m: &[Vec<f64>]| -> f64 {
            let entry =
                |&(i, a): &(u32, f64)| a * column.iter().map(|&(j, b)| b * m[i as usize][j as usize]).sum::<f64>();
            column.iter().map(entry).sum()
        };
        result[row] = v - 2.0 * w * v * quadratic(inverse) + w * w * quadratic(&inner);
    }
    for sum in 0..matrix.n_sums() {
        let (p, g) = (&leaves_weighed[sum], &leaves_varied[sum]);
        let bilinear = |m: &[Vec<f64>], x: &[f64]| -> f64 { m.iter().zip(p).map(|(row, p)| p * dot(row, x)).sum() };
        result[matrix.sum_row(sum)] = g[sum] - 2.0 * bilinear(inverse, g) + bilinear(&inner, p);
    }
    // Where the variance is zero, rounding can leave it just below.
    result.iter_mut().for_each(|variance| *variance = variance.max(0.0));
    result
}

/// What a sum's leaves add up to.
fn value(matrix: &SumMatrix, sum: usize, values: &[f64]) -> f64 {
    matrix.leaves_of(sum).iter().map(|&(leaf, a)| a * values[matrix.leaf_row(leaf as usize)]).sum()
}

/// `A D Aᵀ` for the diagonal `D` of the leaves.
fn products(matrix: &SumMatrix, diagonal: &[f64]) -> Vec<Vec<f64>> {
    let mut result = vec![vec![0.0; matrix.n_sums()]; matrix.n_sums()];
    for leaf in 0..matrix.n_leaves() {
        let d = diagonal[matrix.leaf_row(leaf)];
        for &(i, a) in matrix.sums_of(leaf) {
            for &(j, b) in matrix.sums_of(leaf) {
                result[i as usize][j as usize] += d * a * b;
            }
        }
    }
    result
}

/// The same plus the diagonal of the sums.
fn with_sums(matrix: &SumMatrix, products: &[Vec<f64>], diagonal: &[f64]) -> Vec<Vec<f64>> {
    let mut result = products.to_vec();
    result.iter_mut().enumerate().for_each(|(sum, row)| row[sum] += diagonal[matrix.sum_row(sum)]);
    result
}

/// `B Bᵀ`.
fn outer(root: &[Vec<f64>]) -> Vec<Vec<f64>> {
    root.iter().map(|a| root.iter().map(|b| dot(a, b)).collect()).collect()
}

/// `a b`, `b` being symmetric.
fn times(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    a.iter().map(|row| b.iter().map(|column| dot(row, column)).collect()).collect()
}
