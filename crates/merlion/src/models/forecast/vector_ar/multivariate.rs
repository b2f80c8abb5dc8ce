//! Several columns: each is a linear function of the last values of all.
//!
//! ```text
//! y_t = c + B x_t + A_1 y_{t-1} + … + A_p y_{t-p} + ε_t        Σ = Σ_t ε_t ε_t' / (T − coefficients)
//! ```
//!
//! estimated by least squares, column by column (Lütkepohl, section 3.2). The errors of forecasts are those of the shocks to come,
//! `Φ_0 Σ Φ_0' + … + Φ_{h-1} Σ Φ_{h-1}'` with `Φ_i = Φ_{i-1} A_1 + … + Φ_{i-p} A_p` (section 2.2.2).

use serde::Serialize;

use super::Newer;
use crate::math::least_squares;
use crate::models::{FitContext, ModelError};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Multivariate {
    /// For each column: the constant; the coefficients of the regressors; then of all columns at lag 1, at lag 2, and so on.
    equations: Vec<Vec<f64>>,
    /// Σ, row by row.
    covariance: Vec<Vec<f64>>,
    lags: usize,
    regressors: usize,
    /// The last observations of each column, oldest first, as many as there are lags.
    tail: Vec<Vec<f64>>,
    /// Predictions of the target. The first values stand for their own.
    fitted: Vec<f64>,
}

impl Multivariate {
    pub(super) fn fit(
        columns: &[&[f64]],
        exog: &[Vec<f64>],
        lags: usize,
        context: &FitContext,
    ) -> Result<Self, ModelError> {
        let (n, count) = (columns[0].len(), columns.len());
        let rows = n - lags;
        let design: Vec<&[f64]> = exog
            .iter()
            .map(|column| &column[lags..])
            .chain((1..=lags).flat_map(|lag| columns.iter().map(move |column| &column[lags - lag..n - lag])))
            .collect();
        // Without means, the constant is not in the way of the others.
        let mut centred: Vec<(f64, Vec<f64>)> = design.iter().map(|column| centre(column)).collect();
        let mut targets: Vec<(f64, Vec<f64>)> = columns.iter().map(|column| centre(&column[lags..])).collect();
        let mut left: Vec<Vec<f64>> = centred.iter_mut().map(|(_, column)| std::mem::take(column)).collect();
        let mut right: Vec<Vec<f64>> = targets.iter_mut().map(|(_, column)| std::mem::take(column)).collect();
        let solutions = least_squares::solve(&mut left, &mut right, context)?;
        let with_constant = |(solution, (mean, _)): (&Vec<f64>, &(f64, Vec<f64>))| {
            let explained: f64 = solution.iter().zip(&centred).map(|(b, (mean, _))| b * mean).sum();
            std::iter::once(mean - explained).chain(solution.iter().copied()).collect()
        };
        let equations: Vec<Vec<f64>> = solutions.iter().zip(&targets).map(with_constant).collect();
        let predict = |equation: &Vec<f64>, row: usize| {
            design.iter().zip(&equation[1..]).fold(equation[0], |sum, (column, b)| sum + column[row] * b)
        };
        let errors: Vec<Vec<f64>> = equations
            .iter()
            .zip(columns)
            .map(|(equation, y)| (0..rows).map(|row| y[lags + row] - predict(equation, row)).collect())
            .collect();
        let freedom = rows.saturating_sub(design.len() + 1).max(1) as f64;
        let product = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| a * b / freedom).sum::<f64>();
        let fitted = (0..rows).map(|row| columns[0][lags + row] - errors[0][row]);
        Ok(Self {
            covariance: (0..count).map(|i| (0..count).map(|j| product(&errors[i], &errors[j])).collect()).collect(),
            lags,
            regressors: exog.len(),
            tail: columns.iter().map(|column| column[n - lags..].to_vec()).collect(),
            fitted: columns[0][..lags].iter().copied().chain(fitted).collect(),
            equations,
        })
    }

    pub(super) fn columns(&self) -> usize {
        self.equations.len()
    }

    /// The coefficient of column `of` at a lag in the equation of column `to`.
    fn coefficient(&self, to: usize, lag: usize, of: usize) -> f64 {
        self.equations[to][1 + self.regressors + (lag - 1) * self.columns() + of]
    }

    pub(super) fn forecast(&self, newer: &Newer<'_>, exog: &[Vec<f64>], horizon: usize) -> (Vec<f64>, Vec<f64>) {
        let mut all = self.tail.clone();
        for (column, newer) in all.iter_mut().zip(&newer.columns) {
            column.extend_from_slice(newer);
        }
        let mut next = vec![0.0; self.columns()];
        let mut mean = Vec::with_capacity(horizon);
        for step in 0..horizon {
            let end = all[0].len();
            for (equation, next) in self.equations.iter().zip(&mut next) {
                let regressors = exog.iter().map(|column| column[step]);
                let lagged = (1..=self.lags).flat_map(|lag| all.iter().map(move |column| column[end - lag]));
                *next = regressors.chain(lagged).zip(&equation[1..]).fold(equation[0], |sum, (x, b)| sum + x * b);
            }
            mean.push(next[0]);
            for (column, next) in all.iter_mut().zip(&next) {
                column.push(*next);
            }
        }
        (mean, self.errors(horizon))
    }

    /// The standard errors of the target's forecasts. Of each Φ only the target's row is needed.
    fn errors(&self, horizon: usize) -> Vec<f64> {
        let count = self.columns();
        let mut responses: Vec<Vec<f64>> = Vec::with_capacity(horizon);
        let mut variance = 0.0;
        (0..horizon)
            .map(|step| {
                let mut response = vec![0.0; count];
                if step == 0 {
                    response[0] = 1.0;
                }
                for lag in 1..=self.lags.min(step) {
                    let before = &responses[step - lag];
                    for (of, response) in response.iter_mut().enumerate() {
                        let added = before.iter().enumerate().map(|(to, phi)| phi * self.coefficient(to, lag, of));
                        *response += added.sum::<f64>();
                    }
                }
                let spread = response
                    .iter()
                    .zip(&self.covariance)
                    .map(|(a, row)| a * row.iter().zip(&response).map(|(covariance, b)| covariance * b).sum::<f64>());
                variance += spread.sum::<f64>().max(0.0);
                responses.push(response);
                variance.sqrt()
            })
            .collect()
    }

    pub(super) fn in_sample(&self) -> (&[f64], f64) {
        (&self.fitted, self.covariance[0][0].max(0.0).sqrt())
    }
}

/// The mean of a column and what is left without it; nothing where that is rounding alone.
fn centre(column: &[f64]) -> (f64, Vec<f64>) {
    let mean = column.iter().map(|v| v / column.len() as f64).sum::<f64>();
    let rounding = 1e-13 * column.iter().fold(0f64, |largest, v| largest.max(v.abs()));
    let deviations: Vec<f64> = column.iter().map(|v| v - mean).collect();
    if deviations.iter().all(|v| v.abs() <= rounding) {
        return (mean, vec![0.0; column.len()]);
    }
    (mean, deviations)
}
