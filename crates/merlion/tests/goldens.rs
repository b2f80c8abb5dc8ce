//! The library against Python Merlion on this project's own data: what `goldens/make_weekly_sales.py` wrote. The larger comparisons
//! (`golden_*.rs`) need a reference that is not part of the project; these run anywhere.

#![expect(
    clippy::unwrap_used,
    reason = "a golden of another shape than expected should stop the test where it is read"
)]

use merlion::evaluate::{ForecastMetric, ForecastScore};
use merlion::hierarchy::{MinTrace, SumTree};
use merlion::models::{Catalog, Compat, FitContext, ModelSpec};
use merlion::pipeline::Target;
use merlion::seasonality::{Options, Test, detect};
use merlion::series::TimeSeries;
use merlion::transform::TransformSpec;
use serde_json::Value;

mod reference;
use reference::{column, numbers, series, stamps};

fn goldens() -> Value {
    serde_json::from_str(include_str!("goldens/weekly_sales.json")).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Largest difference over the largest expected magnitude.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0f64, |scale, e| scale.max(e.abs()));
    got.iter().zip(expected).map(|(g, e)| (g - e).abs() / scale).fold(0.0, f64::max)
}

/// The likelihood of the fitted ETS inside a pipeline's state, however deep.
fn log_likelihood(state: &Value) -> Option<f64> {
    match state {
        Value::Object(map) => {
            map.get("log_likelihood").and_then(Value::as_f64).or_else(|| map.values().find_map(log_likelihood))
        }
        _ => None,
    }
}

/// In Merlion's mode estimates are emulated, so that forecasts are the same but for where statsmodels' optimiser stops: 1e-3 of the
/// largest value. Errors of multiplicative models are simulated there and not compared. Otherwise the maximum of the likelihood is
/// looked for, and it is at least what statsmodels found.
#[test]
fn models_forecast_what_merlion_does() {
    let goldens = goldens();
    for case in list(&goldens["models"]) {
        let spec = ModelSpec::from_json(&case["model"]).unwrap();
        let data = series(&goldens["series"][case["series"].as_str().unwrap()]);
        let fit = |compat| spec.build(&Catalog::default(), compat).unwrap().fit(&data, &FitContext::default()).unwrap();
        let fitted = fit(Compat::Merlion);
        let label = format!("{} of {}", case["model"], case["series"]);
        let (loglik, theirs) = (log_likelihood(&fit(Compat::None).state()).unwrap(), case["loglik"].as_f64().unwrap());
        let timed = fitted.forecast(Target::Steps(list(&case["forecast"]).len()), &[]).unwrap();
        assert_eq!(timed.times, stamps(&case["t"]), "{label}");
        let apart = distance(&timed.forecast.mean, &numbers(&case["forecast"]));
        println!("{label}: loglik {loglik:.4} vs {theirs:.4}, forecasts {apart:.1e} apart");
        // The automatic models see the year in the data and choose another model.
        let chooses = case["model"]["name"] != "ETS";
        assert!(chooses || loglik > theirs - 1e-3, "{label}: loglik {loglik} vs {theirs}");
        // With a season of 52 statsmodels stops a hundred below the maximum, wherever its steps have led it.
        let lost = !case["model"]["seasonal_periods"].is_null();
        assert!(lost || apart < 1e-3, "{label}: {:?} vs {}", timed.forecast.mean, case["forecast"]);
    }
}

/// Arithmetic on 143 values: 1e-9 leaves room for nothing but the order of summation.
#[test]
fn transforms_and_their_inverses_are_merlions() {
    let goldens = goldens();
    for case in list(&goldens["transforms"]) {
        let data = series(&goldens["series"][case["series"].as_str().unwrap()]);
        let fitted = TransformSpec::from_json(&case["transform"]).unwrap().fit(&data).unwrap();
        let (transformed, state) = fitted.apply_with_state(&data).unwrap();
        let inverted = fitted.invert_as_merlion(&transformed, &state).unwrap();
        for (what, got, expected) in
            [("transformed", &transformed, &case["output"]), ("inverted", &inverted, &case["inverted"])]
        {
            let label = format!("{} of {} {what}", case["transform"], case["series"]);
            let got: &TimeSeries = got;
            assert_eq!(got.univariates()[0].times(), stamps(&expected["t"]), "{label}");
            let values = got.univariates()[0].values();
            let apart = distance(values, &column(expected));
            assert!(apart < 1e-9, "{label}: {apart:e} apart: {values:?} vs {expected}");
        }
    }
}

#[test]
fn seasons_are_merlions() {
    let goldens = goldens();
    for case in list(&goldens["seasonality"]) {
        let y = column(&goldens["series"][case["series"].as_str().unwrap()]);
        let strategy = serde_json::from_value(case["strategy"].clone()).unwrap();
        let options = Options { strategy, pval: 0.05, max_lag: None, test: Test::Merlion };
        let found = detect(&y, &options, &FitContext::default()).unwrap();
        assert_eq!(serde_json::json!(found), case["value"], "{} {}", case["series"], case["strategy"]);
    }
}

#[test]
fn metrics_are_merlions() {
    let golden = &goldens()["metrics"];
    let score = ForecastScore::new(&series(&golden["truth"]), &series(&golden["predict"]), None).unwrap();
    for (name, expected) in golden["values"].as_object().unwrap() {
        let metric: ForecastMetric = serde_json::from_value(name.clone().into()).unwrap();
        let (got, expected) = (score.value(metric).unwrap(), expected.as_f64().unwrap());
        assert!((got / expected - 1.0).abs() < 1e-9, "{name}: {got}, expected {expected}");
    }
}

#[test]
fn reconciled_forecasts_are_merlions() {
    let golden = &goldens()["hierarchy"];
    let parents: Vec<Option<usize>> =
        list(&golden["parents"]).iter().map(|p| p.as_u64().map(|p| usize::try_from(p).unwrap())).collect();
    // The function of Python's library wants leaves last, ours first.
    let order: Vec<usize> = (0..parents.len()).rev().collect();
    let parents: Vec<Option<usize>> = order.iter().map(|&at| parents[at].map(|p| parents.len() - 1 - p)).collect();
    let tree = SumTree::from_parents(&parents).unwrap();
    for time in 0..list(&golden["means"][0]).len() {
        let at =
            |what: &str| -> Vec<f64> { order.iter().map(|&row| golden[what][row][time].as_f64().unwrap()).collect() };
        let got = MinTrace::default().reconcile(&tree, &at("means"), Some(&at("errs"))).unwrap();
        let apart = distance(&got.mean, &at("reconciled"));
        assert!(apart < 1e-9, "time {time}: {:?} vs {:?}", got.mean, at("reconciled"));
    }
}
