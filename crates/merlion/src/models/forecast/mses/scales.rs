//! What a multi-scale smoother knows of each scale, that is of each distance between two observations.

use serde::Serialize;

use super::Mses;

/// An exponential moving average, and how many values it has seen. It starts from a value that counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Average {
    weight: f64,
    value: f64,
    count: usize,
}

impl Average {
    fn new(weight: f64, value: f64) -> Self {
        Self { weight, value, count: 1 }
    }

    fn add(&mut self, x: f64) {
        self.value = (1.0 - self.weight) * self.value + self.weight * x;
        self.count += 1;
    }

    /// Moves the weight towards 1 after forecasts that were too high, towards 0 after ones that were too low.
    fn tune(&mut self, eta: f64, error: f64) {
        let gap = if error > 0.0 { 1.0 - self.weight } else { self.weight };
        self.weight = (self.weight + eta * gap * error).clamp(f64::EPSILON, 1.0);
    }
}

/// Moving averages of values and of their squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Spread {
    mean: Average,
    square: Average,
}

/// Added to deviations, as in Merlion, so that none is zero.
const TINY: f64 = 1e-16;

impl Spread {
    fn new(weight: f64, value: f64) -> Self {
        Self { mean: Average::new(weight, value), square: Average::new(weight, value * value) }
    }

    fn add(&mut self, x: f64) {
        self.mean.add(x);
        self.square.add(x * x);
    }

    /// The standard deviation; infinite before there is a second value.
    fn deviation(&self) -> f64 {
        let n = self.mean.count as f64;
        if self.mean.count < 2 {
            return f64::INFINITY;
        }
        (n / (n - 1.0) * (self.square.value - self.mean.value * self.mean.value).max(0.0)).sqrt() + TINY
    }
}

/// The statistics of one scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Scale {
    velocity: Average,
    velocity_spread: Spread,
    acceleration: Average,
    loss: Average,
    loss_spread: Spread,
    above: Average,
    below: Average,
}

/// The statistics of all scales, and the newest observations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Scales {
    /// Scale 1 first.
    scales: Vec<Scale>,
    /// How far back the observations are that forecasts start from.
    backsteps: usize,
    /// Scales from here on have no acceleration.
    accelerated: usize,
    /// As many as the accelerations of the next observations need.
    newest: Vec<f64>,
}

/// A forecast: its value and the mean errors of forecasts below and above the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) mean: f64,
    pub(super) below: f64,
    pub(super) above: f64,
}

impl Step {
    /// One number for the error, as Merlion has it for training data.
    pub(super) fn error(&self) -> f64 {
        (self.below.abs() + self.above.abs()) / 2.0
    }
}

impl Scales {
    pub(super) fn new(model: &Mses, horizon: usize) -> Self {
        let w = model.recency_weight;
        let backsteps = model.max_backstep.unwrap_or(horizon);
        let longest = horizon + backsteps;
        let scale = Scale {
            velocity: Average::new(w, 0.0),
            velocity_spread: Spread::new(w, 0.0),
            acceleration: Average::new(w, 0.0),
            loss: Average::new(w, 1.0),
            loss_spread: Spread::new(w, 1.0),
            above: Average::new(w, 1.0),
            below: Average::new(w, -1.0),
        };
        Self {
            scales: vec![scale; longest],
            backsteps,
            accelerated: if model.optimize_acc { longest / 2 } else { longest },
            newest: Vec::new(),
        }
    }

    /// Takes in observations.
    pub(super) fn absorb(&mut self, y: &[f64]) {
        let known = self.newest.len();
        self.newest.extend(y);
        let x = &self.newest;
        for (s, scale) in (1..).zip(&mut self.scales) {
            for t in known.max(s)..x.len() {
                let velocity = x[t] - x[t - s];
                scale.velocity.add(velocity);
                scale.velocity_spread.add(velocity);
                if s <= self.accelerated && t >= 2 * s {
                    scale.acceleration.add(velocity - (x[t - s] - x[t - 2 * s]));
                }
            }
        }
        let excess = self.newest.len().saturating_sub(2 * self.scales.len() + 1);
        self.newest.drain(..excess);
    }

    /// The forecast of step `h` from the observation `b` steps back, as long as there is one.
    fn at_backstep(&self, model: &Mses, h: usize, b: usize) -> Option<f64> {
        let scale = &self.scales[b + h - 1];
        let delta = scale.velocity.value + model.accel_weight * scale.acceleration.value;
        Some(self.newest[self.newest.len().checked_sub(b + 1)?] + delta)
    }

    /// The forecast of step `h`: the backsteps' forecasts, weighted by how well they have done.
    pub(super) fn forecast(&self, model: &Mses, h: usize, weights: &mut Vec<f64>) -> Step {
        let backsteps = (self.backsteps + 1).min(self.newest.len());
        let errors = |of: &dyn Fn(usize, &Scale) -> f64| -> Vec<f64> {
            (0..backsteps).map(|b| of(b + h, &self.scales[b + h - 1])).collect()
        };
        let velocities = || errors(&|_, scale| scale.velocity_spread.deviation());
        let losses = || {
            errors(&|s, scale| {
                let spread = &scale.loss_spread;
                (s as f64).powf(model.phi) * scale.loss.value * spread.deviation() / (spread.mean.count as f64).sqrt()
            })
        };
        let unknown = |errors: &[f64]| errors.iter().all(|error| *error == f64::INFINITY);
        *weights = if model.rho == 1.0 {
            velocities()
        } else if model.rho == 0.0 {
            losses()
        } else {
            let known = |errors: Vec<f64>| if unknown(&errors) { vec![0.0; backsteps] } else { errors };
            let (velocities, losses) = (known(velocities()), known(losses()));
            velocities.iter().zip(losses).map(|(v, l)| model.rho * v + (1.0 - model.rho) * l).collect()
        };
        if unknown(weights) {
            weights.fill(1.0);
        }
        let least = weights.iter().copied().fold(f64::INFINITY, f64::min);
        weights.iter_mut().for_each(|q| *q = (-(*q - least) * model.inflation).exp());
        let total: f64 = weights.iter().sum();
        let mut step = Step { mean: 0.0, below: 0.0, above: 0.0 };
        for (b, q) in weights.iter().enumerate() {
            let share = q / total;
            let scale = &self.scales[b + h - 1];
            step.mean += share * self.at_backstep(model, h, b).unwrap_or_default();
            step.below += share * scale.below.value;
            step.above += share * scale.above.value;
        }
        step
    }

    /// Learns from what the forecasts of the next observations would have missed, which are as many as the horizon at most.
    pub(super) fn learn(&mut self, model: &Mses, y: &[f64], tune: bool) {
        let mut losses = vec![Vec::new(); self.scales.len()];
        for (h, y) in (1..).zip(y) {
            for b in 0..=self.backsteps {
                let Some(forecast) = self.at_backstep(model, h, b) else { break };
                losses[b + h - 1].push(forecast - y);
            }
        }
        for (scale, losses) in self.scales.iter_mut().zip(losses) {
            for &loss in &losses {
                if loss > 0.0 {
                    scale.above.add(loss);
                } else if loss < 0.0 {
                    scale.below.add(loss);
                }
                scale.loss.add(loss.abs());
                scale.loss_spread.add(loss.abs());
            }
            if tune && scale.velocity.count > 1 {
                for loss in losses {
                    let error = (model.eta * loss).tanh();
                    scale.velocity.tune(model.eta, error);
                    scale.velocity_spread.mean.tune(model.eta, error);
                    scale.velocity_spread.square.tune(model.eta, error);
                    if scale.acceleration.count > 1 {
                        scale.acceleration.tune(model.eta, error);
                    }
                }
            }
        }
    }
}
