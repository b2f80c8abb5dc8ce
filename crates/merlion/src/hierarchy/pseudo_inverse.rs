//! The pseudo-inverse of a small, symmetric, positive semi-definite matrix. Not for anything large, and not a general matrix library.

/// A root `B` of the pseudo-inverse, `M⁺ = B Bᵀ`: row `i` of the result is row `i` of `B`. `matrix` is `M`, row by row, and is used
/// up.
///
/// Pivoted Cholesky gives `M = C Cᵀ` with as many columns as `M` has rank. With full rank, `B = C⁻ᵀ`; otherwise `B = C (CᵀC)⁻¹`,
/// since then `M⁺ = C (CᵀC)⁻² Cᵀ`. A row counts as dependent on others when elimination leaves less than `dim · 2⁻⁵²` of its
/// diagonal, whatever the size of the others.
pub(super) fn pseudo_inverse_root(mut matrix: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let (order, rank) = pivoted_cholesky(&mut matrix);
    let dim = matrix.len();
    // Row `i` of the factor belongs to row `order[i]` of the matrix.
    let mut root = vec![Vec::new(); dim];
    if rank == dim {
        for (row, inverse) in order.into_iter().zip(inverse_transposed(&matrix)) {
            root[row] = inverse;
        }
        return root;
    }
    let mut gram = vec![vec![0.0; rank]; rank];
    for row in &matrix {
        for (gram, a) in gram.iter_mut().zip(row) {
            gram.iter_mut().zip(row).for_each(|(g, b)| *g += a * b);
        }
    }
    // (CᵀC)⁻¹ = R Rᵀ, R being its own root; CᵀC has full rank.
    let gram = pseudo_inverse_root(gram);
    let columns = gram.first().map_or(0, Vec::len);
    for (row, factor) in order.into_iter().zip(&matrix) {
        let half: Vec<f64> = (0..columns).map(|column| (0..rank).map(|i| factor[i] * gram[i][column]).sum()).collect();
        root[row] = gram.iter().map(|gram| dot(gram, &half)).collect();
    }
    root
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Overwrites the matrix with a lower triangular factor (zeros above, and beyond the rank) of it with rows and columns reordered,
/// and returns that order and the rank.
fn pivoted_cholesky(matrix: &mut [Vec<f64>]) -> (Vec<usize>, usize) {
    let dim = matrix.len();
    let mut order: Vec<usize> = (0..dim).collect();
    let mut diagonal: Vec<f64> = (0..dim).map(|i| matrix[i][i]).collect();
    let mut left = diagonal.clone();
    let tolerance = dim as f64 * f64::EPSILON;
    let mut rank = 0;
    while rank < dim {
        let share = |i: usize| if diagonal[i] > 0.0 { left[i] / diagonal[i] } else { 0.0 };
        let pivot = (rank..dim).max_by(|&a, &b| share(a).total_cmp(&share(b)).then(b.cmp(&a))).unwrap_or(rank);
        if share(pivot) <= tolerance {
            break;
        }
        swap_symmetric(matrix, rank, pivot);
        order.swap(rank, pivot);
        diagonal.swap(rank, pivot);
        left.swap(rank, pivot);
        let (done, rest) = matrix.split_at_mut(rank + 1);
        let row = &mut done[rank];
        let head = left[rank].sqrt();
        row[rank] = head;
        for (i, below) in rest.iter_mut().enumerate() {
            let value = (below[rank] - dot(&below[..rank], &row[..rank])) / head;
            below[rank] = value;
            left[rank + 1 + i] -= value * value;
        }
        rank += 1;
    }
    for (i, row) in matrix.iter_mut().enumerate() {
        row[rank.min(i + 1)..].fill(0.0);
    }
    (order, rank)
}

/// Swaps two rows and columns of a matrix of which only the lower triangle is kept up to date.
fn swap_symmetric(matrix: &mut [Vec<f64>], a: usize, b: usize) {
    if a == b {
        return;
    }
    matrix.swap(a, b);
    for row in matrix.iter_mut() {
        row.swap(a, b);
    }
}

/// The rows of `L⁻ᵀ` for a lower triangular `L`.
fn inverse_transposed(factor: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let dim = factor.len();
    let mut columns = vec![vec![0.0; dim]; dim];
    for (at, column) in columns.iter_mut().enumerate() {
        column[at] = 1.0 / factor[at][at];
        for i in at + 1..dim {
            column[i] = -dot(&factor[i][at..i], &column[at..i]) / factor[i][i];
        }
    }
    columns
}
