//! What all transforms have in common, tried on random series.

use serde_json::{Value, json};

use super::{CATALOG, TransformSpec};
use crate::series::{TimeSeries, Univariate};
use crate::time::testing::{Lcg, seconds};

/// Every transform, some of them with several settings.
fn settings() -> Vec<Value> {
    let mut settings = vec![
        json!({"name": "LowerUpperClip", "lower": 9, "upper": 11.5}),
        json!({"name": "Rescale", "bias": 3, "scale": -2.5}),
        json!({"name": "Rescale", "bias": {"x": 3, "y": 4}, "scale": {"x": 1, "y": 0.1}, "normalize_bias": false}),
        json!({"name": "MeanVarNormalize", "normalize_scale": false}),
        json!({"name": "BoxCoxTransform", "lmbda": 0, "offset": 1.5}),
        json!({"name": "BoxCoxTransform", "lmbda": -0.7}),
        json!({"name": "BoxCoxTransform", "lmbda": {"x": 2, "y": 1e-9}}),
        json!({"name": "MovingAverage", "n_steps": 2}),
        json!({"name": "MovingAverage", "n_steps": 7}),
        json!({"name": "MovingAverage", "weights": [0.1, 0.2, 0.7]}),
        json!({"name": "MovingAverage", "weights": [0.2, -1.2, 1.0]}),
        json!({"name": "MovingPercentile", "n_steps": 4, "q": 30}),
        json!({"name": "ExponentialMovingAverage", "alpha": 0.9, "normalize": false}),
        json!({"name": "ExponentialMovingAverage", "alpha": 0.4, "ci": true}),
        json!({"name": "LagTransform", "k": 1}),
        json!({"name": "LagTransform", "k": 4}),
        json!({"name": "LagTransform", "k": 4, "pad": true}),
        json!({"name": "Shingle", "size": 4, "stride": 3}),
        json!({"name": "Shingle", "size": 4, "stride": 4, "multivar_skip": false}),
        json!({"name": "TransformSequence", "transforms": [
            {"name": "BoxCoxTransform", "lmbda": 0.5}, "DifferenceTransform", {"name": "LagTransform", "k": 3}, "MeanVarNormalize",
        ]}),
        json!({"name": "TransformStack", "transforms": ["AbsVal", {"name": "LagTransform", "k": 2}, "MinMaxNormalize"]}),
    ];
    settings.extend(
        CATALOG.iter().filter(|entry| entry.build(&serde_json::Map::new()).is_ok()).map(|entry| entry.name.into()),
    );
    for entry in CATALOG {
        let tried = |json: &Value| json == entry.name || json["name"] == entry.name;
        assert!(settings.iter().any(tried), "{} is not tried: give it settings", entry.name);
    }
    settings
}

/// Positive columns at uneven times, each with missing values.
fn random_series(random: &mut Lcg, length: i64, dim: usize) -> TimeSeries {
    let columns = ["x", "y"][..dim].iter().map(|name| {
        let mut t = 0;
        let times: Vec<i64> = (0..length)
            .map(|_| {
                t += 1 + random.below(3);
                t
            })
            .collect();
        // The first two are known and differ, so that there is always something to learn.
        let values =
            (0..length).map(|i| if i > 1 && random.below(6) == 0 { f64::NAN } else { 10.0 + 4.0 * random.unit() });
        Univariate::new(name, seconds(&times), values.collect()).unwrap()
    });
    TimeSeries::from_univariates(columns.collect()).unwrap()
}

fn assert_close(what: &str, got: &TimeSeries, expected: &TimeSeries) {
    assert_eq!(got.names().collect::<Vec<_>>(), expected.names().collect::<Vec<_>>(), "{what}");
    for (got, expected) in got.univariates().iter().zip(expected.univariates()) {
        assert_eq!(got.times(), expected.times(), "{what}");
        for ((t, got), (_, expected)) in got.iter().zip(expected.iter()) {
            let close = (got - expected).abs() <= 1e-9 * expected.abs().max(1.0) || (got.is_nan() && expected.is_nan());
            assert!(close, "{what}: {got} at {t}, expected {expected}");
        }
    }
}

#[test]
fn proper_inverses_give_back_what_went_in() {
    let mut random = Lcg::new(7);
    for json in settings() {
        let spec = TransformSpec::from_json(&json).unwrap();
        let mut inverted = 0;
        for round in 0..60 {
            let dim = 1 + round % 2;
            let length = 2 + random.below(40);
            let train = random_series(&mut random, length.max(8), dim);
            let fitted = spec.fit(&train).unwrap();
            let inversion = fitted.inversion();
            let series = random_series(&mut random, length, dim);
            let (transformed, state) = fitted.apply_with_state(&series).unwrap();
            assert_eq!(
                fitted.apply(&series).unwrap().names().collect::<Vec<_>>(),
                transformed.names().collect::<Vec<_>>()
            );
            if inversion.identity {
                let unchanged = fitted.invert(&transformed, &state).unwrap();
                assert_close(&format!("{json} left alone"), &unchanged, &transformed);
            } else if inversion.proper {
                assert_close(&format!("{json} inverted"), &fitted.invert(&transformed, &state).unwrap(), &series);
                inverted += 1;
            } else {
                assert!(fitted.invert(&transformed, &state).is_err(), "{json}");
            }
        }
        println!("{json}: {inverted} inverted");
    }
}

/// Every way back of a forecast that knew the future gives the future: from the end of the history, and one step at a time.
#[test]
fn forecasts_that_are_right_stay_right() {
    let mut random = Lcg::new(8);
    for json in settings() {
        let spec = TransformSpec::from_json(&json).unwrap();
        for _ in 0..40 {
            let history_length = 8 + random.below(20);
            let length = history_length + 1 + random.below(12);
            let whole = random_series(&mut random, length, 1);
            // Missing values are left to the model: a forecast has none.
            let known = whole.univariates()[0].iter().filter(|(_, x)| !x.is_nan()).unzip::<_, _, Vec<_>, Vec<_>>();
            let whole = TimeSeries::from_univariates(vec![Univariate::new("x", known.0, known.1).unwrap()]).unwrap();
            let split = whole.times()[whole.len() * 2 / 3];
            let (history, future) = whole.bisect(split, false);
            let fitted = spec.fit(&history).unwrap();
            if !fitted.inversion().proper || fitted.inversion().identity || json["name"] == "Shingle" {
                continue;
            }
            let transformed = fitted.apply(&whole).unwrap();
            let (_, forecast) = transformed.bisect(split, false);
            let end = fitted.end_of(&history).unwrap();
            assert_close(&format!("{json} continued"), &fitted.invert_forecast(&end, &forecast).unwrap(), &future);
            let one_step = fitted.invert_one_step(&forecast, &whole).unwrap();
            assert_close(&format!("{json} one step"), &one_step, &future);
        }
    }
}

#[test]
fn what_was_learned_survives_json() {
    let mut random = Lcg::new(9);
    for json in settings() {
        let train = random_series(&mut random, 20, 2);
        let state = TransformSpec::from_json(&json).unwrap().fit(&train).unwrap().state();
        assert_eq!(TransformSpec::from_json(&state.to_json()), Ok(state.clone()), "{json} became {}", state.to_json());
        assert_eq!(state.fit(&train).unwrap().state(), state, "{json}: fitting again changes nothing");
    }
}

#[test]
fn empty_series_stay_empty() {
    let mut random = Lcg::new(10);
    for json in settings() {
        let train = random_series(&mut random, 12, 1);
        let fitted = TransformSpec::from_json(&json).unwrap().fit(&train).unwrap();
        let empty = train.at_positions(|_| 0..0);
        let (transformed, state) = fitted.apply_with_state(&empty).unwrap();
        assert!(transformed.is_empty(), "{json}");
        if fitted.inversion().proper {
            assert!(fitted.invert(&transformed, &state).unwrap().is_empty(), "{json}");
        }
    }
}
