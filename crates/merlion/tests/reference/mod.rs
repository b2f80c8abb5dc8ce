//! Results of Python Merlion and PySpark, read at run time.
//!
//! They lie in `$MERLION_REFERENCE` and `$MERLION_SPARK_REFERENCE`, or in `shared/reference/` beside the repository. Where the folder
//! is missing, tests say so and pass; a file missing from a folder that is there is an error.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]
#![allow(dead_code, unreachable_pub, clippy::allow_attributes, reason = "each test program uses what it needs")]

use std::path::{Path, PathBuf};

use merlion::series::{TimeSeries, Univariate};
use merlion::time::Timestamp;
use serde_json::Value;

fn text_in(variable: &str, folder: &str, file: &str) -> Option<String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference").join(folder);
    let folder = std::env::var_os(variable).map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no reference at {}", folder.display());
        return None;
    }
    let path = folder.join(file);
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// A file of Merlion's results, or `None` (and a line saying so) when there are none.
pub fn text(file: &str) -> Option<String> {
    text_in("MERLION_REFERENCE", "merlion", file)
}

/// A file of PySpark's results, or `None` (and a line saying so) when there are none.
pub fn spark(file: &str) -> Option<String> {
    text_in("MERLION_SPARK_REFERENCE", "spark", file)
}

/// A JSON file of Merlion's results, or `None` (and a line saying so) when there are none.
pub fn json(file: &str) -> Option<Value> {
    text(file).map(|text| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}")))
}

/// A file of Merlion's goldens, or `None` (and a line saying so) when there are none.
pub fn golden(file: &str) -> Option<Value> {
    json(&format!("golden/{file}"))
}

/// Numbers as the reference writes them: NaN as null, and whatever JSON cannot write as text.
pub fn number(value: &Value) -> f64 {
    match value {
        Value::Null => f64::NAN,
        Value::String(text) => text.parse().unwrap(),
        value => value.as_f64().unwrap(),
    }
}

/// A list of numbers.
pub fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(number).collect()
}

/// Seconds since 1970.
pub fn stamp(seconds: &Value) -> Timestamp {
    Timestamp::from_seconds_f64(seconds.as_f64().unwrap()).unwrap()
}

/// A list of seconds since 1970.
pub fn stamps(seconds: &Value) -> Vec<Timestamp> {
    seconds.as_array().unwrap().iter().map(stamp).collect()
}

/// A series: one `t` for all columns, or one for each in `vars`.
pub fn series(json: &Value) -> TimeSeries {
    let column = |name: &Value| {
        let name = name.as_str().unwrap();
        let (times, values) = match json.get("vars") {
            Some(columns) => (&columns[name]["t"], &columns[name]["v"]),
            None => (&json["t"], &json["v"][name]),
        };
        Univariate::new(name, stamps(times), numbers(values)).unwrap()
    };
    TimeSeries::from_univariates(json["names"].as_array().unwrap().iter().map(column).collect()).unwrap()
}

/// The values of the only column of a series.
pub fn column(series: &Value) -> Vec<f64> {
    numbers(series["v"].as_object().unwrap().values().next().unwrap())
}
