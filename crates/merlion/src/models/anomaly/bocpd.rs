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
mod trend;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::math::normal;
use crate::models::{Capabilities, Detector, FitContext, FittedDetector, Forecast, ModelError, Observations, Scores};
use crate::postprocess::{AggregateAlarms, Supervision, ThresholdRule};
use crate::time::Timestamp;

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
            fitted.train = fitted.scores(input.times, true);
            if best.as_ref().is_none_or(|best| fitted.aicc() < best.aicc()) {
                best = Some(fitted);
            }
        }
        best.ok_or(ModelError::Empty)
    }
}

/// What is known of the observations since a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
enum Posterior {
    Level(level::Level),
    Trend(trend::Trend),
}

impl Posterior {
    fn new(kind: ChangeKind, d: usize) -> Self {
        match kind {
            ChangeKind::TrendChange => Self::Trend(trend::Trend::new(d)),
            ChangeKind::Auto | ChangeKind::LevelShift => Self::Level(level::Level::new(d)),
        }
    }

    fn observe(&mut self, t: Timestamp, x: &[f64], scratch: &mut Scratch) -> f64 {
        let likely = match self {
            Self::Level(level) => level.observe(x, &mut scratch.level),
            Self::Trend(trend) => trend.observe(t.seconds(), x, &mut scratch.trend),
        };
        // NaN is no larger.
        if likely > LEAST { likely } else { LEAST }
    }

    fn predict(&self, t: Timestamp, column: usize) -> (f64, f64) {
        let (mean, deviation) = match self {
            Self::Level(level) => level.predict(column),
            Self::Trend(trend) => trend.predict(t.seconds(), column),
        };
        let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
        (finite(mean), finite(deviation))
    }
}

/// Memory that is used again.
#[derive(Debug, Clone, Default)]
struct Scratch {
    level: level::Scratch,
    trend: trend::Scratch,
}

impl PartialEq for Scratch {
    /// What is in it means nothing.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The belief that the last change was so many observations ago.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Hypothesis {
    run_length: usize,
    posterior: Posterior,
    /// Logarithm of the joint probability with all observations, forgotten hypotheses aside.
    log: f64,
}

/// A trained [`Bocpd`], which goes on learning with [`FittedDetector::update`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedBocpd {
    change_kind: ChangeKind,
    model: Bocpd,
    dimension: usize,
    target: usize,
    hypotheses: Vec<Hypothesis>,
    times: Vec<Timestamp>,
    #[serde(skip)]
    rows: Vec<f64>,
    /// At each time the largest probability so far that the next observation began something new.
    changes: Vec<f64>,
    /// Where the training data ended.
    trained: usize,
    /// What lies between changes: the position of its first observation, and what is known of it.
    pieces: Vec<(usize, Posterior)>,
    #[serde(skip)]
    scratch: Scratch,
    #[serde(skip)]
    train: Scores,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn log_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY { top } else { top + terms.map(|term| (term - top).exp()).sum::<f64>().ln() }
}

impl FittedBocpd {
    fn new(model: &Bocpd, change_kind: ChangeKind, input: &Observations<'_>) -> Self {
        Self {
            change_kind,
            model: model.clone(),
            dimension: input.columns.len(),
            target: input.target,
            hypotheses: Vec::new(),
            times: Vec::new(),
            rows: Vec::new(),
            changes: Vec::new(),
            trained: input.len(),
            pieces: Vec::new(),
            scratch: Scratch::default(),
            train: Scores::default(),
        }
    }

    /// The kind of change that is looked for.
    #[must_use]
    pub fn change_kind(&self) -> ChangeKind {
        self.change_kind
    }

    /// The times at which something new began, the first observation's aside.
    pub fn change_points(&self) -> impl Iterator<Item = Timestamp> {
        self.pieces.iter().map(|(start, _)| self.times[*start]).skip(1)
    }

    /// Forecasts of the target column: what holds since the last change goes on; before it, what held then.
    #[must_use]
    pub fn forecast(&self, times: &[Timestamp]) -> Forecast {
        let (mean, stderr) = times.iter().map(|t| self.expect(*t)).unzip();
        Forecast { mean, stderr: Some(stderr), intervals: Vec::new() }
    }

    fn expect(&self, t: Timestamp) -> (f64, f64) {
        let piece = self.pieces.partition_point(|(start, _)| self.times[*start] <= t).saturating_sub(1);
        self.pieces.get(piece).map_or((0.0, 0.0), |(_, posterior)| posterior.predict(t, self.target))
    }

    /// Akaike's criterion, corrected for few observations, of all pieces together.
    fn aicc(&self) -> f64 {
        let each = match self.change_kind {
            ChangeKind::TrendChange => trend::Trend::parameters(self.dimension),
            ChangeKind::Auto | ChangeKind::LevelShift => level::Level::parameters(self.dimension),
        };
        let (n, k) = (self.times.len() as f64, (each * self.pieces.len()) as f64);
        let log_likelihood = log_sum(self.hypotheses.iter().map(|hypothesis| hypothesis.log));
        2.0 * k - 2.0 * log_likelihood + 2.0 * k * (k + 1.0) / (n - k - 1.0).max(1.0)
    }

    /// Takes in the rows that are newer than what is known.
    fn absorb(&mut self, rows: &Observations<'_>, context: &FitContext) -> Result<(), ModelError> {
        let known = self.times.last().copied();
        let first = rows.times.partition_point(|t| known.is_some_and(|known| *t <= known));
        let hazard = self.model.cp_prior;
        let (stay, renew) = ((-hazard).ln_1p(), hazard.ln() - (-hazard).ln_1p());
        let least = self.model.min_likelihood.filter(|least| *least > 0.0).map_or(f64::NEG_INFINITY, f64::ln);
        let columns = if self.change_kind == ChangeKind::TrendChange { self.dimension as f64 } else { 1.0 };
        let least = least * columns + hazard.ln();
        let mut x = vec![0.0; self.dimension];
        for row in first..rows.len() {
            context.check()?;
            let t = rows.times[row];
            x.iter_mut().zip(rows.columns).for_each(|(x, column)| *x = column[row]);
            for hypothesis in &mut self.hypotheses {
                hypothesis.log += hypothesis.posterior.observe(t, &x, &mut self.scratch) + stay;
                hypothesis.run_length += 1;
            }
            let new = match self.hypotheses.is_empty() {
                true => 0.0,
                false => renew + log_sum(self.hypotheses.iter().map(|hypothesis| hypothesis.log)),
            };
            let posterior = Posterior::new(self.change_kind, self.dimension);
            self.hypotheses.push(Hypothesis { run_length: 0, posterior, log: new });
            self.times.push(t);
            self.rows.extend_from_slice(&x);
            self.changes.push(0.0);
            self.forget(least);
        }
        self.rebuild();
        Ok(())
    }

    /// Drops what has become unlikely, and notes the probabilities of the rest.
    fn forget(&mut self, least: f64) {
        let evidence = log_sum(self.hypotheses.iter().map(|hypothesis| hypothesis.log));
        // Each may show what it is worth on two observations.
        let unlikely = |hypothesis: &Hypothesis| hypothesis.log - evidence < least && hypothesis.run_length > 2;
        let lost: f64 =
            self.hypotheses.iter().filter(|h| unlikely(h)).map(|hypothesis| (hypothesis.log - evidence).exp()).sum();
        self.hypotheses.retain(|hypothesis| !unlikely(hypothesis));
        let regained = (-lost).ln_1p();
        let now = self.times.len() - 1;
        for hypothesis in &mut self.hypotheses {
            let probability = (hypothesis.log - evidence - regained).exp();
            if lost > 0.0 {
                hypothesis.log -= regained;
            }
            if self.model.lag.is_none_or(|lag| hypothesis.run_length <= lag) {
                let change = &mut self.changes[now - hypothesis.run_length];
                *change = change.max(probability);
            }
        }
    }

    /// The score of each known observation; `training` is whether they are the training data.
    fn score_at(&self, position: usize, training: bool) -> f64 {
        // A change is noted at the last observation before it. That of the very first is none.
        let noted = match (self.model.marking, training) {
            (Marking::First, _) => position.checked_sub(1),
            (Marking::Merlion, false) => Some(position),
            (Marking::Merlion, true) => Some(position + 1).filter(|noted| *noted < self.trained),
        };
        let probability = noted.filter(|noted| *noted > 0).map_or(0.0, |noted| self.changes[noted]);
        // The most that is less than certain, so that the score is a number.
        normal::quantile(f64::midpoint(1.0, probability).min(1.0 - f64::EPSILON / 2.0))
    }

    fn scores(&self, times: &[Timestamp], training: bool) -> Scores {
        let score =
            |t: &Timestamp| self.times.binary_search(t).map_or(0.0, |position| self.score_at(position, training));
        let values: Vec<f64> = times.iter().map(score).collect();
        let (expected, deviation): (Vec<f64>, Vec<f64>) = times.iter().map(|t| self.expect(*t)).unzip();
        Scores::new(times, values).with_expected(expected, Some(deviation))
    }

    /// Cuts what is known into pieces at the changes that are more likely than not.
    fn rebuild(&mut self) {
        let n = self.times.len();
        let at = threshold();
        // Merlion's pieces begin where its scores are high, which are those of the training data here.
        let starts = (0..n).filter(|&position| self.score_at(position, position < self.trained) >= at);
        let mut bounds: Vec<usize> = std::iter::once(0).chain(starts).collect();
        bounds.dedup();
        bounds.push(n);
        let pieces = bounds.windows(2).filter(|pair| pair[0] < pair[1]);
        let pieces: Vec<(usize, usize)> = pieces.map(|pair| (pair[0], pair[1])).collect();
        self.pieces = pieces.into_iter().map(|(start, end)| (start, self.piece(start, end))).collect();
    }

    fn piece(&mut self, start: usize, end: usize) -> Posterior {
        let (first, last) = (self.times[start].seconds(), self.times[end - 1].seconds());
        let mut posterior = match self.change_kind {
            ChangeKind::TrendChange => Posterior::Trend(trend::Trend::with_unit(self.dimension, first, last - first)),
            kind => Posterior::new(kind, self.dimension),
        };
        for position in start..end {
            let x = &self.rows[position * self.dimension..(position + 1) * self.dimension];
            posterior.observe(self.times[position], x, &mut self.scratch);
        }
        posterior
    }
}

impl FittedDetector for FittedBocpd {
    fn train_scores(&self) -> Scores {
        self.train.clone()
    }

    fn score(
        &self,
        new: &Observations<'_>,
        history: Option<&Observations<'_>>,
        context: &FitContext,
    ) -> Result<Scores, ModelError> {
        let mut later = self.clone();
        if let Some(history) = history {
            later.absorb(history, context)?;
        }
        later.absorb(new, context)?;
        Ok(later.scores(new.times, false))
    }

    fn update(&mut self, new: &Observations<'_>, context: &FitContext) -> Result<(), ModelError> {
        self.absorb(new, context)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{daily, detect, fit, fit_as, noise};
    use super::*;
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
