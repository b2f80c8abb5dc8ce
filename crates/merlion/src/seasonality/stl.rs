//! A series taken apart into trend, season and rest by local regressions, and how strong its season is.
//!
//! Cleveland, Cleveland, McRae & Terpenning (1990), "STL: a seasonal-trend decomposition procedure based on loess", J. Official
//! Statistics 6, without robustness weights: all regressions are local lines, at every point. The strength of the season is
//! that of Wang, Smith & Hyndman (2006), "Characteristic-based clustering for time series data", DMKD 13:
//!
//! ```text
//! strength = max(0, 1 - var(rest) / var(season + rest))
//! ```

use crate::models::{FitContext, ModelError};

/// Rounds of season and trend, as in statsmodels.
const ROUNDS: usize = 5;
/// Strength from which on a season is taken out by a difference (Hyndman & Athanasopoulos, "Forecasting: Principles and
/// Practice", section 9.1).
const STRONG: f64 = 0.64;
/// Share of the data's magnitude below which a season is rounding.
const ROUNDING: f64 = 1e-12;

/// Season and trend of a series; the rest is what is left.
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposition {
    /// The season at each observation.
    pub seasonal: Vec<f64>,
    /// The trend at each observation.
    pub trend: Vec<f64>,
}

/// Takes a series of at least two seasons apart. `window` is the number of seasons, odd, that one season is smoothed over.
///
/// # Errors
/// The context's reasons to stop.
pub fn decompose(y: &[f64], period: usize, window: usize, context: &FitContext) -> Result<Decomposition, ModelError> {
    let n = y.len();
    let odd = |x: usize| x + usize::from(x.is_multiple_of(2));
    let trend_window = odd((1.5 * period as f64 / (1.0 - 1.5 / window as f64)).ceil() as usize);
    let low_pass_window = odd(period + 1);
    let mut result = Decomposition { seasonal: vec![0.0; n], trend: vec![0.0; n] };
    let mut cycle = vec![0.0; n + 2 * period];
    let mut phase = Vec::with_capacity(n / period + 1);
    for _ in 0..ROUNDS {
        context.check()?;
        // Each phase smoothed over the seasons, and carried on by one at both ends.
        for k in 0..period {
            phase.clear();
            phase.extend((k..n).step_by(period).map(|t| y[t] - result.trend[t]));
            for i in 0..phase.len() + 2 {
                cycle[k + i * period] = local_line(&phase, i as f64 - 1.0, window);
            }
        }
        let level = moving_average(&moving_average(&moving_average(&cycle, period), period), 3);
        for t in 0..n {
            result.seasonal[t] = cycle[t + period] - local_line(&level, t as f64, low_pass_window);
        }
        let adjusted: Vec<f64> = y.iter().zip(&result.seasonal).map(|(y, s)| y - s).collect();
        for (t, trend) in result.trend.iter_mut().enumerate() {
            *trend = local_line(&adjusted, t as f64, trend_window);
        }
    }
    Ok(result)
}

/// Strength of a season, between 0 and 1; 0 for a series shorter than two seasons.
///
/// # Errors
/// The context's reasons to stop.
pub fn strength(y: &[f64], period: usize, window: usize, context: &FitContext) -> Result<f64, ModelError> {
    if period < 2 || y.len() < 2 * period {
        return Ok(0.0);
    }
    let largest = y.iter().fold(0.0f64, |largest, y| largest.max(y.abs()));
    if largest == 0.0 {
        return Ok(0.0);
    }
    let scaled: Vec<f64> = y.iter().map(|y| y / largest).collect();
    let Decomposition { seasonal, trend } = decompose(&scaled, period, window, context)?;
    let rest: Vec<f64> = (0..y.len()).map(|t| scaled[t] - seasonal[t] - trend[t]).collect();
    let with: Vec<f64> = rest.iter().zip(&seasonal).map(|(r, s)| r + s).collect();
    let (rest, with) = (variance(&rest), variance(&with));
    Ok(if with <= ROUNDING * ROUNDING { 0.0 } else { (1.0 - rest / with).max(0.0) })
}

/// Whether the season is strong enough to be taken out by a difference.
///
/// # Errors
/// The context's reasons to stop.
pub fn is_strong(y: &[f64], period: usize, window: usize, context: &FitContext) -> Result<bool, ModelError> {
    Ok(strength(y, period, window, context)? > STRONG)
}

fn variance(x: &[f64]) -> f64 {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64
}

/// Means of `window` values in a row.
fn moving_average(x: &[f64], window: usize) -> Vec<f64> {
    x.windows(window).map(|x| x.iter().sum::<f64>() / window as f64).collect()
}

/// The local line through the `window` values nearest to `at`, there; weights fall off as `(1 - u³)³`.
fn local_line(y: &[f64], at: f64, window: usize) -> f64 {
    let n = y.len();
    let size = window.min(n);
    // The leftmost of the `size` places around `at`, as far as there are that many.
    let left = (at.round() as isize - (size / 2) as isize).clamp(0, (n - size) as isize) as usize;
    let right = left + size - 1;
    let mut reach = (at - left as f64).abs().max((right as f64 - at).abs());
    if window > n {
        reach += ((window - n) / 2) as f64;
    }
    let (mut total, mut mean) = (0.0, 0.0);
    let weight = |i: usize| {
        let distance = (i as f64 - at).abs();
        if distance <= 0.001 * reach {
            1.0
        } else if distance <= 0.999 * reach {
            let u = distance / reach;
            (1.0 - u * u * u).powi(3)
        } else {
            0.0
        }
    };
    for i in left..=right {
        let w = weight(i);
        (total, mean) = (total + w, mean + w * i as f64);
    }
    if total <= 0.0 {
        return y[(at.round().max(0.0) as usize).min(n - 1)];
    }
    mean /= total;
    let spread: f64 = (left..=right).map(|i| weight(i) * (i as f64 - mean).powi(2)).sum::<f64>() / total;
    let slope = if spread.sqrt() > 0.001 * (n as f64 - 1.0) { (at - mean) / spread } else { 0.0 };
    (left..=right).map(|i| weight(i) / total * (1.0 + slope * (i as f64 - mean)) * y[i]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strength_of(y: &[f64], period: usize) -> f64 {
        strength(y, period, 7, &FitContext::default()).unwrap()
    }

    #[test]
    fn a_line_with_a_fixed_season_is_taken_apart_exactly() {
        let season = [3.0, -1.0, -4.0, 2.0];
        let y: Vec<f64> = (0..40).map(|t| 10.0 + 0.5 * t as f64 + season[t % 4]).collect();
        let Decomposition { seasonal, trend } = decompose(&y, 4, 7, &FitContext::default()).unwrap();
        for t in 0..40 {
            assert!((seasonal[t] - season[t % 4]).abs() < 1e-9, "t = {t}: {}", seasonal[t]);
            assert!((trend[t] - 10.0 - 0.5 * t as f64).abs() < 1e-9, "t = {t}: {}", trend[t]);
        }
        assert!(strength_of(&y, 4) > 0.999_999);
    }

    #[test]
    fn noise_has_a_weak_season_and_short_or_constant_series_none() {
        let noise: Vec<f64> = (0..60).map(|t| ((t * 7919) % 101) as f64).collect();
        assert!(strength_of(&noise, 12) < STRONG, "{}", strength_of(&noise, 12));
        assert_eq!(strength_of(&noise[..23], 12), 0.0);
        assert_eq!((strength_of(&[5.0; 40], 4), strength_of(&[0.0; 40], 4)), (0.0, 0.0));
        assert_eq!(strength_of(&noise, 1), 0.0);
    }

    // statsmodels 0.14.2: STL(air passengers, 12, seasonal=11).fit().
    #[test]
    fn air_passengers_are_taken_apart_as_by_statsmodels() {
        let text = include_str!("../../tests/data/air_passengers.csv");
        let y: Vec<f64> = text.lines().filter_map(|line| line.rsplit(',').next()?.trim().parse().ok()).collect();
        let Decomposition { seasonal, trend } = decompose(&y, 12, 11, &FitContext::default()).unwrap();
        for (t, s, trended) in STL_STATSMODELS {
            assert!((seasonal[t] - s).abs() < 1e-6, "season {t}: {} vs {s}", seasonal[t]);
            assert!((trend[t] - trended).abs() < 1e-6, "trend {t}: {} vs {trended}", trend[t]);
        }
    }

    const STL_STATSMODELS: [(usize, f64, f64); 4] = [
        (0, -9.623_957_319_966, 121.732_729_431_716),
        (5, 5.161_339_032_311, 125.870_110_475_716),
        (70, -54.195_529_308_425, 254.864_612_141_841),
        (143, -60.633_505_973_442, 494.660_204_107_288),
    ];
}
