//! Quantiles of a sample, between its values on straight lines (type 7 of Hyndman & Fan 1996; numpy's default).

/// The quantile `q`, from 0 to 1, of ascending values; NaN if there is none.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position within the slice"
)]
pub fn of_sorted(ascending: &[f64], q: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return f64::NAN };
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let (low, high) = (ascending[below], ascending[(below + 1).min(last)]);
    let share = position - below as f64;
    // From the nearer end, so that both ends are met exactly.
    if share < 0.5 { low + (high - low) * share } else { high - (high - low) * (1.0 - share) }
}

/// The values that are not missing (NaN), ascending.
#[must_use]
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut ascending: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
    ascending.sort_unstable_by(f64::total_cmp);
    ascending
}

/// The median of the values that are not missing; NaN if there is none.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    of_sorted(&sorted(values), 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    // numpy.quantile([3, 1, 2, 10], [0, 0.1, 0.5, 0.9, 1])
    #[test]
    fn quantiles_agree_with_numpy() {
        let ascending = sorted([3.0, f64::NAN, 1.0, 2.0, 10.0]);
        for (q, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 2.5), (0.9, 7.9), (1.0, 10.0)] {
            let got = of_sorted(&ascending, q);
            assert!((got - expected).abs() < 1e-12, "q = {q}: {got} vs {expected}");
        }
        assert!(of_sorted(&[], 0.5).is_nan() && median([f64::NAN]).is_nan());
        assert_eq!(median([5.0]), 5.0);
    }
}
