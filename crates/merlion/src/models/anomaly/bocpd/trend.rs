//! Observations around a line in time: Bayesian multivariate linear regression.
//!
//! Geisser (1965), "Bayesian estimation in multivariate analysis". With a row `τ = (t, 1)` for each of `n` observations of `d` columns,
//!
//! ```text
//! Λ_n = Λ_0 + Σ ττᵀ     W_n = Λ_n⁻¹ (Λ_0 W_0 + Σ τxᵀ)     ν_n = 2(d + ε) + n
//! V_n = V_0 + Σ (x - W_nᵀτ)(x - W_nᵀτ)ᵀ + (W_n - W_0)ᵀ Λ_0 (W_n - W_0)
//! ```
//!
//! and the density of the next observation is a ratio of determinants and gamma functions. Time counts from the first observation, in
//! units of the step to the second.

use std::f64::consts::PI;

use serde::Serialize;

use super::EPSILON;
use super::matrix::factor;
use crate::math::ln_gamma::ln_gamma;

/// What is known of a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Trend {
    n: f64,
    /// The first time, and the unit of time once it is known.
    start: Option<(f64, Option<f64>)>,
    /// `Λ` as its three entries.
    precision: [f64; 3],
    /// Slopes, then intercepts.
    weights: Vec<f64>,
    /// `V`.
    scatter: Vec<f64>,
    log_determinants: (f64, f64),
}

/// Memory that is used again.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    factor: Vec<f64>,
    steps: Vec<(f64, f64)>,
    /// What the density has besides data, by number of observations.
    constants: Vec<f64>,
}

fn determinant([a, b, c]: [f64; 3]) -> f64 {
    // It grows with every observation from the prior's on.
    (a * c - b * b).max(EPSILON / 2.0)
}

impl Trend {
    pub(super) fn new(d: usize) -> Self {
        let mut scatter = vec![0.0; d * d];
        scatter.iter_mut().step_by(d + 1).for_each(|v| *v = 2.0 * EPSILON);
        let precision = [EPSILON, EPSILON, 1.0 + EPSILON];
        let log_determinants = (determinant(precision).ln(), d as f64 * EPSILON.ln());
        Self { n: 0.0, start: None, precision, weights: vec![0.0; 2 * d], scatter, log_determinants }
    }

    /// The same with a unit of time.
    pub(super) fn with_unit(d: usize, start: f64, unit: f64) -> Self {
        Self { start: Some((start, Some(unit).filter(|unit| *unit > 0.0))), ..Self::new(d) }
    }

    /// The number of parameters of a line in `d` columns.
    pub(super) const fn parameters(d: usize) -> usize {
        1 + 2 * d + 4 + d * d
    }

    fn scaled(&mut self, time: f64) -> f64 {
        let (start, unit) = self.start.get_or_insert((time, None));
        if unit.is_none() && time > *start {
            *unit = Some(time - *start);
        }
        (time - *start) / unit.unwrap_or(1.0)
    }

    /// Takes in an observation, and tells how likely it was.
    pub(super) fn observe(&mut self, time: f64, x: &[f64], scratch: &mut Scratch) -> f64 {
        let d = x.len();
        let t = self.scaled(time);
        let old = self.precision;
        let new = [old[0] + t * t, old[1] + t, old[2] + 1.0];
        let det = determinant(new);
        scratch.steps.clear();
        for (j, x) in x.iter().enumerate() {
            let (slope, intercept) = (self.weights[j], self.weights[d + j]);
            // W_n - W_0 = Λ_n⁻¹ τ (x - W_0ᵀτ)
            let surprise = x - (slope * t + intercept);
            let (step_slope, step_intercept) =
                ((new[2] * t - new[1]) / det * surprise, (new[0] - new[1] * t) / det * surprise);
            self.weights[j] += step_slope;
            self.weights[d + j] += step_intercept;
            scratch.steps.push((surprise, surprise - (step_slope * t + step_intercept)));
        }
        // Residuals after and before the step: their products are what both sums of V add up to.
        for i in 0..d {
            for j in 0..d {
                let both = scratch.steps[i].0 * scratch.steps[j].1 + scratch.steps[i].1 * scratch.steps[j].0;
                self.scatter[i * d + j] += both / 2.0;
            }
        }
        self.precision = new;
        let position = self.n as usize;
        while scratch.constants.len() <= position {
            let nu = 2.0 * (d as f64 + EPSILON) + scratch.constants.len() as f64;
            let gammas: f64 =
                (0..d).map(|j| ln_gamma((nu + 1.0 - j as f64) / 2.0) - ln_gamma((nu - j as f64) / 2.0)).sum();
            scratch.constants.push(gammas - d as f64 / 2.0 * (2.0 * PI).ln());
        }
        let nu = 2.0 * (d as f64 + EPSILON) + self.n;
        self.n += 1.0;
        let half = d as f64 * 0.5_f64.ln();
        let logs = (det.ln(), factor(&self.scatter, d, 2.0 * EPSILON, &mut scratch.factor) + half);
        let before = std::mem::replace(&mut self.log_determinants, logs);
        scratch.constants[position] + (before.0 - logs.0) / 2.0 + (nu * before.1 - (nu + 1.0) * logs.1) / 2.0
    }

    /// Mean and standard deviation of a column's observation at a time.
    pub(super) fn predict(&self, time: f64, column: usize) -> (f64, f64) {
        let d = self.weights.len() / 2;
        let (start, unit) = self.start.unwrap_or((time, None));
        let t = (time - start) / unit.unwrap_or(1.0);
        let nu = 2.0 * (d as f64 + EPSILON) + self.n;
        let variance = self.scatter[column * (d + 1)] / (nu - d as f64 - 1.0).max(EPSILON);
        let [a, b, c] = self.precision;
        let form = (c * t * t - 2.0 * b * t + a) / determinant(self.precision);
        (self.weights[column] * t + self.weights[d + column], (variance * (1.0 + form.max(0.0))).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The equations above with numpy, for (0, 3.0), (1, 4.0), (2, 4.5), (3, 6.0) in turn.
    #[test]
    fn densities_are_merlions() {
        let (mut trend, mut scratch) = (Trend::new(1), Scratch::default());
        let got: Vec<f64> = [3.0, 4.0, 4.5, 6.0]
            .iter()
            .zip([100.0, 160.0, 220.0, 280.0])
            .map(|(x, t)| trend.observe(t, &[*x], &mut scratch))
            .collect();
        for (got, expected) in got.iter().zip([
            -21.023_370_622_242_467,
            -10.413_961_850_124_164,
            -2.266_625_488_379_333,
            -1.593_198_056_435_961,
        ]) {
            assert!((got - expected).abs() < 1e-6, "{got} and {expected}");
        }
        let (value, deviation) = trend.predict(340.0, 0);
        assert!((value - 7.617_647).abs() < 1e-5 && deviation > 0.0, "{value} {deviation}");
    }

    #[test]
    fn the_prior_fades_on_a_line() {
        let (mut trend, mut scratch) = (Trend::new(2), Scratch::default());
        for t in 0..50 {
            let t = f64::from(t);
            trend.observe(t, &[2.0 * t + 1.0, -t], &mut scratch);
        }
        let (a, b) = (trend.predict(60.0, 0), trend.predict(60.0, 1));
        assert!((a.0 - 121.0).abs() < 0.1 && (b.0 + 60.0).abs() < 0.1, "{a:?} {b:?}");
    }
}
