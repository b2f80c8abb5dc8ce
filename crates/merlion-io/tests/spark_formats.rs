//! Parquet and JSON that PySpark 3.5 wrote, and JSON that it read, read by us.
//!
//! The recordings are not part of the repository: `MERLION_SPARK_REFERENCE` says where they are.

#![expect(clippy::unwrap_used, reason = "a recording that is not what it should be fails the test on the spot")]

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimestampNanosecondType};
use arrow::util::display::array_value_to_string;
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::collect;
use merlion_io::dataset::{Dataset, DatasetRequest};
use merlion_io::format::FileFormat;

fn recording(name: &str) -> Option<String> {
    let root = std::env::var_os("MERLION_SPARK_REFERENCE").map(PathBuf::from);
    let path = root.map(|root| root.join("json_parquet_orc_roundtrip").join(name)).filter(|path| path.exists());
    if path.is_none() {
        println!("skipped: MERLION_SPARK_REFERENCE does not say where {name} is");
    }
    path.map(|path| path.to_str().unwrap().to_owned())
}

async fn open(path: String, format: FileFormat, index: &[&str], data: &[&str]) -> Dataset {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let request = DatasetRequest {
        path,
        format,
        time_col: None,
        index_cols: names(index),
        data_cols: names(data),
        date_only: false,
        time_zone: "UTC".to_owned(),
    };
    Dataset::open(&RuntimeEnv::default(), &request).await.unwrap()
}

/// The rows of the scan as text, nulls as `-`.
async fn rows(dataset: &Dataset) -> Vec<String> {
    let batches = collect(dataset.scan(2).unwrap(), Arc::new(TaskContext::default())).await.unwrap();
    let cell = |batch: &RecordBatch, column: usize, row: usize| {
        let array = batch.column(column);
        match array.data_type() {
            _ if array.is_null(row) => "-".to_owned(),
            DataType::Timestamp(..) => {
                (array.as_primitive::<TimestampNanosecondType>().value(row) / 86_400_000_000_000).to_string()
            }
            _ => array_value_to_string(array, row).unwrap(),
        }
    };
    let line = |batch: &RecordBatch, row| {
        (0..batch.num_columns()).map(|column| cell(batch, column, row)).collect::<Vec<_>>().join("|")
    };
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|row| line(batch, row)).collect::<Vec<_>>()).collect()
}

fn keys(dataset: &Dataset) -> Vec<String> {
    let mut keys: Vec<String> = dataset.key_sample().iter().map(|key| format!("{key:?}")).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn what_spark_wrote_is_read_as_spark_reads_it() {
    for (name, format) in [("out_parquet", FileFormat::Parquet), ("out_json", FileFormat::Json)] {
        let Some(path) = recording(name) else { return };
        let dataset = open(path, format, &["i", "s"], &["f", "g"]).await;
        let dataset = dataset.with_data_columns(&["f".to_owned(), "g".to_owned()]).unwrap();
        assert_eq!(dataset.time_column(), "d", "{name}");
        assert_eq!((dataset.rows(), dataset.series(), dataset.bad_lines()), (3, 3, None), "{name}");
        assert_eq!(
            keys(&dataset),
            [r#"[None, None]"#, r#"[Some("1"), Some("a")]"#, r#"[Some("3"), Some("")]"#],
            "{name}"
        );
        let want = ["1|a|15646|1.5|NaN", "-|-|-|-|-", "3||15653|10000000000.0|inf"];
        assert_eq!(rows(&dataset).await, want, "{name}");
    }
}

#[tokio::test]
async fn odd_json_is_typed_as_recorded() {
    let Some(path) = recording("input/j.json") else { return };
    let dataset = open(path, FileFormat::Json, &["Store"], &["v"]).await.with_data_columns(&["v".to_owned()]).unwrap();
    assert_eq!((dataset.time_column(), dataset.rows()), ("Date", 3));
    let bad = dataset.bad_lines().unwrap();
    assert_eq!((bad.count, bad.first.token.as_str(), bad.first.record), (1, "not json", 4));
    assert_eq!(rows(&dataset).await, ["1|15646|1.0", "x|15646|2.5", "-|-|NaN"]);
}
