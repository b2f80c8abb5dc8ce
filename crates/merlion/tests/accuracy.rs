//! How well and how fast models forecast the series of a competition, by group.
//!
//! `MERLION_ACCURACY` names a CSV file with the columns `unique_id`, `t`, `y`, `frequency`, `season_length`, `horizon` and `split`
//! (`train` or `test`), times of a series in order; without it nothing is done. `MERLION_ACCURACY_MODELS` lists models, by name or as
//! JSON dicts in a JSON list. Where the file holds the 3,003 series of the M3 competition, models listed in [`M3`] are held to
//! their errors there:
//!
//! ```sh
//! MERLION_ACCURACY=m3.csv cargo test --release -p merlion --test accuracy -- --nocapture
//! ```

#![expect(clippy::unwrap_used, reason = "a file of another shape than expected should stop the test where it is read")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use merlion::math::normal;
use merlion::models::{Catalog, FitContext, ModelSpec, Origin, Request, TrainInput};
use merlion::time::{Granularity, Offset, Timestamp};
use serde_json::Value;

const DAY: i64 = 86_400_000_000_000;

/// Mean sMAPE over the series of the M3 competition that a model must not exceed. statsforecast 2.1.1 reaches 12.527 with the
/// dynamic optimised θ model and 12.761 with the θ model.
const M3: &[(&str, f64)] = &[("DynamicOptimizedTheta", 12.51), ("Theta", 12.78)];

struct Series {
    group: String,
    season_length: usize,
    horizon: usize,
    train: Vec<f64>,
    test: Vec<f64>,
}

fn read(path: &str) -> BTreeMap<String, Series> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(|field| field.trim_matches('"')).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let [id, y, group, season, horizon, split] = ["unique_id", "y", "frequency", "season_length", "horizon", "split"]
        .map(|name| header.iter().position(|column| *column == name).unwrap_or_else(|| panic!("no column {name}")));
    let mut all = BTreeMap::new();
    for fields in lines {
        let series = all.entry(fields[id].to_owned()).or_insert_with(|| Series {
            group: fields[group].to_owned(),
            season_length: fields[season].parse().unwrap(),
            horizon: fields[horizon].parse().unwrap(),
            train: Vec::new(),
            test: Vec::new(),
        });
        let values = if fields[split] == "train" { &mut series.train } else { &mut series.test };
        values.push(fields[y].parse().unwrap());
    }
    all
}

/// Sums over the series of a group.
#[derive(Default)]
struct Score {
    series: f64,
    failed: usize,
    smape: f64,
    mase: f64,
    within: f64,
    time: Duration,
}

fn score(series: &Series, spec: &ModelSpec, into: &mut Score) {
    let granularity = Granularity::of(Offset::Fixed(DAY));
    let n = series.train.len();
    let times: Vec<Timestamp> = (0..(n + series.horizon) as i64).map(|t| Timestamp::from_nanos(t * DAY)).collect();
    let input =
        TrainInput { times: &times[..n], target: &series.train, covariates: &[], exog: &[], granularity: &granularity };
    let context = FitContext::with_seed(1);
    let model = spec.build_model(&Origin::default()).unwrap();
    let model = model.with_season_length(series.season_length).unwrap_or(model);
    let started = Instant::now();
    let forecast = model.fit(&input, &context).and_then(|fitted| {
        fitted.forecast(&Request { times: &times[n..], history: None, exog: &[], levels: &[95.0], context: &context })
    });
    into.time += started.elapsed();
    into.series += 1.0;
    let forecast = forecast.map(|forecast| {
        let interval = forecast.intervals.first().map(|i| (i.lower.clone(), i.upper.clone())).or_else(|| {
            let half: Vec<f64> = forecast.stderr?.iter().map(|s| normal::quantile(0.975) * s).collect();
            let bound = |sign: f64| forecast.mean.iter().zip(&half).map(|(m, h)| m + sign * h).collect();
            Some((bound(-1.0), bound(1.0)))
        });
        (forecast.mean, interval)
    });
    // As the jobs do: what cannot be modelled is its mean.
    let (mean, interval) = forecast.unwrap_or_else(|_| {
        into.failed += 1;
        (vec![series.train.iter().sum::<f64>() / n as f64; series.horizon], None)
    });
    let average = |value: &dyn Fn(usize) -> f64| (0..series.horizon).map(value).sum::<f64>() / series.horizon as f64;
    let y = &series.test;
    into.smape += average(&|h| {
        let size = mean[h].abs() + y[h].abs();
        if size > 0.0 { 200.0 * (mean[h] - y[h]).abs() / size } else { 0.0 }
    });
    let m = series.season_length;
    let naive = (m..n).map(|t| (series.train[t] - series.train[t - m]).abs()).sum::<f64>() / (n - m) as f64;
    into.mase += average(&|h| (mean[h] - y[h]).abs() / naive);
    if let Some((lower, upper)) = interval {
        into.within += average(&|h| f64::from(u8::from(lower[h] <= y[h] && y[h] <= upper[h])));
    }
}

#[test]
fn models_forecast_the_competition_as_well_as_they_are_said_to() {
    let Ok(path) = std::env::var("MERLION_ACCURACY") else {
        println!("skipped: MERLION_ACCURACY is not set");
        return;
    };
    let all = read(&path);
    let models = std::env::var("MERLION_ACCURACY_MODELS").unwrap_or_else(|_| "Theta,DynamicOptimizedTheta".to_owned());
    let specs: Vec<ModelSpec> = match serde_json::from_str::<Vec<Value>>(&models) {
        Ok(list) => list.iter().map(|json| ModelSpec::from_json(json).unwrap()).collect(),
        Err(_) => models.split(',').map(ModelSpec::named).collect(),
    };
    assert!(specs.iter().all(|spec| Catalog::default().get(&spec.name).is_ok()), "{specs:?}");
    println!("| model | group | series | failed | sMAPE | MASE | in 95 % | seconds |");
    for spec in specs {
        let mut groups: BTreeMap<&str, Score> = BTreeMap::new();
        for series in all.values() {
            score(series, &spec, groups.entry(&series.group).or_default());
        }
        let mut total = Score::default();
        for group in groups.values() {
            total.series += group.series;
            total.failed += group.failed;
            total.smape += group.smape;
            total.mase += group.mase;
            total.within += group.within;
            total.time += group.time;
        }
        let row = |name: &str, score: &Score| {
            let mean = |sum: f64| sum / score.series;
            println!(
                "| {} | {name} | {} | {} | {:.4} | {:.4} | {:.1} | {:.3} |",
                spec.to_json(),
                score.series,
                score.failed,
                mean(score.smape),
                mean(score.mase),
                100.0 * mean(score.within),
                score.time.as_secs_f64()
            );
        };
        groups.iter().for_each(|(name, score)| row(name, score));
        row("all", &total);
        if all.len() == 3003
            && let Some((_, bound)) = M3.iter().find(|(name, _)| *name == spec.name)
        {
            let smape = total.smape / total.series;
            assert!(smape <= *bound, "{}: sMAPE {smape}, at most {bound}", spec.name);
        }
    }
}
