//! IsolationForest, LocalOutlierFactor and RandomCutForest against what Python Merlion computed, on an hourly series, a weekly one, and a
//! weekly one of five columns.
//!
//! The reference is read at run time from `$MERLION_REFERENCE`, or from `shared/reference/merlion` beside the repository; without it the
//! tests say so and pass.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

use merlion::models::{Catalog, Compat, FitContext, ModelSpec};
use merlion::pipeline::Detections;
use merlion::series::TimeSeries;
use merlion::time::Timestamp;
use serde_json::{Value, json};

mod reference;
use reference::{column, golden, numbers, stamps};

const DATASETS: [&str; 3] = ["synth_hourly", "walmart_1_1", "walmart_1_1_mv"];

struct Case {
    dataset: &'static str,
    golden: Value,
    train: TimeSeries,
    test: TimeSeries,
}

fn cases(model: &str) -> Option<Vec<Case>> {
    let datasets = golden("datasets.json")?;
    let case = |dataset: &'static str| {
        let json = &datasets[dataset];
        let names = json["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let columns = names.map(|name| (name.to_owned(), numbers(&json["v"][name]))).collect();
        let times: Vec<Timestamp> = stamps(&json["t"]);
        let split = times[usize::try_from(json["n_train"].as_u64().unwrap()).unwrap()];
        let (train, test) = TimeSeries::from_columns(times, columns).unwrap().bisect(split, false);
        Some(Case { dataset, golden: golden(&format!("{model}__{dataset}.json"))?, train, test })
    };
    DATASETS.into_iter().map(case).collect()
}

/// Scores of the training data, and of the rest without the training data as its history, as the reference has them.
fn run(model: &Value, case: &Case, seed: u64) -> (Detections, Detections) {
    let spec = ModelSpec::from_json(model).unwrap();
    let pipeline = spec.build_detector(&Catalog::default(), Compat::None).unwrap();
    let fitted = pipeline.fit(&case.train, None, &FitContext::with_seed(seed)).unwrap();
    (fitted.train_detections().clone(), fitted.detect(&case.test, None).unwrap())
}

/// The reference's scores of one stage, whose times must be ours.
fn expected(case: &Case, stage: &str, times: &[Timestamp]) -> Vec<f64> {
    assert_eq!(stamps(&case.golden[stage]["t"]), times, "{}: {stage}", case.dataset);
    column(&case.golden[stage])
}

fn largest_difference(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

/// Spearman's rank correlation.
fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let ranks = |values: &[f64]| -> Vec<f64> {
        let below = |x: f64| values.iter().filter(|y| **y < x).count() as f64;
        let equal = |x: f64| values.iter().filter(|y| **y == x).count() as f64;
        values.iter().map(|&x| below(x) + (equal(x) - 1.0) / 2.0).collect()
    };
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    sum(&a, &b) / (sum(&a, &a) * sum(&b, &b)).sqrt()
}

#[test]
fn local_outlier_factors_are_merlions() {
    // Nothing in it is random. scikit-learn finds few points' neighbours from products, which costs it half of the digits near 0.
    let Some(cases) = cases("LocalOutlierFactor") else { return };
    for case in &cases {
        let (train, test) = run(&json!({"name": "LocalOutlierFactor"}), case, 0);
        for (stage, got, times) in [
            ("train_scores_raw", &train.raw, &train.times),
            ("test_scores_raw", &test.raw, &test.times),
            ("train_scores_calibrated", &train.calibrated, &train.times),
            ("test_scores_calibrated", &test.calibrated, &test.times),
            ("train_labels_post_rule", &train.alarms, &train.times),
            ("test_post_rule", &test.alarms, &test.times),
        ] {
            let difference = largest_difference(got, &expected(case, stage, times));
            println!("{}: {stage}: {difference:e}", case.dataset);
            assert!(difference < 1e-6, "{}: {stage} differ by {difference}", case.dataset);
        }
    }
}

/// Our scores and the reference's as far as they are scored at all (a random cut forest is silent at first), and our own with another seed.
fn scores(model: &Value, case: &Case) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let ((train, test), (other_train, other_test)) = (run(model, case, 0), run(model, case, 1));
    let theirs =
        [expected(case, "train_scores_raw", &train.times), expected(case, "test_scores_raw", &test.times)].concat();
    let (ours, other) = ([train.raw, test.raw].concat(), [other_train.raw, other_test.raw].concat());
    let silent = |scores: &[f64]| scores.iter().map(|score| *score == 0.0).collect::<Vec<_>>();
    assert_eq!(silent(&ours), silent(&theirs), "{}: scored at other times", case.dataset);
    let scored = |scores: Vec<f64>| scores.into_iter().filter(|score| *score != 0.0).collect();
    (scored(ours), scored(theirs), scored(other))
}

#[test]
fn isolation_forests_rank_as_merlions() {
    // The same forest but for its random numbers: a score is a mean over 100 trees, whose standard error on these data is about 0.01. So
    // ours may differ from Merlion's as from another of our own, and by five standard errors of a difference at most.
    let Some(cases) = cases("IsolationForest") else { return };
    for case in &cases {
        let (ours, theirs, other) = scores(&json!({"name": "IsolationForest"}), case);
        let (correlation, own) = (rank_correlation(&ours, &theirs), rank_correlation(&ours, &other));
        let difference = largest_difference(&ours, &theirs);
        println!(
            "{}: rank correlation {correlation:.4}, of two seeds {own:.4}; largest difference {difference:.4}",
            case.dataset
        );
        assert!(correlation > 0.9 && correlation > own - 0.03, "{}: {correlation}, {own}", case.dataset);
        assert!(difference < 0.07, "{}: {difference}", case.dataset);
    }
}

#[test]
fn random_cut_forests_rank_as_merlions() {
    // Amazon's implementation draws other random numbers; a score is a mean over 100 trees. Two of our own seeds agree about as well as we
    // do with it.
    let Some(cases) = cases("RandomCutForest") else { return };
    for case in &cases {
        let model = json!({"name": "RandomCutForest"});
        let (ours, theirs, other) = scores(&model, case);
        if ours.is_empty() {
            // 116 weeks are fewer than the 128 after which it speaks.
            println!("{}: never scored", case.dataset);
            continue;
        }
        let (correlation, own) = (rank_correlation(&ours, &theirs), rank_correlation(&ours, &other));
        let relative = ours.iter().zip(&theirs).map(|(a, b)| (a / b).ln()).sum::<f64>() / ours.len() as f64;
        println!(
            "{}: rank correlation {correlation:.4}, of two seeds {own:.4}; mean log ratio {relative:.4}",
            case.dataset
        );
        assert!(correlation > 0.9 && correlation > own - 0.03, "{}: {correlation}, {own}", case.dataset);
        assert!(relative.abs() < 0.02, "{}: scores are on another scale: {relative}", case.dataset);
    }
}
