//! Linear least squares for a few targets at once.
//!
//! Householder's reflections with the largest remaining column first (Golub & Van Loan, "Matrix Computations", section 5.4.2). A column
//! that the ones before it explain gets the coefficient 0: the fit is the same, and no coefficient is arbitrary.

use crate::models::{FitContext, ModelError};

/// What is left of a column, relative to its length, when rounding is all that is left.
const NOTHING: f64 = 1e-12;

/// For each target the coefficients of the columns that come nearest to it. All columns and targets have the same length; they are used
/// as working memory.
///
/// # Errors
/// The context's reasons to stop.
pub fn solve(
    columns: &mut [Vec<f64>],
    targets: &mut [Vec<f64>],
    context: &FitContext,
) -> Result<Vec<Vec<f64>>, ModelError> {
    let (rows, count) = (targets.first().map_or(0, Vec::len), columns.len());
    // Lengths of one, so that units do not decide what is left of a column.
    let lengths: Vec<f64> = columns.iter().map(|column| length(column)).collect();
    for (column, length) in columns.iter_mut().zip(&lengths).filter(|(_, length)| **length > 0.0) {
        column.iter_mut().for_each(|value| *value /= length);
    }
    let mut order: Vec<usize> = (0..count).collect();
    let mut diagonal = Vec::with_capacity(count.min(rows));
    for step in 0..count.min(rows) {
        context.check()?;
        let remaining = |at: &usize| length(&columns[*at][step..]);
        // The first of equals, so that the order of columns decides ties.
        let (best, most) = order[step..]
            .iter()
            .map(remaining)
            .enumerate()
            .fold((0, -1.0), |best, (at, length)| if length > best.1 { (at, length) } else { best });
        if most <= NOTHING {
            break;
        }
        order.swap(step, step + best);
        // The reflection that leaves only the first of the remaining components: the column's sign avoids cancellation.
        let mut mirror = columns[order[step]][step..].to_vec();
        let head = -most.copysign(mirror[0]);
        mirror[0] -= head;
        let norm = length(&mirror);
        mirror.iter_mut().for_each(|value| *value /= norm);
        diagonal.push(head);
        for at in &order[step + 1..] {
            reflect(&mirror, &mut columns[*at][step..]);
        }
        for target in targets.iter_mut() {
            reflect(&mirror, &mut target[step..]);
        }
    }
    let back = |target: &Vec<f64>| {
        let mut solution = vec![0.0; count];
        for step in (0..diagonal.len()).rev() {
            let others = (step + 1..diagonal.len()).map(|later| columns[order[later]][step] * solution[order[later]]);
            solution[order[step]] = (target[step] - others.sum::<f64>()) / diagonal[step];
        }
        for (coefficient, length) in solution.iter_mut().zip(&lengths).filter(|(_, length)| **length > 0.0) {
            *coefficient /= length;
        }
        solution
    };
    Ok(targets.iter().map(back).collect())
}

/// The Euclidean length, without overflow.
fn length(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0f64, |largest, v| largest.max(v.abs()));
    if largest > 0.0 { largest * values.iter().map(|v| (v / largest) * (v / largest)).sum::<f64>().sqrt() } else { 0.0 }
}

/// `v - 2 m (m·v)` for a mirror of length one.
fn reflect(mirror: &[f64], values: &mut [f64]) {
    let product: f64 = mirror.iter().zip(&*values).map(|(m, v)| m * v).sum();
    for (value, m) in values.iter_mut().zip(mirror) {
        *value -= 2.0 * m * product;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solved(columns: &[&[f64]], target: &[f64]) -> Vec<f64> {
        let mut columns: Vec<Vec<f64>> = columns.iter().map(|column| column.to_vec()).collect();
        solve(&mut columns, &mut [target.to_vec()], &FitContext::default()).unwrap().remove(0)
    }

    fn close(got: &[f64], expected: &[f64]) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * b.abs().max(1.0);
        assert!(got.len() == expected.len() && got.iter().zip(expected).all(near), "{got:?}\nexpected {expected:?}");
    }

    // Normal equations by hand: 4a + 10b = 20, 10a + 30b = 59.
    #[test]
    fn a_line_is_fitted() {
        close(&solved(&[&[1.0; 4], &[1.0, 2.0, 3.0, 4.0]], &[3.0, 3.0, 6.0, 8.0]), &[0.5, 1.8]);
    }

    #[test]
    fn units_do_not_matter() {
        let got = solved(&[&[1e-200; 4], &[1e150, 2e150, 3e150, 4e150]], &[3.0, 3.0, 6.0, 8.0]);
        close(&[got[0] * 1e-200, got[1] * 1e150], &[0.5, 1.8]);
    }

    #[test]
    fn columns_that_add_nothing_have_no_coefficient() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let y = [3.0, 3.0, 6.0, 8.0];
        let got = solved(&[&[1.0; 4], &x, &[2.0; 4], &[0.0; 4], &[3.0, 5.0, 7.0, 9.0]], &y);
        let fitted: Vec<f64> =
            x.iter().map(|x| got[0] + got[1] * x + 2.0 * got[2] + (2.0 * x + 1.0) * got[4]).collect();
        close(&fitted, &[2.3, 4.1, 5.9, 7.7]);
        assert_eq!(got.iter().filter(|b| **b == 0.0).count(), 3, "{got:?}");
    }

    #[test]
    fn fewer_rows_than_columns_are_met_exactly() {
        let got = solved(&[&[1.0, 0.0], &[1.0, 1.0], &[0.0, 5.0]], &[2.0, 3.0]);
        close(&[got[0] + got[1], got[1] + 5.0 * got[2]], &[2.0, 3.0]);
        assert_eq!(solved(&[], &[1.0]), Vec::<f64>::new());
    }

    #[test]
    fn several_targets_are_fitted_as_if_alone() {
        let columns = [vec![1.0; 4], vec![1.0, 2.0, 3.0, 4.0]];
        let targets = [vec![3.0, 3.0, 6.0, 8.0], vec![1.0, 0.0, 0.0, 9.0]];
        let both = solve(&mut columns.to_vec(), &mut targets.to_vec(), &FitContext::default()).unwrap();
        for (target, both) in targets.iter().zip(both) {
            assert_eq!(solved(&[&columns[0], &columns[1]], target), both);
        }
    }
}
