//! Detectors against Merlion's, raw, calibrated and after the post-rule, on training and test data.
//!
//! Under `--compat merlion`. Everything here is arithmetic on the same numbers, and agreed to 2e-13 when this was written: 1e-9 relative, absolute below 1. Where
//! Merlion's answer is wrong by the list of differences, the part that differs is left out by name.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

mod reference;

use merlion::models::{Catalog, Compat, FitContext, ModelSpec};
use merlion::pipeline::{Detections, ScoreKind};
use merlion::series::TimeSeries;
use merlion::time::Timestamp;
use reference::{column, golden, numbers, stamps};
use serde_json::{Value, json};

/// The series of a dataset, up to the last training observation and after it.
fn dataset(name: &str) -> Option<(TimeSeries, TimeSeries)> {
    let dataset = &golden("datasets.json")?[name];
    let names = dataset["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    let columns = names.map(|name| (name.clone(), numbers(&dataset["v"][&name]))).collect();
    let times = stamps(&dataset["t"]);
    let split = times[usize::try_from(dataset["n_train"].as_u64().unwrap()).unwrap()];
    Some(TimeSeries::from_columns(times, columns).unwrap().bisect(split, false))
}

/// What differs between our scores and Merlion's.
fn differences(what: &str, ours: &Detections, kind: ScoreKind, theirs: &Value, tolerance: f64) -> Vec<String> {
    if theirs.is_null() {
        return Vec::new();
    }
    let (times, expected): (Vec<Timestamp>, Vec<f64>) = (stamps(&theirs["t"]), column(theirs));
    if ours.times != times {
        return vec![format!("{what}: {} times and {}, from {:?}", ours.times.len(), times.len(), ours.times.first())];
    }
    let far = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs().max(1.0);
    let got = ours.scores(kind);
    let worst = got.iter().zip(&expected).map(far).fold(0.0, f64::max);
    let at = got.iter().zip(&expected).position(|pair| far(pair) == worst).unwrap_or(0);
    println!("{what}: {worst:.1e}");
    if worst <= tolerance {
        Vec::new()
    } else {
        vec![format!("{what}: {worst:e} at {at}: {} and {}", got[at], expected[at])]
    }
}

fn compare(label: &str, data: &str, model: &Value, skip_train: bool, tolerance: f64) -> Vec<String> {
    let Some(golden) = golden(&format!("{label}__{data}.json")) else { return Vec::new() };
    let (train, test) = dataset(data).unwrap();
    let mut spec = model.clone();
    spec.as_object_mut().unwrap().extend(golden["kwargs"].as_object().unwrap().clone());
    spec["name"] = model["name"].clone();
    let pipeline = ModelSpec::from_json(&spec).unwrap().build_detector(&Catalog::default(), Compat::Merlion).unwrap();
    let fitted = match pipeline.fit(&train, None, &FitContext::with_seed(0)) {
        Ok(fitted) => fitted,
        Err(error) => return vec![format!("{label} {data}: {error}")],
    };
    let detections = fitted.detect(&test, None).unwrap();
    let mut wrong = Vec::new();
    for (kind, keys) in [
        (ScoreKind::Raw, ["train_scores_raw", "test_scores_raw"]),
        (ScoreKind::Calibrated, ["train_scores_calibrated", "test_scores_calibrated"]),
        (ScoreKind::Alarms, ["train_labels_post_rule", "test_post_rule"]),
    ] {
        for (key, ours) in keys.iter().zip([fitted.train_detections(), &detections]) {
            if !(skip_train && key.starts_with("train")) {
                wrong.extend(differences(&format!("{label} {data} {key}"), ours, kind, &golden[key], tolerance));
            }
        }
    }
    wrong
}

#[test]
fn detectors_of_statistics_score_as_in_merlion() {
    let mut wrong = Vec::new();
    for (label, name, data) in [
        ("StatThreshold", "StatThreshold", "walmart_1_1"),
        ("StatThreshold", "StatThreshold", "walmart_1_1_mv"),
        ("StatThreshold", "StatThreshold", "synth_hourly"),
        ("ZMS", "ZMS", "walmart_1_1"),
        ("ZMS", "ZMS", "synth_hourly"),
        ("ZMS_nlags3", "ZMS", "walmart_1_1"),
        ("ZMS_nlags3", "ZMS", "synth_hourly"),
        ("WindStats", "WindStats", "walmart_1_1"),
        ("WindStats", "WindStats", "synth_hourly"),
        ("WindStats_60", "WindStats", "synth_hourly"),
        ("DynamicBaseline", "DynamicBaseline", "walmart_1_1"),
        ("DynamicBaseline", "DynamicBaseline", "synth_hourly"),
        ("SpectralResidual", "SpectralResidual", "walmart_1_1"),
        ("SpectralResidual", "SpectralResidual", "walmart_1_1_mv"),
        ("SpectralResidual", "SpectralResidual", "synth_hourly"),
        ("SpectralResidual_q5", "SpectralResidual", "walmart_1_1"),
        ("SpectralResidual_q5", "SpectralResidual", "synth_hourly"),
        ("DetectorEnsemble", "DetectorEnsemble", "walmart_1_1"),
        ("DetectorEnsemble", "DetectorEnsemble", "synth_hourly"),
    ] {
        wrong.extend(compare(label, data, &json!({"name": name}), false, 1e-9));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Of several columns nothing is compared: Merlion's update of their scatter is wrong (W-42).
#[test]
fn change_points_are_merlions() {
    let mut wrong = Vec::new();
    for (label, data) in [
        ("BOCPD", "walmart_1_1"),
        ("BOCPD", "synth_hourly"),
        ("BOCPD_Auto", "walmart_1_1"),
        ("BOCPD_LevelShift", "walmart_1_1"),
        ("BOCPD_TrendChange", "walmart_1_1"),
    ] {
        wrong.extend(compare(label, data, &json!({"name": "BOCPD"}), false, 1e-9));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Scores of the test data by exponential smoothing, without those of the training data, which Merlion divides by themselves.
///
/// Where the same model is found at the same optimum, forecasts agree to 1e-3 of their standard error, as `golden_ets.rs` has it; the
/// standard errors of a multiplicative season are those of 1,000 unseeded paths in Merlion, good to a few per cent.
#[test]
fn exponential_smoothing_detects_as_in_merlion() {
    let mut wrong = Vec::new();
    for (label, data, model, tolerance) in [
        ("ETSDetector", "walmart_1_1", json!({"name": "ETSDetector"}), 1e-3),
        ("ETSDetector", "synth_hourly", json!({"name": "ETSDetector"}), 1e-3),
        ("AutoETS_ETSDetector", "walmart_1_1", json!({"name": "AutoETS", "model": {"name": "ETSDetector"}}), 0.1),
        ("AutoETS_ETSDetector", "synth_hourly", json!({"name": "AutoETS", "model": {"name": "ETSDetector"}}), 1e-3),
    ] {
        let Some(golden) = golden(&format!("{label}__{data}.json")) else { return };
        let (train, test) = dataset(data).unwrap();
        let pipeline = ModelSpec::from_json(&model).unwrap().build_detector(&Catalog::default(), Compat::Merlion);
        let fitted = pipeline.unwrap().fit(&train, None, &FitContext::with_seed(0)).unwrap();
        let detections = fitted.detect(&test, None).unwrap();
        for (kind, key) in [(ScoreKind::Raw, "test_scores_raw"), (ScoreKind::Alarms, "test_post_rule")] {
            let what = format!("{label} {data} {key}");
            wrong.extend(differences(&what, &detections, kind, &golden[key], tolerance));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
