//! Estimation of a θ model: one search over `α`, because the best `l_0` and `θ` for a given `α` have a formula.
//!
//! The one-step errors are linear in `l_0` and in `q = 1 - 1/θ`:
//!
//! ```text
//! e_t = (y_t - s_{t-1}) - (1-α)^{t-1} l_0 - q g_t      g_t = (1-α)^{t-1} A_{t-1} + B_{t-1} (1 - (1-α)^t) / α
//! ```
//!
//! with `s` the exponential smoothing that starts from 0. So for every `α` there is a least-squares problem of two unknowns,
//! solved from six sums. As in the implementation by the paper's authors, the first three errors do not count, and `α` lies
//! between 0.1 and 0.99.
//!
//! Two choices are this implementation's. A free `θ` wanders off to infinity in short series, so that `q` has a normal prior
//! about ½ (the classical θ = 2) with variance ½. And of several minima the one with the largest `α` is taken: the others are
//! bought with a start and a line from which the series has moved away since. Both lower the errors on the M3 data.

use super::line::Line;
use crate::models::{FitContext, ModelError};

/// Bounds of `α`.
const ALPHA: (f64, f64) = (0.1, 0.99);
/// Errors that do not count.
pub(super) const SKIPPED: usize = 3;
/// Intervals of the first look at `α`.
const INTERVALS: usize = 24;
/// Width at which the search ends: forecasts do not change visibly any more.
const WIDTH: f64 = 1e-7;
/// The classical `θ = 2`.
const HALF: f64 = 0.5;
/// One over twice the variance of the prior of `q`.
const PRIOR: f64 = 1.0;

/// Which θ model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::models::forecast) struct Kind {
    /// Whether the line goes through the observations so far, and is drawn anew with each.
    pub(in crate::models::forecast) dynamic: bool,
    /// Whether `θ` is estimated; 2 if not.
    pub(in crate::models::forecast) optimized: bool,
}

/// Estimates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) alpha: f64,
    /// `1 - 1/θ`.
    pub(super) q: f64,
    pub(super) start: f64,
    /// Sum of the squared errors that count.
    pub(super) squares: f64,
    objective: f64,
}

/// The series with its lines.
pub(super) struct Problem<'a> {
    y: &'a [f64],
    lines: &'a [Line],
    kind: Kind,
    /// Sum of the squared values: in its units the objective does not depend on those of the data, to the last digit.
    total: f64,
}

impl<'a> Problem<'a> {
    /// `lines` holds the line after each observation. The series has more observations than are skipped.
    pub(super) fn new(y: &'a [f64], lines: &'a [Line], kind: Kind) -> Self {
        Self { y, lines, kind, total: y.iter().map(|y| y * y).sum::<f64>().max(f64::MIN_POSITIVE) }
    }

    /// The best estimate for this `α`.
    fn at(&self, alpha: f64) -> Estimate {
        let decay = 1.0 - alpha;
        let (mut level, mut weight) = (alpha * self.y[0], decay);
        let (mut ww, mut wg, mut gg, mut wr, mut gr, mut rr) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (t, (&y, line)) in self.y[1..].iter().zip(self.lines).enumerate() {
            if t + 1 >= SKIPPED {
                let g = line.intercept * weight + line.slope * (1.0 - weight * decay) / alpha;
                let r = y - level;
                (ww, wg, gg) = (ww + weight * weight, wg + weight * g, gg + g * g);
                (wr, gr, rr) = (wr + weight * r, gr + g * r, rr + r * r);
            }
            level = alpha * y + decay * level;
            weight *= decay;
        }
        let count = (self.y.len() - SKIPPED) as f64;
        let start = |q: f64| (wr - q * wg) / ww;
        let squares = |q: f64| {
            let l = start(q);
            let squares = rr - 2.0 * (l * wr + q * gr) + l * l * ww + 2.0 * l * q * wg + q * q * gg;
            // Below this a difference of sums is rounding.
            squares.max(1e-15 * rr)
        };
        let mut q = HALF;
        if self.kind.optimized {
            let (numerator, denominator) = (gr - wg * wr / ww, gg - wg * wg / ww);
            if denominator > 1e-15 * gg {
                q = (numerator / denominator).clamp(0.0, 1.0);
                // The prior weighs as much as errors of the size that is left; twice settles that.
                for _ in 0..2 {
                    let weight = 2.0 * PRIOR * squares(q) / count;
                    q = ((numerator + HALF * weight) / (denominator + weight)).clamp(0.0, 1.0);
                }
            }
        }
        let squares = squares(q);
        let objective =
            0.5 * count * (squares / self.total).max(f64::MIN_POSITIVE).ln() + PRIOR * (q - HALF) * (q - HALF);
        Estimate { alpha, q, start: start(q), squares, objective }
    }

    /// The first minimum from the largest `α` down.
    pub(super) fn solve(&self, context: &FitContext) -> Result<Estimate, ModelError> {
        let (low, high) = ALPHA;
        let grid = |k: usize| high - (high - low) * k as f64 / INTERVALS as f64;
        let mut best = self.at(high);
        let mut k = 0;
        while k < INTERVALS {
            context.check()?;
            let next = self.at(grid(k + 1));
            if next.objective.partial_cmp(&best.objective) != Some(std::cmp::Ordering::Less) {
                break;
            }
            (best, k) = (next, k + 1);
        }
        // Golden section between the neighbours.
        let (mut a, mut b) = (grid((k + 1).min(INTERVALS)), grid(k.saturating_sub(1)));
        let section = (3.0 - 5f64.sqrt()) / 2.0;
        let (mut left, mut right) = (self.at(a + section * (b - a)), self.at(b - section * (b - a)));
        while b - a > WIDTH {
            context.check()?;
            if left.objective < right.objective {
                (b, right) = (right.alpha, left);
                left = self.at(a + section * (b - a));
            } else {
                (a, left) = (left.alpha, right);
                right = self.at(b - section * (b - a));
            }
        }
        for inner in [left, right] {
            if inner.objective < best.objective {
                best = inner;
            }
        }
        if best.objective.is_finite() && best.start.is_finite() {
            Ok(best)
        } else {
            Err(ModelError::Numerical("no smoothing parameter gives a finite sum of squares".into()))
        }
    }
}
