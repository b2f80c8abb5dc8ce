//! Seasonal-trend decomposition by loess: a series as the sum of a trend, a season that may change, and a remainder.
//!
//! Cleveland, Cleveland, McRae & Terpenning (1990), "STL: A seasonal-trend decomposition procedure based on loess", Journal of
//! Official Statistics 6. Each turn of the inner loop smooths the phases of the detrended series one by one, takes out of the
//! result what a low-pass filter lets through, and smooths the deseasonalised series to the next trend. The outer loop weighs
//! down observations with large remainders. All local lines are of degree 1. Windows default to those of statsmodels.
//!
//! ```
//! use merlion::models::FitContext;
//! use merlion::seasonality::stl::Stl;
//!
//! let y: Vec<f64> = (0..40).map(|t| f64::from(t) + [3.0, -1.0, -4.0, 2.0][t as usize % 4]).collect();
//! let parts = Stl::new(4).decompose(&y, &FitContext::default())?;
//! assert!(parts.seasonal.iter().skip(2).step_by(4).all(|s| (s + 4.0).abs() < 0.1));
//! # Ok::<(), merlion::models::ModelError>(())
//! ```

mod loess;

use crate::models::{FitContext, ModelError};

/// How to take a series apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stl {
    /// Length of the season in observations, at least 2.
    pub period: usize,
    /// Window of the smoothing of each phase, in seasons; odd.
    pub seasonal: usize,
    /// Window of the trend; `None` for the smallest odd number above `1.5 period / (1 - 1.5 / seasonal)`.
    pub trend: Option<usize>,
    /// Window of the low-pass filter; `None` for the smallest odd number above the period.
    pub low_pass: Option<usize>,
    /// Whether outliers are weighed down.
    pub robust: bool,
    /// Whether the trend and the low-pass filter are found at every point, not at ten in a window and straight in between.
    pub every_point: bool,
}

/// A series taken apart: the three add up to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// The slow part.
    pub trend: Vec<f64>,
    /// The season.
    pub seasonal: Vec<f64>,
    /// The rest.
    pub remainder: Vec<f64>,
}

/// Turns of the inner and the outer loop, and the same with weights for outliers.
const LOOPS: (usize, usize) = (5, 0);
const ROBUST_LOOPS: (usize, usize) = (2, 15);

fn odd_above(x: f64) -> usize {
    let next = x.floor() as usize + 1;
    next | 1
}

impl Stl {
    /// The usual windows for a season of this length.
    #[must_use]
    pub fn new(period: usize) -> Self {
        Self { period, seasonal: 7, trend: None, low_pass: None, robust: false, every_point: true }
    }

    fn trend_window(&self) -> usize {
        let seasonal = self.seasonal as f64;
        self.trend.unwrap_or_else(|| odd_above((1.5 * self.period as f64 / (1.0 - 1.5 / seasonal)).ceil() - 1.0))
    }

    fn low_pass_window(&self) -> usize {
        self.low_pass.unwrap_or_else(|| odd_above(self.period as f64))
    }

    /// Takes a series apart.
    ///
    /// # Errors
    /// [`ModelError::TooShort`] for less than two seasons, and the context's reasons to stop.
    pub fn decompose(&self, y: &[f64], context: &FitContext) -> Result<Parts, ModelError> {
        let (n, period) = (y.len(), self.period.max(2));
        if n < 2 * period {
            return Err(ModelError::TooShort { got: n, needed: 2 * period });
        }
        let (inner, outer) = if self.robust { ROBUST_LOOPS } else { LOOPS };
        let mut loops = Loops {
            stl: Self { period, ..*self },
            y,
            trend: vec![0.0; n],
            seasonal: vec![0.0; n],
            phases: vec![0.0; n + 2 * period],
            averages: [vec![0.0; n + period + 1], vec![0.0; n + 2], vec![0.0; n]],
            difference: vec![0.0; n],
            scratch: vec![0.0; n],
        };
        let mut weights: Option<Vec<f64>> = None;
        for turn in 0..=outer {
            for _ in 0..inner {
                loops.turn(weights.as_deref(), context)?;
            }
            if turn < outer {
                weights = Some(loops.weights());
            }
        }
        let Loops { trend, seasonal, .. } = loops;
        let remainder = y.iter().zip(&trend).zip(&seasonal).map(|((y, trend), s)| y - trend - s).collect();
        Ok(Parts { trend, seasonal, remainder })
    }
}

/// The state of the loops, and their working memory.
struct Loops<'a> {
    stl: Stl,
    y: &'a [f64],
    trend: Vec<f64>,
    seasonal: Vec<f64>,
    /// The smoothed phases, from one season before the series to one after it.
    phases: Vec<f64>,
    averages: [Vec<f64>; 3],
    difference: Vec<f64>,
    scratch: Vec<f64>,
}

impl Loops<'_> {
    fn turn(&mut self, weights: Option<&[f64]>, context: &FitContext) -> Result<(), ModelError> {
        let Stl { period, .. } = self.stl;
        let jump = |window: usize| if self.stl.every_point { 1 } else { window.div_ceil(10) };
        let (low_pass, trend) = (self.stl.low_pass_window(), self.stl.trend_window());
        let (low_jump, trend_jump) = (jump(low_pass), jump(trend));
        self.smooth_phases(weights, context)?;
        moving_average(&self.phases, period, &mut self.averages[0]);
        let [first, second, third] = &mut self.averages;
        moving_average(first, period, second);
        moving_average(second, 3, third);
        context.check()?;
        loess::smooth(third, None, low_pass, low_jump, &mut self.difference, &mut self.scratch);
        for (t, seasonal) in self.seasonal.iter_mut().enumerate() {
            *seasonal = self.phases[period + t] - self.difference[t];
        }
        for ((difference, y), seasonal) in self.difference.iter_mut().zip(self.y).zip(&self.seasonal) {
            *difference = y - seasonal;
        }
        context.check()?;
        loess::smooth(&self.difference, weights, trend, trend_jump, &mut self.trend, &mut self.scratch);
        Ok(())
    }

    /// Smooths each phase of the detrended series, and continues it by one value at both ends.
    fn smooth_phases(&mut self, weights: Option<&[f64]>, context: &FitContext) -> Result<(), ModelError> {
        let Stl { period, seasonal: window, .. } = self.stl;
        let mut smoothed = Vec::new();
        let mut phase_weights = Vec::new();
        for phase in 0..period {
            context.check()?;
            let values: Vec<f64> = (phase..self.y.len()).step_by(period).map(|t| self.y[t] - self.trend[t]).collect();
            let weights = weights.map(|weights| {
                phase_weights.clear();
                phase_weights.extend(weights.iter().skip(phase).step_by(period));
                phase_weights.as_slice()
            });
            let k = values.len();
            smoothed.resize(k, 0.0);
            loess::smooth(&values, weights, window, 1, &mut smoothed, &mut self.scratch);
            let mut beyond = |at: f64, neighbours: (usize, usize)| {
                loess::line_at(&values, weights, window, at, neighbours, &mut self.scratch)
            };
            let before = beyond(-1.0, (0, window.min(k) - 1)).unwrap_or(smoothed[0]);
            let after = beyond(k as f64, (k.saturating_sub(window), k - 1)).unwrap_or(smoothed[k - 1]);
            let all = std::iter::once(before).chain(smoothed.iter().copied()).chain(std::iter::once(after));
            for (m, value) in all.enumerate() {
                self.phases[m * period + phase] = value;
            }
        }
        Ok(())
    }

    /// The weights of the outer loop: bisquare of the remainder over six times its median size.
    fn weights(&self) -> Vec<f64> {
        let rest = |t: usize| (self.y[t] - self.trend[t] - self.seasonal[t]).abs();
        let sizes: Vec<f64> = (0..self.y.len()).map(rest).collect();
        let mut sorted = sizes.clone();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let bound = 3.0 * (sorted[n / 2] + sorted[(n - 1) / 2]);
        let weight = |size: f64| {
            if size <= 0.001 * bound {
                1.0
            } else if size <= 0.999 * bound {
                let ratio = size / bound;
                (1.0 - ratio * ratio).powi(2)
            } else {
                0.0
            }
        };
        sizes.into_iter().map(weight).collect()
    }
}

/// The means of all runs of `length` values; `means` is as long as there are runs.
fn moving_average(x: &[f64], length: usize, means: &mut [f64]) {
    let mut sum: f64 = x[..length].iter().sum();
    means[0] = sum / length as f64;
    for (t, mean) in means.iter_mut().enumerate().skip(1) {
        sum += x[t + length - 1] - x[t - 1];
        *mean = sum / length as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passengers() -> Vec<f64> {
        let text = include_str!("../../tests/data/air_passengers.csv");
        text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect()
    }

    fn assert_parts(stl: Stl, expected: &[(usize, f64, f64)]) {
        let y = passengers();
        let parts = stl.decompose(&y, &FitContext::default()).unwrap();
        for &(t, trend, seasonal) in expected {
            let (got_trend, got_seasonal) = (parts.trend[t], parts.seasonal[t]);
            // Written with ten decimals; the algorithm is the same, operation by operation.
            let apart = (got_trend - trend).abs().max((got_seasonal - seasonal).abs());
            assert!(apart < 1e-8, "{stl:?} at {t}: ({got_trend}, {got_seasonal}) vs ({trend}, {seasonal})");
            assert!((y[t] - got_trend - got_seasonal - parts.remainder[t]).abs() < 1e-12);
        }
    }

    // statsmodels 0.14.2: STL(y, period=…, …).fit().
    #[test]
    fn passengers_come_apart_as_in_statsmodels() {
        assert_parts(
            Stl::new(12),
            &[
                (0, 122.6334762273, -11.0221678821),
                (1, 123.3451011911, -2.8386167129),
                (17, 139.5945768079, 10.7184106700),
                (70, 254.9464702949, -54.2466694874),
                (142, 492.0276703882, -98.2798202631),
                (143, 495.5344856027, -60.9352151319),
            ],
        );
        assert_parts(
            Stl { seasonal: 13, robust: true, ..Stl::new(12) },
            &[
                (0, 122.1744444525, -8.6078592057),
                (1, 122.9925608547, 0.9769311384),
                (17, 139.2646699231, 10.4980405693),
                (70, 255.9573709774, -54.7943707938),
                (142, 493.8097413349, -100.4697699430),
                (143, 497.0235119637, -60.8416259742),
            ],
        );
        assert_parts(
            Stl { trend: Some(15), low_pass: Some(9), ..Stl::new(6) },
            &[
                (0, 121.6144864609, -1.4999965445),
                (1, 123.5217700996, 2.1239328644),
                (17, 144.0920157785, -1.1294793595),
                (70, 245.6651370264, -27.7423617236),
                (142, 508.8357601721, -81.5933617940),
                (143, 508.6840991025, -32.6426159515),
            ],
        );
        assert_parts(
            Stl { seasonal: 35, ..Stl::new(5) },
            &[
                (0, 115.0657487105, -2.0133510418),
                (1, 119.1356249807, 1.1560861725),
                (17, 149.3701082869, 0.3855924467),
                (70, 232.4538950881, 0.9207939636),
                (142, 436.4505339700, -0.2079955057),
                (143, 397.3405356371, 9.3810849633),
            ],
        );
    }

    // R's way of saving time: a straight line between ten points in a window.
    #[test]
    fn jumps_change_little() {
        let y = passengers();
        let context = FitContext::default();
        let exact = Stl::new(12).decompose(&y, &context).unwrap();
        let quick = Stl { every_point: false, ..Stl::new(12) }.decompose(&y, &context).unwrap();
        let apart = exact.trend.iter().zip(&quick.trend).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart > 0.0 && apart < 1.0, "{apart}");
    }

    #[test]
    fn less_than_two_seasons_are_too_short_and_constants_come_apart() {
        let error = Stl::new(12).decompose(&[1.0; 23], &FitContext::default()).unwrap_err();
        assert_eq!(error, ModelError::TooShort { got: 23, needed: 24 });
        let parts = Stl::new(5).decompose(&[3.0; 10], &FitContext::default()).unwrap();
        assert!(parts.trend.iter().all(|trend| (trend - 3.0).abs() < 1e-12), "{parts:?}");
        let robust = Stl { robust: true, ..Stl::new(5) }.decompose(&[0.0; 30], &FitContext::default()).unwrap();
        assert_eq!(robust.remainder, [0.0; 30]);
    }
}
