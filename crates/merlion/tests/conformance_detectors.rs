//! What every detector must do, whoever wrote it: a test-suite that loops over the catalogue, so that a new detector is tested by
//! existing. Its counterpart for forecasters is `conformance.rs`.
//!
//! Nothing here knows what a detector computes. Where one rightly differs from the rule it is listed, and the list is checked too. A
//! test goes through all detectors and cases before it fails, and then prints every failure.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test that wanted it")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use merlion::models::{
    COMMON_PARAMETERS, Catalog, Compat, DETECTION_PARAMETERS, Entry, FitContext, Kind, ModelError, ModelSpec,
};
use merlion::pipeline::{Detections, FittedDetectionPipeline, Rung, ScoreKind, detect_with_fallback};
use merlion::series::TimeSeries;
use merlion::time::Timestamp;
use serde_json::{Map, Value, json};

/// Configurations beside the defaults that take another way through a detector's code.
const VARIANTS: &[(&str, &str)] = &[
    ("BOCPD", r#"{"change_kind": "TrendChange"}"#),
    ("BOCPD", r#"{"change_kind": "LevelShift", "lag": 3, "min_likelihood": null}"#),
    ("DynamicBaseline", r#"{"trends": ["monthly"]}"#),
    ("DynamicBaseline", r#"{"trends": []}"#),
    ("Hampel", r#"{"window": 10}"#),
    ("ETSDetector", r#"{"seasonal_periods": 7}"#),
    ("SpectralResidual", r#"{"estimated_points": 0, "q": 4}"#),
    ("StatThreshold", r#"{"enable_calibrator": false}"#),
    ("StatThreshold", r#"{"threshold": "AdaptiveAggregateAlarms"}"#),
    ("StatThreshold", r#"{"threshold": "Threshold", "max_score": 5}"#),
    ("StatThreshold", r#"{"transform": "DifferenceTransform"}"#),
    ("WindStats", r#"{"wind_sz": 1440, "transform": "Identity"}"#),
    ("ZMS", r#"{"n_lags": 0}"#),
    ("ZMS", r#"{"n_lags": 1, "lag_inflation": 0}"#),
];

/// Detectors that do not take one spike in a daily series for strange, and why.
const BLIND: &[(&str, &str)] = &[
    ("WindStats", "a day has one value, which does not vary"),
    ("MonthlyWindStats", "a day has one value, which does not vary"),
];

/// Detectors whose answers depend on the seed.
const STOCHASTIC: &[&str] = &[];

const DAY: i64 = 86_400_000_000_000;
/// Training and test observations.
const N: usize = 84;
const M: usize = 21;

// ---------------------------------------------------------------------------------------------------------------------------------

fn spec(entry: &Entry, parameters: &Map<String, Value>) -> ModelSpec {
    let mut json = parameters.clone();
    json.insert("name".to_owned(), entry.name.into());
    ModelSpec::from_json(&Value::Object(json)).unwrap()
}

fn entries() -> Vec<&'static Entry> {
    Catalog::default().of_kind(Kind::Detector).collect()
}

/// Every detector with its defaults, and the variants.
fn configurations() -> Vec<(String, &'static Entry, ModelSpec)> {
    let plain = entries().into_iter().map(|entry| (entry.name.to_owned(), entry, ModelSpec::named(entry.name)));
    let variants = VARIANTS.iter().map(|(name, json)| {
        let entry = Catalog::default().get(name).unwrap();
        (format!("{name} {json}"), entry, spec(entry, &serde_json::from_str(json).unwrap()))
    });
    plain.chain(variants).collect()
}

fn fit(spec: &ModelSpec, train: &TimeSeries, context: &FitContext) -> Result<FittedDetectionPipeline, ModelError> {
    spec.build_detector(&Catalog::default(), Compat::None)?.fit(train, None, context)
}

fn detect(spec: &ModelSpec, train: &TimeSeries, test: &TimeSeries) -> Result<[Detections; 2], ModelError> {
    let fitted = fit(spec, train, &FitContext::with_seed(1))?;
    Ok([fitted.train_detections().clone(), fitted.detect(test, None)?])
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_nanos((15_000 + number) * DAY)
}

fn noise(t: usize) -> f64 {
    let mixed = (t as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 11) as f64) / (53f64).exp2() - 0.5
}

/// Daily values with a weekly season; all positive.
fn weekly(range: std::ops::Range<usize>) -> Vec<f64> {
    range.map(|t| 50.0 + [4.0, 1.0, -2.0, -3.0, 0.0, 6.0, -6.0][t % 7] + 3.0 * noise(t)).collect()
}

fn series_of(rows: impl IntoIterator<Item = (i64, f64)>) -> TimeSeries {
    let (times, values) = rows.into_iter().map(|(number, value)| (day(number), value)).unzip();
    TimeSeries::from_columns(times, vec![("y".to_owned(), values)]).unwrap()
}

fn daily(first: i64, values: impl IntoIterator<Item = f64>) -> TimeSeries {
    series_of((first..).zip(values))
}

/// The pairs of series every detector is tried on, and whether there must be scores, may be, or must be none.
fn cases() -> Vec<(&'static str, Option<bool>, TimeSeries, TimeSeries)> {
    let (train, test) = (weekly(0..N), weekly(N..N + M));
    let n = N as i64;
    let both = |odd: &dyn Fn(usize, f64) -> f64| {
        let change = |(t, y): (usize, &f64)| odd(t, *y);
        let test = test.iter().enumerate().map(|(t, y)| odd(t + N, *y)).collect::<Vec<_>>();
        (daily(0, train.iter().enumerate().map(change).collect::<Vec<_>>()), daily(n, test))
    };
    let ordinary = || (daily(0, train.clone()), daily(n, test.clone()));
    let rows = || (0..).zip(train.iter().copied());
    let short = |length: usize| (daily(0, weekly(0..length)), daily(length as i64, weekly(length..length + M)));
    let (must, may, must_not) = (Some(true), None, Some(false));
    let mut cases: Vec<(&str, Option<bool>, (TimeSeries, TimeSeries))> = vec![
        ("ordinary", must, ordinary()),
        ("no training point", must_not, short(0)),
        ("1 point", may, short(1)),
        ("2 points", may, short(2)),
        ("3 points", may, short(3)),
        ("5 points", may, short(5)),
        ("8 points", may, short(8)),
        ("nothing to score", must, (daily(0, train.clone()), daily(n, []))),
        ("one to score", must, (daily(0, train.clone()), daily(n, [50.0]))),
        ("constant", must, (daily(0, [7.3; N]), daily(n, [7.3; M]))),
        ("constant, then not", must, (daily(0, [7.3; N]), daily(n, test.clone()))),
        ("zeros", must, (daily(0, [0.0; N]), daily(n, [0.0; M]))),
        ("a line", must, both(&|t, _| 10.0 + t as f64)),
        ("NaN inside", must, both(&|t, y| if t % 9 == 4 { f64::NAN } else { y })),
        ("NaN at the ends", must, both(&|t, y| if !(3..=N + M - 3).contains(&t) { f64::NAN } else { y })),
        ("nothing but NaN to score", must, (daily(0, train.clone()), daily(n, [f64::NAN; M]))),
        ("gappy", must, (series_of(rows().filter(|(t, _)| !matches!(t, 5 | 30..40 | 77))), daily(n + 9, test.clone()))),
        ("uneven", must, (series_of(rows().map(|(t, y)| (t + t * t / 40, y))), daily(400, test.clone()))),
        ("huge", must, both(&|_, y| y * 1e12)),
        ("enormous", may, both(&|t, y| y * if t % 2 == 0 { 1e148 } else { -1e148 })),
        ("tiny", must, both(&|_, y| y * 1e-12)),
        ("far from zero", must, both(&|_, y| y + 1e9)),
        ("negative", must, both(&|_, y| -y)),
        ("a spike", must, both(&|t, y| if t == 50 || t == N + 5 { 1000.0 * y } else { y })),
        ("duplicates", must, (series_of(rows().flat_map(|(t, y)| [(t, y), (t, y + 1.0)])), daily(n, test.clone()))),
        (
            "unsorted",
            must,
            (series_of((0..n).map(|t| (t * 37) % n).map(|t| (t, train[t as usize]))), daily(n, test.clone())),
        ),
        ("largest floats", may, both(&|t, _| if t % 2 == 0 { 1e308 } else { -1e308 })),
        (
            "infinity in training",
            must_not,
            (both(&|t, y| if t == 40 { f64::INFINITY } else { y }).0, daily(n, test.clone())),
        ),
        ("infinity to score", must_not, (daily(0, train.clone()), daily(n, [1.0, f64::NEG_INFINITY, 2.0]))),
        ("all NaN", must_not, (daily(0, [f64::NAN; N]), daily(n, test.clone()))),
    ];
    cases.drain(..).map(|(name, expected, (train, test))| (name, expected, train, test)).collect()
}

/// What went wrong so far. All detectors and cases are tried before the test fails.
#[derive(Debug, Default)]
struct Failures(Vec<String>);

impl Failures {
    fn check(&mut self, holds: bool, model: &str, case: &str, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(format!("{model} | {case} | {}", what()).chars().take(600).collect());
        }
    }

    fn guard(&mut self, model: &str, case: &str, work: impl FnOnce(&mut Self)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(self))) {
            let message = panic.downcast_ref::<String>().cloned();
            let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            self.check(false, model, case, || format!("panicked: {}", message.unwrap_or_default()));
        }
    }

    fn assert_none(self) {
        assert!(self.0.is_empty(), "{} failures: detector | case | what\n  {}", self.0.len(), self.0.join("\n  "));
    }
}

/// What is wrong with scores, if anything is.
fn defects(detections: &Detections) -> Vec<String> {
    let n = detections.times.len();
    let mut wrong = Vec::new();
    if !detections.times.is_sorted_by(|a, b| a < b) {
        wrong.push("times do not increase".to_owned());
    }
    let finite = |what: &str, values: &[f64]| match values.iter().position(|value| !value.is_finite()) {
        _ if values.len() != n => Some(format!("{} values of {what} at {n} times", values.len())),
        Some(position) => Some(format!("{what} {} is {}", position, values[position])),
        None => None,
    };
    for kind in [ScoreKind::Raw, ScoreKind::Calibrated, ScoreKind::Alarms] {
        wrong.extend(finite(&format!("{kind:?} scores"), detections.scores(kind)));
    }
    for (position, (calibrated, alarm)) in detections.calibrated.iter().zip(&detections.alarms).enumerate() {
        if *alarm != 0.0 && alarm.abs() != calibrated.abs() {
            wrong.push(format!("alarm {position} is {alarm}, calibrated {calibrated}"));
        }
    }
    if let Some(normal) = &detections.normal {
        wrong.extend(finite("expected values", &normal.expected));
        if let Some((lower, upper)) = &normal.bounds {
            wrong.extend(finite("lower bounds", lower).into_iter().chain(finite("upper bounds", upper)));
            let ordered = lower.iter().zip(&normal.expected).zip(upper);
            // To within rounding, where bounds meet.
            let out = |((a, b), c): ((&f64, &f64), &f64)| a > &(b + 1e-9 * b.abs()) || b > &(c + 1e-9 * c.abs());
            wrong.extend(ordered.map(out).position(|out| out).map(|at| format!("bounds of {at} are out of order")));
        }
    }
    wrong.truncate(3);
    wrong
}

// ---------------------------------------------------------------------------------------------------------------------------------

#[test]
fn every_series_is_scored_or_refused_for_a_reason() {
    let mut failures = Failures::default();
    for (name, _, spec) in configurations() {
        for (case, expected, train, test) in cases() {
            failures.guard(&name, case, |failures| match detect(&spec, &train, &test) {
                Ok(detections) => {
                    failures.check(expected != Some(false), &name, case, || "should have been refused".to_owned());
                    for (part, detections) in ["training", "test"].iter().zip(&detections) {
                        for defect in defects(detections) {
                            failures.check(false, &name, case, || format!("{part}: {defect}"));
                        }
                    }
                    let late = detections[1].times.iter().all(|t| train.tf().is_none_or(|last| *t > last));
                    failures.check(late, &name, case, || "scores of what was trained on".to_owned());
                }
                Err(error) => {
                    failures.check(expected != Some(true), &name, case, || format!("refused: {error}"));
                    failures.check(error.to_string().len() > 10, &name, case, || format!("a poor reason: {error}"));
                }
            });
        }
    }
    failures.assert_none();
}

#[test]
fn a_constant_series_has_no_alarm() {
    let mut failures = Failures::default();
    for (name, _, spec) in configurations() {
        let [train, test] = detect(&spec, &daily(0, [7.3; N]), &daily(N as i64, [7.3; M])).unwrap();
        for (part, detections) in [("training", train), ("test", test)] {
            let alarms = detections.alarms.iter().filter(|alarm| **alarm != 0.0).count();
            failures.check(alarms == 0, &name, part, || format!("{alarms} alarms, raw {:?}", detections.raw));
        }
    }
    failures.assert_none();
}

#[test]
fn a_spike_is_the_strangest_of_all() {
    let mut failures = Failures::default();
    let mut test = weekly(N..N + M);
    test[9] += 200.0;
    for entry in entries() {
        let spec = ModelSpec::named(entry.name);
        let [_, detections] = detect(&spec, &daily(0, weekly(0..N)), &daily(N as i64, test.clone())).unwrap();
        let spike = detections.times.iter().position(|t| *t == day(N as i64 + 9)).unwrap();
        let raw = &detections.raw;
        let strangest = raw.iter().enumerate().all(|(t, score)| t == spike || score.abs() <= raw[spike].abs());
        let seen = strangest && detections.alarms[spike] != 0.0;
        let blind = BLIND.iter().any(|(blind, _)| *blind == entry.name);
        failures.check(seen || blind, entry.name, "spike", || format!("{raw:?}"));
        failures.check(!(seen && blind), entry.name, "spike", || "listed as blind, but is not".to_owned());
    }
    failures.assert_none();
}

#[test]
fn the_same_rows_and_seed_give_the_same_answer_bit_for_bit() {
    let mut failures = Failures::default();
    let rows: Vec<(i64, f64)> = (0..).zip(weekly(0..N)).collect();
    let shuffled = series_of((0..N).map(|k| rows[(k * 37 + 11) % N]));
    let test = daily(N as i64, weekly(N..N + M));
    for (name, entry, spec) in configurations() {
        let run = |train: &TimeSeries, seed| {
            let fitted = fit(&spec, train, &FitContext::with_seed(seed)).unwrap();
            (fitted.detect(&test, None).unwrap(), fitted.train_detections().clone(), fitted.state())
        };
        let first = run(&series_of(rows.clone()), 7);
        failures.check(first == run(&series_of(rows.clone()), 7), &name, "same seed", || "differs".to_owned());
        failures.check(first == run(&shuffled, 7), &name, "other order", || "differs".to_owned());
        let same = first.0.raw == run(&shuffled, 8).0.raw;
        let listed = STOCHASTIC.contains(&entry.name);
        failures.check(same != listed, &name, "other seed", || format!("same answer: {same}, listed: {listed}"));
    }
    failures.assert_none();
}

#[test]
fn a_parameter_set_to_its_default_changes_nothing_and_survives_json() {
    let mut failures = Failures::default();
    let (train, test) = (daily(0, weekly(0..N)), daily(N as i64, weekly(N..N + M)));
    for entry in entries() {
        let plain = detect(&ModelSpec::named(entry.name), &train, &test);
        for (parameter, value) in entry.defaults().as_object().cloned().unwrap_or_default() {
            let one = spec(entry, &Map::from_iter([(parameter.clone(), value)]));
            failures
                .check(detect(&one, &train, &test) == plain, entry.name, &parameter, || "another answer".to_owned());
            let again = ModelSpec::from_json(&one.to_json());
            failures.check(again.as_ref() == Ok(&one), entry.name, &parameter, || format!("{again:?}"));
        }
        let merlion = ModelSpec::named(entry.name).build_detector(&Catalog::default(), Compat::Merlion).unwrap();
        let fitted = merlion.fit(&train, None, &FitContext::default()).and_then(|fitted| fitted.detect(&test, None));
        failures.check(fitted.is_ok_and(|detections| defects(&detections).is_empty()), entry.name, "merlion", || {
            "--compat merlion breaks it".to_owned()
        });
    }
    failures.assert_none();
}

#[test]
fn a_misspelt_parameter_is_refused_with_the_nearest_name() {
    let mut failures = Failures::default();
    for entry in entries() {
        let own = entry.defaults().as_object().cloned().unwrap_or_default();
        let common = COMMON_PARAMETERS.iter().chain(DETECTION_PARAMETERS).copied();
        for parameter in own.keys().map(String::as_str).chain(common) {
            let typo = format!("{parameter}x");
            let json = json!({"name": entry.name, typo.clone(): null});
            let built = ModelSpec::from_json(&json).unwrap().build_detector(&Catalog::default(), Compat::None);
            let told =
                matches!(&built, Err(ModelError::UnknownParameter { nearest: Some(near), .. }) if near == parameter);
            failures.check(told, entry.name, &typo, || format!("{:?}", built.as_ref().map(|_| "accepted")));
        }
        for parameter in own.keys() {
            let wrong = ModelSpec::from_json(&json!({"name": entry.name, parameter: {"a": ["dict"]}})).unwrap();
            let built = wrong.build_detector(&Catalog::default(), Compat::None).map(|_| "accepted");
            let told = built.as_ref().is_err_and(|error| error.to_string().contains(parameter.as_str()));
            failures.check(told, entry.name, parameter, || format!("{built:?}"));
        }
    }
    failures.assert_none();
}

#[test]
fn a_model_of_the_other_kind_is_refused_by_name() {
    let catalog = Catalog::default();
    let mut failures = Failures::default();
    for entry in catalog.iter() {
        let spec = ModelSpec::named(entry.name);
        let error = match entry.kind() {
            Kind::Forecaster => spec.build_detector(&catalog, Compat::None).map(|_| ()),
            Kind::Detector => spec.build(&catalog, Compat::None).map(|_| ()),
        };
        let told = matches!(&error, Err(ModelError::WrongKind { name, kind, .. }) if *name == entry.name && *kind == entry.kind());
        failures.check(told, entry.name, "other kind", || format!("{error:?}"));
    }
    failures.assert_none();
}

#[test]
fn a_set_stop_flag_and_a_passed_deadline_end_the_fit_also_while_it_runs() {
    let mut failures = Failures::default();
    let (short, long) = (daily(0, weekly(0..N)), daily(0, weekly(0..30_000)));
    for (name, _, spec) in configurations() {
        let stopped = FitContext::default();
        stopped.stop.stop();
        let late = FitContext { deadline: Some(Instant::now()), ..FitContext::default() };
        for (case, context, expected) in
            [("stopped", stopped, ModelError::Cancelled), ("late", late, ModelError::DeadlineExceeded)]
        {
            let outcome = fit(&spec, &short, &context).map(|_| "a fit");
            failures.check(outcome == Err(expected), &name, case, || format!("{outcome:?}"));
        }
        let context =
            FitContext { deadline: Some(Instant::now() + Duration::from_millis(20)), ..FitContext::default() };
        let started = Instant::now();
        let outcome = fit(&spec, &long, &context).map(|_| "a fit");
        let taken = started.elapsed();
        // Milliseconds, with room for a busy machine.
        failures
            .check(taken < Duration::from_secs(2), &name, "while it runs", || format!("{outcome:?} after {taken:?}"));
    }
    failures.assert_none();
}

#[test]
fn online_decides_whether_a_fitted_detector_takes_new_observations() {
    let mut failures = Failures::default();
    for (name, entry, spec) in configurations() {
        let mut fitted = fit(&spec, &daily(0, weekly(0..N)), &FitContext::default()).unwrap();
        let updated = fitted.update(&daily(N as i64, weekly(N..N + M)));
        let refused = matches!(updated, Err(ModelError::Unsupported { .. }));
        let online = entry.capabilities.online;
        failures.check(refused != online && (refused || updated.is_ok()), &name, "update", || format!("{updated:?}"));
    }
    failures.assert_none();
}

#[test]
fn a_univariate_detector_looks_at_its_target_alone_and_others_take_several_columns() {
    let mut failures = Failures::default();
    let several = |range: std::ops::Range<usize>| {
        let times = range.clone().map(|t| day(t as i64)).collect();
        let other = |k: usize| range.clone().map(|t| 100.0 * noise(t + 1000 * k)).collect::<Vec<_>>();
        let columns =
            vec![("a".to_owned(), other(1)), ("y".to_owned(), weekly(range.clone())), ("b".to_owned(), other(2))];
        TimeSeries::from_columns(times, columns).unwrap()
    };
    let (train, test) = (several(0..N), several(N..N + M));
    for (name, entry, spec) in configurations() {
        failures.guard(&name, "several columns", |failures| {
            let aimed = |target| {
                let mut aimed = spec.clone();
                aimed.common.target_seq_index = target;
                detect(&aimed, &train, &test)
            };
            let univariate = entry.capabilities.univariate_only;
            match aimed(Some(1)) {
                Ok(detections) if univariate => {
                    let alone = detect(&spec, &daily(0, weekly(0..N)), &daily(N as i64, weekly(N..N + M))).unwrap();
                    failures.check(detections == alone, &name, "target", || "not as alone".to_owned());
                }
                Ok(detections) => {
                    let wrong: Vec<_> = detections.iter().flat_map(defects).collect();
                    failures.check(wrong.is_empty(), &name, "several", || wrong.join("; "));
                }
                Err(ModelError::Delegated { .. } | ModelError::Request(_)) if !univariate => {}
                Err(error) => failures.check(false, &name, "several", || error.to_string()),
            }
            let untold = aimed(None).err().map(|error| error.to_string());
            let told = untold.as_ref().is_some_and(|error| error.contains("target_seq_index"));
            failures.check(told || !univariate, &name, "no target", || format!("{untold:?}"));
            let fitted = fit(&spec, &daily(0, weekly(0..N)), &FitContext::default()).unwrap();
            let other = fitted.detect(&test, None).map(|_| "scores");
            failures.check(other.is_err(), &name, "other columns than in training", || format!("{other:?}"));
        });
    }
    failures.assert_none();
}

#[test]
fn history_gives_differences_something_to_start_from() {
    let spec = spec(
        Catalog::default().get("StatThreshold").unwrap(),
        &Map::from_iter([("transform".to_owned(), "DifferenceTransform".into())]),
    );
    let (train, test) = (daily(0, weekly(0..N)), daily(N as i64, weekly(N..N + M)));
    let fitted = fit(&spec, &train, &FitContext::default()).unwrap();
    assert_eq!(fitted.detect(&test, None).unwrap().times.len(), M - 1, "as in Merlion");
    let with = fitted.detect(&test, Some(&train)).unwrap();
    assert_eq!(with.times.len(), M);
    // What would have been normal is told in the units of the data.
    let normal = with.normal.unwrap();
    assert!((normal.expected[0] - weekly(N - 1..N)[0]).abs() < 1.0, "{:?}", normal.expected);
}

#[test]
fn who_fails_is_replaced_by_a_static_threshold_and_that_by_nothing() {
    let catalog = Catalog::default();
    let climb = |model: Value, train: &TimeSeries, context: &FitContext| {
        let pipeline = ModelSpec::from_json(&model).unwrap().build_detector(&catalog, Compat::None).unwrap();
        let test = daily(N as i64, [-9.0, 3.0]);
        detect_with_fallback(&pipeline, &catalog, train, &test, None, context)
    };
    let negative = daily(0, weekly(0..N).iter().map(|y| -y));
    let context = FitContext::default();
    let mul = json!({"name": "ETSDetector", "error": "mul", "threshold": {"name": "Threshold", "alm_threshold": 2}});
    let second = climb(mul.clone(), &negative, &context).unwrap();
    assert_eq!(second.rung, Rung::StatThreshold);
    assert_eq!(second.failures.len(), 1);
    assert_eq!(second.failures[0].0, "ETSDetector");
    assert!(second.test.alarms[0] > 2.0, "{:?}", second.test);
    let third = climb(mul.clone(), &daily(0, [f64::NAN; 9]), &context).unwrap();
    assert_eq!((third.rung, third.failures.len()), (Rung::Zeros, 2));
    assert_eq!((third.train.alarms, third.test.alarms), (vec![0.0; 9], vec![0.0; 2]));
    let first = climb(json!({"name": "ZMS"}), &negative, &context).unwrap();
    assert_eq!((first.rung, first.failures), (Rung::Model, Vec::new()));
    let late = FitContext { deadline: Some(Instant::now()), ..FitContext::default() };
    assert_eq!(climb(json!({"name": "ZMS"}), &negative, &late).unwrap().rung, Rung::StatThreshold);
    context.stop.stop();
    assert_eq!(climb(mul, &negative, &context), Err(ModelError::Cancelled));
}
