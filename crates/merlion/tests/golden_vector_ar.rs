//! VectorAR against Merlion: statsmodels' estimates, forecasts, errors and in-sample predictions.

#![expect(clippy::unwrap_used, reason = "a test helper that finds no reference data fails the test")]

use merlion::models::{
    Catalog, Compat, DynFittedForecaster, FitContext, Forecast, InSample, ModelSpec, Request, TrainInput,
};
use merlion::pipeline::{FittedForecastPipeline, Target};
use merlion::time::{Granularity, Timestamp};
use serde_json::Value;

mod reference;
use reference::{column, golden, number, numbers, stamps};

/// Largest difference over the largest expected magnitude.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0f64, |scale, e| scale.max(e.abs()));
    got.iter().zip(expected).map(|(g, e)| (g - e).abs() / scale).fold(0.0, f64::max)
}

fn spec(golden: &Value) -> ModelSpec {
    let mut json = golden["kwargs"].clone();
    json["name"] = golden["model"].clone();
    ModelSpec::from_json(&json).unwrap()
}

/// The columns of a dataset's first rows, the target first.
fn columns(golden: &Value, datasets: &Value, rows: Option<usize>) -> (Vec<Timestamp>, Vec<(String, Vec<f64>)>) {
    let data = &datasets[golden["dataset"].as_str().unwrap()];
    let n = rows.unwrap_or(data["n_train"].as_u64().unwrap() as usize);
    let column = |name: &Value| {
        let name = name.as_str().unwrap();
        (name.to_owned(), numbers(&data["v"][name])[..n].to_vec())
    };
    let columns = data["columns"].as_array().unwrap().iter().map(column).collect();
    (stamps(&data["t"])[..n].to_vec(), columns)
}

fn trained(golden: &Value, datasets: &Value) -> FittedForecastPipeline {
    let (times, columns) = columns(golden, datasets, None);
    let series = merlion::series::TimeSeries::from_columns(times, columns).unwrap();
    let pipeline = spec(golden).build(&Catalog::default(), Compat::Merlion).unwrap();
    pipeline.fit(&series, &FitContext::default()).unwrap()
}

// Both solve the same linear equations; what differs is rounding, and where the turns between Yule-Walker and least squares end
// (statsmodels: when no term moves by 1e-8, in the units of the data).
const TOLERANCE: f64 = 1e-6;

#[test]
fn forecasts_and_errors_are_merlions() {
    let Some(datasets) = golden("datasets.json") else { return };
    for label in
        ["VectorAR__synth_hourly", "VectorAR__walmart_1_1", "VectorAR_default__walmart_1_1", "VectorAR__walmart_1_1_mv"]
    {
        let Some(golden) = golden(&format!("{label}.json")) else { continue };
        let fitted = trained(&golden, &datasets);
        let Forecast { mean, stderr, .. } =
            fitted.forecast(Target::Times(&stamps(&golden["time_stamps"])), &[]).unwrap().forecast;
        let InSample { mean: train, stderr: train_err } = fitted.in_sample().1;
        // Merlion's error of the training data is a variance when there are several columns, and not that of one step (W-29).
        let sigma = match golden["params"]["statsmodels"]["sigma_u"].as_array() {
            Some(rows) => vec![number(&rows[0][0]).sqrt(); train.len()],
            None => column(&golden["train_err"]),
        };
        let apart = [
            distance(&mean, &column(&golden["forecast"])),
            distance(&stderr.unwrap(), &column(&golden["forecast_err"])),
            distance(&train, &column(&golden["train_pred"])),
            distance(&train_err.unwrap(), &sigma),
        ];
        let [forecast, error, in_sample, sigma] = apart;
        println!("{label:32} apart: {forecast:.0e}, errors {error:.0e}, train {in_sample:.0e}, errors {sigma:.0e}");
        assert!(apart.iter().all(|apart| *apart < TOLERANCE), "{label}: {apart:?}");
    }
}

#[test]
fn coefficients_are_those_of_statsmodels() {
    let Some(datasets) = golden("datasets.json") else { return };
    let Some(one) = golden("VectorAR__walmart_1_1.json") else { return };
    let state = trained(&one, &datasets).state();
    let got = &state["equations"]["one"];
    let mut all = numbers(&got["regression"]);
    all.extend(numbers(&got["autoregression"]));
    all.push(number(&got["sigma"]).powi(2));
    for (name, (got, expected)) in all.iter().zip(numbers(&one["params"]["statsmodels"]["params"])).enumerate() {
        assert!((got / expected - 1.0).abs() < TOLERANCE, "parameter {name}: {got} for {expected}");
    }
    let Some(several) = golden("VectorAR__walmart_1_1_mv.json") else { return };
    let state = trained(&several, &datasets).state();
    let equations = state["equations"]["several"]["equations"].as_array().unwrap();
    for (at, expected) in several["params"]["statsmodels"]["params"].as_array().unwrap().iter().enumerate() {
        for (column, expected) in numbers(expected).into_iter().enumerate() {
            let got = number(&equations[column][at]);
            assert!((got / expected - 1.0).abs() < TOLERANCE, "column {column}, term {at}: {got} for {expected}");
        }
    }
}

#[test]
fn newer_data_are_continued_as_in_merlion() {
    let Some(datasets) = golden("datasets.json") else { return };
    for label in ["VectorAR__synth_hourly", "VectorAR__walmart_1_1", "VectorAR__walmart_1_1_mv"] {
        let Some(golden) = golden(&format!("{label}.json")) else { continue };
        let expected = &golden["forecast_prev"];
        let rows = expected["prev_rows"].as_u64().unwrap() as usize;
        let (got, stderr) = continued(&golden, &datasets, rows, &stamps(&expected["time_stamps"]));
        let apart = [distance(&got, &column(&expected["forecast"])), distance(&stderr, &column(&expected["err"]))];
        assert!(apart.iter().all(|apart| *apart < TOLERANCE), "{label}: {apart:?}");
    }
}

/// What the model itself says, trained on the first rows and given more of them.
fn continued(golden: &Value, datasets: &Value, rows: usize, asked: &[Timestamp]) -> (Vec<f64>, Vec<f64>) {
    let parameters = spec(golden).parameters;
    let model = Catalog::default().get("VectorAR").unwrap().build(parameters, Compat::Merlion).unwrap();
    let context = FitContext::default();
    let with = |n: Option<usize>, then: &mut dyn FnMut(TrainInput<'_>)| {
        let (times, columns) = columns(golden, datasets, n);
        let values: Vec<Vec<f64>> = columns.into_iter().map(|(_, values)| values).collect();
        let granularity = Granularity::infer(&times).unwrap();
        let (target, covariates) = values.split_first().unwrap();
        then(TrainInput { times: &times, target, covariates, exog: &[], granularity: &granularity });
    };
    let mut fitted: Option<Box<dyn DynFittedForecaster>> = None;
    with(None, &mut |input| fitted = Some(model.fit(&input, &context).unwrap()));
    let mut answer = None;
    with(Some(rows), &mut |history| {
        let request = Request { times: asked, history: Some(history), exog: &[], levels: &[], context: &context };
        answer = Some(fitted.as_ref().unwrap().forecast(&request).unwrap());
    });
    let Forecast { mean, stderr, .. } = answer.unwrap();
    (mean, stderr.unwrap())
}
