//! How the answers of several models become one: their mean, median or maximum, or those of the best ones.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::align;
use crate::math::quantile;
use crate::models::{Compat, ModelError, read_parameters};
use crate::nearest::nearest;
use crate::time::Timestamp;

/// One model's answers at increasing times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Output {
    /// The times.
    pub times: Vec<Timestamp>,
    /// The answers.
    pub values: Vec<f64>,
}

/// What becomes of the answers for one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Combination {
    /// Their mean.
    Mean,
    /// Their median.
    Median,
    /// Their maximum.
    Max,
    /// The mean of the models whose metric is best.
    ModelSelector,
    /// The mean weighted by the metric, or by its inverse if smaller is better.
    MetricWeightedMean,
}

impl Combination {
    const ALL: [(&'static str, Self); 5] = [
        ("Mean", Self::Mean),
        ("Median", Self::Median),
        ("Max", Self::Max),
        ("ModelSelector", Self::ModelSelector),
        ("MetricWeightedMean", Self::MetricWeightedMean),
    ];

    /// Whether the models' metrics decide.
    #[must_use]
    pub const fn needs_metric(self) -> bool {
        matches!(self, Self::ModelSelector | Self::MetricWeightedMean)
    }
}

/// A rule that makes one answer of several.
///
/// With `abs_score`, magnitudes are combined, and the sign is that of most.
///
/// ```
/// use merlion::models::ensemble::{Combination, Combiner};
/// let combiner = Combiner::from_json(&serde_json::json!({"name": "Median", "abs_score": true}))?;
/// assert_eq!(combiner.combination, Combination::Median);
/// # Ok::<(), merlion::models::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Combiner {
    /// What becomes of the answers.
    pub combination: Combination,
    /// Whether magnitudes are combined, and signs voted on.
    pub abs_score: bool,
    /// The metric that decides, as Merlion writes it: "TSADMetric.F1", "ForecastMetric.sMAPE".
    pub metric: Option<String>,
}

/// A combiner's parameters in JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Parameters {
    abs_score: bool,
    metric: Option<String>,
}

impl Combiner {
    /// The combiner of a kind that does without a metric.
    #[must_use]
    pub const fn new(combination: Combination, abs_score: bool) -> Self {
        Self { combination, abs_score, metric: None }
    }

    /// Reads `{"name": …, "abs_score": …, "metric": …}`, or a bare name.
    ///
    /// # Errors
    /// [`ModelError::InvalidSpec`], [`ModelError::UnknownParameter`].
    pub fn from_json(json: &Value) -> Result<Self, ModelError> {
        let invalid = |text: String| Err(ModelError::InvalidSpec(text));
        let (name, mut map) = match json {
            Value::String(name) => (name.clone(), Map::new()),
            Value::Object(map) => match map.get("name") {
                Some(Value::String(name)) => (name.clone(), map.clone()),
                _ => return invalid("the combiner has no \"name\"".to_owned()),
            },
            other => return invalid(format!("a combiner is a JSON dict with a \"name\", not {other}")),
        };
        map.retain(|key, value| key != "name" && !value.is_null());
        let known = Combination::ALL.iter().find(|(known, _)| *known == name);
        let Some((name, combination)) = known.copied() else {
            let names = Combination::ALL.iter().map(|(name, _)| *name);
            let hint = nearest(&name, names).map(|name| format!(", did you mean '{name}'?")).unwrap_or_default();
            return invalid(format!("unknown combiner '{name}'{hint}"));
        };
        let Parameters { abs_score, metric } = read_parameters(name, &map)?;
        match (&metric, combination.needs_metric()) {
            (None, true) => invalid(format!("{name} needs a \"metric\", such as \"TSADMetric.F1\"")),
            (Some(_), false) => Err(ModelError::UnknownParameter {
                model: name.to_owned(),
                parameter: "metric".to_owned(),
                nearest: None,
            }),
            (Some(metric), true) if !metric.starts_with("TSADMetric.") && !metric.starts_with("ForecastMetric.") => {
                invalid(format!("{name}: metric = \"{metric}\": write \"TSADMetric.…\" or \"ForecastMetric.…\""))
            }
            _ => Ok(Self { combination, abs_score, metric }),
        }
    }

    /// The combiner as JSON, ready for [`Combiner::from_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        let name = Combination::ALL.iter().find(|(_, kind)| *kind == self.combination).map_or("", |(name, _)| *name);
        let mut map =
            Map::from_iter([("name".to_owned(), name.into()), ("abs_score".to_owned(), self.abs_score.into())]);
        if let Some(metric) = &self.metric {
            map.insert("metric".to_owned(), metric.clone().into());
        }
        Value::Object(map)
    }

    /// Decides which models count, and for how much. `metrics` are the models' values of the metric, if they are known; without
    /// them all models that answered count alike.
    #[must_use]
    pub fn fit(
        &self,
        answered: &[bool],
        metrics: Option<&[f64]>,
        smaller_is_better: bool,
        compat: Compat,
    ) -> FittedCombiner {
        let metrics = metrics.filter(|_| self.combination.needs_metric());
        let weigh = |model: usize| match metrics {
            _ if !answered[model] => 0.0,
            None => 1.0,
            Some(metrics) if self.combination == Combination::ModelSelector => {
                let better =
                    |other: f64| if smaller_is_better { other < metrics[model] } else { other > metrics[model] };
                let beaten = (0..metrics.len()).any(|other| answered[other] && better(metrics[other]));
                f64::from(u8::from(!beaten))
            }
            Some(metrics) if smaller_is_better => 1.0 / metrics[model],
            Some(metrics) => metrics[model],
        };
        let mut weights: Vec<f64> = (0..answered.len()).map(weigh).collect();
        let sum: f64 = weights.iter().sum();
        // Metrics that are all 0 or infinite tell nothing.
        if !(sum.is_finite() && sum > 0.0) {
            weights = answered.iter().map(|answered| f64::from(u8::from(*answered))).collect();
        }
        FittedCombiner { combiner: self.clone(), weights, compat }
    }
}

impl Serialize for Combiner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Combiner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A combiner that knows which models count.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedCombiner {
    combiner: Combiner,
    /// A weight for each model, 0 for one that does not count.
    weights: Vec<f64>,
    #[serde(skip)]
    compat: Compat,
}

impl FittedCombiner {
    /// Whether each of the models counts.
    pub fn models_used(&self) -> impl ExactSizeIterator<Item = bool> + '_ {
        self.weights.iter().map(|weight| *weight != 0.0)
    }

    /// The models' weights, which add up to 1.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        let sum: f64 = self.weights.iter().sum();
        self.weights.iter().map(|weight| weight / sum).collect()
    }

    /// One answer of several, `None` being a model without one: at those of the `wanted` times that lie between the first and the last
    /// answer, or at all times of any. Answers for times between are interpolated.
    #[must_use]
    pub fn combine(&self, outputs: &[Option<Output>], wanted: Option<&[Timestamp]>) -> Output {
        let answers: Vec<(f64, &Output)> = outputs
            .iter()
            .zip(&self.weights)
            .filter_map(|(output, weight)| Some((*weight, output.as_ref()?)))
            .filter(|(weight, output)| *weight != 0.0 && !output.times.is_empty())
            .collect();
        let first = answers.iter().filter_map(|(_, output)| output.times.first()).min();
        let last = answers.iter().filter_map(|(_, output)| output.times.last()).max();
        let (Some(&first), Some(&last)) = (first, last) else { return Output::default() };
        let times: Vec<Timestamp> = match wanted {
            Some(wanted) => wanted.iter().copied().filter(|t| (first..=last).contains(t)).collect(),
            None => {
                let mut times: Vec<Timestamp> = answers.iter().flat_map(|(_, output)| output.times.clone()).collect();
                times.sort_unstable();
                times.dedup();
                times
            }
        };
        let at = |output: &Output| {
            if output.times == times {
                output.values.clone()
            } else {
                align::interpolate_at(&output.times, &output.values, &times)
            }
        };
        let aligned: Vec<(f64, Vec<f64>)> = answers.iter().map(|(weight, output)| (*weight, at(output))).collect();
        let mut row = Vec::with_capacity(aligned.len());
        let mut values = Vec::with_capacity(times.len());
        for t in 0..times.len() {
            row.clear();
            row.extend(aligned.iter().map(|(weight, values)| (*weight, values[t])));
            values.push(self.one(&row));
        }
        Output { times, values }
    }

    /// One answer for one time.
    fn one(&self, row: &[(f64, f64)]) -> f64 {
        if !(self.combiner.abs_score && row.len() > 1) {
            return self.magnitude(row);
        }
        let magnitudes: Vec<(f64, f64)> = row.iter().map(|(weight, value)| (*weight, value.abs())).collect();
        let sign = |value: f64| if value == 0.0 { 0.0 } else { value.signum() };
        let vote = quantile::median(row.iter().map(|(_, value)| sign(*value)));
        let sign = match self.compat {
            Compat::Merlion if vote == 0.0 => -1.0,
            // It may be a half, where one of the middle signs is 0.
            Compat::Merlion => vote,
            Compat::None if vote != 0.0 => vote.signum(),
            // As many say too high as say too low: the louder ones decide.
            Compat::None => row.iter().map(|(weight, value)| weight * value).sum::<f64>().signum(),
        };
        sign * self.magnitude(&magnitudes)
    }

    fn magnitude(&self, row: &[(f64, f64)]) -> f64 {
        let values = || row.iter().map(|(_, value)| *value);
        match self.combiner.combination {
            Combination::Median => quantile::median(values()),
            // Merlion takes the median of magnitudes.
            Combination::Max if self.combiner.abs_score && row.len() > 1 && self.compat == Compat::Merlion => {
                quantile::median(values())
            }
            Combination::Max => values().fold(f64::NEG_INFINITY, f64::max),
            Combination::Mean | Combination::ModelSelector | Combination::MetricWeightedMean => {
                let sum: f64 = row.iter().map(|(weight, _)| weight).sum();
                row.iter().map(|(weight, value)| weight / sum * value).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::time::testing::seconds;

    fn output(values: &[f64]) -> Option<Output> {
        Some(Output { times: seconds(&(0..values.len() as i64).collect::<Vec<_>>()), values: values.to_vec() })
    }

    fn combined(combination: Combination, abs_score: bool, compat: Compat, outputs: &[Option<Output>]) -> Vec<f64> {
        let answered: Vec<bool> = outputs.iter().map(Option::is_some).collect();
        Combiner::new(combination, abs_score).fit(&answered, None, false, compat).combine(outputs, None).values
    }

    #[test]
    fn magnitudes_are_combined_and_signs_voted_on() {
        let outputs = [output(&[-1.0, 4.0, 0.0]), output(&[-2.0, -1.0, 3.0]), output(&[6.0, 1.0, 3.0])];
        let close = |got: Vec<f64>, expected: [f64; 3]| {
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?} and {expected:?}");
        };
        close(combined(Combination::Mean, true, Compat::None, &outputs), [-3.0, 2.0, 2.0]);
        assert_eq!(combined(Combination::Max, true, Compat::None, &outputs), [-6.0, 4.0, 3.0]);
        assert_eq!(combined(Combination::Max, true, Compat::Merlion, &outputs), [-2.0, 1.0, 3.0], "Merlion's median");
        close(combined(Combination::Mean, false, Compat::None, &outputs), [1.0, 4.0 / 3.0, 2.0]);
    }

    #[test]
    fn a_tie_is_decided_by_the_louder_and_a_zero_does_not_halve() {
        let outputs = [output(&[5.0, -5.0, 0.0, 0.0]), output(&[-1.0, 1.0, 4.0, 0.0])];
        assert_eq!(combined(Combination::Mean, true, Compat::None, &outputs), [3.0, -3.0, 2.0, 0.0]);
        assert_eq!(combined(Combination::Mean, true, Compat::Merlion, &outputs), [-3.0, -3.0, 1.0, -0.0]);
    }

    #[test]
    fn the_metric_selects_or_weighs() {
        let combiner = |name: &str| Combiner::from_json(&json!({"name": name, "metric": "TSADMetric.F1"})).unwrap();
        let all = [true, true, true];
        let weights =
            |name, metrics: &[f64], smaller| combiner(name).fit(&all, Some(metrics), smaller, Compat::None).weights();
        assert_eq!(weights("ModelSelector", &[0.5, 0.2, 0.5], false), [0.5, 0.0, 0.5]);
        assert_eq!(weights("ModelSelector", &[0.5, 0.2, 0.5], true), [0.0, 1.0, 0.0]);
        assert_eq!(weights("MetricWeightedMean", &[1.0, 0.0, 3.0], false), [0.25, 0.0, 0.75]);
        assert_eq!(weights("MetricWeightedMean", &[1.0, 2.0, 2.0], true), [0.5, 0.25, 0.25]);
        assert_eq!(weights("MetricWeightedMean", &[0.0; 3], false), [1.0 / 3.0; 3], "zeros tell nothing");
        let two = combiner("ModelSelector").fit(&[false, true, true], Some(&[9.0, 1.0, 2.0]), false, Compat::None);
        assert_eq!(two.weights(), [0.0, 0.0, 1.0], "who has not answered is not selected");
    }

    #[test]
    fn answers_are_brought_to_common_times() {
        let late = Some(Output { times: seconds(&[1, 3]), values: vec![10.0, 30.0] });
        let outputs = [output(&[0.0, 0.0, 0.0, 0.0]), late, None];
        let fitted = Combiner::new(Combination::Mean, false).fit(&[true, true, false], None, false, Compat::None);
        assert_eq!(fitted.combine(&outputs, None).values, [5.0, 5.0, 10.0, 15.0]);
        let wanted = seconds(&[-1, 2, 9]);
        assert_eq!(fitted.combine(&outputs, Some(&wanted)).times, seconds(&[2]));
        assert_eq!(fitted.combine(&[None, None, None], None), Output::default());
    }

    #[test]
    fn json_that_is_no_combiner_is_told_why() {
        for (json, words) in [
            (json!("Meen"), "did you mean 'Mean'?"),
            (json!({"abs_score": true}), "no \"name\""),
            (json!({"name": "Mean", "abs_scores": true}), "did you mean 'abs_score'?"),
            (json!({"name": "Mean", "metric": "TSADMetric.F1"}), "Mean has no parameter 'metric'"),
            (json!("ModelSelector"), "needs a \"metric\""),
            (json!({"name": "ModelSelector", "metric": "F1"}), "write \"TSADMetric"),
        ] {
            let error = Combiner::from_json(&json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
        let json = json!({"name": "ModelSelector", "abs_score": true, "metric": "ForecastMetric.sMAPE"});
        assert_eq!(Combiner::from_json(&json).unwrap().to_json(), json);
    }
}
