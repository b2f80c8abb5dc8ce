use super::*;
use crate::time::{Granularity, Offset};

/// A regression that returns a linear function of its features for each output, so that what is fed to it shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Linear(Vec<Vec<f64>>);

impl Regressor for Linear {
    fn predict(&self, features: &[f64], outputs: &mut [f64]) {
        for (output, weights) in outputs.iter_mut().zip(&self.0) {
            assert_eq!(weights.len(), features.len());
            *output = weights.iter().zip(features).map(|(w, x)| w * x).sum();
        }
    }
}

fn days(n: i64, from: i64) -> Vec<Timestamp> {
    (from..from + n).map(|day| Timestamp::from_nanos(day * 86_400_000_000_000)).collect()
}

const DAILY: Granularity = Granularity { step: Offset::Fixed(86_400_000_000_000), phase: 0 };

fn with<T>(columns: &[Vec<f64>], exog: &[Vec<f64>], from: i64, then: impl FnOnce(TrainInput<'_>) -> T) -> T {
    let times = days(columns[0].len() as i64, from);
    then(TrainInput { times: &times, target: &columns[0], covariates: &columns[1..], exog, granularity: &DAILY })
}

const PLAIN: Autoregression =
    Autoregression { maxlags: Some(2), prediction_stride: 1, max_forecast_steps: None, features: Features::Aligned };

/// What a regression is taught: features by row, targets by row.
type Lesson = (Vec<Vec<f64>>, Vec<Vec<f64>>);

fn by_row(columns: &[&[f64]]) -> Vec<Vec<f64>> {
    (0..columns[0].len()).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
}

/// Trains, with these weights for what comes out.
fn fit(
    settings: Autoregression,
    columns: &[Vec<f64>],
    exog: &[Vec<f64>],
    weights: &[&[f64]],
) -> (FittedAutoregression<Linear>, Lesson) {
    let mut lesson = (Vec::new(), Vec::new());
    let linear = Linear(weights.iter().map(|weights| weights.to_vec()).collect());
    let fitted = with(columns, exog, 0, |input| {
        settings.fit(&input, &FitContext::default(), |features, targets| {
            lesson = (by_row(features), by_row(targets));
            Ok(linear)
        })
    });
    (fitted.unwrap(), lesson)
}

fn forecast(
    fitted: &FittedAutoregression<Linear>,
    horizon: usize,
    exog: &[Vec<f64>],
    history: Option<TrainInput<'_>>,
) -> Result<Vec<f64>, ModelError> {
    let times = days(horizon as i64, 1000);
    let context = FitContext::default();
    let request = Request { times: &times, history, exog, levels: &[], context: &context };
    fitted.forecast(&request).map(|forecast| forecast.mean)
}

#[test]
fn one_column_is_windows_and_what_follows() {
    let y = vec![vec![1.0, 2.0, 3.0, 4.0, 5.0]];
    let (fitted, (features, targets)) = fit(PLAIN, &y, &[], &[&[10.0, 1.0]]);
    assert_eq!(features, [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]);
    assert_eq!(targets, [[3.0], [4.0], [5.0]]);
    assert_eq!(fitted.in_sample().mean, [1.0, 2.0, 12.0, 23.0, 34.0]);
    // 45, then of (5, 45).
    assert_eq!(forecast(&fitted, 2, &[], None).unwrap(), [45.0, 95.0]);
    assert_eq!(forecast(&fitted, 0, &[], None).unwrap(), [0.0; 0]);
}

#[test]
fn several_values_at_once_become_observations_together() {
    let y = vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]];
    let settings = Autoregression { prediction_stride: 3, ..PLAIN };
    let (fitted, (features, targets)) = fit(settings, &y, &[], &[&[1.0, 0.0], &[0.0, 1.0], &[1.0, 1.0]]);
    assert_eq!(features, [[1.0, 2.0], [2.0, 3.0]]);
    assert_eq!(targets, [[3.0, 4.0, 5.0], [4.0, 5.0, 6.0]]);
    // Rows whose future is not all known are predicted, too.
    assert_eq!(fitted.in_sample().mean, [1.0, 2.0, 1.0, 2.0, 3.0, 4.0]);
    // Of (5, 6): 5, 6, 11; of (6, 11): 6, 11, 17.
    assert_eq!(forecast(&fitted, 5, &[], None).unwrap(), [5.0, 6.0, 11.0, 6.0, 11.0]);
}

#[test]
fn several_columns_are_all_predicted_a_step_at_a_time() {
    let columns = vec![vec![1.0, 2.0, 3.0, 4.0], vec![10.0, 20.0, 30.0, 40.0]];
    // The features are y, x, y, x; the next y is the older x, the next x the sum of the newer y and x.
    let weights: [&[f64]; 2] = [&[0.0, 1.0, 0.0, 0.0], &[0.0, 0.0, 1.0, 1.0]];
    let (fitted, (features, targets)) = fit(PLAIN, &columns, &[], &weights);
    assert_eq!(features, [[1.0, 10.0, 2.0, 20.0], [2.0, 20.0, 3.0, 30.0]]);
    assert_eq!(targets, [[3.0, 30.0], [4.0, 40.0]]);
    assert_eq!(fitted.in_sample().mean, [1.0, 2.0, 10.0, 20.0]);
    // (3, 30, 4, 40) gives 30 and 44; (4, 40, 30, 44) gives 40 and 74; (30, 44, 40, 74) gives 44.
    assert_eq!(forecast(&fitted, 3, &[], None).unwrap(), [30.0, 40.0, 44.0]);
}

// The example of Merlion's mistake with lags: [a1, b1, a2, b2, a3, b3] and the next (a4, b4) become [b1, a2, a4, a3, b3, b4], for the
// first row is taken for the lags of a and the second for those of b.
#[test]
fn merlions_layout_takes_times_for_columns_from_the_second_step_on() {
    let columns = vec![vec![0.0, 1.0, 2.0, 3.0], vec![0.0, 10.0, 20.0, 30.0]];
    let digits: [&[f64]; 2] = [&[1.0, 1e2, 1e4, 1e6, 1e8, 1e10], &[0.0; 6]];
    let merlion = Autoregression { maxlags: Some(3), features: Features::Merlion, ..PLAIN };
    let (fitted, _) = fit(merlion, &columns, &[], &digits);
    let got = forecast(&fitted, 2, &[], None).unwrap();
    // a1 = 1, b1 = 10, a2 = 2, b2 = 20, a3 = 3, b3 = 30.
    let first = 1.0 + 10e2 + 2e4 + 20e6 + 3e8 + 30e10;
    assert_eq!(got, [first, 10.0 + 2e2 + first * 1e4 + 3e6 + 30e8]);
    let (fitted, _) = fit(Autoregression { features: Features::Aligned, ..merlion }, &columns, &[], &digits);
    assert_eq!(forecast(&fitted, 2, &[], None).unwrap(), [first, 2.0 + 20e2 + 3e4 + 30e6 + first * 1e8]);
}

#[test]
fn a_stride_over_several_columns_is_one_shot_at_the_target() {
    let columns = vec![vec![1.0, 2.0, 3.0, 4.0, 5.0], vec![10.0, 20.0, 30.0, 40.0, 50.0]];
    let settings = Autoregression { prediction_stride: 2, ..PLAIN };
    let (fitted, (_, targets)) = fit(settings, &columns, &[], &[&[0.0, 0.0, 0.0, 1.0], &[0.0, 1.0, 0.0, 0.0]]);
    assert_eq!(targets, [[3.0, 4.0], [4.0, 5.0]]);
    assert_eq!(forecast(&fitted, 2, &[], None).unwrap(), [50.0, 40.0]);
    let error = forecast(&fitted, 3, &[], None).unwrap_err().to_string();
    assert!(error.contains("3 steps asked for") && error.contains("predicts 2"), "{error}");
    // The longest horizon replaces the stride, as far as the series goes.
    for (steps, stride) in [(3, 3), (9, 3), (1, 1)] {
        let settings = Autoregression { max_forecast_steps: Some(steps), ..settings };
        let weights = [[0.0; 4]; 3].map(|w| w.to_vec());
        let weights: Vec<&[f64]> = weights.iter().map(Vec::as_slice).collect();
        let (fitted, _) = fit(settings, &columns, &[], &weights);
        assert_eq!(fitted.stride, stride, "{steps}");
    }
}

#[test]
fn regressors_are_seen_at_the_time_that_is_forecast() {
    let (y, x) = (vec![vec![1.0, 2.0, 3.0, 4.0]], vec![vec![100.0, 200.0, 300.0, 400.0]]);
    let weights: [&[f64]; 1] = [&[0.0, 0.0, 1.0, 1.0]];
    let (fitted, (features, _)) = fit(PLAIN, &y, &x, &weights);
    assert_eq!(features, [[1.0, 200.0, 2.0, 300.0], [2.0, 300.0, 3.0, 400.0]]);
    assert_eq!(fitted.in_sample().mean, [1.0, 2.0, 302.0, 403.0]);
    let future = [vec![500.0, 600.0, 700.0]];
    assert_eq!(forecast(&fitted, 3, &future, None).unwrap(), [504.0, 1104.0, 1804.0]);
    // Merlion learns from those of the window's own times.
    let merlion = Autoregression { features: Features::Merlion, ..PLAIN };
    let (fitted, (features, _)) = fit(merlion, &y, &x, &weights);
    assert_eq!(features, [[1.0, 100.0, 2.0, 200.0], [2.0, 200.0, 3.0, 300.0]]);
    assert_eq!(forecast(&fitted, 3, &future, None).unwrap(), [504.0, 1104.0, 1804.0]);
    for wrong in [&[][..], &[vec![500.0, 600.0]]] {
        assert!(matches!(forecast(&fitted, 3, wrong, None), Err(ModelError::Request(_))), "{wrong:?}");
    }
    // A stride takes as many rows of regressors as of values.
    let weights: [&[f64]; 2] = [&[0.0, 0.0, 1.0, 1.0], &[0.0, 1.0, 0.0, 0.0]];
    let (fitted, _) = fit(Autoregression { prediction_stride: 2, ..PLAIN }, &y, &x, &weights);
    // (3, 400, 4, 500) gives 504 and 400; (504, 600, 400, 700) gives 1100 and 600.
    assert_eq!(forecast(&fitted, 4, &[vec![500.0, 600.0, 700.0, 800.0]], None).unwrap(), [504.0, 400.0, 1100.0, 600.0]);
}

#[test]
fn newer_observations_move_the_window() {
    let columns = vec![vec![1.0, 2.0, 3.0, 4.0], vec![10.0, 20.0, 30.0, 40.0]];
    let x = vec![vec![0.1, 0.2, 0.3, 0.4]];
    let weights: [&[f64]; 2] = [&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0], &[0.0; 6]];
    let (fitted, _) = fit(PLAIN, &columns, &x, &weights);
    let near = |got: Result<Vec<f64>, ModelError>, expected: f64| {
        let got = got.unwrap();
        assert!((got[0] - expected).abs() < 1e-9, "{got:?} for {expected}");
    };
    near(forecast(&fitted, 1, &[vec![0.5]], None), 3.0 + 30.0 + 0.4 + 4.0 + 40.0 + 0.5);
    // One row that is known already, and one that is new.
    let newer = vec![vec![4.0, 5.0], vec![40.0, 50.0]];
    with(&newer, &[vec![0.4, 0.5]], 3, |history| {
        near(forecast(&fitted, 1, &[vec![0.6]], Some(history)), 4.0 + 40.0 + 0.5 + 5.0 + 50.0 + 0.6);
        let few = TrainInput { covariates: &[], ..history };
        assert!(matches!(forecast(&fitted, 1, &[vec![0.6]], Some(few)), Err(ModelError::Request(_))));
    });
}

#[test]
fn the_window_suits_the_series() {
    let lags = |n: usize, period: usize, settings: Autoregression| {
        let y: Vec<f64> = (0..n).map(|t| ((t % period) as f64).powi(2) + (t * 7 % 5) as f64 / 20.0).collect();
        settings.suitable_lags(&y, &FitContext::default()).unwrap()
    };
    let auto = Autoregression { maxlags: None, ..PLAIN };
    assert_eq!(lags(800, 48, auto), 48, "a season");
    assert_eq!(lags(800, 9, auto), 20, "more than a short season");
    assert_eq!(lags(104, 7, auto), 13, "an eighth of a short series");
    assert_eq!(lags(30, 7, auto), 10, "ten at least");
    assert_eq!(lags(800, 9, Autoregression { max_forecast_steps: Some(33), ..auto }), 33, "the horizon");
    assert_eq!(lags(800, 9, Autoregression { prediction_stride: 40, ..auto }), 40, "the stride");
}

#[test]
fn a_series_without_a_window_is_too_short() {
    let short = |settings: Autoregression, n: usize| {
        with(&[vec![1.0; n]], &[], 0, |input| {
            settings.fit(&input, &FitContext::default(), |_, _| Ok(Linear(vec![vec![1.0, 0.0]]))).map(|_| ())
        })
    };
    assert_eq!(short(PLAIN, 3), Ok(()));
    assert_eq!(short(PLAIN, 2), Err(ModelError::TooShort { got: 2, needed: 3 }));
    let stride = Autoregression { prediction_stride: 4, ..PLAIN };
    assert_eq!(short(stride, 5), Err(ModelError::TooShort { got: 5, needed: 6 }));
    assert!(matches!(short(Autoregression { maxlags: None, ..PLAIN }, 5), Err(ModelError::TooShort { .. })));
}
