//! A trained θ model: the states after the training data, moved along by newer data and by its own forecasts.

use serde::Serialize;

use super::fit::{Estimate, Kind, Problem, SKIPPED};
use super::line::Line;
use crate::models::forecast::naive::newer;
use crate::models::{FitContext, FittedForecaster, Forecast, InSample, ModelError, Request, TrainInput};
use crate::seasonality::classical::{Decomposition, SeasonalIndices, is_significant};
use crate::seasonality::{self, Options};
use crate::time::Timestamp;

/// Shortest series: one error that counts.
const SHORTEST: usize = SKIPPED + 1;

/// A trained θ model of any kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedTheta {
    /// Whether the line is drawn anew with each observation.
    dynamic: bool,
    /// Smoothing of the level.
    alpha: f64,
    /// `1 - 1/θ`, the weight of the line.
    line_weight: f64,
    /// What is added to the states: the first value, which they are counted from.
    origin: f64,
    /// Mean of the squared errors the fit minimised.
    mse: f64,
    sigma: f64,
    season: Option<SeasonalIndices>,
    state: State,
    fitted: Vec<f64>,
    last_time: Option<Timestamp>,
}

/// The states after `count` observations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct State {
    count: usize,
    level: f64,
    line: Line,
    /// `(1-α)^count`.
    power: f64,
}

impl FittedTheta {
    /// The first kind of the lowest mean squared error, with the season that is given and significant, or detected.
    pub(in crate::models::forecast) fn best(
        kinds: &[Kind],
        season_length: Option<usize>,
        decomposition: Decomposition,
        input: &TrainInput<'_>,
        context: &FitContext,
    ) -> Result<Self, ModelError> {
        let y = input.target;
        if y.len() < SHORTEST {
            return Err(ModelError::TooShort { got: y.len(), needed: SHORTEST });
        }
        let period = match season_length {
            Some(period) => Some(period).filter(|period| is_significant(y, *period)),
            None => seasonality::detect(y, &Options::default(), context)?.first().copied(),
        };
        let season = period.and_then(|period| SeasonalIndices::of(y, period, decomposition));
        let without_season = |(t, y): (usize, &f64)| season.as_ref().map_or(*y, |season| season.remove(t, *y));
        let mut z: Vec<f64> = y.iter().enumerate().map(without_season).collect();
        // The model does not depend on where values are counted from, and squares of small numbers lose fewer digits.
        let origin = z[0];
        z.iter_mut().for_each(|z| *z -= origin);
        let mut best: Option<(Kind, Estimate)> = None;
        for &kind in kinds {
            let estimate = Problem::new(&z, &lines(kind, &z), kind).solve(context)?;
            if best.is_none_or(|(_, best)| estimate.squares < best.squares) {
                best = Some((kind, estimate));
            }
        }
        let (kind, estimate) = best.ok_or(ModelError::Empty)?;
        Ok(Self::new(kind, &z, origin, estimate, season, input.times.last().copied()))
    }

    fn new(
        kind: Kind,
        z: &[f64],
        origin: f64,
        estimate: Estimate,
        season: Option<SeasonalIndices>,
        last_time: Option<Timestamp>,
    ) -> Self {
        let Estimate { alpha, q, start, squares, .. } = estimate;
        let n = z.len();
        let mut model = Self {
            dynamic: kind.dynamic,
            alpha,
            line_weight: q,
            origin,
            mse: squares / (n - SKIPPED) as f64,
            sigma: 0.0,
            season,
            state: State { count: 1, level: z[0], line: lines(kind, z)[0], power: 1.0 - alpha },
            fitted: vec![z[0]],
            last_time,
        };
        // The errors that do not count leave `l_0` free to be anything; predictions before them start from the first value.
        let mut level_from_start = alpha * z[0] + (1.0 - alpha) * start;
        for (t, &y) in z.iter().enumerate().skip(1) {
            if t == SKIPPED {
                model.state.level = level_from_start;
            }
            model.fitted.push(model.state.next(model.alpha, q));
            model.observe(y);
            level_from_start = alpha * y + (1.0 - alpha) * level_from_start;
        }
        let error = |t: usize| (z[t] - model.fitted[t]).powi(2);
        let parameters = 2 + usize::from(kind.optimized);
        model.sigma = if n > SKIPPED + parameters {
            ((SKIPPED..n).map(error).sum::<f64>() / (n - SKIPPED - parameters) as f64).sqrt()
        } else {
            ((1..n).map(error).sum::<f64>() / (n - 1) as f64).sqrt()
        };
        for (t, fitted) in model.fitted.iter_mut().enumerate() {
            *fitted += origin;
            if let Some(season) = &model.season {
                *fitted = season.restore(t, *fitted);
            }
        }
        model
    }

    /// Moves the states along by an observation.
    fn observe(&mut self, y: f64) {
        let State { count, level, line, power } = self.state;
        self.state = State {
            count: count + 1,
            level: self.alpha * y + (1.0 - self.alpha) * level,
            line: if self.dynamic { line.with(count, y) } else { line },
            power: power * (1.0 - self.alpha),
        };
    }

    /// Standard errors of the next steps, from the covariance of level, mean and slope under the errors still to come.
    fn deviations(&self, horizon: usize) -> Vec<f64> {
        let (alpha, q) = (self.alpha, self.line_weight);
        let mut power = self.state.power;
        // Covariance of (level, mean, slope) for errors of variance 1.
        let mut p = [[0.0; 3]; 3];
        (self.state.count..self.state.count + horizon)
            .map(|count| {
                let t = count as f64;
                let slope = (1.0 - power * (1.0 - alpha)) / alpha;
                let of_line = if self.dynamic { q } else { 0.0 };
                let weights = [1.0, of_line * power, of_line * (slope - power * (t + 1.0) / 2.0)];
                let product = |row: [f64; 3]| row.iter().zip(weights).map(|(p, w)| p * w).sum::<f64>();
                let to_mean = p.map(product);
                let variance = product(to_mean);
                let six = 6.0 / (t + 1.0);
                let gain = [alpha, 1.0 / (t + 1.0), six / (t + 2.0)];
                // x' = (M + gain weights') x + gain e
                let mut step = [
                    [1.0 - alpha, 0.0, 0.0],
                    [0.0, t / (t + 1.0), 0.0],
                    [0.0, -six / (t + 2.0), (t - 1.0) / (t + 2.0)],
                ];
                for (row, gain) in step.iter_mut().zip(gain) {
                    for (step, weight) in row.iter_mut().zip(weights) {
                        *step += gain * weight;
                    }
                }
                let mut next = [[0.0; 3]; 3];
                for i in 0..3 {
                    for j in 0..3 {
                        let mut sum = gain[i] * gain[j];
                        for k in 0..3 {
                            for l in 0..3 {
                                sum += step[i][k] * p[k][l] * step[j][l];
                            }
                        }
                        next[i][j] = sum;
                    }
                }
                p = next;
                power *= 1.0 - alpha;
                self.sigma * (1.0 + variance).max(1.0).sqrt()
            })
            .collect()
    }

    /// Mean of the squared one-step errors the fit minimised, without season.
    #[must_use]
    pub fn mse(&self) -> f64 {
        self.mse
    }

    /// Smoothing of the level, `α`.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// `θ`, at which the curvature of the series is taken; infinite for the level and its whole drift.
    #[must_use]
    pub fn theta(&self) -> f64 {
        1.0 / (1.0 - self.line_weight)
    }
}

impl State {
    /// The expectation of the next observation.
    fn next(&self, alpha: f64, q: f64) -> f64 {
        let slope = (1.0 - self.power * (1.0 - alpha)) / alpha;
        self.level + q * (self.line.intercept * self.power + self.line.slope * slope)
    }
}

/// The line after each observation.
fn lines(kind: Kind, z: &[f64]) -> Vec<Line> {
    if kind.dynamic { Line::through_the_first(z) } else { vec![Line::through_all(z); z.len()] }
}

impl FittedForecaster for FittedTheta {
    fn forecast(&self, request: &Request<'_>) -> Result<Forecast, ModelError> {
        let mut model = Self { fitted: Vec::new(), ..self.clone() };
        for &y in newer(request, self.last_time) {
            let y = self.season.as_ref().map_or(y, |season| season.remove(model.state.count, y));
            model.observe(y - self.origin);
        }
        let first = model.state.count;
        let horizon = request.times.len();
        let mut stderr = model.deviations(horizon);
        let mut mean = Vec::with_capacity(horizon);
        for _ in 0..horizon {
            let next = model.state.next(self.alpha, self.line_weight);
            model.observe(next);
            mean.push(next + self.origin);
        }
        if let Some(season) = &self.season {
            for (h, (mean, stderr)) in mean.iter_mut().zip(&mut stderr).enumerate() {
                (*mean, *stderr) = (season.restore(first + h, *mean), season.restore_error(first + h, *stderr));
            }
        }
        if let Some(step) = mean.iter().zip(&stderr).position(|(mean, s)| !mean.is_finite() || !s.is_finite()) {
            return Err(ModelError::Numerical(format!("the forecast of step {} is not finite", step + 1)));
        }
        Ok(Forecast { mean, stderr: Some(stderr), intervals: Vec::new() })
    }

    fn in_sample(&self) -> InSample {
        let season = |t| self.season.as_ref().map_or(self.sigma, |season| season.restore_error(t, self.sigma));
        InSample { mean: self.fitted.clone(), stderr: Some((0..self.fitted.len()).map(season).collect()) }
    }
}
