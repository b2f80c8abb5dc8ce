//! The pipeline around detectors: what labels, settings and limits do.

use super::*;
use crate::models::{Catalog, ModelSpec};
use crate::postprocess::{Labels, Objective};
use crate::time::testing::seconds;

/// How many labelled times have an alarm, less those that have one without a label.
#[derive(Debug)]
struct Hits;

impl Objective for Hits {
    fn value(&self, truth: &Labels, _: &[Timestamp], alarms: &[f64], _: Option<i64>, _: Option<i64>) -> f64 {
        let fired = truth.anomalous.iter().zip(alarms).filter(|(_, alarm)| **alarm != 0.0);
        fired.map(|(anomalous, _)| if *anomalous { 1.0 } else { -1.0 }).sum()
    }
}

#[test]
fn labels_of_the_training_data_move_the_threshold() {
    let times: Vec<i64> = (0..200).map(|hour| 3600 * hour).collect();
    let (times, strange) = (seconds(&times), [60, 61, 140]);
    let values: Vec<f64> = (0..200).map(|t| f64::from(t % 7) + if strange.contains(&t) { 9.0 } else { 0.0 }).collect();
    let series = TimeSeries::from_columns(times.clone(), vec![("y".to_owned(), values)]).unwrap();
    let labels = Labels { times, anomalous: (0..200).map(|t| strange.contains(&t)).collect() };
    let supervision =
        Supervision { labels: &labels, objective: &Hits, max_early: None, max_delay: None, min_allowed_score: None };
    let json = json!({"name": "StatThreshold", "threshold": {"name": "Threshold", "alm_threshold": 50}});
    let pipeline = ModelSpec::from_json(&json).unwrap().build_detector(&Catalog::default(), Compat::None).unwrap();
    let alarms = |supervision| {
        let fitted = pipeline.fit(&series, supervision, &FitContext::default()).unwrap();
        let alarms = &fitted.train_detections().alarms;
        (0..200).filter(|&t| alarms[t] != 0.0).collect::<Vec<_>>()
    };
    assert_eq!(alarms(None), Vec::<usize>::new());
    assert_eq!(alarms(Some(&supervision)), strange.map(|t| t as usize));
}

#[test]
fn parameters_without_a_use_are_refused() {
    for (json, words) in [
        (json!({"name": "ZMS", "max_forecast_steps": 3}), "ZMS has no parameter 'max_forecast_steps'"),
        (json!({"name": "ZMS", "invert_transform": true}), "after the transform"),
        (json!({"name": "ZMS", "max_score": -1}), "max_score is a positive number or null, not -1"),
        (json!({"name": "ZMS", "enable_threshold": 1}), "enable_threshold is true, false or null, not 1"),
    ] {
        let built = ModelSpec::from_json(&json).and_then(|spec| spec.build_detector(&Catalog::default(), Compat::None));
        let error = built.map(|_| "accepted").unwrap_err().to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
}

#[test]
fn more_steps_than_allowed_are_not_compared() {
    let series = |from: i64, n: i64| {
        let times = (from..from + n).map(|day| 86_400 * day).collect::<Vec<_>>();
        let values = (from..from + n).map(|day| (day % 3) as f64).collect();
        TimeSeries::from_columns(seconds(&times), vec![("y".to_owned(), values)]).unwrap()
    };
    let json = json!({"name": "ETSDetector", "max_forecast_steps": 3});
    let pipeline = ModelSpec::from_json(&json).unwrap().build_detector(&Catalog::default(), Compat::None).unwrap();
    let fitted = pipeline.fit(&series(0, 30), None, &FitContext::default()).unwrap();
    assert_eq!(fitted.detect(&series(30, 3), None).map(|detections| detections.times.len()), Ok(3));
    let error = fitted.detect(&series(30, 4), None).unwrap_err().to_string();
    assert_eq!(error, "4 steps to compare, max_forecast_steps is 3");
}
