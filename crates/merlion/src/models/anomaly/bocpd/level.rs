//! Observations around a constant level: the normal-inverse-Wishart prior.
//!
//! Murphy (2007), "Conjugate Bayesian analysis of the Gaussian distribution". After `n` observations of `d` columns, `ν = d + 2ε + n`,
//! `μ` is their mean, `Λ = 2εI` and their scatter, and the next observation is multivariate t with `ν - d + 1` degrees of freedom:
//!
//! ```text
//! x ~ t_{ν-d+1}(μ, Λ (ν + 1) / (ν (ν - d + 1)))
//! ```

use std::f64::consts::PI;

use serde::Serialize;

use super::EPSILON;
use super::matrix::{factor, inverse_form};
use crate::math::ln_gamma::ln_gamma;

/// What is known of a level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Level {
    n: f64,
    mean: Vec<f64>,
    scatter: Vec<f64>,
}

/// Memory that is used again.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    factor: Vec<f64>,
    difference: Vec<f64>,
    /// What the density has besides data, by number of observations.
    constants: Vec<f64>,
}

impl Level {
    pub(super) fn new(d: usize) -> Self {
        let mut scatter = vec![0.0; d * d];
        scatter.iter_mut().step_by(d + 1).for_each(|v| *v = 2.0 * EPSILON);
        Self { n: 0.0, mean: vec![0.0; d], scatter }
    }

    /// The number of parameters of a level in `d` columns.
    pub(super) const fn parameters(d: usize) -> usize {
        1 + d + d * d
    }

    /// Takes in an observation, and tells how likely it was.
    pub(super) fn observe(&mut self, x: &[f64], scratch: &mut Scratch) -> f64 {
        let d = x.len();
        let dim = d as f64;
        let nu = dim + 2.0 * EPSILON + self.n;
        let freedom = nu - dim + 1.0;
        let position = self.n as usize;
        while scratch.constants.len() <= position {
            let freedom = 1.0 + 2.0 * EPSILON + scratch.constants.len() as f64;
            let gammas = ln_gamma((freedom + dim) / 2.0) - ln_gamma(freedom / 2.0);
            scratch.constants.push(gammas - dim / 2.0 * (freedom * PI).ln());
        }
        let shrink = (nu + 1.0) / (nu * freedom);
        let log_determinant = factor(&self.scatter, d, 2.0 * EPSILON, &mut scratch.factor) + dim * shrink.ln();
        scratch.difference.clear();
        scratch.difference.extend(x.iter().zip(&self.mean).map(|(x, mean)| x - mean));
        // The weight of the step from the old mean.
        let weight = self.n / (self.n + 1.0);
        for i in 0..d {
            for j in 0..d {
                self.scatter[i * d + j] += weight * scratch.difference[i] * scratch.difference[j];
            }
        }
        self.n += 1.0;
        for (mean, difference) in self.mean.iter_mut().zip(&scratch.difference) {
            *mean += difference / self.n;
        }
        let form = inverse_form(&scratch.factor, d, &mut scratch.difference) / shrink;
        scratch.constants[position] - 0.5 * log_determinant - (freedom + dim) / 2.0 * (form / freedom).ln_1p()
    }

    /// Mean and standard deviation of a column's next observation; no deviation where it is infinite.
    pub(super) fn predict(&self, column: usize) -> (f64, f64) {
        let d = self.mean.len();
        let nu = d as f64 + 2.0 * EPSILON + self.n;
        let freedom = nu - d as f64 + 1.0;
        let scale = self.scatter[column * (d + 1)] * (nu + 1.0) / (nu * freedom);
        let variance = if freedom > 2.0 { freedom / (freedom - 2.0) * scale } else { 0.0 };
        (self.mean[column], variance.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // scipy.stats.t.logpdf of 3.0, 4.0, 3.5 with the equations above; the scale of the first is sqrt(4e-8). What 1e-8 adds to the
    // counts of the first ones moves the fifth digit behind the point at most.
    #[test]
    fn densities_are_those_of_the_t_distribution() {
        let (mut level, mut scratch) = (Level::new(1), Scratch::default());
        let got = [3.0, 4.0, 3.5].map(|x| level.observe(&[x], &mut scratch));
        for (got, expected) in
            got.iter().zip([-11.859_147_842_499_464, -18.015_215_851_261_16, -0.248_850_166_539_095_42])
        {
            assert!((got - expected).abs() < 1e-7, "{got} and {expected}");
        }
        assert!((level.predict(0).0 - 3.5).abs() < 1e-12);
    }

    #[test]
    fn columns_that_move_together_are_told_from_those_that_do_not() {
        let (mut level, mut scratch) = (Level::new(2), Scratch::default());
        for t in 0..40 {
            let (a, b) = (f64::from(t % 7), f64::from(t % 3) * 0.1);
            level.observe(&[a, a + b], &mut scratch);
        }
        let likely = level.clone().observe(&[3.0, 3.1], &mut scratch);
        let unlikely = level.clone().observe(&[3.0, 5.0], &mut scratch);
        assert!(likely > unlikely + 10.0, "{likely} and {unlikely}");
    }
}
