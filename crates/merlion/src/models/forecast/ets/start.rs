//! First guesses of the initial states: Hyndman et al. (2008), section 2.6, and the simple rule for short series of Hyndman &
//! Athanasopoulos, section 7.6 of the second edition. Both are the rules of statsmodels.

use super::components::{Component, State, Variant};
use Component::{Additive, Multiplicative};

/// Observations behind the first level and slope.
const LINE: usize = 10;

/// A line through the first observations and a seasonal pattern around it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    level: f64,
    slope: f64,
    /// In order of use; empty without a season.
    seasonal: Vec<f64>,
}

impl Start {
    /// The guess for a kind of season. `y` has two full seasons at least.
    pub(super) fn new(y: &[f64], seasonal: Option<Component>, period: usize) -> Self {
        if y.len() < LINE + if seasonal.is_some() { 2 * (period / 2) } else { 0 } {
            Self::simple(y, seasonal, period)
        } else {
            Self::heuristic(y, seasonal, period)
        }
    }

    /// First value and first difference, or first season and difference of the first two seasons.
    fn simple(y: &[f64], seasonal: Option<Component>, period: usize) -> Self {
        let Some(seasonal) = seasonal else {
            return Self { level: y[0], slope: y.get(1).map_or(0.0, |y1| y1 - y[0]), seasonal: Vec::new() };
        };
        let season = period as f64;
        let (first, second) = (mean(&y[..period]), mean(&y[period..2 * period]));
        let seasonal = match seasonal {
            Additive => y[..period].iter().map(|y| y - first).collect(),
            Multiplicative => y[..period].iter().map(|y| y / first).collect(),
        };
        Self { level: first, slope: (second - first) / season, seasonal }
    }

    /// A centred moving average over up to five seasons gives the trend, mean deviations from it the season, and a
    /// straight line through its first ten values level and slope.
    fn heuristic(y: &[f64], seasonal: Option<Component>, period: usize) -> Self {
        let Some(seasonal) = seasonal else {
            let (level, slope) = line(&y[..LINE]);
            return Self { level, slope, seasonal: Vec::new() };
        };
        let needed = (LINE + 2 * (period / 2)).div_ceil(period);
        let cycles = (y.len() / period).min(5).max(needed);
        let y = &y[..y.len().min(cycles * period)];
        let (first, trend) = centred_average(y, period);
        let mut sums = vec![(0.0, 0.0); period];
        for (i, trend) in trend.iter().enumerate() {
            let t = first + i;
            let sum = &mut sums[t % period];
            sum.0 += match seasonal {
                Additive => y[t] - trend,
                Multiplicative => y[t] / trend,
            };
            sum.1 += 1.0;
        }
        let mut terms: Vec<f64> = sums.into_iter().map(|(sum, count)| sum / count).collect();
        let centre = mean(&terms);
        for s in &mut terms {
            match seasonal {
                Additive => *s -= centre,
                Multiplicative => *s /= centre,
            }
        }
        let (level, slope) = line(&trend[..LINE]);
        Self { level, slope, seasonal: terms }
    }

    /// The state for a variant, with the first seasonal term normalised to 0 or 1.
    pub(super) fn state(&self, variant: Variant) -> State {
        let mut state = State { level: self.level, trend: 0.0, seasonal: self.seasonal.clone() };
        let ratio = 1.0 + self.slope / self.level;
        state.trend = match variant.trend {
            None | Some(Additive) => self.slope,
            Some(Multiplicative) if ratio > 0.5 && ratio < 2.0 => ratio,
            Some(Multiplicative) => 1.0,
        };
        state.normalised(variant)
    }

    /// A state every variant is defined in: the mean level of the beginning, no trend, no season.
    pub(super) fn flat(y: &[f64], variant: Variant) -> State {
        let neutral = |c| if c == Some(Multiplicative) { 1.0 } else { 0.0 };
        State {
            level: mean(&y[..y.len().min(LINE.max(variant.period))]),
            trend: neutral(variant.trend),
            seasonal: vec![neutral(variant.seasonal); variant.seasonal.map_or(0, |_| variant.period)],
        }
    }
}

/// The mean, exact for equal values.
fn mean(y: &[f64]) -> f64 {
    y[0] + y.iter().map(|value| value - y[0]).sum::<f64>() / y.len() as f64
}

/// Least-squares line through `y` at 1, 2, ...: its value at 0 and its slope.
fn line(y: &[f64]) -> (f64, f64) {
    let n = y.len() as f64;
    let centre = (n + 1.0) / 2.0;
    let slope =
        y.iter().enumerate().map(|(i, y)| (i as f64 + 1.0 - centre) * y).sum::<f64>() * 12.0 / (n * (n * n - 1.0));
    (mean(y) - slope * centre, slope)
}

/// Moving average over one season, for an even one with half weights at the ends, and the position of its first value.
fn centred_average(y: &[f64], period: usize) -> (usize, Vec<f64>) {
    let mut averages: Vec<f64> = y.windows(period).map(mean).collect();
    if period.is_multiple_of(2) {
        averages = averages.windows(2).map(mean).collect();
    }
    (period / 2, averages)
}

#[cfg(test)]
mod tests {
    use super::*;

    // statsmodels 0.14.2: _initialization_heuristic(y, 'add', 'add', 4) for y = 1..24 + [0, 3, -1, -2] repeated.
    #[test]
    fn a_line_with_a_season_is_taken_apart_exactly() {
        let season = [0.0, 3.0, -1.0, -2.0];
        let y: Vec<f64> = (0..24).map(|t| 1.0 + t as f64 + season[t % 4]).collect();
        let start = Start::new(&y, Some(Additive), 4);
        assert!((start.slope - 1.0).abs() < 1e-12, "{start:?}");
        // The line starts where the moving average does, two observations in.
        assert!((start.level - 2.0).abs() < 1e-12, "{start:?}");
        for (got, expected) in start.seasonal.iter().zip(season) {
            assert!((got - expected).abs() < 1e-12, "{start:?}");
        }
    }

    #[test]
    fn odd_seasons_and_products_are_taken_apart_too() {
        let season = [0.5, 1.5, 1.0];
        let y: Vec<f64> = (0..30).map(|t| 10.0 * season[t % 3]).collect();
        let start = Start::new(&y, Some(Multiplicative), 3);
        assert!((start.level - 10.0).abs() < 1e-12 && start.slope.abs() < 1e-12, "{start:?}");
        for (got, expected) in start.seasonal.iter().zip(season) {
            assert!((got - expected).abs() < 1e-12, "{start:?}");
        }
    }

    #[test]
    fn short_series_start_from_their_first_values() {
        let start = Start::new(&[3.0, 5.0, 4.0], None, 1);
        assert_eq!((start.level, start.slope), (3.0, 2.0));
        let start = Start::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], Some(Additive), 4);
        assert_eq!((start.level, start.slope), (2.5, 1.0));
        assert_eq!(start.seasonal, [-1.5, -0.5, 0.5, 1.5]);
    }
}
