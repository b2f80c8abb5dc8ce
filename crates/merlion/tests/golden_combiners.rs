//! Combiners against Merlion's, on forecasts and on anomaly scores, with models that answer late or not at all. The metrics are the
//! reference's; what is compared is what becomes of them. Arithmetic on the same numbers: 1e-9 relative.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

mod reference;

use merlion::models::Compat;
use merlion::models::ensemble::{Combiner, Output};
use reference::{column, golden, numbers, stamps};
use serde_json::{Value, json};

fn output(series: &Value) -> Output {
    Output { times: stamps(&series["t"]), values: column(series) }
}

fn outputs(all: &Value) -> Vec<Option<Output>> {
    all.as_array().unwrap().iter().map(|series| Some(output(series))).collect()
}

fn close(got: &[f64], expected: &[f64]) -> bool {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
    got.len() == expected.len() && got.iter().zip(expected).all(near)
}

#[test]
fn answers_are_combined_as_in_merlion() {
    let Some(golden) = golden("components/combiners.json") else { return };
    let inputs = &golden["inputs"];
    let (mut compared, mut wrong) = (0, Vec::new());
    for case in golden["cases"].as_array().unwrap() {
        let label = case["label"].as_str().unwrap();
        // Merlion's metric is a duration here, of which it has no inverse.
        if label.contains("MeanTimeToDetect") {
            continue;
        }
        let (data, rule) = label.split_once(' ').unwrap();
        let (name, arguments) = rule.trim_end_matches(')').split_once('(').unwrap();
        let (metric, abs) = arguments.rsplit_once(',').unwrap_or(("", arguments));
        let forecast = data.starts_with("forecast");
        let mut answers = outputs(&inputs[if forecast { "forecast_outs" } else { "anomaly_outs" }]);
        match data {
            "forecast_with_partial" => answers[1] = Some(output(&inputs["partial"])),
            "forecast_with_None" => answers[1] = None,
            "anomaly_thresholded" => {
                let all = answers.iter_mut().flatten().flat_map(|answer| answer.values.iter_mut());
                all.filter(|score| score.abs() < 2.0).for_each(|score| *score = 0.0);
            }
            _ => {}
        }
        let mut json = json!({"name": name, "abs_score": abs == "abs_score=True"});
        if !metric.is_empty() {
            json["metric"] = format!("{}Metric.{metric}", if forecast { "Forecast" } else { "TSAD" }).into();
        }
        let metrics = (!case["metric_values"].is_null()).then(|| numbers(&case["metric_values"]));
        let answered: Vec<bool> = answers.iter().map(Option::is_some).collect();
        let fitted = Combiner::from_json(&json).unwrap().fit(&answered, metrics.as_deref(), forecast, Compat::Merlion);
        if !case["weights"].is_null() && !data.ends_with("None") {
            let (got, expected) = (fitted.weights(), numbers(&case["weights"]));
            let got: Vec<f64> = got.into_iter().filter(|weight| *weight != 0.0).collect();
            if !close(&got, &expected) {
                wrong.push(format!("{label}: weights {got:?} and {expected:?}"));
            }
        }
        let target = stamps(&inputs[if forecast { "forecast_target" } else { "anomaly_labels" }]["t"]);
        for (call, wanted) in [("call_no_target", None), ("train_output", Some(target.as_slice()))] {
            let (got, expected) = (fitted.combine(&answers, wanted), output(&case[call]));
            if got.times != expected.times || !close(&got.values, &expected.values) {
                let first = got.values.iter().zip(&expected.values).position(|(a, b)| (a - b).abs() > 1e-9);
                wrong.push(format!(
                    "{label} {call}: {} and {} times, first at {first:?}",
                    got.times.len(),
                    expected.times.len()
                ));
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= 90, "{compared}");
}
