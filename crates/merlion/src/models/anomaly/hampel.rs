//! The Hampel identifier: distance from the median, in median absolute deviations.
//!
//! Hampel (1974), "The influence curve and its role in robust estimation", J. Am. Stat. Assoc. 69; Davies & Gather (1993), "The
//! identification of multiple outliers", J. Am. Stat. Assoc. 88. With the median `m` of the training data, or of the `window`
//! observations before `t`, and the deviations from it,
//!
//! ```text
//! s_t = (x_t - m) / σ     σ = 1.4826 median |x - m|, or where that is 0, 1.2533 mean |x - m|
//! ```
//!
//! so that up to half of the data may be out of line without moving the scale: what Iglewicz & Hoaglin (1993), "How to detect and
//! handle outliers", recommend where more than half of the values are equal is the second form.

use serde::{Deserialize, Serialize};

use crate::math::quantile;
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, ModelError, Observations, Scores};
use crate::postprocess::Supervision;

/// `1 / Φ⁻¹(3/4)`: a normal distribution's standard deviation in median absolute deviations.
const MEDIAN_DEVIATION: f64 = 1.482_602_218_505_602;

/// `√(π/2)`: the same in mean absolute deviations.
const MEAN_DEVIATION: f64 = 1.253_314_137_315_5;

/// The largest score: a deviation may be all but 0.
const LARGEST: f64 = 1e15;

/// Distance from the median, in median absolute deviations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hampel {
    /// How many observations before an observation it is compared with; null for the training data, which is right for data without
    /// a trend.
    pub window: Option<usize>,
}

impl Detector for Hampel {
    const NAME: &'static str = "Hampel";
    const SUMMARY: &'static str = "Distance from the median, in median absolute deviations";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: true,
        exogenous: false,
        even_sampling: false,
        standard_errors: true,
        online: false,
    };
    type Fitted = FittedHampel;

    fn validate(&self) -> Result<(), ModelError> {
        match self.window {
            Some(window) if window < 3 => Err(ModelError::InvalidParameter {
                model: Self::NAME,
                parameter: "window",
                value: window.to_string(),
                reason: "three observations at least have a median deviation".into(),
            }),
            _ => Ok(()),
        }
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedHampel, ModelError> {
        let x = input.target();
        let window = self.window.unwrap_or(0).min(x.len());
        let mut fitted = FittedHampel {
            window: self.window,
            normal: Normal::of(x),
            tail: x[x.len() - window..].to_vec(),
            train: Scores::default(),
        };
        fitted.train = fitted.scores(input, &[], context)?;
        Ok(fitted)
    }
}

/// Median and robust standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Normal {
    median: f64,
    deviation: f64,
}

impl Normal {
    #[expect(clippy::cast_precision_loss, reason = "a count of observations")]
    fn of(x: &[f64]) -> Self {
        let median = quantile::median(x.iter().copied());
        let apart = || x.iter().map(|x| (x - median).abs());
        let deviation = MEDIAN_DEVIATION * quantile::median(apart());
        let deviation =
            if deviation > 0.0 { deviation } else { MEAN_DEVIATION * apart().sum::<f64>() / x.len().max(1) as f64 };
        Self { median, deviation }
    }
}

/// A trained [`Hampel`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedHampel {
    window: Option<usize>,
    /// Of the training data.
    normal: Normal,
    /// The end of the training data, for the first of the observations that follow.
    tail: Vec<f64>,
    #[serde(skip)]
    train: Scores,
}

impl FittedHampel {
    fn scores(&self, rows: &Observations<'_>, before: &[f64], context: &FitContext) -> Result<Scores, ModelError> {
        let x = [before, rows.target()].concat();
        let (mut values, mut expected, mut deviations) = (Vec::new(), Vec::new(), Vec::new());
        for t in before.len()..x.len() {
            let normal = match self.window {
                None => self.normal,
                Some(window) => {
                    context.check()?;
                    let seen = &x[t.saturating_sub(window)..t];
                    // The first ones have too few before them, and windows that do not vary no scale.
                    let near = Normal::of(seen);
                    if seen.len() < 3 || near.deviation == 0.0 {
                        Normal { median: if seen.len() < 3 { self.normal.median } else { near.median }, ..self.normal }
                    } else {
                        near
                    }
                }
            };
            let apart = x[t] - normal.median;
            // In data that never varied, anything else is as strange as its distance.
            let score = if normal.deviation > 0.0 { apart / normal.deviation } else { apart };
            values.push(score.clamp(-LARGEST, LARGEST));
            expected.push(normal.median);
            deviations.push(normal.deviation);
        }
        Ok(Scores::new(rows.times, values).with_expected(expected, Some(deviations)))
    }
}

impl FittedDetector for FittedHampel {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        self.scores(new, history.map_or(self.tail.as_slice(), Observations::target), context)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{daily, detect, fit, noise};
    use super::*;

    #[test]
    fn outliers_do_not_hide_each_other() {
        // A third of the training data is far away, and the scale is that of the rest.
        let train: Vec<f64> = (0..90).map(|t| if t % 3 == 0 { 1e6 } else { noise(t) }).collect();
        let model = json!({"name": "Hampel", "enable_calibrator": false});
        let fitted = fit(&model, &daily(0, &train)).unwrap();
        let scores = fitted.detect(&daily(90, &[0.0, 1e6]), None).unwrap().raw;
        assert!(scores[0].abs() < 3.0 && scores[1] > 1e5, "{scores:?}");
    }

    #[test]
    fn a_small_example_by_hand() {
        let normal = Normal::of(&[1.0, 2.0, 3.0, 4.0, 100.0]);
        assert_eq!((normal.median, normal.deviation), (3.0, MEDIAN_DEVIATION));
        // More than half are equal: the mean deviation is 2.
        assert_eq!(Normal::of(&[5.0, 5.0, 5.0, 5.0, 15.0]).deviation, 2.0 * MEAN_DEVIATION);
    }

    #[test]
    fn a_window_follows_a_trend() {
        let line = |t: usize| 10.0 * t as f64 + noise(t);
        let train: Vec<f64> = (0..60).map(line).collect();
        let mut test: Vec<f64> = (60..80).map(line).collect();
        test[12] += 300.0;
        let raw = |window: Value| {
            let model = json!({"name": "Hampel", "window": window, "enable_calibrator": false});
            detect(&model, &daily(0, &train), &daily(60, &test)).unwrap().raw
        };
        let with = raw(json!(7));
        let top = (0..20).max_by(|a, b| with[*a].total_cmp(&with[*b])).unwrap();
        assert_eq!(top, 12, "{with:?}");
        assert!(raw(Value::Null)[19] > with[19], "against all of the training data the end of a line is strange");
        assert!(fit(&json!({"name": "Hampel", "window": 2}), &daily(0, &train)).is_err());
    }
}
