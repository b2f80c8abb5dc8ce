//! How often a series must be differenced to be stationary.
//!
//! Kwiatkowski, Phillips, Schmidt & Shin (1992), "Testing the null hypothesis of stationarity against the alternative of a unit
//! root", J. Econometrics 54. With `e_t` the series about its mean, `S_t = Σ_{i≤t} e_i` and the long-run variance by Bartlett's
//! weights over `l` lags,
//!
//! ```text
//! η = Σ S_t² / (n² s²(l))        s²(l) = Σ e_t² / n + 2/n Σ_{k≤l} (1 - k/(l+1)) Σ e_t e_{t-k}
//! ```
//!
//! exceeds 0.463 in 5 % of stationary series. Hyndman & Khandakar (2008), "Automatic time series forecasting: the forecast
//! package for R", J. Stat. Software 27, take differences while it does.

/// 95 % quantile of the statistic of a stationary series (table 1 of Kwiatkowski et al.).
const CRITICAL: f64 = 0.463;

/// The statistic over `lags` lags; NaN for a series without variance.
#[must_use]
pub fn kpss(series: &[f64], lags: usize) -> f64 {
    let n = series.len() as f64;
    let mean = series.iter().sum::<f64>() / n;
    // In units of the largest deviation: squares must not overflow.
    let largest = series.iter().fold(0.0f64, |largest, y| largest.max((y - mean).abs()));
    let e: Vec<f64> = series.iter().map(|y| (y - mean) / largest).collect();
    let product = |lag: usize| e.iter().zip(e.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>();
    let weighted: f64 = (1..=lags).map(|k| (1.0 - k as f64 / (lags + 1) as f64) * product(k)).sum();
    let variance = (product(0) + 2.0 * weighted) / n;
    let mut sum = 0.0;
    let squares: f64 = e
        .iter()
        .map(|e| {
            sum += e;
            sum * sum
        })
        .sum();
    squares / (n * n * variance)
}

/// Whether the series is constant.
#[must_use]
pub fn is_constant(series: &[f64]) -> bool {
    series.iter().all(|y| *y == series[0])
}

/// Differences taken while the series is not stationary by [`kpss`] at 5 %, `most` at most; `lags` says how many lags the test
/// has for a length.
#[must_use]
pub fn differences(series: &[f64], most: usize, lags: impl Fn(usize) -> usize) -> usize {
    let mut x = series.to_vec();
    let mut d = 0;
    while d < most && !is_constant(&x) && kpss(&x, lags(x.len())) > CRITICAL {
        x = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
        d += 1;
    }
    d
}

/// `⌊3 √n / 13⌋`, as in R's forecast package.
#[must_use]
pub fn short_lags(n: usize) -> usize {
    (3.0 * (n as f64).sqrt() / 13.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    // statsmodels 0.14.2: kpss([1, 3, 2, 5, 4, 6, 8, 7], "c", nlags=1).
    #[test]
    fn the_statistic_is_that_of_statsmodels() {
        let got = kpss(&[1.0, 3.0, 2.0, 5.0, 4.0, 6.0, 8.0, 7.0], 1);
        assert!((got - 0.480_079_681_274_900_4).abs() < 1e-10, "{got}");
        assert!(kpss(&[2.0; 5], 1).is_nan());
    }

    #[test]
    fn a_line_is_differenced_once_and_a_parabola_twice() {
        let noise = |t: usize| ((t * 7919) % 101) as f64 / 50.0;
        let of = |f: &dyn Fn(f64) -> f64| (0..80).map(|t| f(t as f64) + noise(t)).collect::<Vec<_>>();
        assert_eq!(differences(&of(&|_| 5.0), 2, short_lags), 0);
        assert_eq!(differences(&of(&|t| t), 2, short_lags), 1);
        assert_eq!(differences(&of(&|t| t * t), 2, short_lags), 2);
        assert_eq!(differences(&of(&|t| t * t), 1, short_lags), 1);
        assert_eq!(differences(&[3.0; 9], 2, short_lags), 0);
        assert_eq!(differences(&[], 2, short_lags), 0);
    }
}
