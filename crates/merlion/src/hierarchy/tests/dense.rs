//! The formulas as Merlion has them, on full matrices.

use crate::hierarchy::{SumMatrix, SumTree};

type Matrix = Vec<Vec<f64>>;

/// A summing matrix and which of its rows are leaves.
pub(super) struct Dense {
    rows: Matrix,
    leaf_rows: Vec<usize>,
}

impl Dense {
    pub(super) fn of_tree(tree: &SumTree) -> Self {
        let leaf_rows = (0..tree.len()).filter(|&node| tree.children(node).is_empty()).collect();
        Self { rows: tree.to_dense(), leaf_rows }
    }

    pub(super) fn of_matrix(matrix: &SumMatrix) -> Self {
        let mut rows = vec![vec![0.0; matrix.n_leaves()]; matrix.len()];
        for sum in 0..matrix.n_sums() {
            for &(leaf, value) in matrix.leaves_of(sum) {
                rows[matrix.sum_row(sum)][leaf as usize] = value;
            }
        }
        (0..matrix.n_leaves()).for_each(|leaf| rows[matrix.leaf_row(leaf)][leaf] = 1.0);
        let again = SumMatrix::from_dense(&rows, matrix.leaf_order()).unwrap();
        assert_eq!(&again, matrix);
        Self { leaf_rows: (0..matrix.n_leaves()).map(|leaf| matrix.leaf_row(leaf)).collect(), rows }
    }

    pub(super) fn sums(&self, leaves: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|row| row.iter().zip(leaves).map(|(a, b)| a * b).sum()).collect()
    }

    /// `S P ŷ` and `diag(S P Σ Pᵀ Sᵀ)` with `P = J - J W Uᵀ (U W Uᵀ)⁺ U`.
    pub(super) fn reconcile(&self, mean: &[f64], weights: &[f64], variances: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let m = self.rows.len();
        let sums: Vec<usize> = (0..m).filter(|row| !self.leaf_rows.contains(row)).collect();
        let u: Matrix = sums
            .iter()
            .map(|&sum| {
                let mut row = vec![0.0; m];
                row[sum] = 1.0;
                self.leaf_rows.iter().zip(&self.rows[sum]).for_each(|(&leaf, &value)| row[leaf] = -value);
                row
            })
            .collect();
        let uw: Matrix = u.iter().map(|row| row.iter().zip(weights).map(|(u, w)| u * w).collect()).collect();
        let inverse = pseudo_inverse(&multiply(&uw, &transpose(&u)));
        let correction = multiply(&multiply(&transpose(&uw), &inverse), &u);
        let p: Matrix = self
            .leaf_rows
            .iter()
            .map(|&leaf| {
                (0..m)
                    .map(|j| f64::from(u8::from(j == leaf)) - correction.get(leaf).map_or(0.0, |row| row[j]))
                    .collect()
            })
            .collect();
        let sp = multiply(&self.rows, &p);
        let value = |row: &Vec<f64>| row.iter().zip(mean).map(|(a, b)| a * b).sum();
        let variance = |row: &Vec<f64>| row.iter().zip(variances).map(|(a, v)| a * a * v).sum();
        (sp.iter().map(value).collect(), sp.iter().map(variance).collect())
    }
}

fn transpose(a: &Matrix) -> Matrix {
    (0..a.first().map_or(0, Vec::len)).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    let columns = b.first().map_or(0, Vec::len);
    a.iter().map(|row| (0..columns).map(|j| row.iter().zip(b).map(|(a, b)| a * b[j]).sum()).collect()).collect()
}

/// By Jacobi rotations, with the cutoff of numpy's `pinv`, times ten.
pub(super) fn pseudo_inverse(matrix: &Matrix) -> Matrix {
    let n = matrix.len();
    let mut a = matrix.clone();
    let mut v: Matrix = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..60 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q] == 0.0 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for row in &mut a {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (above, below) = a.split_at_mut(q);
                for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
                for row in &mut v {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
            }
        }
    }
    let largest = (0..n).map(|i| a[i][i]).fold(0.0, f64::max);
    let inverted = |i: usize| if a[i][i] > 1e-14 * largest { 1.0 / a[i][i] } else { 0.0 };
    (0..n).map(|i| (0..n).map(|j| (0..n).map(|k| v[i][k] * inverted(k) * v[j][k]).sum()).collect()).collect()
}
