use super::super::naive::tests::{days, fit, forecast};
use super::*;
use crate::math::rng::{standard_normal, stream};
use crate::time::{Granularity, Offset};

const DAILY: Granularity = Granularity { step: Offset::Fixed(86_400_000_000_000), phase: 0 };

fn fit_columns(model: &VectorAr, columns: &[Vec<f64>], exog: &[Vec<f64>]) -> Result<FittedVectorAr, ModelError> {
    let times = days(0..columns[0].len() as i64);
    let input = TrainInput { times: &times, target: &columns[0], covariates: &columns[1..], exog, granularity: &DAILY };
    model.fit(&input, &FitContext::default())
}

fn ask(fitted: &FittedVectorAr, horizon: usize, exog: &[Vec<f64>]) -> Result<Forecast, ModelError> {
    let times = days(1000..1000 + horizon as i64);
    let context = FitContext::default();
    fitted.forecast(&Request { times: &times, history: None, exog, levels: &[], context: &context })
}

fn lags(maxlags: usize) -> VectorAr {
    VectorAr { maxlags: Some(maxlags), ..VectorAr::default() }
}

/// An AR(2) around 50.
fn wave(n: usize) -> Vec<f64> {
    let mut rng = stream(5, 1);
    let mut y = vec![50.0, 51.0];
    for _ in 2..n {
        let [.., a, b] = y[..] else { unreachable!() };
        y.push(50.0 + 1.2 * (b - 50.0) - 0.7 * (a - 50.0) + standard_normal(&mut rng));
    }
    y
}

fn close(got: &[f64], expected: &[f64], tolerance: f64) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * b.abs().max(1.0);
    assert!(got.len() == expected.len() && got.iter().zip(expected).all(near), "{got:?}\nexpected {expected:?}");
}

#[test]
fn the_coefficients_of_a_long_series_are_found() {
    let fitted = fit(&lags(2), &wave(4000)).unwrap();
    let json = serde_json::to_value(&fitted).unwrap();
    let one = &json["equations"]["one"];
    let numbers = |key: &str| one[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
    // Their standard errors are √((1 - 0.49) / 4000) = 0.011, that of the mean 1 / (0.5 √4000) = 0.03.
    close(&numbers("autoregression"), &[1.2, -0.7], 0.04);
    close(&numbers("regression"), &[50.0], 0.002);
    close(&[one["sigma"].as_f64().unwrap()], &[1.0], 0.04);
}

// By hand: ψ = 1, φ1, φ1² + φ2.
#[test]
fn forecasts_return_to_the_mean_and_errors_grow_to_the_deviation() {
    let y = wave(300);
    let fitted = fit(&lags(2), &y).unwrap();
    let got = forecast(&fitted, 200, None);
    let Equations::One(one) = &fitted.equations else { panic!("{fitted:?}") };
    let json = serde_json::to_value(one).unwrap();
    let number = |pointer: &str| json.pointer(pointer).unwrap().as_f64().unwrap();
    let (mean, a, b) = (number("/regression/0"), number("/autoregression/0"), number("/autoregression/1"));
    let first = mean + a * (y[299] - mean) + b * (y[298] - mean);
    let second = mean + a * (first - mean) + b * (y[299] - mean);
    close(&got.mean[..2], &[first, second], 1e-12);
    close(&got.mean[199..], &[mean], 1e-9);
    let (stderr, sigma) = (got.stderr.unwrap(), number("/sigma"));
    let response = [1.0, a, a * a + b];
    let third = sigma * response.iter().map(|psi| psi * psi).sum::<f64>().sqrt();
    close(&stderr[..3], &[sigma, sigma * (1.0 + a * a).sqrt(), third], 1e-12);
    assert!(stderr.is_sorted());
    let deviation = (y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 300.0).sqrt();
    close(&stderr[199..], &[deviation], 1e-3);
}

#[test]
fn in_sample_predictions_are_the_forecasts_of_their_time() {
    let y = wave(60);
    let fitted = fit(&lags(3), &y).unwrap();
    let in_sample = fitted.in_sample();
    let history = |n: usize| forecast(&fitted, 1, Some((1000, &y[..n]))).mean[0];
    // The days of this history are newer than the training data, and three of them are all the model looks at.
    for t in [3, 10, 59] {
        close(&[in_sample.mean[t]], &[history(t)], 1e-12);
    }
    let Equations::One(one) = &fitted.equations else { panic!("{fitted:?}") };
    assert_eq!(in_sample.mean[0], serde_json::to_value(one).unwrap()["regression"][0].as_f64().unwrap());
}

#[test]
fn a_regressor_is_told_from_the_waves() {
    let mut rng = stream(6, 1);
    let x: Vec<f64> = (0..200).map(|_| standard_normal(&mut rng)).collect();
    let y: Vec<f64> = wave(200).iter().zip(&x).map(|(y, x)| y + 8.0 * x).collect();
    let at = |fitted: &FittedVectorAr, x: f64| ask(fitted, 1, &[vec![x]]).unwrap().mean[0];
    // The standard error of the slope is 1/√200 at most.
    let fitted = fit_columns(&lags(2), std::slice::from_ref(&y), std::slice::from_ref(&x)).unwrap();
    close(&[at(&fitted, 1.0) - at(&fitted, 0.0)], &[8.0], 0.03);
    let other: Vec<f64> = (0..200).map(|_| standard_normal(&mut rng)).collect();
    let fitted = fit_columns(&lags(2), &[y, other], &[x]).unwrap();
    close(&[at(&fitted, 1.0) - at(&fitted, 0.0)], &[8.0], 0.03);
    assert!(matches!(ask(&fitted, 1, &[]), Err(ModelError::Request(_))));
    assert!(matches!(ask(&fitted, 2, &[vec![1.0]]), Err(ModelError::Request(_))));
}

// y is x a step before; x is noise. The error of y is that of rounding for a step, and that of x afterwards.
#[test]
fn one_column_foretells_another() {
    let mut rng = stream(7, 1);
    let x: Vec<f64> = (0..100).map(|_| standard_normal(&mut rng)).collect();
    let y: Vec<f64> = std::iter::once(0.0).chain(x[..99].iter().map(|x| 3.0 * x)).collect();
    let fitted = fit_columns(&lags(2), &[y.clone(), x.clone()], &[]).unwrap();
    let got = ask(&fitted, 3, &[]).unwrap();
    close(&got.mean[..1], &[3.0 * x[99]], 1e-9);
    let stderr = got.stderr.unwrap();
    assert!(stderr[0] < 1e-9 && (2.4..3.6).contains(&stderr[1]), "{stderr:?}");
    let in_sample = fitted.in_sample();
    close(&in_sample.mean, &y, 1e-9);
}

#[test]
fn newer_rows_are_what_several_columns_continue() {
    let mut rng = stream(8, 1);
    let columns: Vec<Vec<f64>> = (0..2).map(|_| (0..80).map(|_| standard_normal(&mut rng)).collect()).collect();
    let fitted = fit_columns(&lags(3), &columns.iter().map(|c| c[..70].to_vec()).collect::<Vec<_>>(), &[]).unwrap();
    let (times, asked, context) = (days(60..80), days(80..82), FitContext::default());
    let history = TrainInput {
        times: &times,
        target: &columns[0][60..],
        covariates: &[columns[1][60..].to_vec()],
        exog: &[],
        granularity: &DAILY,
    };
    let request = Request { times: &asked, history: Some(history), exog: &[], levels: &[], context: &context };
    let moved = fitted.forecast(&request).unwrap();
    // Only the last three rows matter, wherever they stand.
    let Equations::Several(mut several) = fitted.equations.clone() else { panic!() };
    let newest: Vec<&[f64]> = columns.iter().map(|column| &column[77..]).collect();
    let (mean, stderr) = several.forecast(&Newer { columns: newest, exog: Vec::new() }, &[], 2);
    assert_eq!((moved.mean, moved.stderr.unwrap()), (mean, stderr));
    several = Multivariate::fit(&[&columns[0], &columns[1]], &[], 3, &context).unwrap();
    assert_ne!(serde_json::to_value(several).unwrap(), serde_json::to_value(&fitted.equations).unwrap());
    let few = TrainInput { covariates: &[], ..history };
    let request = Request { history: Some(few), ..request };
    assert!(matches!(fitted.forecast(&request), Err(ModelError::Request(_))));
}

#[test]
fn lags_are_as_many_as_the_series_has_equations_for() {
    let steps = |max_forecast_steps| VectorAr { maxlags: None, max_forecast_steps };
    assert_eq!(steps(None).lags(150, 1, 0), Ok(15));
    assert_eq!(steps(None).lags(1000, 3, 0), Ok(20));
    assert_eq!(steps(Some(27)).lags(150, 1, 0), Ok(27));
    assert_eq!(steps(None).lags(5, 1, 0), Ok(1));
    // 20 observations of 2 columns: 6 lags leave 14 rows for 13 coefficients.
    assert_eq!(steps(Some(27)).lags(20, 2, 0), Ok(6));
    assert_eq!(steps(Some(27)).lags(20, 1, 0), Ok(19));
    assert_eq!(lags(7).lags(20, 2, 0), Err(ModelError::TooShort { got: 20, needed: 23 }));
    assert_eq!(lags(5).lags(5, 1, 0), Err(ModelError::TooShort { got: 5, needed: 6 }));
    assert!(VectorAr { maxlags: Some(0), ..VectorAr::default() }.validate().is_err());
}

#[test]
fn constant_columns_are_in_nobodys_way() {
    let y = wave(100);
    let flat = fit(&VectorAr::default(), &[4.2; 50]).unwrap();
    let got = forecast(&flat, 3, None);
    close(&got.mean, &[4.2; 3], 1e-12);
    assert!(got.stderr.unwrap().iter().all(|s| *s < 1e-12));
    let alone = fit_columns(&lags(2), &[y.clone(), wave(101)[1..].to_vec()], &[]).unwrap();
    let with =
        fit_columns(&lags(2), &[y.clone(), wave(101)[1..].to_vec(), vec![0.1; 100], vec![0.0; 100]], &[]).unwrap();
    close(&ask(&with, 5, &[]).unwrap().mean, &ask(&alone, 5, &[]).unwrap().mean, 1e-9);
}

#[test]
fn what_grows_beyond_all_numbers_is_an_error() {
    let grow = |start: f64| (0..30).map(|t| start * 2f64.powi(t)).collect::<Vec<_>>();
    let fitted = fit_columns(&lags(1), &[grow(1.0), grow(3.0)], &[]).unwrap();
    assert!(ask(&fitted, 10, &[]).is_ok());
    assert!(matches!(ask(&fitted, 5000, &[]), Err(ModelError::Numerical(_))));
}
