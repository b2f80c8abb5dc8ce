//! What a threshold learns from: labels of the training data and an objective that values alarms, if there are any.

use std::fmt::Debug;

use crate::time::Timestamp;

/// At which times something was known to be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// The times, increasing.
    pub times: Vec<Timestamp>,
    /// Whether the observation at each of the times is anomalous.
    pub anomalous: Vec<bool>,
}

impl Labels {
    /// Whether anything is anomalous.
    #[must_use]
    pub fn any(&self) -> bool {
        self.anomalous.iter().any(|anomalous| *anomalous)
    }

    /// The labels from `from` on, and before `until`.
    #[must_use]
    pub fn between(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        let kept = self.times.iter().zip(&self.anomalous);
        let kept = kept.filter(|(t, _)| from.is_none_or(|from| **t >= from) && until.is_none_or(|until| **t < until));
        let (times, anomalous) = kept.map(|(t, anomalous)| (*t, *anomalous)).unzip();
        Self { times, anomalous }
    }
}

/// How good alarms are.
pub trait Objective: Debug + Send + Sync {
    /// The value of alarms: of scores at `times` that are 0 where there is no alarm.
    ///
    /// An alarm up to `max_early` nanoseconds before an anomaly counts for it; one later than `max_delay` nanoseconds after its
    /// beginning does not. Without them the objective decides.
    fn value(
        &self,
        truth: &Labels,
        times: &[Timestamp],
        alarms: &[f64],
        max_early: Option<i64>,
        max_delay: Option<i64>,
    ) -> f64;

    /// Whether smaller values are better ones, as for the time until an anomaly is detected.
    fn smaller_is_better(&self) -> bool {
        false
    }
}

/// Labels, and what to make of them.
#[derive(Debug, Clone, Copy)]
pub struct Supervision<'a> {
    /// What is known of the training data.
    pub labels: &'a Labels,
    /// What thresholds are chosen by; by default Merlion's is F1.
    pub objective: &'a dyn Objective,
    /// How many nanoseconds before an anomaly an alarm may come; `None` lets the rule decide.
    pub max_early: Option<i64>,
    /// How many nanoseconds after its beginning an anomaly is still worth an alarm; `None` for as long as it lasts.
    pub max_delay: Option<i64>,
    /// The value a learned threshold must reach to replace the configured one.
    pub min_allowed_score: Option<f64>,
}

/// How a rule is trained.
#[derive(Debug, Clone, Copy, Default)]
pub struct Training<'a> {
    /// Labels, if there are any.
    pub supervision: Option<Supervision<'a>>,
    /// Without labels, the quantile of the training scores that becomes the threshold; `None` keeps the configured one.
    pub quantile: Option<f64>,
}

impl<'a> Training<'a> {
    /// The labels, if they have something to teach.
    pub(super) fn useful(&self) -> Option<Supervision<'a>> {
        self.supervision.filter(|supervision| supervision.labels.any())
    }
}

impl Supervision<'_> {
    /// The objective's value, larger being better.
    pub(super) fn value(&self, times: &[Timestamp], alarms: &[f64], max_early: Option<i64>) -> f64 {
        let max_early = self.max_early.or(max_early);
        let value = self.objective.value(self.labels, times, alarms, max_early, self.max_delay);
        if self.objective.smaller_is_better() { -value } else { value }
    }

    /// Whether a value, larger being better, is one to accept.
    pub(super) fn accepts(&self, value: f64) -> bool {
        let sign = if self.objective.smaller_is_better() { -1.0 } else { 1.0 };
        self.min_allowed_score.is_none_or(|least| value >= sign * least)
    }
}
