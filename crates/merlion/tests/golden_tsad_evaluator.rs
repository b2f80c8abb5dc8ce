//! Simulated deployments of detectors against those of Python Merlion: thresholds learned from labels, training again, a training window.
//!
//! The reference is read at run time from `$MERLION_REFERENCE`, or from `shared/reference/merlion` beside the repository; without it the
//! test says so and passes.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

use merlion::evaluate::{TsadEvaluator, TsadEvaluatorConfig, TsadMetric};
use merlion::models::{Catalog, Compat, FitContext, ModelSpec};
use merlion::postprocess::{Labels, Supervision};
use merlion::series::TimeSeries;
use serde_json::{Value, json};

mod reference;
use reference::{golden, number, numbers, stamps};

/// The dataset whose series is part of the reference.
const DATASET: &str = "synth_hourly";

/// Scores go through a calibrator, a cubic through quantiles of the scores; they are printed with 15 digits.
const TOLERANCE: f64 = 1e-6;

fn series(name: &str, times: &[merlion::time::Timestamp], values: &[f64]) -> TimeSeries {
    TimeSeries::from_columns(times.to_vec(), vec![(name.to_owned(), values.to_vec())]).unwrap()
}

/// A metric as the reference prints it: a number, or a pandas `Timedelta` in seconds.
fn metric(value: &Value) -> f64 {
    let text = value.as_str().unwrap();
    let Some((days, clock)) = text.split_once(" days ") else { return text.parse().unwrap() };
    let clock: Vec<f64> = clock.trim_start_matches('+').split(':').map(|part| part.parse().unwrap()).collect();
    days.parse::<f64>().unwrap() * 86_400.0 + clock[0] * 3_600.0 + clock[1] * 60.0 + clock[2]
}

#[test]
fn simulated_deployments_are_merlions() {
    let (Some(golden), Some(datasets)) = (golden("components/evaluators.json"), golden("datasets.json")) else {
        return;
    };
    let data = &datasets[DATASET];
    let (times, values, labels) = (stamps(&data["t"]), numbers(&data["v"]["value"]), numbers(&data["labels"]));
    let n = usize::try_from(data["n_train"].as_u64().unwrap()).unwrap();
    let (train, test) = (series("value", &times[..n], &values[..n]), series("value", &times[n..], &values[n..]));
    let known =
        Labels { times: times[..n].to_vec(), anomalous: labels[..n].iter().map(|label| *label != 0.0).collect() };
    let supervision = Supervision {
        labels: &known,
        objective: &TsadMetric::F1,
        max_early: None,
        max_delay: None,
        min_allowed_score: None,
    };
    let mut compared = 0;
    for case in golden["cases"].as_array().unwrap() {
        if case["kind"] != "TSADEvaluator" || case["dataset"] != DATASET {
            continue;
        }
        let name = case["model"].as_str().unwrap();
        let spec = ModelSpec::from_json(&json!({"name": name})).unwrap();
        let detector = spec.build_detector(&Catalog::default(), Compat::Merlion).unwrap();
        let config: TsadEvaluatorConfig = serde_json::from_value(case["config"].clone()).unwrap();
        let evaluator = TsadEvaluator::new(&detector, config);
        let simulation = evaluator.simulate(&train, &test, Some(&supervision), &FitContext::default()).unwrap();
        let check = |what: &str, got: f64, expected: f64| {
            let close = (got - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            assert!(close, "{name}: {what} = {got}, expected {expected}");
        };
        check("number of scores", simulation.times.len() as f64, number(&case["n_pred"]));
        let first = &case["pred_first20"];
        assert_eq!(simulation.times[..20], stamps(&first["t"]), "{name}");
        for (got, expected) in simulation.alarms.iter().zip(numbers(&first["v"]["anom_score"])) {
            check("alarm", *got, expected);
        }
        let fired = simulation.times.iter().zip(&simulation.alarms).filter(|(_, alarm)| **alarm != 0.0);
        assert_eq!(fired.map(|(t, _)| *t).collect::<Vec<_>>(), stamps(&case["pred_nonzero_t"]), "{name}: alarms");
        check("sum of training alarms", simulation.train.alarms.iter().sum(), number(&case["train_pred_sum"]));
        check("sum of alarms", simulation.alarms.iter().sum(), number(&case["pred_sum"]));
        let score = evaluator.evaluate(&series("label", &times[n..], &labels[n..]), &simulation).unwrap();
        for (metric_name, expected) in case["metrics"].as_object().unwrap() {
            check(metric_name, metric_name.parse::<TsadMetric>().unwrap().value(&score), metric(expected));
        }
        println!("{name}: {} trainings, {} scores", simulation.trainings, simulation.times.len());
        compared += 1;
    }
    assert_eq!(compared, 3);
}
