//! First guesses of the coefficients.
//!
//! Hannan & Rissanen (1982), "Recursive estimation of mixed autoregressive-moving average order", Biometrika 69: a long
//! autoregression stands in for the errors, then the series is regressed on its own lags and on theirs. The plain and the
//! seasonal part are guessed apart, each from the whole series, as statsmodels does.

use super::orders::Orders;
use super::polynomial::{Coefficients, step_down};
use crate::math::dense;

/// Factor by which the roots of a guess that is not stationary are moved away from the circle, until it is.
const SHRINK: f64 = 0.9;
/// Observations a guess is made from, the newest: more would cost time and change little.
const ENOUGH: usize = 3000;
/// Partial autocorrelations of a guess are at most this.
const LARGEST_PARTIAL: f64 = 0.98;

/// The guess, its intercept (0 unless `intercept`), and the mean square of the plain part's errors.
pub(super) fn guess(w: &[f64], orders: &Orders, intercept: bool) -> (Coefficients, f64, f64) {
    let w = &w[w.len().saturating_sub(ENOUGH)..];
    let plain = regression(w, orders.p, orders.q, 1, intercept);
    let seasonal = regression(w, orders.seasonal_p, orders.seasonal_q, orders.period, false);
    let coefficients = Coefficients { ar: plain.ar, ma: plain.ma, seasonal_ar: seasonal.ar, seasonal_ma: seasonal.ma };
    // Without a plain part statsmodels takes the seasonal errors' variance.
    let variance = if orders.p + orders.q == 0 && !intercept && orders.seasonal_p + orders.seasonal_q > 0 {
        seasonal.variance
    } else {
        plain.variance
    };
    (coefficients, plain.intercept, variance)
}

/// The guess with every polynomial's roots outside the unit circle.
pub(super) fn stationary(mut c: Coefficients) -> Coefficients {
    let mut triangle = Vec::new();
    for (part, sign) in c.parts_mut().into_iter().zip([1.0, 1.0, -1.0, -1.0]) {
        if part.iter().any(|c| !c.is_finite()) {
            part.fill(0.0);
        }
        for _ in 0..60 {
            let signed: Vec<f64> = part.iter().map(|c| sign * c).collect();
            let inside = step_down(&signed, &mut triangle).is_some()
                && (1..=part.len()).all(|k| triangle[k * (k + 1) / 2 - 1].abs() <= LARGEST_PARTIAL);
            if inside {
                break;
            }
            let mut power = 1.0;
            for c in part.iter_mut() {
                power *= SHRINK;
                *c *= power;
            }
        }
    }
    c
}

#[derive(Debug, Default)]
struct Guess {
    intercept: f64,
    ar: Vec<f64>,
    ma: Vec<f64>,
    variance: f64,
}

/// An ARMA model whose lags are the first multiples of `step`.
fn regression(w: &[f64], p: usize, q: usize, step: usize, intercept: bool) -> Guess {
    let n = w.len();
    let mean_square = |e: &[f64]| e.iter().map(|e| e * e).sum::<f64>() / (e.len() as f64).max(1.0);
    let (ar_lags, ma_lags) = (p * step, q * step);
    let mut zero = Guess { ar: vec![0.0; p], ma: vec![0.0; q], variance: mean_square(w), ..Guess::default() };
    if p + q == 0 && !intercept {
        return zero;
    }
    let long = if q > 0 { (2 * ma_lags).min(n / 3) } else { 0 };
    let start = (long + ma_lags).max(ar_lags);
    if n < start + p + q + 2 {
        if intercept {
            zero.intercept = w.iter().sum::<f64>() / (n as f64).max(1.0);
        }
        return zero;
    }
    let lagged = |series: &[f64], lag: usize, from: usize| series[from - lag..series.len() - lag].to_vec();
    let errors = if q > 0 {
        let columns: Vec<Vec<f64>> = (1..=long).map(|lag| lagged(w, lag, long)).collect();
        residuals(&columns, &w[long..], &dense::least_squares(&columns, &w[long..]))
    } else {
        Vec::new()
    };
    let mut columns = Vec::with_capacity(p + q + 1);
    if intercept {
        columns.push(vec![1.0; n - start]);
    }
    columns.extend((1..=p).map(|i| lagged(w, i * step, start)));
    columns.extend((1..=q).map(|j| lagged(&errors, j * step, start - long)));
    let mut beta = dense::least_squares(&columns, &w[start..]);
    let variance = mean_square(&residuals(&columns, &w[start..], &beta));
    let level = if intercept { beta.remove(0) } else { 0.0 };
    let ma = beta.split_off(p);
    if beta.iter().chain(&ma).chain([&level, &variance]).any(|c| !c.is_finite()) {
        return zero;
    }
    Guess { intercept: level, ar: beta, ma, variance }
}

fn residuals(columns: &[Vec<f64>], y: &[f64], beta: &[f64]) -> Vec<f64> {
    let mut rest = y.to_vec();
    for (column, beta) in columns.iter().zip(beta) {
        rest.iter_mut().zip(column).for_each(|(e, x)| *e -= beta * x);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise that is the same everywhere.
    fn noise(t: usize) -> f64 {
        let mixed = (t as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed >> 11) as f64) / (53f64).exp2() - 0.5
    }

    #[test]
    fn a_long_series_gives_its_coefficients_away() {
        let (mut w, mut last) = (vec![0.0], 0.0);
        for t in 1..3000 {
            let e = noise(t);
            w.push(0.7 * w[t - 1] + e + 0.4 * last);
            last = e;
        }
        let (c, _, variance) = guess(&w, &Orders::new([1, 0, 1], [0, 0, 0, 1]), false);
        assert!((c.ar[0] - 0.7).abs() < 0.05 && (c.ma[0] - 0.4).abs() < 0.05, "{c:?}");
        assert!((variance - 1.0 / 12.0).abs() < 0.005, "{variance}");
    }

    #[test]
    fn an_explosive_guess_is_tamed() {
        let c = Coefficients { ar: vec![1.2, 0.1], ma: vec![3.0], ..Coefficients::default() };
        let tame = stationary(c);
        assert!(tame.roots_beyond(1.0, 1), "{tame:?}");
        let short = guess(&[1.0, 2.0], &Orders::new([2, 0, 2], [0, 0, 0, 1]), true);
        assert_eq!((short.0.ar, short.1), (vec![0.0; 2], 1.5));
    }
}
