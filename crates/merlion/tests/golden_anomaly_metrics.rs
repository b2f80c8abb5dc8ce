//! Anomaly metrics against what Python Merlion computed: 36 pairs of labels and alarms under five tolerances, every count and every
//! metric.
//!
//! The reference is read at run time from `$MERLION_REFERENCE`, or from `shared/reference/merlion` beside the repository; without it the
//! test says so and passes. Counts are whole and must be equal; scores are sums of at most 400 sigmoids, printed with 15 digits.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

use merlion::evaluate::{Tolerance, TsadMetric, TsadScore};
use serde_json::Value;

mod reference;
use reference::{golden, numbers, series};

const TOLERANCE: f64 = 1e-12;

/// Seconds of a pandas `Timedelta`: `0 days 10:10:00`, `-1 days +23:30:00`.
fn seconds(text: &str) -> f64 {
    let (days, clock) = text.split_once(" days ").unwrap();
    let clock: Vec<f64> = clock.trim_start_matches('+').split(':').map(|part| part.parse().unwrap()).collect();
    days.parse::<f64>().unwrap() * 86_400.0 + clock[0] * 3_600.0 + clock[1] * 60.0 + clock[2]
}

#[test]
fn anomaly_metrics_are_merlions() {
    let Some(golden) = golden("components/metrics.json") else { return };
    let golden = &golden["anomaly"];
    let (mut compared, mut differences) = (0, Vec::new());
    for case in golden["cases"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let labels = series(&golden["labels"][text("labels")]);
        let alarms = series(&golden["predictions"][text("predict")]);
        let tolerance =
            Tolerance { max_early_sec: case["max_early_sec"].as_f64(), max_delay_sec: case["max_delay_sec"].as_f64() };
        let score = TsadScore::new(&labels, &alarms, tolerance).unwrap();
        let mut compare = |what: &str, got: &[f64], expected: &[f64]| {
            compared += 1;
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= TOLERANCE * b.abs().max(1.0);
            if got.len() != expected.len() || !got.iter().zip(expected).all(close) {
                differences.push(format!("{case}: {what} = {got:?}, expected {expected:?}"));
            }
        };
        let counts = &case["accumulator"];
        for (what, got) in [
            ("num_tp_anom", score.num_tp_anom),
            ("num_tp_pointwise", score.num_tp_pointwise),
            ("num_tp_point_adj", score.num_tp_point_adj),
            ("num_fn_anom", score.num_fn_anom),
            ("num_fn_pointwise", score.num_fn_pointwise),
            ("num_fn_point_adj", score.num_fn_point_adj),
            ("num_fp", score.num_fp),
            ("num_tn", score.num_tn),
        ] {
            compare(what, &[got as f64], &[counts[what].as_f64().unwrap()]);
        }
        compare("tp_score", &[score.tp_score], &[counts["tp_score"].as_f64().unwrap()]);
        compare("fp_score", &[score.fp_score], &[counts["fp_score"].as_f64().unwrap()]);
        compare("tp_detection_delays", &score.tp_detection_delays, &numbers(&counts["tp_detection_delays"]));
        compare("tp_anom_durations", &score.tp_anom_durations, &numbers(&counts["tp_anom_durations"]));
        compare("anom_durations", &score.anom_durations, &numbers(&counts["anom_durations"]));
        let values = case["values"].as_object().unwrap();
        assert_eq!(values.len(), TsadMetric::ALL.len());
        for (name, value) in values {
            let expected = match value {
                Value::Number(number) => number.as_f64().unwrap(),
                other => seconds(other.as_str().unwrap()),
            };
            compare(name, &[name.parse::<TsadMetric>().unwrap().value(&score)], &[expected]);
        }
    }
    println!("{compared} numbers compared");
    assert!(differences.is_empty(), "{} of {compared} differ:\n{}", differences.len(), differences.join("\n"));
    assert_eq!(compared, 180 * 28);
}
