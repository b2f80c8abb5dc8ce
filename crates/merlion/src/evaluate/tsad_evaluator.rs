//! The live deployment of an anomaly detector, simulated on the past: train, score what comes, train again from time to time.

use serde::{Deserialize, Serialize};

use super::{Tolerance, TsadError, TsadScore};
use crate::models::{FitContext, ModelError};
use crate::pipeline::{DetectionPipeline, Detections};
use crate::postprocess::Supervision;
use crate::series::TimeSeries;
use crate::time::{Offset, Timestamp};

/// How a detector is deployed. Durations are numbers of seconds or texts as Merlion reads them: `1d`, `4w`, `12h`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TsadEvaluatorConfig {
    /// The longest history a detector is trained on again, and shown when it scores; all there is if absent.
    #[serde(with = "duration")]
    pub train_window: Option<Offset>,
    /// The time from one training to the next; if absent, the first training is the only one.
    #[serde(with = "duration")]
    pub retrain_freq: Option<Offset>,
    /// The time from one scoring to the next: `retrain_freq` if absent, everything at once if that is absent, too. 0 is for every time
    /// there is a value.
    #[serde(with = "duration")]
    pub cadence: Option<Offset>,
    /// Seconds that an alarm may come before the anomaly begins.
    pub max_early_sec: Option<f64>,
    /// Seconds after the beginning of an anomaly from which alarms no longer count as detecting it.
    pub max_delay_sec: Option<f64>,
}

/// What a detector said while it was deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Scores and alarms of the first training data.
    pub train: Detections,
    /// The times that were scored, increasing.
    pub times: Vec<Timestamp>,
    /// Scores as the detector gave them.
    pub raw: Vec<f64>,
    /// Calibrated scores of alarms, 0 elsewhere, by the calibrator and threshold of the first training.
    pub alarms: Vec<f64>,
    /// How often the detector was trained.
    pub trainings: usize,
}

/// Deploys detectors on the past.
///
/// ```
/// use merlion::evaluate::{TsadEvaluator, TsadEvaluatorConfig, TsadMetric};
/// use merlion::generate::{Anomalizer, Shock, TimeSeriesGenerator};
/// use merlion::models::{Catalog, Compat, FitContext, ModelSpec};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clean = TimeSeriesGenerator { n: 600, ..TimeSeriesGenerator::default() }.generate(1)?;
/// let series = Anomalizer::Shock(Shock::default()).inject(&clean, 2)?;
/// let (train, test) = series.bisect(series.times()[300], false);
/// let values = |series: &merlion::series::TimeSeries| series.select(&["y"]);
///
/// let model = ModelSpec::from_json(&serde_json::json!({"name": "StatThreshold"}))?;
/// let detector = model.build_detector(&Catalog::default(), Compat::None)?;
/// let config: TsadEvaluatorConfig = serde_json::from_str(r#"{"retrain_freq": "12h", "cadence": "1h"}"#)?;
/// let evaluator = TsadEvaluator::new(&detector, config);
/// let simulation = evaluator.simulate(&values(&train)?, &values(&test)?, None, &FitContext::default())?;
/// let score = evaluator.evaluate(&test.select(&["anomaly"])?, &simulation)?;
/// println!("trained {} times, recall {}", simulation.trainings, TsadMetric::Recall.value(&score));
/// assert_eq!(simulation.trainings, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TsadEvaluator<'a> {
    detector: &'a DetectionPipeline,
    config: TsadEvaluatorConfig,
}

impl<'a> TsadEvaluator<'a> {
    /// An evaluator of a detector.
    #[must_use]
    pub fn new(detector: &'a DetectionPipeline, config: TsadEvaluatorConfig) -> Self {
        Self { detector, config }
    }

    /// Trains the detector, and lets it score `test` as its values come, with all values before as its history.
    ///
    /// Calibrator and threshold are those of the first training, which may have labels: scores of different trainings would otherwise be
    /// measured differently. What a detector takes in while it scores (`online_updates`) serves the rest of that chunk; between trainings it
    /// is not changed.
    ///
    /// # Errors
    /// [`ModelError::Series`] for a test series that does not follow the training data, or has other columns; the detector's own.
    pub fn simulate(
        &self,
        train: &TimeSeries,
        test: &TimeSeries,
        supervision: Option<&Supervision<'_>>,
        context: &FitContext,
    ) -> Result<Simulation, ModelError> {
        let mut current = self.detector.fit(train, supervision, context)?;
        let rule = current.post_rule().clone();
        let first = current.train_detections().clone();
        let mut simulation =
            Simulation { train: first, times: Vec::new(), raw: Vec::new(), alarms: Vec::new(), trainings: 1 };
        let times = test.times();
        let mut now = times.first().copied();
        let after =
            |offset: &Option<Offset>, t: Timestamp| offset.as_ref().map(|offset| offset.advance(t, 1)).transpose();
        let cadence = self.config.cadence.as_ref().or(self.config.retrain_freq.as_ref()).cloned();
        let mut training_due = match now {
            Some(now) => after(&self.config.retrain_freq, now)?,
            None => None,
        };
        // The time stamp after the first one that is not before `t`.
        let following = |t: Timestamp| times.get(times.partition_point(|other| *other < t) + 1).copied();
        while let Some(t) = now {
            context.check()?;
            let (before, rest) = test.bisect(t, false);
            let mut history = train.followed_by(&before)?;
            if let Some(window) = &self.config.train_window {
                history = history.window(window.advance(t, -1)?, t, false);
            }
            let chunk = match (after(&cadence, history.tf().unwrap_or(t))?, following(t)) {
                (None, _) => rest,
                (Some(end), next) => rest.window(t, next.map_or(end, |next| next.max(end)), true),
            };
            if let Some(due) = training_due.filter(|due| t >= *due && !history.is_empty() && !chunk.is_empty()) {
                current = self.detector.fit(&history, None, context)?;
                simulation.trainings += 1;
                let next = after(&self.config.retrain_freq, due)?;
                training_due = next.map(|next| following(due).map_or(next, |following| following.max(next)));
            }
            if !chunk.is_empty() {
                simulation.append(&current.detect(&chunk, Some(&history))?);
            }
            now = match (after(&cadence, t)?, following(t)) {
                (Some(later), Some(next)) => {
                    Some(later.max(next)).filter(|t| times.last().is_some_and(|last| t <= last))
                }
                _ => None,
            };
        }
        simulation.alarms = rule.apply(&simulation.times, &simulation.raw)?;
        Ok(simulation)
    }

    /// Measures the alarms of a simulation against labels, a series of one column.
    ///
    /// # Errors
    /// As [`TsadScore::new`].
    pub fn evaluate(&self, labels: &TimeSeries, simulation: &Simulation) -> Result<TsadScore, TsadError> {
        let [labels] = labels.univariates() else {
            return Err(TsadError::Columns { what: "labels", columns: labels.dim() });
        };
        let tolerance =
            Tolerance { max_early_sec: self.config.max_early_sec, max_delay_sec: self.config.max_delay_sec };
        TsadScore::from_slices(labels.times(), labels.values(), &simulation.times, &simulation.alarms, tolerance)
    }
}

impl Simulation {
    /// Takes over what is scored for the first time: the end of one chunk may be the beginning of the next.
    fn append(&mut self, detections: &Detections) {
        let last = self.times.last().copied();
        for (t, raw) in detections.times.iter().zip(&detections.raw) {
            if last.is_none_or(|last| *t > last) {
                self.times.push(*t);
                self.raw.push(*raw);
            }
        }
    }
}

/// Durations as Merlion reads them.
mod duration {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::time::Offset;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Seconds(f64),
        Words(String),
    }

    pub(super) fn serialize<S: Serializer>(offset: &Option<Offset>, serializer: S) -> Result<S::Ok, S::Error> {
        offset.as_ref().map(Offset::to_string).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Offset>, D::Error> {
        let offset = match Option::<Text>::deserialize(deserializer)? {
            None => return Ok(None),
            // The shortest step there is comes before every next value.
            Some(Text::Seconds(0.0)) => Ok(Offset::Fixed(1)),
            Some(Text::Seconds(seconds)) => Offset::from_seconds(seconds),
            Some(Text::Words(text)) => Offset::from_merlion(&text),
        };
        offset.map(Some).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::models::{Catalog, Compat, ModelSpec};
    use crate::time::testing::seconds;

    const HOUR: i64 = 3_600;

    fn hourly(first: i64, values: &[f64]) -> TimeSeries {
        let times: Vec<i64> = (first..).map(|i| i * HOUR).take(values.len()).collect();
        TimeSeries::from_columns(seconds(&times), vec![("y".to_owned(), values.to_vec())]).unwrap()
    }

    fn simulate(config: serde_json::Value, train: &TimeSeries, test: &TimeSeries) -> Simulation {
        let model = ModelSpec::from_json(&json!({"name": "StatThreshold", "enable_calibrator": false})).unwrap();
        let detector = model.build_detector(&Catalog::default(), Compat::None).unwrap();
        let config = serde_json::from_value(config).unwrap();
        TsadEvaluator::new(&detector, config).simulate(train, test, None, &FitContext::default()).unwrap()
    }

    #[test]
    fn without_a_frequency_everything_is_scored_at_once() {
        let (train, test) = (hourly(0, &[8.0, 12.0, 8.0, 12.0]), hourly(4, &[10.0, 14.0, 18.0]));
        let simulation = simulate(json!({}), &train, &test);
        assert_eq!((simulation.trainings, &simulation.raw[..]), (1, &[0.0, 2.0, 4.0][..]));
        assert_eq!(simulation.times, test.times().as_ref());
    }

    #[test]
    fn the_detector_learns_as_often_as_it_is_told() {
        // The mean of the training data is 0 with a deviation of 1; after two hours at 3, and again after two more, it is trained anew.
        let (train, test) = (hourly(0, &[-1.0, 1.0, -1.0, 1.0]), hourly(4, &[3.0; 6]));
        let simulation = simulate(json!({"retrain_freq": "2h", "cadence": "1h"}), &train, &test);
        assert_eq!(simulation.trainings, 3);
        let z = |n: f64| {
            let mean = 3.0 * n / (4.0 + n);
            let variance = (4.0 + 9.0 * n) / (4.0 + n) - mean * mean;
            (3.0 - mean) / variance.sqrt()
        };
        let expected = [3.0, 3.0, 3.0, z(2.0), z(2.0), z(4.0)];
        // Two values are scored at a time, of which the second is scored again an hour later; the first score of each stays.
        for (got, expected) in simulation.raw.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-9, "{:?}, expected {expected:?}", simulation.raw);
        }
        let window = simulate(json!({"retrain_freq": "2h", "cadence": "2h", "train_window": "3h"}), &train, &test);
        // The second training has seen 1, 3 and 3.
        let mean = 7.0 / 3.0;
        let deviation = ((1.0_f64 + 9.0 + 9.0) / 3.0 - mean * mean).sqrt();
        assert!((window.raw[3] - (3.0 - mean) / deviation).abs() < 1e-9, "{:?}", window.raw);
    }

    #[test]
    fn the_threshold_is_that_of_the_first_training() {
        let train = hourly(0, &(0..200).map(|i| f64::from(i % 2)).collect::<Vec<_>>());
        let test = hourly(200, &[0.0, 9.0, 9.0, 0.0, 1.0]);
        let model = ModelSpec::from_json(
            &json!({"name": "StatThreshold", "threshold": {"name": "Threshold", "alm_threshold": 3}}),
        );
        let detector = model.unwrap().build_detector(&Catalog::default(), Compat::None).unwrap();
        let fitted = detector.fit(&train, None, &FitContext::default()).unwrap();
        let config = serde_json::from_value(json!({"retrain_freq": "2h"})).unwrap();
        let evaluator = TsadEvaluator::new(&detector, config);
        let simulation = evaluator.simulate(&train, &test, None, &FitContext::default()).unwrap();
        assert_eq!(simulation.alarms, fitted.post_rule().apply(&simulation.times, &simulation.raw).unwrap());
        let labels = hourly(200, &[0.0, 1.0, 1.0, 0.0, 0.0]);
        let score = evaluator.evaluate(&labels, &simulation).unwrap();
        assert_eq!((score.num_tp_anom, score.num_fp), (1, 0));
    }

    #[test]
    fn durations_are_read_as_merlion_reads_them() {
        let config: TsadEvaluatorConfig =
            serde_json::from_value(json!({"train_window": "2w", "retrain_freq": 86_400, "cadence": 0})).unwrap();
        assert_eq!(config.train_window.as_ref().and_then(Offset::fixed_seconds), Some(1_209_600.0));
        assert_eq!(config.retrain_freq.as_ref().and_then(Offset::fixed_seconds), Some(86_400.0));
        assert_eq!(serde_json::from_value::<TsadEvaluatorConfig>(json!(config)).unwrap(), config);
        assert!(serde_json::from_value::<TsadEvaluatorConfig>(json!({"cadence": "soon"})).is_err());
        let train = hourly(0, &[-1.0, 1.0, -1.0, 1.0]);
        let each = simulate(json!({"cadence": 0}), &train, &hourly(4, &[2.0, 3.0, 4.0]));
        assert_eq!(each.raw, [2.0, 3.0, 4.0]);
        let nothing = simulate(json!({"cadence": 0}), &train, &hourly(4, &[]));
        assert!(nothing.raw.is_empty() && nothing.alarms.is_empty());
    }
}
