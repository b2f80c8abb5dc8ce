//! How strong a season is: Wang, Smith & Hyndman (2006), "Characteristic-based clustering for time series data", DMKD 13.
//!
//! ```text
//! strength = max(0, 1 - var(rest) / var(season + rest))
//! ```
//!
//! Season and rest are those of [`super::stl`].

use super::stl::{Parts, Stl};
use crate::models::{FitContext, ModelError};

/// Strength from which on a season is taken out by a difference (Hyndman & Athanasopoulos, "Forecasting: Principles and
/// Practice", section 9.1).
const STRONG: f64 = 0.64;
/// Share of the data's magnitude below which a season is rounding.
const ROUNDING: f64 = 1e-12;

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
    let stl = Stl { seasonal: window, ..Stl::new(period) };
    let Parts { seasonal, remainder: rest, .. } = stl.decompose(&scaled, context)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn strength_of(y: &[f64], period: usize) -> f64 {
        strength(y, period, 7, &FitContext::default()).unwrap()
    }

    #[test]
    fn a_fixed_season_on_a_line_is_as_strong_as_can_be() {
        let y: Vec<f64> = (0..40).map(|t| 10.0 + 0.5 * t as f64 + [3.0, -1.0, -4.0, 2.0][t % 4]).collect();
        assert!(strength_of(&y, 4) > 0.999_999, "{}", strength_of(&y, 4));
    }

    #[test]
    fn noise_has_a_weak_season_and_short_or_constant_series_none() {
        let noise: Vec<f64> = (0..60).map(|t| ((t * 7919) % 101) as f64).collect();
        assert!(strength_of(&noise, 12) < STRONG, "{}", strength_of(&noise, 12));
        assert_eq!(strength_of(&noise[..23], 12), 0.0);
        assert_eq!((strength_of(&[5.0; 40], 4), strength_of(&[0.0; 40], 4)), (0.0, 0.0));
        assert_eq!(strength_of(&noise, 1), 0.0);
    }
}
