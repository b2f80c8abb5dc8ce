//! Run lengths and what is believed of each: the recursion, and what it says of changes and of what lies between them.

use serde::Serialize;

use super::{Bocpd, ChangeKind, LEAST, Marking, level, threshold, trend};
use crate::math::normal;
use crate::models::{FitContext, FittedDetector, Forecast, ModelError, Observations, Scores};
use crate::time::Timestamp;

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

fn log_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY { top } else { top + terms.map(|term| (term - top).exp()).sum::<f64>().ln() }
}

impl FittedBocpd {
    pub(super) fn new(model: &Bocpd, change_kind: ChangeKind, input: &Observations<'_>) -> Self {
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
    pub(super) fn aicc(&self) -> f64 {
        let each = match self.change_kind {
            ChangeKind::TrendChange => trend::Trend::parameters(self.dimension),
            ChangeKind::Auto | ChangeKind::LevelShift => level::Level::parameters(self.dimension),
        };
        let (n, k) = (self.times.len() as f64, (each * self.pieces.len()) as f64);
        let log_likelihood = log_sum(self.hypotheses.iter().map(|hypothesis| hypothesis.log));
        2.0 * k - 2.0 * log_likelihood + 2.0 * k * (k + 1.0) / (n - k - 1.0).max(1.0)
    }

    /// Takes in the rows that are newer than what is known.
    pub(super) fn absorb(&mut self, rows: &Observations<'_>, context: &FitContext) -> Result<(), ModelError> {
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

impl FittedBocpd {
    /// Scores what was taken in as the training data.
    pub(super) fn trained(mut self, times: &[Timestamp]) -> Self {
        self.train = self.scores(times, true);
        self
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
