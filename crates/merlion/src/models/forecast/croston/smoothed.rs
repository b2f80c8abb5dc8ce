//! Simple exponential smoothing that starts from the first value, the one tool of the models of intermittent demand.

use serde::Serialize;

/// A level that follows its values; `None` before the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(in crate::models::forecast) struct Smoothed {
    alpha: f64,
    level: Option<f64>,
}

impl Smoothed {
    pub(in crate::models::forecast) fn new(alpha: f64) -> Self {
        Self { alpha, level: None }
    }

    pub(in crate::models::forecast) fn observe(&mut self, value: f64) {
        self.level = Some(self.level.map_or(value, |level| level + self.alpha * (value - level)));
    }

    pub(in crate::models::forecast) fn level(&self) -> Option<f64> {
        self.level
    }
}

/// Bounds of a smoothing parameter that is estimated, as for demand in the literature.
const ALPHA: (f64, f64) = (0.1, 0.3);
/// Width of the interval at which the search ends; the sum of squares does not tell finer differences.
const WIDTH: f64 = 1e-9;

/// The smoothing parameter of the least squared one-step errors, by golden section; the middle where all are as good.
pub(in crate::models::forecast) fn best_alpha(values: &[f64]) -> f64 {
    let squares = |alpha: f64| {
        let mut level = values.first().copied().unwrap_or_default();
        let mut squares = 0.0;
        for value in values {
            squares += (value - level) * (value - level);
            // Equal values leave the level as it is, to the last digit.
            level += alpha * (value - level);
        }
        squares
    };
    let section = (3.0 - 5f64.sqrt()) / 2.0;
    let (mut a, mut b) = ALPHA;
    let inner = |a: f64, b: f64| (a + section * (b - a), b - section * (b - a));
    let (mut left, mut right) = inner(a, b);
    let (mut at_left, mut at_right) = (squares(left), squares(right));
    while b - a > WIDTH {
        if at_left < at_right {
            (b, right, at_right) = (right, left, at_left);
            left = inner(a, b).0;
            at_left = squares(left);
        } else if at_right < at_left {
            (a, left, at_left) = (left, right, at_right);
            right = inner(a, b).1;
            at_right = squares(right);
        } else {
            break;
        }
    }
    (a + b) / 2.0
}

/// Refuses a smoothing parameter that is no share.
pub(in crate::models::forecast) fn validate_alpha(
    model: &'static str,
    parameter: &'static str,
    alpha: f64,
) -> Result<(), crate::models::ModelError> {
    if alpha > 0.0 && alpha <= 1.0 {
        return Ok(());
    }
    Err(crate::models::ModelError::InvalidParameter {
        model,
        parameter,
        value: alpha.to_string(),
        reason: "a share above 0 and up to 1".into(),
    })
}
