//! Small symmetric positive definite matrices, as lists of their rows.

/// The Cholesky factor of a `d × d` matrix that is known to be no smaller than `least` times the identity; its logarithmic determinant
/// is returned. Rounding that leaves a pivot below that bound is repaired.
pub(super) fn factor(matrix: &[f64], d: usize, least: f64, factor: &mut Vec<f64>) -> f64 {
    factor.clear();
    factor.extend_from_slice(matrix);
    let mut log_determinant = 0.0;
    for j in 0..d {
        for k in 0..j {
            let l = factor[j * d + k];
            factor[j * d + j] -= l * l;
        }
        let pivot = factor[j * d + j].max(least);
        log_determinant += pivot.ln();
        let root = pivot.sqrt();
        factor[j * d + j] = root;
        for i in j + 1..d {
            for k in 0..j {
                factor[i * d + j] -= factor[i * d + k] * factor[j * d + k];
            }
            factor[i * d + j] /= root;
        }
    }
    log_determinant
}

/// `xᵀ A⁻¹ x` for the matrix of a Cholesky factor. `x` is overwritten.
pub(super) fn inverse_form(factor: &[f64], d: usize, x: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    for i in 0..d {
        for k in 0..i {
            x[i] -= factor[i * d + k] * x[k];
        }
        x[i] /= factor[i * d + i];
        sum += x[i] * x[i];
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn determinant_and_form_of_a_small_matrix() {
        let matrix = [4.0, 2.0, 2.0, 3.0];
        let mut l = Vec::new();
        assert!((factor(&matrix, 2, 1e-8, &mut l) - 8f64.ln()).abs() < 1e-14);
        // The inverse is [3 -2; -2 4] / 8.
        assert!((inverse_form(&l, 2, &mut [1.0, 1.0]) - 3.0 / 8.0).abs() < 1e-14);
    }

    #[test]
    fn a_singular_matrix_is_taken_for_the_least_it_can_be() {
        let mut l = Vec::new();
        let log = factor(&[1e20, 1e20, 1e20, 1e20], 2, 1e-8, &mut l);
        assert!((log - (1e20_f64.ln() + 1e-8_f64.ln())).abs() < 1e-9, "{log}");
    }
}
