//! Nearest neighbours of all windows of a series, by correlation, exactly and in quadratic time.
//!
//! With `μ_i` the mean and `s_i` the norm of the centred window that begins at `i`, the covariance of windows along a diagonal follows
//! from the one before (Zimmerman et al. 2019, "Matrix Profile XIV: Scaling time series motif discovery with GPUs", section 4):
//!
//! ```text
//! c_ij = c_{i-1,j-1} + f_i g_j + f_j g_i      f_i = (x_{i+m-1} - x_{i-1}) / 2
//! r_ij = c_ij / (s_i s_j)                     g_i = (x_{i+m-1} - μ_i) + (x_{i-1} - μ_{i-1})
//! ```
//!
//! and the distance of the windows, each scaled to mean 0 and variance 1, is `√(2 m (1 - r))`. No Fourier transform is needed.

use crate::models::{FitContext, ModelError};

/// Diagonals that are followed together: their state stays in the first-level cache.
const BLOCK: usize = 256;

/// Lanes of a maximum, so that it is taken of several values at a time.
const LANES: usize = 8;

/// A window is flat if its norm is not this part of what the series' largest value would give it.
const FLAT: f64 = 1e-9;

/// A series as its windows need it.
#[derive(Debug)]
pub(super) struct Windows {
    x: Vec<f64>,
    m: usize,
    mean: Vec<f64>,
    f: Vec<f64>,
    g: Vec<f64>,
    /// The reciprocal norm; 0 for a flat window.
    inverse: Vec<f64>,
}

impl Windows {
    /// The windows of `m` values of `x`, which has at least so many and is finite.
    pub(super) fn new(x: &[f64], m: usize) -> Self {
        // Correlations do not depend on scale and level; the numbers are best around 0 and 1.
        let n = x.len() as f64;
        let center = x.iter().sum::<f64>() / n;
        let scale = x.iter().map(|x| (x - center).abs()).fold(0.0, f64::max);
        let largest = x.iter().map(|x| x.abs()).fold(0.0, f64::max);
        // Differences that rounding has made out of equal values are none.
        let scale = if scale > 1e-13 * largest { scale } else { f64::INFINITY };
        let x: Vec<f64> = x.iter().map(|x| (x - center) / scale).collect();
        let count = (x.len() + 1).saturating_sub(m);
        let mean: Vec<f64> = x.windows(m).map(|window| window.iter().sum::<f64>() / m as f64).collect();
        let norm = |(window, mean): (&[f64], &f64)| window.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>().sqrt();
        let flat = FLAT * (m as f64).sqrt();
        let inverse =
            x.windows(m).zip(&mean).map(norm).map(|norm| if norm > flat { 1.0 / norm } else { 0.0 }).collect();
        // The first window has none before it.
        let from_second =
            |value: &dyn Fn(usize) -> f64| (0..count).map(|i| if i == 0 { 0.0 } else { value(i) }).collect();
        let f = from_second(&|i| (x[i + m - 1] - x[i - 1]) / 2.0);
        let g = from_second(&|i| (x[i + m - 1] - mean[i]) + (x[i - 1] - mean[i - 1]));
        Self { x, m, mean, f, g, inverse }
    }

    /// How many windows there are.
    pub(super) fn count(&self) -> usize {
        self.mean.len()
    }

    fn covariance(&self, i: usize, j: usize) -> f64 {
        let (a, b) = (&self.x[i..i + self.m], &self.x[j..j + self.m]);
        a.iter().zip(b).map(|(a, b)| (a - self.mean[i]) * (b - self.mean[j])).sum()
    }

    fn is_flat(&self, i: usize) -> bool {
        self.inverse[i] == 0.0
    }

    /// The distance of each window to the nearest one that begins more than `apart` places from it; infinite where there is none.
    pub(super) fn self_join(&self, apart: usize, context: &FitContext) -> Result<Vec<f64>, ModelError> {
        let count = self.count();
        let mut best = vec![f64::NEG_INFINITY; count];
        let mut state = [0.0; BLOCK];
        for first in (apart + 1..count).step_by(BLOCK) {
            context.check()?;
            let width = BLOCK.min(count - first);
            for (k, state) in state[..width].iter_mut().enumerate() {
                *state = self.covariance(0, first + k);
            }
            for i in 0..count - first {
                let length = width.min(count - first - i);
                let row = self.follow(i, i + first, &mut state[..length], &mut best);
                best[i] = if row > best[i] { row } else { best[i] };
            }
        }
        let flat: Vec<usize> = (0..count).filter(|&i| self.is_flat(i)).collect();
        let flat_within = |i: usize| {
            let far = |j: usize| i.abs_diff(j) > apart;
            flat.first().copied().is_some_and(far) || flat.last().copied().is_some_and(far)
        };
        Ok(best.iter().enumerate().map(|(i, best)| self.distance(i, *best, flat_within(i))).collect())
    }

    /// Takes one row of a block of diagonals: window `i` against those from `j` on. The best of the row, and the best of each column in
    /// `best`.
    fn follow(&self, i: usize, j: usize, state: &mut [f64], best: &mut [f64]) -> f64 {
        let length = state.len();
        let (fi, gi, inverse) = (self.f[i], self.g[i], self.inverse[i]);
        let (f, g) = (&self.f[j..j + length], &self.g[j..j + length]);
        let (inverses, best) = (&self.inverse[j..j + length], &mut best[j..j + length]);
        let mut lanes = [f64::NEG_INFINITY; LANES];
        let mut at = 0;
        while at + LANES <= length {
            let (state, best) = (&mut state[at..at + LANES], &mut best[at..at + LANES]);
            let (f, g, inverses) = (&f[at..at + LANES], &g[at..at + LANES], &inverses[at..at + LANES]);
            let mine = state.iter_mut().zip(best).zip(&mut lanes);
            for (((state, best), lane), ((f, g), other)) in mine.zip(f.iter().zip(g).zip(inverses)) {
                let covariance = *state + fi * g + f * gi;
                *state = covariance;
                let r = covariance * inverse * other;
                *best = if r > *best { r } else { *best };
                *lane = if r > *lane { r } else { *lane };
            }
            at += LANES;
        }
        let mine = state[at..].iter_mut().zip(&mut best[at..]);
        for ((state, best), ((f, g), other)) in mine.zip(f[at..].iter().zip(&g[at..]).zip(&inverses[at..])) {
            *state += fi * g + f * gi;
            let r = *state * inverse * other;
            *best = if r > *best { r } else { *best };
            lanes[0] = if r > lanes[0] { r } else { lanes[0] };
        }
        lanes.into_iter().fold(f64::NEG_INFINITY, |a, b| if b > a { b } else { a })
    }

    /// The distance of each window from `from` on to the nearest of the first `known` windows that begin more than `apart` places before
    /// it; infinite where there is none.
    pub(super) fn join(
        &self,
        known: usize,
        from: usize,
        apart: usize,
        context: &FitContext,
    ) -> Result<Vec<f64>, ModelError> {
        let new = self.count() - from;
        // Along a diagonal the place stays the same: window `i` against `from + row` is at `i + new - 1 - row`.
        let mut state = vec![0.0; known + new];
        let mut flat = (0..known).filter(|&i| self.is_flat(i)).peekable();
        let first_flat = flat.peek().copied();
        let mut distances = Vec::with_capacity(new);
        for row in 0..new {
            context.check()?;
            let (j, base) = (from + row, new - 1 - row);
            let (fj, gj, inverse) = (self.f[j], self.g[j], self.inverse[j]);
            if row == 0 {
                for i in 0..known {
                    state[base + i] = self.covariance(i, j);
                }
            } else if known > 0 {
                state[base] = self.covariance(0, j);
                let columns = self.f[1..known].iter().zip(&self.g[1..known]);
                for (state, (f, g)) in state[base + 1..base + known].iter_mut().zip(columns) {
                    *state += f * gj + fj * g;
                }
            }
            let eligible = known.min(j.saturating_sub(apart));
            let mut lanes = [f64::NEG_INFINITY; LANES];
            let covariances = state[base..base + eligible].chunks(LANES);
            for (covariances, inverses) in covariances.zip(self.inverse[..eligible].chunks(LANES)) {
                for ((lane, covariance), other) in lanes.iter_mut().zip(covariances).zip(inverses) {
                    let r = covariance * inverse * other;
                    *lane = if r > *lane { r } else { *lane };
                }
            }
            let best = lanes.into_iter().fold(f64::NEG_INFINITY, f64::max);
            distances.push(self.distance(j, best, first_flat.is_some_and(|i| i < eligible)));
        }
        Ok(distances)
    }

    /// The distance of a window whose best correlation is `best`, with a flat window within reach or not. A flat window is like another
    /// one, and unlike every other window by half as much as opposite ones are.
    fn distance(&self, i: usize, best: f64, flat_within: bool) -> f64 {
        if best == f64::NEG_INFINITY {
            return f64::INFINITY;
        }
        let r = match (self.is_flat(i), flat_within) {
            (true, true) => 1.0,
            (true, false) => 0.5,
            (false, true) => best.max(0.5),
            (false, false) => best,
        };
        (2.0 * self.m as f64 * (1.0 - r.min(1.0))).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;

    fn naive(x: &[f64], m: usize, reach: impl Fn(usize, usize) -> bool) -> Vec<f64> {
        let scaled: Vec<Option<Vec<f64>>> = x
            .windows(m)
            .map(|window| {
                let mean = window.iter().sum::<f64>() / m as f64;
                let deviation = (window.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / m as f64).sqrt();
                (deviation > 1e-9).then(|| window.iter().map(|x| (x - mean) / deviation).collect())
            })
            .collect();
        let distance = |i: usize, j: usize| match (&scaled[i], &scaled[j]) {
            (Some(a), Some(b)) => a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
            (None, None) => 0.0,
            _ => (m as f64).sqrt(),
        };
        let nearest =
            |i: usize| (0..scaled.len()).filter(|&j| reach(i, j)).map(|j| distance(i, j)).fold(f64::INFINITY, f64::min);
        (0..scaled.len()).map(nearest).collect()
    }

    fn walk(n: usize) -> Vec<f64> {
        let mut stream = rng::stream(4, 4);
        let mut level = 1e6;
        let mut x: Vec<f64> = (0..n)
            .map(|_| {
                level += rng::standard_normal(&mut stream);
                level
            })
            .collect();
        // Two flat stretches, one of them short.
        x[100..140].fill(1e6);
        x[n - 30..n - 10].fill(1e6 + 3.0);
        x
    }

    #[test]
    fn the_profile_is_that_of_comparing_everything_with_everything() {
        for (n, m, apart) in [(700, 16, 4), (301, 5, 2), (270, 30, 200)] {
            let x = walk(n);
            let windows = Windows::new(&x, m);
            let got = windows.self_join(apart, &FitContext::default()).unwrap();
            let expected = naive(&x, m, |i, j| i.abs_diff(j) > apart);
            for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
                assert!(got == expected || (got - expected).abs() < 1e-5, "n = {n}, window {i}: {got} vs {expected}");
            }
        }
    }

    #[test]
    fn new_windows_are_compared_with_known_ones_only() {
        let x = walk(500);
        for (known, from) in [(200, 300), (300, 300), (450, 460), (0, 10)] {
            let windows = Windows::new(&x, 12);
            let got = windows.join(known, from, 3, &FitContext::default()).unwrap();
            let expected = naive(&x, 12, |j, i| i < known && j > i + 3);
            assert_eq!(got.len(), windows.count() - from);
            for (row, got) in got.iter().enumerate() {
                let expected = expected[from + row];
                assert!(
                    *got == expected || (got - expected).abs() < 1e-5,
                    "window {}: {got} vs {expected}",
                    from + row
                );
            }
        }
    }

    #[test]
    fn a_constant_series_is_like_itself() {
        let windows = Windows::new(&[7.3; 100], 10);
        let profile = windows.self_join(3, &FitContext::default()).unwrap();
        assert!(profile.iter().all(|d| *d == 0.0), "{profile:?}");
    }
}
