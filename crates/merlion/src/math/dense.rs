//! Cholesky factors of small dense matrices, row by row in a slice, lower triangles only.

/// The factor `L` of a positive definite matrix `A = L Lᵀ`, in place of its lower triangle; what is above is left alone.
/// Whether there is one.
pub fn cholesky(a: &mut [f64], n: usize) -> bool {
    factor(a, n, |pivot, _| pivot > 0.0)
}

/// As [`cholesky`] for a positive semidefinite matrix: a column that depends on those before it becomes 0.
pub fn semidefinite_root(a: &mut [f64], n: usize) {
    // What rounding leaves of a diagonal element that should have become 0.
    factor(a, n, |pivot, diagonal| pivot > 1e-13 * diagonal);
}

/// A column whose pivot `accept` refuses, given what is left of it and what it was, becomes 0; false then.
fn factor(a: &mut [f64], n: usize, accept: impl Fn(f64, f64) -> bool) -> bool {
    let mut definite = true;
    for i in 0..n {
        let (above, row) = a.split_at_mut(i * n);
        let row = &mut row[..n];
        for j in 0..i {
            let other = &above[j * n..=j * n + j];
            let dot: f64 = row[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            row[j] = if other[j] > 0.0 { (row[j] - dot) / other[j] } else { 0.0 };
        }
        let diagonal = row[i];
        let pivot = diagonal - row[..i].iter().map(|x| x * x).sum::<f64>();
        if accept(pivot, diagonal) {
            row[i] = pivot.sqrt();
        } else {
            row[i] = 0.0;
            definite = false;
        }
    }
    definite
}

/// Solves `L x = b` in place.
pub fn solve_lower(l: &[f64], b: &mut [f64], n: usize) {
    for i in 0..n {
        let (known, rest) = b.split_at_mut(i);
        let row = &l[i * n..=i * n + i];
        let dot: f64 = row.iter().zip(&*known).map(|(l, x)| l * x).sum();
        rest[0] = (rest[0] - dot) / row[i];
    }
}

/// Solves `Lᵀ x = b` in place.
pub fn solve_upper_of_lower(l: &[f64], b: &mut [f64], n: usize) {
    for i in (0..n).rev() {
        let row = &l[i * n..=i * n + i];
        b[i] /= row[i];
        let x = b[i];
        b[..i].iter_mut().zip(row).for_each(|(b, l)| *b -= l * x);
    }
}

/// Solves `L Lᵀ x = b` in place, `L` from [`semidefinite_root`]; unknowns whose pivot vanished become 0.
pub fn solve_semidefinite(l: &[f64], b: &mut [f64], n: usize) {
    for i in 0..n {
        let (known, rest) = b.split_at_mut(i);
        let row = &l[i * n..=i * n + i];
        let dot: f64 = row.iter().zip(&*known).map(|(l, x)| l * x).sum();
        rest[0] = if row[i] > 0.0 { (rest[0] - dot) / row[i] } else { 0.0 };
    }
    for i in (0..n).rev() {
        let row = &l[i * n..=i * n + i];
        b[i] = if row[i] > 0.0 { b[i] / row[i] } else { 0.0 };
        let x = b[i];
        b[..i].iter_mut().zip(row).for_each(|(b, l)| *b -= l * x);
    }
}

/// Coefficients of the least-squares fit of `y` on columns of its length; of columns that explain each other some get 0.
#[must_use]
pub fn least_squares(columns: &[Vec<f64>], y: &[f64]) -> Vec<f64> {
    let k = columns.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut normal = vec![0.0; k * k];
    for i in 0..k {
        for j in 0..=i {
            normal[i * k + j] = dot(&columns[i], &columns[j]);
        }
    }
    let mut beta: Vec<f64> = columns.iter().map(|column| dot(column, y)).collect();
    semidefinite_root(&mut normal, k);
    solve_semidefinite(&normal, &mut beta, k);
    beta
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definite_matrix_is_the_product_of_its_factor() {
        // L = (2 0 0; 1 3 0; -1 2 1).
        let mut a = [4.0, 9.0, 9.0, 2.0, 10.0, 9.0, -2.0, 5.0, 6.0];
        assert!(cholesky(&mut a, 3));
        assert_eq!([a[0], a[3], a[4], a[6], a[7], a[8]], [2.0, 1.0, 3.0, -1.0, 2.0, 1.0]);
        // A (1, -2, 3) = (-6, -3, 6).
        let mut x = [4.0 - 4.0 - 6.0, 2.0 - 20.0 + 15.0, -2.0 - 10.0 + 18.0];
        solve_lower(&a, &mut x, 3);
        solve_upper_of_lower(&a, &mut x, 3);
        for (got, expected) in x.iter().zip([1.0, -2.0, 3.0]) {
            assert!((got - expected).abs() < 1e-12, "{x:?}");
        }
        assert!(!cholesky(&mut [1.0, 0.0, 2.0, 1.0], 2), "an indefinite matrix has none");
        assert!(!cholesky(&mut [f64::NAN], 1));
    }

    #[test]
    fn dependent_columns_become_zero() {
        // (1 2 3)ᵀ (1 2 3) plus 4 in the last corner.
        let mut a = [1.0, 0.0, 0.0, 2.0, 4.0, 0.0, 3.0, 6.0, 13.0];
        semidefinite_root(&mut a, 3);
        assert_eq!([a[0], a[3], a[4], a[6], a[7], a[8]], [1.0, 2.0, 0.0, 3.0, 0.0, 2.0]);
        let beta = least_squares(&[vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 6.0], vec![1.0, 0.0, 0.0]], &[5.0, 4.0, 6.0]);
        assert!((beta[0] - 2.0).abs() < 1e-12 && beta[1] == 0.0 && (beta[2] - 3.0).abs() < 1e-12, "{beta:?}");
    }
}
