//! Series, alignment and grids against what Python Merlion computed.
//!
//! The reference is read at run time from `$MERLION_REFERENCE`, or from `shared/reference/merlion` beside the repository; without
//! it these tests say so and pass. Everything here is arithmetic on a handful of values, so 1e-9 relative leaves room for nothing
//! but another order of summation.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

use merlion::align::{self, AlignOptions, AlignPolicy, MissingValuePolicy};
use merlion::series::TimeSeries;
use merlion::time::{Granularity, Offset, Timestamp};
use serde_json::{Value, json};

mod reference;
use reference::{golden, series, stamp, stamps};

const TOLERANCE: f64 = 1e-9;

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// What differs between a series and the reference, if anything.
fn difference(got: &TimeSeries, expected: &Value) -> Option<String> {
    let expected = series(expected);
    if !got.names().eq(expected.names()) {
        return Some(format!(
            "columns {:?}, expected {:?}",
            got.names().collect::<Vec<_>>(),
            expected.names().collect::<Vec<_>>()
        ));
    }
    for (got, expected) in got.univariates().iter().zip(expected.univariates()) {
        let name = got.name();
        if got.times() != expected.times() {
            let texts = |times: &[Timestamp]| times.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Some(format!("column {name} at {}\nexpected {}", texts(got.times()), texts(expected.times())));
        }
        for ((t, value), (_, wanted)) in got.iter().zip(expected.iter()) {
            let close =
                (value - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0) || (value.is_nan() && wanted.is_nan());
            if !close {
                return Some(format!("column {name} at {t} is {value}, expected {wanted}"));
            }
        }
    }
    None
}

fn assert_none_differ(what: &str, compared: usize, differences: &[String]) {
    println!("{compared} {what} compared");
    assert!(differences.is_empty(), "{} of {compared} {what} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn windows_and_bisections_are_merlions() {
    let Some(golden) = golden("components/timeseries_ops.json") else { return };
    let input = series(&golden["input"]);
    let cases = list(&golden["cases"]);
    let mut differences = Vec::new();
    for case in cases {
        let parts = match case["op"].as_str().unwrap() {
            "bisect" => {
                let (left, right) = input.bisect(stamp(&case["t"]), case["t_in_left"].as_bool().unwrap());
                vec![(left, &case["left"]), (right, &case["right"])]
            }
            _ => {
                let include_tf = case["include_tf"].as_bool().unwrap();
                vec![(input.window(stamp(&case["t0"]), stamp(&case["tf"]), include_tf), &case["out"])]
            }
        };
        for (got, expected) in parts {
            let different = match expected {
                Value::Null => (!got.is_empty()).then(|| format!("{} values, expected none", got.len())),
                expected => difference(&got, expected),
            };
            differences.extend(different.map(|text| format!("{} at {}: {text}", case["op"], case["t"])));
        }
    }
    assert_none_differ("operations", cases.len(), &differences);
}

#[test]
fn alignments_are_merlions() {
    let Some(golden) = golden("components/transforms.json") else { return };
    let cases = list(&golden["align"]);
    let mut differences = Vec::new();
    for case in cases {
        let mut options = AlignOptions {
            reference: case.get("reference").map(stamps),
            alignment_policy: Some(serde_json::from_value::<AlignPolicy>(case["policy"].clone()).unwrap()),
            ..Default::default()
        };
        if let Some(missing) = case.get("missing") {
            options.missing_value_policy = serde_json::from_value::<MissingValuePolicy>(missing.clone()).unwrap();
        }
        let input = series(&golden["inputs"][case["input"].as_str().unwrap()]);
        let got = align::align(&input, &options).unwrap();
        differences.extend(
            difference(&got, &case["output"]).map(|text| format!("{} {}: {text}", case["policy"], case["missing"])),
        );
    }
    assert_none_differ("alignments", cases.len(), &differences);
}

/// The nanoseconds of the time of day and days in a pandas `DateOffset` text.
fn phase(offset: &str) -> i64 {
    let field = |name: &str, unit: i64| {
        // The space keeps `seconds` from being found in `microseconds`.
        let digits =
            offset.split_once(&format!(" {name}=")).map_or("0", |(_, rest)| &rest[..rest.find([',', '>']).unwrap()]);
        digits.parse::<i64>().unwrap() * unit
    };
    field("days", 86_400_000_000_000)
        + field("hours", 3_600_000_000_000)
        + field("minutes", 60_000_000_000)
        + field("seconds", 1_000_000_000)
        + field("microseconds", 1_000)
}

#[test]
fn inferred_grids_are_merlions() {
    let Some(golden) = golden("components/transforms.json") else { return };
    let cases = list(&golden["infer_granularity"]);
    let mut differences = Vec::new();
    for case in cases {
        let input = series(&golden["inputs"][case["input"].as_str().unwrap()]);
        let got = Granularity::infer(&input.times()).unwrap();
        let step = match case["freqstr"].as_str() {
            Some(text) => Offset::parse(text).unwrap(),
            None => Offset::from_seconds(case["seconds"].as_f64().unwrap()).unwrap(),
        };
        let expected = Granularity { step, phase: phase(case["offset"].as_str().unwrap()) };
        if got != expected {
            differences.push(format!("{}: {got:?}, expected {expected:?}", case["input"]));
        }
    }
    assert_none_differ("grids", cases.len(), &differences);
}

#[test]
fn the_grid_a_model_forecasts_on_is_merlions() {
    let Some(datasets) = golden("datasets.json") else { return };
    for (model, dataset, frequency) in
        [("ETS", "walmart_1_1", "W-FRI"), ("VectorAR", "walmart_1_1_mv", "W-FRI"), ("ETS", "synth_hourly", "H")]
    {
        let Some(golden) = golden(&format!("{model}__{dataset}.json")) else { return };
        let data = &datasets[dataset];
        let n_train = usize::try_from(data["n_train"].as_u64().unwrap()).unwrap();
        let times = stamps(&data["t"]);
        let granularity = Granularity::infer(&times[..n_train]).unwrap();
        let shown = match frequency {
            "H" => "<Hour>",
            _ => "<Week: weekday=4>",
        };
        assert_eq!(golden["timedelta"], json!(shown), "the reference's step of {dataset}");
        assert_eq!(granularity, Granularity { step: Offset::parse(frequency).unwrap(), phase: 0 }, "step of {dataset}");
        let asked = stamps(&golden["time_stamps"]);
        let grid = granularity.until(times[n_train - 1], asked[asked.len() - 1]).unwrap();
        assert_eq!(grid, asked, "{model} on {dataset}: the grid until the last time asked for");
        assert!(granularity.is_even(&times[..n_train]), "{dataset} is even");
    }
}
