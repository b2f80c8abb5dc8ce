//! Hierarchies and their reconciliation against what Python Merlion and its Spark application computed.
//!
//! The reference is read at run time from `$MERLION_REFERENCE` and `$MERLION_SPARK_REFERENCE`, or from `shared/reference` beside the
//! repository; without it these tests say so and pass. The arithmetic is a small linear system: 1e-6 relative is asked for, and
//! where Spark wrote 32-bit numbers that is nearly all they have.

#![expect(
    clippy::unwrap_used,
    reason = "a reference of another shape than expected should stop the test where it is read"
)]

use std::collections::BTreeMap;

use merlion::hierarchy::{Hierarchy, LeafOrder, MinTrace, Status, SumMatrix, SumTree};
use merlion::series::Univariate;
use merlion::time::Timestamp;
use serde_json::Value;

mod reference;
use reference::{golden, number, numbers};

const TOLERANCE: f64 = 1e-6;

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn matrix(rows: &Value) -> Vec<Vec<f64>> {
    list(rows).iter().map(numbers).collect()
}

/// The first `width` entries of a row, which are a key.
fn key(row: &Value, width: usize) -> Vec<Option<String>> {
    list(row)[..width].iter().map(|part| part.as_str().map(String::from)).collect()
}

/// The largest difference, relative to the larger of one and the expected value; NaN equals NaN.
fn distance(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let off = |(a, b): (&f64, &f64)| if a.is_nan() && b.is_nan() { 0.0 } else { (a - b).abs() / b.abs().max(1.0) };
    // Not `f64::max`, which would pass over a NaN that should not be there.
    got.iter().zip(expected).map(off).fold(0.0, |worst, off| if off <= worst { worst } else { off })
}

fn assert_close(what: &str, got: &[f64], expected: &[f64]) -> f64 {
    let off = distance(got, expected);
    assert!(off < TOLERANCE, "{what}: off by {off:.1e}\ngot      {got:?}\nexpected {expected:?}");
    off
}

#[test]
fn series_are_numbered_and_summed_as_by_create_hier_dataset() {
    let Some(golden) = golden("components/create_hier_dataset.json") else { return };
    for (name, case) in golden.as_object().unwrap() {
        let width = list(&case["index_cols"]).len();
        let leaves: Vec<_> = list(&case["ts_ids"]).iter().map(|row| key(row, width)).collect();
        // The order in which leaves are given does not matter.
        let backwards: Vec<_> = leaves.iter().rev().cloned().collect();
        let hierarchy = Hierarchy::from_leaves(&backwards).unwrap();
        assert_eq!(hierarchy.n_leaves(), leaves.len(), "{name}");
        for row in list(&case["ts_ids"]).iter().chain(list(&case["tsid_of_aggregates"])) {
            let id = list(row)[width].as_u64().unwrap() as usize;
            assert_eq!(hierarchy.id(&key(row, width)), Some(id), "{name}: {row}");
            assert_eq!(hierarchy.key(id), key(row, width), "{name}: {row}");
        }
        assert_eq!(hierarchy.tree().to_dense(), matrix(&case["hier_matrix"]), "{name}");
        let found = SumMatrix::from_dense(&matrix(&case["hier_matrix"]), LeafOrder::First).unwrap();
        assert_eq!(found.tree().map(SumTree::to_dense), Some(hierarchy.tree().to_dense()), "{name}");
        println!("{name}: {} series over {} leaves", hierarchy.len(), leaves.len());
    }
}

#[test]
fn one_time_stamp_is_reconciled_as_by_the_spark_function() {
    let Some(golden) = golden("components/hts.json") else { return };
    let golden = &golden["spark_reconciliation"];
    let structure = SumMatrix::from_dense(&matrix(&golden["hier_matrix"]), LeafOrder::First).unwrap();
    assert!(structure.tree().is_some());
    for case in list(&golden["cases"]) {
        let label = case["label"].as_str().unwrap();
        if case.get("rows_in").is_some() {
            let got =
                MinTrace::SPARK.reconcile(&structure, &[1.0, 2.0, 3.0, 4.0, f64::NAN, f64::NAN, 9.0], None).unwrap();
            assert_eq!(got.status, Status::Unchanged { missing: 2 });
            continue;
        }
        let (mean, stderr) = (numbers(&case["forecast"]), numbers(&case["err"]));
        let got = MinTrace::SPARK.reconcile(&structure, &mean, Some(&stderr)).unwrap();
        let off = assert_close(label, &got.mean, &numbers(&case["out"]));
        let got_err = got.stderr.unwrap_or_else(|| vec![f64::NAN; mean.len()]);
        let off_err = assert_close(label, &got_err, &numbers(&case["out_err"]));
        println!("{label}: means off by {off:.1e}, errors by {off_err:.1e}");
    }
}

/// A series as the reference writes it.
fn series(json: &Value) -> Univariate {
    let name = json["names"][0].as_str().unwrap();
    let times = list(&json["t"]).iter().map(|t| Timestamp::from_seconds_f64(number(t)).unwrap()).collect();
    Univariate::new(name, times, numbers(&json["v"][name])).unwrap()
}

#[test]
fn series_are_reconciled_as_by_the_library_function() {
    let Some(golden) = golden("components/hts.json") else { return };
    let structure = SumMatrix::from_dense(&matrix(&golden["sum_matrix"]), LeafOrder::Last).unwrap();
    let forecasts: Vec<_> = list(&golden["forecasts"]).iter().map(series).collect();
    for case in list(&golden["minT"]) {
        let label = case["label"].as_str().unwrap();
        let errors: Vec<_> =
            list(&case["errs"]).iter().map(|error| (!error.is_null()).then(|| series(error))).collect();
        let got = MinTrace::default().reconcile_series(&structure, &forecasts, &errors).unwrap();
        let mut worst = 0.0f64;
        for ((got, stderr), expected) in got.iter().zip(list(&case["out"])) {
            let expected = series(expected);
            assert_eq!(got.times(), expected.times(), "{label}");
            assert_eq!(stderr.is_some(), errors.iter().any(Option::is_some), "{label}");
            worst = worst.max(assert_close(label, got.values(), expected.values()));
        }
        println!("{label}: off by {worst:.1e}");
    }
}

/// Forecasts and standard errors of the series of one day.
type Day = BTreeMap<Vec<String>, (f64, f64)>;

/// What the application wrote, by day.
fn days(csv: &str) -> BTreeMap<String, Day> {
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [key @ .., day, value, error] = fields.as_slice() else { panic!("{line}") };
        let key = key.iter().map(ToString::to_string).collect();
        let error = if error.is_empty() { f64::NAN } else { error.parse().unwrap() };
        days.entry((*day).to_owned()).or_default().insert(key, (value.parse().unwrap(), error));
    }
    days
}

/// The hierarchy of a day's series, and their forecasts and standard errors in its order.
fn columns(day: &Day) -> (Hierarchy, Vec<f64>, Vec<f64>) {
    let keys: Vec<Vec<Option<&str>>> =
        day.keys().map(|key| key.iter().map(|part| Some(part.as_str())).collect()).collect();
    let (hierarchy, ids) = Hierarchy::from_keys(&keys).unwrap();
    let (mut mean, mut stderr) = (vec![0.0; ids.len()], vec![0.0; ids.len()]);
    for (&id, &(value, error)) in ids.iter().zip(day.values()) {
        (mean[id], stderr[id]) = (value, error);
    }
    (hierarchy, mean, stderr)
}

#[test]
fn the_spark_pipeline_is_reconciled_from_its_rows() {
    let Some(manifest) = reference::spark("manifest.json") else { return };
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let case = &manifest["cases"]["merlion_pipeline"]["hier"];
    let written = days(case["csv"][0].as_str().unwrap());
    let mut before: BTreeMap<String, Day> = BTreeMap::new();
    for row in list(&case["pre_reconcile"]["rows"]) {
        let row = list(row);
        let key = row[..2].iter().map(|part| part.as_str().unwrap().to_owned()).collect();
        let value = |cell: &Value| number(&cell["float"]);
        let day = row[3]["date"].as_str().unwrap().to_owned();
        before.entry(day).or_default().insert(key, (value(&row[4]), value(&row[5])));
    }
    assert_eq!(before.len(), 2);
    for (day, rows) in before {
        let (hierarchy, mean, stderr) = columns(&rows);
        assert_eq!(hierarchy.tree().to_dense(), matrix(&case["hier_matrix"]), "{day}");
        let got = MinTrace::SPARK.reconcile(hierarchy.tree(), &mean, Some(&stderr)).unwrap();
        let (_, expected, expected_err) = columns(&written[&day]);
        let off = assert_close(&day, &got.mean, &expected);
        let off_err = assert_close(&day, &got.stderr.unwrap(), &expected_err);
        println!("{day}: means off by {off:.1e}, errors by {off_err:.1e}");
    }
}

#[test]
fn what_the_application_wrote_adds_up_and_is_left_alone() {
    for file in ["fc_uni_hier", "fc_arima_hier", "fc_prophet_hier", "fc_yml", "t_fc_yml"] {
        let Some(csv) = reference::text(&format!("walmart/{file}.csv")) else { return };
        let mut worst = 0.0f64;
        for (day, rows) in days(&csv) {
            let (hierarchy, mean, stderr) = columns(&rows);
            assert_eq!((hierarchy.len(), hierarchy.n_leaves()), (23, 20), "{file} {day}");
            let got = MinTrace::SPARK.reconcile(hierarchy.tree(), &mean, Some(&stderr)).unwrap();
            // Rounding the total to 32 bits and seven digits can move every leaf by as much.
            let largest = mean.iter().copied().fold(0.0, f64::max);
            let scaled = |values: &[f64]| -> Vec<f64> { values.iter().map(|value| value / largest).collect() };
            worst = worst.max(assert_close(&format!("{file} {day}"), &scaled(&got.mean), &scaled(&mean)));
        }
        println!("{file}: changed by {worst:.1e} of the total");
    }
}

#[test]
fn exact_training_predictions_keep_their_leaves_and_replace_their_sums() {
    // With --predict_on_train every standard error of a training day is zero: Merlion's pseudo-inverse leaves the leaves as they were
    // without --hierarchical, and sums are theirs, whatever the models of the sums said.
    let read = |file: &str| reference::text(&format!("walmart/{file}.csv"));
    let (Some(flat), Some(summed)) = (read("fc_uni_pot"), read("fc_uni_hier_pot")) else { return };
    let (flat, summed) = (days(&flat), days(&summed));
    let mut compared = 0;
    for (day, rows) in &summed {
        let (hierarchy, expected, errors) = columns(rows);
        if errors.iter().any(|&error| error != 0.0) {
            continue;
        }
        let leaf = |id: usize| -> f64 {
            let key: Vec<String> = hierarchy.key(id).iter().map(|part| part.clone().unwrap()).collect();
            flat[day].get(&key).map_or(1e6, |&(value, _)| value)
        };
        let mean: Vec<f64> = (0..hierarchy.len()).map(leaf).collect();
        let got = MinTrace::SPARK.reconcile(hierarchy.tree(), &mean, Some(&errors)).unwrap();
        assert_close(day, &got.mean, &expected);
        assert_close(day, &got.stderr.unwrap(), &errors);
        compared += 1;
    }
    println!("{compared} days compared");
    assert_eq!(compared, 143);
}
