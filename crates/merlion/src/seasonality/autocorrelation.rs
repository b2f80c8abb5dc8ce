//! Merlion's test: peaks of the autocorrelation of a series and of its one-step errors.
//!
//! With `ρ_k` the autocorrelation at lag `k` and Bartlett's (1946) variance under the hypothesis that it ends before `k`,
//!
//! ```text
//! z_k = ρ_k / √((1 + 2 Σ_{j<k} ρ_j²) / n)
//! ```
//!
//! a peak is significant when `z_k > Φ⁻¹(1 - p/2)`, its lag alone considered.

use super::{Options, one_step_errors};
use crate::math::normal;
use crate::models::forecast::ets::Estimation;
use crate::models::{FitContext, ModelError};

/// Significant periods with their `z`, the greatest first; the greater `z` where both series have the period.
pub(super) fn evidence(
    values: &[f64],
    options: &Options,
    context: &FitContext,
) -> Result<Vec<(usize, f64)>, ModelError> {
    let errors = one_step_errors(values, Estimation::Maximum, context)?;
    let n = values.len();
    let max_lag = options.max_lag.unwrap_or_else(|| usual_max_lag(n));
    let critical = normal::quantile(1.0 - options.pval / 2.0);
    let mut found: Vec<(usize, f64)> = Vec::new();
    for series in std::iter::once(values).chain(errors.as_deref()) {
        let rho = autocorrelations(series, (max_lag + 1).min(n.div_ceil(2)));
        let mut squares = 0.0;
        let mut z = vec![0.0];
        for &rho in rho.iter().skip(1) {
            z.push(rho / ((1.0 + 2.0 * squares) / n as f64).sqrt());
            squares += rho * rho;
        }
        for period in peaks(&rho).into_iter().filter(|&period| z[period] > critical) {
            match found.iter_mut().find(|(known, _)| *known == period) {
                Some((_, known)) => *known = known.max(z[period]),
                None => found.push((period, z[period])),
            }
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(found)
}

/// `max(min(⌊10 log₁₀ n⌋, n - 1), 40)`.
fn usual_max_lag(n: usize) -> usize {
    ((10.0 * (n as f64).log10()) as usize).min(n.saturating_sub(1)).max(40)
}

/// The first `count` autocorrelations, lag 0 included, sums divided by `n`; all 0 for a constant series.
pub(super) fn autocorrelations(x: &[f64], count: usize) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let x: Vec<f64> = x.iter().map(|x| x - mean).collect();
    let product = |lag: usize| x.iter().zip(&x[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let variance = product(0);
    (0..count).map(|lag| product(lag) / variance).map(|rho| if rho.is_nan() { 0.0 } else { rho }).collect()
}

/// Positive local maxima, and of several of these the ones that are maxima among themselves: multiples of a period are not.
pub(super) fn peaks(rho: &[f64]) -> Vec<usize> {
    let maxima: Vec<usize> = (1..rho.len().saturating_sub(1))
        .filter(|&k| rho[k] > 0.0 && rho[k] > rho[k - 1] && rho[k] > rho[k + 1])
        .collect();
    if maxima.len() < 2 {
        return maxima;
    }
    let height = |i: usize| rho[maxima[i]];
    (0..maxima.len())
        .filter(|&i| (i == 0 || height(i) > height(i - 1)) && (i + 1 == maxima.len() || height(i) > height(i + 1)))
        .map(|i| maxima[i])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // statsmodels 0.14.2: acf([1, 2, 4, 3, 2, 1], nlags=3, fft=False).
    #[test]
    fn autocorrelations_divide_by_the_number_of_observations() {
        let rho = autocorrelations(&[1.0, 2.0, 4.0, 3.0, 2.0, 1.0], 3);
        for (got, expected) in rho.iter().zip([1.0, 0.215_447_15, -0.520_325_2]) {
            assert!((got - expected).abs() < 1e-8, "{rho:?}");
        }
        assert_eq!(autocorrelations(&[2.0; 5], 3), [0.0; 3]);
    }

    #[test]
    fn multiples_of_a_period_are_no_peaks_among_peaks() {
        let rho: Vec<f64> =
            (0..40).map(|k| (1.0 - f64::from(k) / 50.0) * (f64::from(k) * 0.5 * std::f64::consts::PI).cos()).collect();
        assert_eq!(peaks(&rho), [4]);
        assert_eq!(peaks(&[1.0, -0.2, -0.5]), [0usize; 0]);
    }

    #[test]
    fn the_usual_lag_is_forty_below_ten_thousand_observations() {
        assert_eq!([10, 100, 9_999, 31_623].map(usual_max_lag), [40, 40, 40, 45]);
    }
}
