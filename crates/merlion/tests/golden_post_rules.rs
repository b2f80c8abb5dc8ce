//! Calibrators, thresholds and their sequence against Merlion's: learned parameters and what becomes of the scores.
//!
//! Everything here is arithmetic on the same numbers, which the reference writes with 15 digits: 1e-9 relative. What is learned from
//! labels is compared where the metric is one of points, which needs no windows; the others are the metrics' own tests.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

mod reference;

use merlion::postprocess::{
    AggregateAlarms, AnomScoreCalibrator, Labels, Objective, PostRule, Supervision, ThresholdRule, Training,
};
use merlion::time::Timestamp;
use reference::{column, golden, number, stamps};
use serde_json::{Value, json};

fn close(got: &[f64], expected: &[f64]) -> bool {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0) || (a.is_nan() && b.is_nan());
    got.len() == expected.len() && got.iter().zip(expected).all(near)
}

/// The rule a label like `AggregateAlarms(1.0,abs_score=True,min_alm_in_window=3)` describes, as JSON.
fn rule_of(label: &str) -> Value {
    let label = label.split(" trained").next().unwrap().split(" nan").next().unwrap();
    let label = label.split(" early").next().unwrap().split(" no labels").next().unwrap().split(" uq").next().unwrap();
    let (name, arguments) = label.strip_suffix(')').unwrap().split_once('(').unwrap();
    let first = if name == "AnomScoreCalibrator" { "max_score" } else { "alm_threshold" };
    let mut json = json!({"name": name});
    for argument in arguments.split(',') {
        let (key, value) = argument.split_once('=').unwrap_or((first, argument));
        json[key] = match value {
            "True" => true.into(),
            "False" => false.into(),
            "None" => Value::Null,
            number => number
                .parse::<f64>()
                .map(|n| if n.fract() == 0.0 && key.starts_with("min") { json!(n as i64) } else { json!(n) })
                .unwrap(),
        };
    }
    json
}

/// Precision, recall and F1 of single points.
#[derive(Debug)]
struct Pointwise(String);

impl Objective for Pointwise {
    fn value(&self, truth: &Labels, times: &[Timestamp], alarms: &[f64], _: Option<i64>, _: Option<i64>) -> f64 {
        assert_eq!(truth.times, times, "the reference's labels are at the scores' times");
        let count = |alarm: bool, anomalous: bool| {
            alarms.iter().zip(&truth.anomalous).filter(|(a, b)| (**a != 0.0) == alarm && **b == anomalous).count()
                as f64
        };
        let (hits, false_alarms, misses) = (count(true, true), count(true, false), count(false, true));
        let share = |rest: f64| if hits == 0.0 { 0.0 } else { hits / (hits + rest) };
        let (precision, recall) = (share(false_alarms), share(misses));
        match self.0.as_str() {
            "PointwisePrecision" => precision,
            "PointwiseRecall" => recall,
            "PointwiseF1" if hits == 0.0 => 0.0,
            "PointwiseF1" => 2.0 * precision * recall / (precision + recall),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn rules_learn_and_filter_as_in_merlion() {
    let Some(golden) = golden("components/post_rules.json") else { return };
    let input = |name: &str| (stamps(&golden["inputs"][name]["t"]), column(&golden["inputs"][name]));
    let (label_times, labels) = input("labels");
    let labels = Labels { times: label_times, anomalous: labels.iter().map(|label| *label != 0.0).collect() };
    let (test_times, test) = input("test_scores");
    let mut wrong = Vec::new();
    let (mut thresholds, mut calibrators, mut supervised) = (0, 0, 0);
    for case in golden["cases"].as_array().unwrap() {
        let label = case["label"].as_str().unwrap();
        let kwargs = &case["train_kwargs"];
        let metric = kwargs["metric"].as_str().unwrap_or_default();
        let with_labels = case["with_labels"] == true;
        if case.get("error").is_some() || label.starts_with("PostRuleSequence") {
            continue;
        }
        let (times, scores) = input(case["train_input"].as_str().unwrap());
        if label.starts_with("AnomScoreCalibrator") {
            let calibration = AnomScoreCalibrator::from_json(&rule_of(label)).unwrap().fit(&scores);
            let pairs = [("call_train_input", &scores), ("call_test_scores", &test)];
            for (call, scores) in pairs {
                let expected = column(&case[call]);
                let got = calibration.apply(scores);
                if !close(&got[..expected.len()], &expected) {
                    wrong.push(format!("{label} of {}, {call}: {got:?}\n{expected:?}", case["train_input"]));
                }
            }
            if (calibration.max_score() / number(&case["max_score"]) - 1.0).abs() > 1e-9 {
                wrong.push(format!("{label}: max_score {} and {}", calibration.max_score(), case["max_score"]));
            }
            calibrators += 1;
            continue;
        }
        // Windows of anomalies matter to all metrics but those of points, and to these when early alarms count.
        if with_labels && !(metric.starts_with("Pointwise") && label.starts_with("Threshold")) {
            continue;
        }
        if with_labels && !["PointwiseF1", "PointwisePrecision", "PointwiseRecall"].contains(&metric) {
            continue;
        }
        let objective = Pointwise(metric.to_owned());
        let supervision = Supervision {
            labels: &labels,
            objective: &objective,
            max_early: None,
            max_delay: None,
            min_allowed_score: None,
        };
        let training =
            Training { supervision: with_labels.then_some(supervision), quantile: kwargs["unsup_quantile"].as_f64() };
        let rule = ThresholdRule::from_json(&rule_of(label)).unwrap();
        let trained = rule.train(&times, &scores, &training).unwrap();
        let (got, expected) = (trained.threshold(), case["alm_threshold"].as_f64());
        let same = match (got, expected) {
            (Some(got), Some(expected)) => close(&[got], &[expected]),
            (got, expected) => got.is_none() && expected.is_none(),
        };
        if !same {
            wrong.push(format!("{label} {kwargs}: threshold {got:?} and {expected:?}"));
        }
        let pairs = [
            ("train_output", &times, &scores),
            ("call_train_input", &times, &scores),
            ("call_test_scores", &test_times, &test),
        ];
        for (call, times, scores) in pairs.into_iter().filter(|(call, ..)| case.get(call).is_some_and(|c| !c.is_null()))
        {
            let (got, expected) = (trained.apply(times, scores).unwrap(), column(&case[call]));
            if !close(&got, &expected) {
                let first = got.iter().zip(&expected).position(|(a, b)| a != b);
                wrong.push(format!("{label} {kwargs} {call}: first at {first:?}"));
            }
        }
        thresholds += 1;
        supervised += usize::from(with_labels);
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    println!("{thresholds} thresholds, {supervised} of them with labels, {calibrators} calibrators");
    assert!(thresholds >= 24 && supervised >= 4 && calibrators == 12, "{thresholds} {supervised} {calibrators}");
}

#[test]
fn a_sequence_calibrates_before_it_compares() {
    let Some(golden) = golden("components/post_rules.json") else { return };
    let input = |name: &str| (stamps(&golden["inputs"][name]["t"]), column(&golden["inputs"][name]));
    let ((times, scores), (test_times, test)) = (input("scores"), input("test_scores"));
    let case = |name: &str| {
        golden["cases"]
            .as_array()
            .unwrap()
            .iter()
            .find(|case| case["label"].as_str().unwrap().starts_with(name))
            .unwrap()
    };
    let sequence = case("PostRuleSequence");
    // Learned from labels, which is not the question here.
    let learned = number(&sequence["state"]["post_rules"][1]["alm_threshold"]);
    let rule = PostRule {
        calibrator: Some(AnomScoreCalibrator::default()),
        threshold: Some(AggregateAlarms::at(learned).into()),
    };
    let fitted = rule.fit(&times, &scores, &Training::default()).unwrap();
    let (got, expected) = (fitted.apply(&test_times, &test).unwrap(), column(&sequence["call_test_scores"]));
    assert!(close(&got, &expected), "{got:?}\n{expected:?}");
    let (got, expected) = (fitted.apply(&times, &scores).unwrap(), column(&sequence["train_output"]));
    assert!(close(&got, &expected), "{got:?}\n{expected:?}");
}
