//! The straight line of a θ model: through all observations at once, or through those so far.

use serde::Serialize;

/// The least-squares line `A + B t` (t from 1) through the first observations, and their mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Line {
    pub(super) intercept: f64,
    pub(super) slope: f64,
    pub(super) mean: f64,
}

impl Line {
    /// The line after one more observation, `count` having gone into this one.
    pub(super) fn with(self, count: usize, y: f64) -> Self {
        let t = count as f64;
        let mean = (t * self.mean + y) / (t + 1.0);
        let slope = ((t - 1.0) * self.slope + 6.0 * (y - self.mean) / (t + 1.0)) / (t + 2.0);
        Self { intercept: mean - slope * (t + 2.0) / 2.0, slope, mean }
    }

    /// The lines after one observation, after two, and so on.
    pub(super) fn through_the_first(y: &[f64]) -> Vec<Self> {
        let mut line = Self::default();
        y.iter()
            .enumerate()
            .map(|(t, &y)| {
                // The recursion has no slope to give to a single observation.
                line = if t == 0 { Self { intercept: y, slope: 0.0, mean: y } } else { line.with(t, y) };
                line
            })
            .collect()
    }

    /// The line through all observations.
    pub(super) fn through_all(y: &[f64]) -> Self {
        let n = y.len() as f64;
        let mean = y.iter().sum::<f64>() / n;
        let centre = (n + 1.0) / 2.0;
        let (mut products, mut squares) = (0.0, 0.0);
        for (t, y) in y.iter().enumerate() {
            let t = (t + 1) as f64 - centre;
            (products, squares) = (products + t * (y - mean), squares + t * t);
        }
        let slope = if squares > 0.0 { products / squares } else { 0.0 };
        Self { intercept: mean - slope * centre, slope, mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recursion_is_the_line_through_the_observations_so_far() {
        let y = [3.0, 7.0, 2.0, 9.0, 11.0, 5.0, 40.0];
        let lines = Line::through_the_first(&y);
        for n in 2..=y.len() {
            let (all, so_far) = (Line::through_all(&y[..n]), lines[n - 1]);
            let apart = [all.intercept - so_far.intercept, all.slope - so_far.slope, all.mean - so_far.mean];
            assert!(apart.iter().all(|d| d.abs() < 1e-12), "{n} observations: {all:?} vs {so_far:?}");
        }
    }
}
