//! One column: a regression whose errors are autoregressive.
//!
//! ```text
//! y_t = μ + β x_t + u_t        u_t = φ_1 u_{t-1} + … + φ_p u_{t-p} + ε_t
//! ```
//!
//! Yule and Walker's equations give φ from the autocovariances of `u`; generalised least squares gives μ and β from φ; the two take
//! turns until μ and β rest (Brockwell & Davis, section 6.6.2). Durbin and Levinson's recursion solves the equations for all orders up
//! to `p`, and the lower ones predict the first values of the series.

use serde::Serialize;

use super::Newer;
use crate::math::least_squares;
use crate::models::{FitContext, ModelError};

/// Turns, at most; statsmodels' `max_iter`.
const TURNS: usize = 50;

/// What counts as rest: the change of each term of the regression, relative to the series.
const REST: f64 = 1e-13;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Univariate {
    /// μ, then β.
    regression: Vec<f64>,
    /// φ.
    autoregression: Vec<f64>,
    /// Standard deviation of ε.
    sigma: f64,
    /// The last errors `u`, oldest first, as many as there are φ.
    tail: Vec<f64>,
    fitted: Vec<f64>,
}

impl Univariate {
    pub(super) fn fit(y: &[f64], exog: &[Vec<f64>], lags: usize, context: &FitContext) -> Result<Self, ModelError> {
        let design: Vec<Vec<f64>> = std::iter::once(vec![1.0; y.len()]).chain(exog.iter().cloned()).collect();
        let mut regression = solve(design.clone(), y.to_vec(), context)?;
        let mut errors = left_over(y, &design, &regression);
        let mut predictor = Predictor::new(&errors, lags);
        let size = |values: &[f64]| values.iter().fold(0f64, |size, v| size.max(v.abs()));
        let sizes: Vec<f64> = design.iter().map(|column| size(column)).collect();
        for _ in 0..TURNS {
            context.check()?;
            // Nothing is left to predict, or to weigh.
            if predictor.variance(lags) <= 0.0 {
                break;
            }
            let whitened = design.iter().map(|column| predictor.whiten(column)).collect();
            let next = solve(whitened, predictor.whiten(y), context)?;
            errors = left_over(y, &design, &next);
            let moved = next.iter().zip(&regression).zip(&sizes).map(|((a, b), size)| (a - b).abs() * size);
            let rests = moved.fold(0.0, f64::max) <= REST * size(y);
            regression = next;
            if rests {
                break;
            }
            predictor = Predictor::new(&errors, lags);
        }
        let fitted = (0..y.len()).map(|t| y[t] - errors[t] + predictor.predict(&errors, t)).collect();
        Ok(Self {
            regression,
            autoregression: predictor.coefficients(lags).to_vec(),
            sigma: predictor.variance(lags).max(0.0).sqrt(),
            tail: errors[errors.len() - lags..].to_vec(),
            fitted,
        })
    }

    fn explained(&self, exog: impl Iterator<Item = f64>) -> f64 {
        exog.zip(&self.regression[1..]).fold(self.regression[0], |sum, (x, beta)| sum + x * beta)
    }

    pub(super) fn forecast(&self, newer: &Newer<'_>, exog: &[Vec<f64>], horizon: usize) -> (Vec<f64>, Vec<f64>) {
        let mut errors = self.tail.clone();
        if let [y] = newer.columns[..] {
            let explained = |t: usize| self.explained(newer.exog.iter().map(|column| column[t]));
            errors.extend((0..y.len()).map(|t| y[t] - explained(t)));
        }
        let phi = &self.autoregression;
        let mean = (0..horizon).map(|step| {
            let error = phi.iter().zip(errors.iter().rev()).map(|(phi, u)| phi * u).sum();
            errors.push(error);
            self.explained(exog.iter().map(|column| column[step])) + error
        });
        let mean = mean.collect();
        // The response to one shock adds up to the variance.
        let mut response = Vec::with_capacity(horizon);
        let mut squares = 0.0;
        let stderr = (0..horizon).map(|step| {
            let before: f64 = phi.iter().zip(response.iter().rev()).map(|(phi, psi): (_, &f64)| phi * psi).sum();
            response.push(if step == 0 { 1.0 } else { before });
            squares += response[step] * response[step];
            self.sigma * f64::sqrt(squares)
        });
        (mean, stderr.collect())
    }

    pub(super) fn in_sample(&self) -> (&[f64], f64) {
        (&self.fitted, self.sigma)
    }
}

fn solve(mut columns: Vec<Vec<f64>>, target: Vec<f64>, context: &FitContext) -> Result<Vec<f64>, ModelError> {
    least_squares::solve(&mut columns, &mut [target], context)?.pop().ok_or(ModelError::Empty)
}

fn left_over(y: &[f64], design: &[Vec<f64>], regression: &[f64]) -> Vec<f64> {
    let explained = |t: usize| design.iter().zip(regression).map(|(column, beta)| column[t] * beta).sum::<f64>();
    (0..y.len()).map(|t| y[t] - explained(t)).collect()
}

/// The best linear predictions from the last 0, 1, …, p values of a process with the autocovariances of a series.
#[derive(Debug)]
struct Predictor {
    /// The coefficients of each order, the newest value's first.
    coefficients: Vec<Vec<f64>>,
    /// The variance of the error of each order.
    variances: Vec<f64>,
}

impl Predictor {
    /// Durbin and Levinson's recursion (Brockwell & Davis, section 2.5.3). The series' mean is taken to be zero.
    fn new(series: &[f64], order: usize) -> Self {
        let n = series.len() as f64;
        let covariance = |lag: usize| series.iter().zip(&series[lag..]).map(|(a, b)| a * b / n).sum::<f64>();
        let covariances: Vec<f64> = (0..=order).map(covariance).collect();
        let (mut coefficients, mut variances) = (vec![Vec::new()], vec![covariances[0]]);
        for k in 1..=order {
            let (before, variance): (&Vec<f64>, f64) = (&coefficients[k - 1], variances[k - 1]);
            let known: f64 = before.iter().enumerate().map(|(j, phi)| phi * covariances[k - 1 - j]).sum();
            // What is predicted without error needs no further value.
            let last = if variance > 0.0 { ((covariances[k] - known) / variance).clamp(-1.0, 1.0) } else { 0.0 };
            let mut next: Vec<f64> = before.iter().zip(before.iter().rev()).map(|(a, b)| a - last * b).collect();
            next.push(last);
            coefficients.push(next);
            variances.push(variance * (1.0 - last * last));
        }
        Self { coefficients, variances }
    }

    fn coefficients(&self, order: usize) -> &[f64] {
        &self.coefficients[order]
    }

    fn variance(&self, order: usize) -> f64 {
        self.variances[order]
    }

    /// The prediction of the value at `t` from the ones before it.
    fn predict(&self, series: &[f64], t: usize) -> f64 {
        let order = t.min(self.coefficients.len() - 1);
        self.coefficients[order].iter().zip(series[..t].iter().rev()).map(|(phi, value)| phi * value).sum()
    }

    /// The errors of prediction in units of their standard deviations.
    fn whiten(&self, series: &[f64]) -> Vec<f64> {
        let order = self.variances.len() - 1;
        (0..series.len())
            .map(|t| {
                (series[t] - self.predict(series, t)) / (self.variances[t.min(order)] / self.variances[order]).sqrt()
            })
            .collect()
    }
}
