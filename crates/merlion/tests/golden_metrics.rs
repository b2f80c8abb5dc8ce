//! Forecast metrics against what Python Merlion computed.
//!
//! The reference is read at run time from `$MERLION_REFERENCE`, or from `shared/reference/merlion` beside the repository; without
//! it the test says so and passes. The metrics are sums of twenty terms, so 1e-9 relative leaves room for nothing but their order.

use merlion::evaluate::{ForecastMetric, ForecastScore};
use serde_json::Value;

mod reference;
use reference::{golden, series};

const TOLERANCE: f64 = 1e-9;

#[test]
fn forecast_metrics_are_merlions() {
    let Some(golden) = golden("components/metrics.json") else { return };
    let input = |name: &str| series(&golden["forecast"]["inputs"][name]);
    let (mut compared, mut differences) = (0, Vec::new());
    for case in golden["forecast"]["cases"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let metric: ForecastMetric = serde_json::from_value(case["metric"].clone()).unwrap();
        let periodicity = usize::try_from(case["periodicity"].as_u64().unwrap()).unwrap();
        let score = ForecastScore::new(&input(text("ground_truth")), &input(text("predict")), None)
            .and_then(|score| score.with_bounds(&input("lb"), &input("ub")))
            .and_then(|score| score.with_insample(&input("insample"), periodicity))
            .and_then(|score| score.value(metric))
            .unwrap();
        compared += 1;
        let expected = match &case["value"] {
            Value::Number(number) => number.as_f64().unwrap(),
            // Merlion does not read the bounds at the times of the truth, and fails where the forecast is shorter than they are.
            Value::String(error) if error.starts_with("ERR ValueError") && metric == ForecastMetric::Msis => {
                assert!(score.is_finite(), "{case}: {score}");
                continue;
            }
            other => other.as_str().unwrap().parse().unwrap(),
        };
        let close = score == expected || (score - expected).abs() <= TOLERANCE * expected.abs();
        if !close {
            differences.push(format!("{case}: {score}, expected {expected}"));
        }
    }
    println!("{compared} scores compared");
    assert!(differences.is_empty(), "{} of {compared} scores differ:\n{}", differences.len(), differences.join("\n"));
}
