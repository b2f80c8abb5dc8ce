//! Bayesian online change-point detection: how likely it is that an observation begins something new.
//!
//! Adams & MacKay (2007), "Bayesian Online Changepoint Detection", arXiv:0710.3742. For the time `r` since the last change,
//!
//! ```text
//! P(r_t = r + 1, x_{1:t}) = P(r_{t-1} = r, x_{1:t-1}) (1 - H) p(x_t | the last r observations)
//! P(r_t = 0, x_{1:t})     = Σ_r P(r_{t-1} = r, x_{1:t-1}) H p(x_t | the last r observations)
//! ```
//!
//! with the hazard `H`, and predictive densities of conjugate priors: observations around a level, or around a line in time. Lengths
//! that have become unlikely are forgotten. The probability of a change at a time is the largest, over all later times up to a
//! lag, of the probability that it was there; the score is as far out in a normal distribution as that probability.

mod level;
mod matrix;
mod run_lengths;
mod trend;

use serde::{Deserialize, Serialize};

pub use run_lengths::FittedBocpd;

use crate::math::normal;
use crate::models::{Capabilities, Detector, FitContext, ModelError, Observations};
use crate::postprocess::{AggregateAlarms, Supervision, ThresholdRule};

/// The prior's weight; Merlion's.
const EPSILON: f64 = 1e-8;

/// The least logarithmic density, so that sums of them stay numbers.
const LEAST: f64 = -1e12;

/// What changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Whichever of the others describes the training data better.
    #[default]
    Auto,
    /// The level around which observations lie.
    LevelShift,
    /// The line around which observations lie.
    TrendChange,
}

/// Which observation a change is reported at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Marking {
    /// The first of what is new.
    #[default]
    First,
    /// As in Merlion: the last of what is old, and in the training data the one before it.
    Merlion,
}

/// Bayesian online change-point detection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename = "BOCPD")]
pub struct Bocpd {
    /// "Auto", "LevelShift" or "TrendChange".
    pub change_kind: ChangeKind,
    /// The probability, before seeing it, that an observation begins something new; 0.01 as in Merlion.
    pub cp_prior: f64,
    /// How many observations later a change may still be found; null for any number.
    pub lag: Option<usize>,
    /// Lengths less likely than this are forgotten: smaller is more exact and slower. 1e-16 as in Merlion; null keeps all.
    pub min_likelihood: Option<f64>,
    /// "first", or "merlion".
    pub marking: Marking,
}

impl Default for Bocpd {
    fn default() -> Self {
        Self {
            change_kind: ChangeKind::Auto,
            cp_prior: 0.01,
            lag: None,
            min_likelihood: Some(1e-16),
            marking: Marking::First,
        }
    }
}

/// The score of a probability of one half.
fn threshold() -> f64 {
    normal::quantile(0.75)
}

impl Detector for Bocpd {
    const NAME: &'static str = "BOCPD";
    const SUMMARY: &'static str = "Bayesian online change-point detection: shifts of level, or changes of trend";
    const CAPABILITIES: Capabilities = Capabilities {
        univariate_only: false,
        exogenous: false,
        even_sampling: false,
        standard_errors: true,
        online: true,
    };
    const CALIBRATED: bool = false;
    const QUANTILE: bool = false;
    const FORECASTS: bool = true;
    type Fitted = FittedBocpd;

    fn into_merlion(self) -> Self {
        Self { marking: Marking::Merlion, ..self }
    }

    fn default_threshold(&self, _: bool) -> Option<ThresholdRule> {
        Some(AggregateAlarms { min_alm_in_window: 1, ..AggregateAlarms::at(threshold()) }.into())
    }

    fn validate(&self) -> Result<(), ModelError> {
        let invalid = |parameter, value: String, reason: &str| {
            Err(ModelError::InvalidParameter { model: Self::NAME, parameter, value, reason: reason.into() })
        };
        if !(self.cp_prior > 0.0 && self.cp_prior < 1.0) {
            return invalid("cp_prior", self.cp_prior.to_string(), "a probability between 0 and 1");
        }
        match self.min_likelihood {
            Some(least) if !(0.0..1.0).contains(&least) => {
                invalid("min_likelihood", least.to_string(), "a probability below 1")
            }
            _ => Ok(()),
        }
    }

    fn fit(
        &self,
        input: &Observations<'_>,
        _: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<FittedBocpd, ModelError> {
        let kinds: &[ChangeKind] = match self.change_kind {
            ChangeKind::Auto => &[ChangeKind::LevelShift, ChangeKind::TrendChange],
            ChangeKind::LevelShift => &[ChangeKind::LevelShift],
            ChangeKind::TrendChange => &[ChangeKind::TrendChange],
        };
        let mut best: Option<FittedBocpd> = None;
        for kind in kinds {
            let mut fitted = FittedBocpd::new(self, *kind, input);
            fitted.absorb(input, context)?;
            let fitted = fitted.trained(input.times);
            if best.as_ref().is_none_or(|best| fitted.aicc() < best.aicc()) {
                best = Some(fitted);
            }
        }
        best.ok_or(ModelError::Empty)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit, fit_as, noise};
    use crate::models::Compat;

    fn alarms(detections: &crate::pipeline::Detections) -> Vec<usize> {
        (0..detections.alarms.len()).filter(|&t| detections.alarms[t] != 0.0).collect()
    }

    /// Levels of 5 and 8 in turn, forty observations each.
    fn steps(n: usize) -> Vec<f64> {
        (0..n).map(|t| if (t / 40) % 2 == 0 { 5.0 } else { 8.0 } + noise(t)).collect()
    }

    #[test]
    fn shifts_of_level_are_found_where_they_begin() {
        let fitted = fit(&json!({"name": "BOCPD"}), &daily(0, &steps(130))).unwrap();
        assert_eq!(alarms(fitted.train_detections()), [40, 80, 120]);
        assert_eq!(fitted.state()["model"]["change_kind"], "LevelShift");
        let new = fitted.detect(&daily(130, &steps(190)[130..]), None).unwrap();
        assert_eq!(alarms(&new), [30]);
        let normal = new.normal.unwrap();
        assert!((normal.expected[10] - 8.0).abs() < 0.3 && (normal.expected[40] - 5.0).abs() < 0.3, "{normal:?}");
        let merlion = fit_as(&json!({"name": "BOCPD"}), &daily(0, &steps(130)), Compat::Merlion).unwrap();
        assert_eq!(alarms(merlion.train_detections()), [38, 78, 118]);
    }

    #[test]
    fn changes_of_trend_are_told_from_shifts_of_level() {
        let rising = |t: usize| if t < 50 { t as f64 } else { 100.0 - t as f64 } + noise(t);
        let values: Vec<f64> = (0..100).map(rising).collect();
        let fitted = fit(&json!({"name": "BOCPD"}), &daily(0, &values)).unwrap();
        assert_eq!(fitted.state()["model"]["change_kind"], "TrendChange");
        let found = alarms(fitted.train_detections());
        assert!(found.len() == 1 && (49..=52).contains(&found[0]), "{found:?}");
    }

    #[test]
    fn an_update_is_what_was_seen_at_once() {
        let model = json!({"name": "BOCPD", "change_kind": "LevelShift"});
        let all = steps(100);
        let mut part = fit(&model, &daily(0, &all[..60])).unwrap();
        part.update(&daily(60, &all[60..90])).unwrap();
        let whole = fit(&model, &daily(0, &all[..90])).unwrap();
        let next = daily(90, &all[90..]);
        let (a, b) = (part.detect(&next, None).unwrap().raw, whole.detect(&next, None).unwrap().raw);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?} {b:?}");
        // Scoring leaves no trace.
        assert_eq!(part.detect(&next, None).unwrap().raw, a);
    }

    #[test]
    fn what_holds_goes_on_in_the_forecast() {
        let line: Vec<f64> = (0..60).map(|t| 3.0 * t as f64 + noise(t)).collect();
        let model = json!({"name": "BOCPD", "change_kind": "TrendChange"});
        let new: Vec<f64> = (60..65).map(|t| 3.0 * t as f64).collect();
        let normal = detect(&model, &daily(0, &line), &daily(60, &new)).unwrap().normal.unwrap();
        let (lower, upper) = normal.bounds.unwrap();
        for (t, expected) in normal.expected.iter().enumerate() {
            assert!((expected - new[t]).abs() < 0.5 && lower[t] < new[t] && new[t] < upper[t], "{t}: {expected}");
        }
    }

    #[test]
    fn parameters_that_cannot_be_are_named() {
        for (json, words) in [
            (json!({"cp_prior": 0}), "cp_prior"),
            (json!({"min_likelihood": 2}), "min_likelihood"),
            (json!({"change_kind": "Levelshift"}), "change_kind"),
        ] {
            let mut json = json;
            json["name"] = "BOCPD".into();
            let error = fit(&json, &daily(0, &[1.0; 9])).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
