//! The classical decomposition: the mean course of a season of known length, about a centred moving average.
//!
//! Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", third edition, section 3.4. With `T_t` the moving average
//! over one season (over one more observation with half weights at the ends when the season is even), the index of a phase is
//! the mean of `y_t - T_t`, or of `y_t / T_t`, over the phase; indices are brought to mean 0, or to mean 1.

use serde::{Deserialize, Serialize};

use super::autocorrelation::autocorrelations;

/// How a season and the rest make the series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decomposition {
    /// Season and rest are added.
    Additive,
    /// Season and rest are multiplied.
    #[default]
    Multiplicative,
}

/// The smallest multiplicative index that is still divided by.
const SMALLEST: f64 = 0.01;
/// `Φ⁻¹(0.95)`: a season is taken at 10 %, two-sided.
const CRITICAL: f64 = 1.644_853_626_951_472_2;

/// The course of a season, phase of the first observation first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeasonalIndices {
    kind: Decomposition,
    indices: Vec<f64>,
}

impl SeasonalIndices {
    /// The indices of a season of `period` observations, seen at least twice; additive where the data or the indices are too
    /// small to divide by. `None` when the series is too short.
    #[must_use]
    pub fn of(y: &[f64], period: usize, kind: Decomposition) -> Option<Self> {
        if period < 2 || y.len() < 2 * period {
            return None;
        }
        if kind == Decomposition::Multiplicative && y.iter().all(|y| *y > 0.0) {
            let indices = indices(y, period, Decomposition::Multiplicative);
            if indices.iter().all(|index| *index >= SMALLEST) {
                return Some(Self { kind, indices });
            }
        }
        Some(Self { kind: Decomposition::Additive, indices: indices(y, period, Decomposition::Additive) })
    }

    /// The course, phase of the first observation first.
    #[must_use]
    pub fn indices(&self) -> &[f64] {
        &self.indices
    }

    /// The observation at position `t` without its season.
    #[must_use]
    pub fn remove(&self, t: usize, y: f64) -> f64 {
        let index = self.indices[t % self.indices.len()];
        match self.kind {
            Decomposition::Additive => y - index,
            Decomposition::Multiplicative => y / index,
        }
    }

    /// The value at position `t` with its season.
    #[must_use]
    pub fn restore(&self, t: usize, value: f64) -> f64 {
        let index = self.indices[t % self.indices.len()];
        match self.kind {
            Decomposition::Additive => value + index,
            Decomposition::Multiplicative => value * index,
        }
    }

    /// The standard error at position `t` with its season.
    #[must_use]
    pub fn restore_error(&self, t: usize, error: f64) -> f64 {
        match self.kind {
            Decomposition::Additive => error,
            Decomposition::Multiplicative => error * self.indices[t % self.indices.len()],
        }
    }
}

/// Whether the autocorrelation at the season exceeds its standard error (Bartlett 1946) at 10 %, as θ models ask before they
/// take a season out. Seasons of less than four observations are not taken.
#[must_use]
pub fn is_significant(y: &[f64], period: usize) -> bool {
    if period < 4 || y.len() < 2 * period {
        return false;
    }
    let rho = autocorrelations(y, period + 1);
    let squares: f64 = rho[1..period].iter().map(|rho| rho * rho).sum();
    rho[period].abs() > CRITICAL * ((1.0 + 2.0 * squares) / y.len() as f64).sqrt()
}

fn indices(y: &[f64], period: usize, kind: Decomposition) -> Vec<f64> {
    let half = period / 2;
    let even = period.is_multiple_of(2);
    let mut sums = vec![(0.0, 0.0); period];
    for t in half..y.len() - half {
        let window = &y[t - half..=t + half];
        let ends = if even { 0.5 * (window[0] + window[2 * half]) } else { 0.0 };
        let inner = if even { &window[1..2 * half] } else { window };
        let trend = (inner.iter().sum::<f64>() + ends) / period as f64;
        let sum = &mut sums[t % period];
        let rest = match kind {
            Decomposition::Additive => y[t] - trend,
            Decomposition::Multiplicative => y[t] / trend,
        };
        *sum = (sum.0 + rest, sum.1 + 1.0);
    }
    let means: Vec<f64> = sums.into_iter().map(|(sum, count)| sum / count).collect();
    let mean = means.iter().sum::<f64>() / period as f64;
    let about = |index: f64| match kind {
        Decomposition::Additive => index - mean,
        Decomposition::Multiplicative => index / mean,
    };
    means.into_iter().map(about).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const Y: [f64; 12] = [10.0, 14.0, 8.0, 25.0, 16.0, 22.0, 14.0, 35.0, 15.0, 27.0, 18.0, 40.0];

    fn close(got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (g, e) in got.iter().zip(expected) {
            assert!((g - e).abs() < 1e-9, "{got:?} vs {expected:?}");
        }
    }

    // statsmodels 0.14.2: seasonal_decompose(y, model=…, period=…).seasonal[:period].
    #[test]
    fn indices_are_those_of_statsmodels() {
        close(&indices(&Y, 4, Decomposition::Additive), &[-5.3593750000, 2.0781250000, -7.2968750000, 10.5781250000]);
        close(
            &indices(&Y, 4, Decomposition::Multiplicative),
            &[0.7601364362, 1.0978309567, 0.5943721877, 1.5476604194],
        );
        close(&indices(&Y, 3, Decomposition::Additive), &[2.7129629630, 1.1296296296, -3.8425925926]);
        close(&indices(&Y, 3, Decomposition::Multiplicative), &[1.1447706499, 1.0757253882, 0.7795039619]);
    }

    #[test]
    fn what_cannot_be_divided_by_is_subtracted() {
        let with_zero: Vec<f64> = Y.iter().map(|y| y - 8.0).collect();
        let season = SeasonalIndices::of(&with_zero, 4, Decomposition::Multiplicative).unwrap();
        assert_eq!(season.kind, Decomposition::Additive);
        close(&[season.restore(5, season.remove(5, 3.25)), season.restore_error(5, 2.0)], &[3.25, 2.0]);
        assert_eq!(SeasonalIndices::of(&Y[..7], 4, Decomposition::Additive), None);
    }

    #[test]
    fn a_season_is_significant_and_a_constant_or_a_short_series_is_not() {
        let y: Vec<f64> = (0..40).map(|t| [3.0, 9.0, 4.0, 1.0][t % 4] + ((t * 37) % 11) as f64 / 5.0).collect();
        assert!(is_significant(&y, 4));
        assert!(!is_significant(&y, 7));
        assert!(!is_significant(&[3.0; 12], 4));
        assert!(!is_significant(&Y[..7], 4));
        assert!(!is_significant(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0], 2));
    }
}
