//! Which threshold rules there are.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{AdaptiveAggregateAlarms, AdaptiveThreshold, AggregateAlarms, Threshold, Training, json};
use crate::models::ModelError;
use crate::time::Timestamp;

/// A rule that leaves the scores that deserve an alarm and makes the others 0. Trained, it is a rule of the same kind.
pub trait AlarmRule: Clone + Default + Serialize + DeserializeOwned {
    /// The name in JSON; also the type's name.
    const NAME: &'static str;
    /// One line of description.
    const SUMMARY: &'static str;

    /// The threshold, if there is one before scores are seen.
    fn threshold(&self) -> Option<f64>;

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`ModelError::InvalidParameter`].
    fn validate(&self) -> Result<(), ModelError> {
        Ok(())
    }

    /// The rule with what the scores of the training data teach.
    ///
    /// # Errors
    /// As [`AlarmRule::apply`].
    fn train(&self, times: &[Timestamp], scores: &[f64], training: &Training<'_>) -> Result<Self, ModelError>;

    /// The scores at increasing times, 0 where there is no alarm.
    ///
    /// # Errors
    /// [`ModelError::Request`] for a rule that must be trained first.
    fn apply(&self, times: &[Timestamp], scores: &[f64]) -> Result<Vec<f64>, ModelError>;
}

/// A threshold rule of any kind.
///
/// ```
/// use merlion::postprocess::ThresholdRule;
/// let rule = ThresholdRule::from_json(&serde_json::json!({"name": "AggregateAlarms", "alm_threshold": 4}))?;
/// assert_eq!(rule.threshold(), Some(4.0));
/// let error = ThresholdRule::from_json(&serde_json::json!({"name": "AggregateAlarms", "alarm_threshold": 4}));
/// assert!(error.is_err_and(|error| error.to_string().ends_with("did you mean 'alm_threshold'?")));
/// # Ok::<(), merlion::models::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum ThresholdRule {
    /// [`Threshold`].
    Threshold(Threshold),
    /// [`AggregateAlarms`].
    AggregateAlarms(AggregateAlarms),
    /// [`AdaptiveThreshold`].
    AdaptiveThreshold(AdaptiveThreshold),
    /// [`AdaptiveAggregateAlarms`].
    AdaptiveAggregateAlarms(AdaptiveAggregateAlarms),
}

/// Does the same to a rule of any kind.
macro_rules! each {
    ($rule:expr, $inner:ident => $then:expr) => {
        match $rule {
            ThresholdRule::Threshold($inner) => $then,
            ThresholdRule::AggregateAlarms($inner) => $then,
            ThresholdRule::AdaptiveThreshold($inner) => $then,
            ThresholdRule::AdaptiveAggregateAlarms($inner) => $then,
        }
    };
}

impl ThresholdRule {
    /// The names in JSON.
    pub const NAMES: [&'static str; 4] =
        [Threshold::NAME, AggregateAlarms::NAME, AdaptiveThreshold::NAME, AdaptiveAggregateAlarms::NAME];

    /// Reads `{"name": …, …}`, or a bare name for a rule with its defaults.
    ///
    /// # Errors
    /// A [`ModelError`] naming what is wrong and the nearest name there is.
    pub fn from_json(value: &Value) -> Result<Self, ModelError> {
        let (name, parameters) = json::named(value, "threshold")?;
        match name.as_str() {
            Threshold::NAME => json::rule(&parameters).map(Self::Threshold),
            AggregateAlarms::NAME => json::rule(&parameters).map(Self::AggregateAlarms),
            AdaptiveThreshold::NAME => json::rule(&parameters).map(Self::AdaptiveThreshold),
            AdaptiveAggregateAlarms::NAME => json::rule(&parameters).map(Self::AdaptiveAggregateAlarms),
            _ => Err(json::unknown(&name, "threshold", &Self::NAMES)),
        }
    }

    /// The rule as JSON, ready for [`ThresholdRule::from_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        each!(self, rule => json::write(self.name(), rule))
    }

    /// The name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        fn name<R: AlarmRule>(_: &R) -> &'static str {
            R::NAME
        }
        each!(self, rule => name(rule))
    }

    /// See [`AlarmRule::threshold`].
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        each!(self, rule => rule.threshold())
    }

    /// The same without what is done about lone alarms and repetitions: which single scores are high.
    #[must_use]
    pub fn simple(&self) -> Self {
        match self {
            Self::AggregateAlarms(rule) => Self::Threshold(rule.simple()),
            other => other.clone(),
        }
    }

    /// See [`AlarmRule::train`].
    ///
    /// # Errors
    /// As [`AlarmRule::apply`].
    pub fn train(&self, times: &[Timestamp], scores: &[f64], training: &Training<'_>) -> Result<Self, ModelError> {
        Ok(match self {
            Self::Threshold(rule) => Self::Threshold(rule.train(times, scores, training)?),
            Self::AggregateAlarms(rule) => Self::AggregateAlarms(rule.train(times, scores, training)?),
            Self::AdaptiveThreshold(rule) => Self::AdaptiveThreshold(rule.train(times, scores, training)?),
            Self::AdaptiveAggregateAlarms(rule) => Self::AdaptiveAggregateAlarms(rule.train(times, scores, training)?),
        })
    }

    /// See [`AlarmRule::apply`].
    ///
    /// # Errors
    /// [`ModelError::Request`] for a rule that must be trained first.
    pub fn apply(&self, times: &[Timestamp], scores: &[f64]) -> Result<Vec<f64>, ModelError> {
        each!(self, rule => rule.apply(times, scores))
    }
}

impl From<AggregateAlarms> for ThresholdRule {
    fn from(rule: AggregateAlarms) -> Self {
        Self::AggregateAlarms(rule)
    }
}

impl Serialize for ThresholdRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ThresholdRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_survive_a_round_trip_through_json() {
        for name in ThresholdRule::NAMES {
            for json in [json!(name), json!({"name": name, "alm_threshold": 2.5, "abs_score": false})] {
                let rule = ThresholdRule::from_json(&json).unwrap();
                assert_eq!(rule.name(), name);
                assert_eq!(ThresholdRule::from_json(&rule.to_json()), Ok(rule.clone()), "{}", rule.to_json());
            }
        }
    }

    #[test]
    fn json_that_is_no_rule_is_told_why() {
        for (json, words) in [
            (json!(3), "a threshold is a JSON dict with a \"name\", not 3"),
            (json!({"alm_threshold": 3}), "the threshold has no \"name\""),
            (json!("AgregateAlarms"), "unknown threshold 'AgregateAlarms', did you mean 'AggregateAlarms'?"),
            (json!({"name": "Threshold", "bin_sz": 3}), "Threshold has no parameter 'bin_sz'"),
            (json!({"name": "Threshold", "alm_threshold": "x"}), "Threshold: alm_threshold = \"x\""),
            (json!({"name": "AggregateAlarms", "alm_window_minutes": -1}), "minutes are not negative"),
            (json!({"name": "AdaptiveThreshold", "bin_sz": 0}), "at least one score"),
        ] {
            let error = ThresholdRule::from_json(&json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
