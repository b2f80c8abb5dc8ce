//! MSES against Merlion: predictions over the training data, forecasts, and forecasts after newer data.

use merlion::models::forecast::mses::Mses;
use merlion::models::{FitContext, FittedForecaster, Forecaster, Request, TrainInput};
use merlion::time::{Granularity, Offset, Timestamp};

mod reference;
use reference::{column, golden, json, numbers};

/// Largest difference over the largest expected magnitude.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0f64, |scale, e| scale.max(e.abs()));
    got.iter().zip(expected).map(|(g, e)| (g - e).abs() / scale).fold(0.0, f64::max)
}

fn input<'a>(times: &'a [Timestamp], y: &'a [f64], granularity: &'a Granularity) -> TrainInput<'a> {
    TrainInput { times, target: y, covariates: &[], exog: &[], granularity }
}

// The goldens have fifteen figures, and there is no optimiser: what is left is the order of a few sums, and what a softmax of
// errors in units of the data (up to 1e9) makes of it.
#[test]
fn everything_is_as_in_merlion() {
    let Some(datasets) = json("golden/datasets.json") else { return };
    for dataset in ["walmart_1_1", "synth_hourly"] {
        let Some(golden) = golden(&format!("MSES__{dataset}.json")) else { return };
        let data = &datasets[dataset];
        let y = numbers(&data["v"][data["columns"][0].as_str().unwrap()]);
        let n = data["n_train"].as_u64().unwrap() as usize;
        // Only the order of the times counts.
        let times: Vec<Timestamp> = (0..2 * y.len() as i64).map(Timestamp::from_nanos).collect();
        let granularity = Granularity::of(Offset::Fixed(1));
        let steps = golden["kwargs"]["max_forecast_steps"].as_u64().map(|steps| steps as usize);
        let model = Mses::default().into_merlion().with_max_forecast_steps(steps);
        let context = FitContext::default();
        let fitted = model.fit(&input(&times[..n], &y[..n], &granularity), &context).unwrap();

        let in_sample = fitted.in_sample();
        let ahead = |history: Option<usize>, horizon: usize| {
            let last = history.unwrap_or(n);
            let request = Request {
                times: &times[last..last + horizon],
                history: history.map(|rows| input(&times[..rows], &y[..rows], &granularity)),
                exog: &[],
                levels: &[],
                context: &context,
            };
            fitted.forecast(&request).unwrap()
        };
        let forecast = ahead(None, steps.unwrap());
        let prev = &golden["forecast_prev"];
        let moved = ahead(Some(prev["prev_rows"].as_u64().unwrap() as usize), column(&prev["forecast"]).len());
        for (what, got, expected) in [
            ("train", &in_sample.mean, &golden["train_pred"]),
            ("train errors", in_sample.stderr.as_ref().unwrap(), &golden["train_err"]),
            ("forecast", &forecast.mean, &golden["forecast"]),
            ("errors", forecast.stderr.as_ref().unwrap(), &golden["forecast_err"]),
            ("forecast from newer data", &moved.mean, &prev["forecast"]),
            ("errors from newer data", moved.stderr.as_ref().unwrap(), &prev["err"]),
        ] {
            let apart = distance(got, &column(expected));
            println!("{dataset:12} {what:24} {apart:.0e}");
            assert!(apart < 1e-9, "{dataset}, {what}: {apart:e}\n{got:?}\n{expected}");
        }
    }
}
