//! Formats of tables and of outputs: what they hold, not how, decides what comes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_compression::tokio::bufread::{BzEncoder, GzipEncoder, ZstdEncoder};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int32Array, RecordBatch,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Date32Type, Float32Type};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use merlion_io::spark_text::{parse_date, push_date, push_float};
use serde_json::{Map, Value};
use tempfile::tempdir;
use tokio::io::AsyncReadExt;

use crate::program::{Outcome, THREE_WEEKS, WEEKLY, forecast, parts, rows, text, weekly_sales};

/// The records of the example, field by field, behind its header.
fn records() -> (Vec<String>, Vec<Vec<String>>) {
    let csv = fs::read_to_string(weekly_sales()).unwrap();
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    (lines.next().unwrap(), lines.collect())
}

fn csv_of(header: &[String], records: &[Vec<String>]) -> Vec<u8> {
    let lines = std::iter::once(header).chain(records.iter().map(Vec::as_slice));
    lines.map(|fields| fields.join(",") + "\n").collect::<String>().into_bytes()
}

/// The records as JSON lines: what is empty is left out.
fn json_of(header: &[String], records: &[Vec<String>]) -> Vec<u8> {
    let field = |(name, value): (&String, &String)| {
        let value = match name.as_str() {
            _ if value.is_empty() => return None,
            "Date" => Value::from(value.as_str()),
            "IsHoliday" => Value::from(value == "True"),
            _ => serde_json::from_str(value).unwrap(),
        };
        Some((name.clone(), value))
    };
    let line = |record: &Vec<String>| {
        let fields: Map<String, Value> = header.iter().zip(record).filter_map(field).collect();
        Value::Object(fields).to_string() + "\n"
    };
    records.iter().map(line).collect::<String>().into_bytes()
}

/// The records as Parquet, in row groups of 500.
fn parquet_of(header: &[String], records: &[Vec<String>]) -> Vec<u8> {
    let columns = header.iter().enumerate().map(|(at, name)| {
        let values = records.iter().map(|record| Some(record[at].as_str()).filter(|value| !value.is_empty()));
        let array: ArrayRef = match name.as_str() {
            "Store" | "Dept" => Arc::new(values.map(|v| v.map(|v| v.parse().unwrap())).collect::<Int32Array>()),
            "Date" => Arc::new(values.map(|v| v.and_then(|v| parse_date(v.as_bytes()))).collect::<Date32Array>()),
            "IsHoliday" => Arc::new(values.map(|v| v.map(|v| v == "True")).collect::<BooleanArray>()),
            _ => Arc::new(values.map(|v| v.map(|v| v.parse().unwrap())).collect::<Float64Array>()),
        };
        (name.as_str(), array, true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(500)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// The bytes packed as files with this extension are.
fn packed(bytes: &[u8], extension: &str) -> Vec<u8> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut out = Vec::new();
    runtime.block_on(async {
        match extension {
            "gz" => GzipEncoder::new(bytes).read_to_end(&mut out).await,
            "zst" => ZstdEncoder::new(bytes).read_to_end(&mut out).await,
            _ => BzEncoder::new(bytes).read_to_end(&mut out).await,
        }
        .unwrap();
    });
    out
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn weekly<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let job = ["--master", "local[2]", "--model", "{'name': 'ETS'}"];
    WEEKLY.iter().chain(&THREE_WEEKS).chain(&job).copied().chain(more.iter().copied()).collect()
}

fn assert_done(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// Asserts exit code 1 and one line with all of `words` in it, and that nothing was written.
fn assert_refused(outcome: &Outcome, output: &Path, words: &[&str]) {
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "not one line:\n{}", outcome.stderr);
    for word in words {
        assert!(outcome.stderr.contains(word), "no '{word}' in: {}", outcome.stderr);
    }
    assert!(!output.exists(), "{} was written", output.display());
}

#[test]
fn a_table_is_forecast_alike_in_every_format_and_compression() {
    let folder = tempdir().unwrap();
    let want = folder.path().join("want");
    assert_done(&forecast(&weekly_sales(), &want, &weekly(&["--predict_on_train"])));
    let (header, records) = records();
    let (csv, json) = (csv_of(&header, &records), json_of(&header, &records));
    let cases = [
        ("csv", "t.csv.gz", packed(&csv, "gz")),
        ("csv", "t.csv.zst", packed(&csv, "zst")),
        ("csv", "t.csv.bz2", packed(&csv, "bz2")),
        ("json", "t.json", json.clone()),
        ("json", "t.jsonl.gz", packed(&json, "gz")),
        ("json", "t.json.zst", packed(&json, "zst")),
        ("parquet", "t.parquet", parquet_of(&header, &records)),
        ("PARQUET", "no_extension", parquet_of(&header, &records)),
    ];
    for (format, name, bytes) in cases {
        let table = write(folder.path(), name, &bytes);
        let output = folder.path().join("out");
        let args = ["--predict_on_train", "--file_format", format, "--output_format", "csv"];
        let outcome = forecast(&table, &output, &weekly(&args));
        assert_done(&outcome);
        assert!(outcome.stderr.contains("21 series in, 21 series out, 1 fallbacks"), "{name}: {}", outcome.stderr);
        let (got, want) = (rows(&output), rows(&want));
        assert_eq!(got.0, want.0, "{name}");
        let differing = got.1.iter().zip(&want.1).find(|(got, want)| got != want);
        assert!(got.1.len() == want.1.len() && differing.is_none(), "{name}: {} rows, {differing:?}", got.1.len());
    }
}

#[test]
fn the_first_free_column_is_the_time_in_the_order_of_the_format() {
    let folder = tempdir().unwrap();
    let json = "{\"y\":1,\"on\":\"2020-01-01\",\"id\":\"a\"}\n{\"y\":2,\"on\":\"2020-01-02\",\"id\":\"a\"}\n";
    let table = write(folder.path(), "t.json", json.as_bytes());
    let output = folder.path().join("out");
    let args = ["--target_col", "y", "--index_cols", "['id']", "--time_stamps", "['2020-01-03']", "--model"];
    let args: Vec<&str> = args.into_iter().chain(["{'name': 'Naive'}", "--file_format", "json"]).collect();
    assert_done(&forecast(&table, &output, &args));
    let line = fs::read_to_string(&parts(&output)[0]).unwrap();
    assert!(line.starts_with(r#"{"id":"a","on":"2020-01-03","y":2.0"#), "{line}");
}

/// The rows of an output in CSV's text, sorted.
fn csv_rows(output: &Path) -> Vec<String> {
    let mut rows = rows(output).1;
    rows.sort();
    rows
}

fn json_rows(output: &Path) -> Vec<String> {
    let mut rows = Vec::new();
    for part in parts(output) {
        for line in fs::read_to_string(part).unwrap().lines() {
            let object: Map<String, Value> = serde_json::from_str(line).unwrap();
            let cell = |name: &str| match object.get(name) {
                None => String::new(),
                Some(Value::Number(number)) => {
                    let mut text = Vec::new();
                    push_float(&mut text, number.as_f64().unwrap() as f32);
                    String::from_utf8(text).unwrap()
                }
                Some(value) => value.as_str().unwrap().to_owned(),
            };
            assert!(!line.contains("null"), "what is null is left out: {line}");
            let names = ["Store", "Dept", "Date", "Weekly_Sales", "Weekly_Sales_err"];
            rows.push(names.map(cell).join(","));
        }
    }
    rows.sort();
    rows
}

fn parquet_rows(output: &Path) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let batches = runtime.block_on(async {
        let context = SessionContext::new();
        let frame = context.read_parquet(text(output), ParquetReadOptions::default()).await.unwrap();
        frame.collect().await.unwrap()
    });
    let mut rows = Vec::new();
    for batch in batches {
        let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["Store", "Dept", "Date", "Weekly_Sales", "Weekly_Sales_err"]);
        let keys = [0, 1].map(|column| cast(batch.column(column), &DataType::Utf8).unwrap());
        let dates = batch.column(2).as_primitive::<Date32Type>();
        let floats = [3, 4].map(|column| batch.column(column).as_primitive::<Float32Type>());
        for row in 0..batch.num_rows() {
            let mut line = Vec::new();
            for key in &keys {
                line.extend_from_slice(key.as_string::<i32>().value(row).as_bytes());
                line.push(b',');
            }
            push_date(&mut line, i64::from(dates.value(row)));
            for values in floats {
                line.push(b',');
                if values.is_valid(row) {
                    push_float(&mut line, values.value(row));
                }
            }
            rows.push(String::from_utf8(line).unwrap());
        }
    }
    rows.sort();
    rows
}

#[test]
fn an_output_holds_the_same_rows_in_every_format() {
    let folder = tempdir().unwrap();
    let out = |name: &str| folder.path().join(name);
    assert_done(&forecast(&weekly_sales(), &out("csv"), &weekly(&[])));
    let want = csv_rows(&out("csv"));
    assert_eq!(want.len(), 63);
    for (format, suffix) in [("json", "-c000.json"), ("parquet", "-c000.snappy.parquet")] {
        let output = out(format);
        assert_done(&forecast(&weekly_sales(), &output, &weekly(&["--output_format", format])));
        let got = if format == "json" { json_rows(&output) } else { parquet_rows(&output) };
        assert_eq!(got, want, "{format}");
        for (number, part) in parts(&output).iter().enumerate() {
            let name = part.file_name().unwrap().to_string_lossy().into_owned();
            assert!(name.starts_with(&format!("part-{number:05}-")) && name.ends_with(suffix), "{name}");
        }
        assert_eq!(fs::read_dir(&output).unwrap().count(), parts(&output).len() + 1, "part files and _SUCCESS alone");
        // What was written can be read as a table.
        let again = folder.path().join("again");
        let args = ["--file_format", format, "--output_format", "csv"];
        let outcome = forecast(&output, &again, &weekly(&args));
        assert_done(&outcome);
        assert!(outcome.stderr.contains("21 series in"), "{format}: {}", outcome.stderr);
    }
}

#[test]
fn appending_twice_doubles_and_keeps_the_first_files() {
    let folder = tempdir().unwrap();
    for format in ["csv", "json", "parquet"] {
        let output = folder.path().join(format);
        let args = weekly(&["--output_format", format, "--mode", "append"]);
        assert_done(&forecast(&weekly_sales(), &output, &args));
        let first = parts(&output);
        assert_done(&forecast(&weekly_sales(), &output, &args));
        let both = parts(&output);
        assert!(first.iter().all(|part| both.contains(part)), "{format}: {first:?} in {both:?}");
        assert_eq!(both.len(), 2 * first.len(), "{format}");
        let got = match format {
            "csv" => csv_rows(&output),
            "json" => json_rows(&output),
            _ => parquet_rows(&output),
        };
        assert_eq!(got.len(), 126, "{format}");
        assert!(got.chunks(2).all(|pair| pair[0] == pair[1]), "{format}: every row twice");
        assert!(output.join("_SUCCESS").exists() && !output.join("_temporary").join("x").exists());
    }
}

#[test]
fn what_differs_is_not_appended_to() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    for format in ["csv", "json", "parquet"] {
        assert_done(&forecast(&weekly_sales(), &output, &weekly(&["--output_format", format])));
        let before = parts(&output);
        let append = ["--mode", "append", "--output_format"];
        let other_target = [&append[..], &[format, "--target_col", "CPI"]].concat();
        let other_format = [&append[..], &[if format == "csv" { "json" } else { "csv" }]].concat();
        for (more, words) in
            [(other_target, ["CPI_err", "Weekly_Sales_err"]), (other_format, [format, "cannot be appended"])]
        {
            let outcome = forecast(&weekly_sales(), &output, &weekly(&more));
            assert_eq!(outcome.code, Some(1), "{more:?}: {}", outcome.stderr);
            assert!(outcome.stderr.contains("--output_path"), "{}", outcome.stderr);
            for word in words {
                assert!(outcome.stderr.contains(word), "{more:?}: no '{word}' in {}", outcome.stderr);
            }
            assert_eq!(parts(&output), before, "{more:?}");
        }
    }
    let outcome = forecast(&weekly_sales(), &output, &weekly(&["--mode", "ignore"]));
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--mode ignore"), "{}", outcome.stderr);
}

#[test]
fn patterns_and_folders_of_several_files_are_one_table() {
    let folder = tempdir().unwrap();
    let want = folder.path().join("want");
    assert_done(&forecast(&weekly_sales(), &want, &weekly(&[])));
    let (header, records) = records();
    let store = |number: &str| -> Vec<Vec<String>> { records.iter().filter(|r| r[0] == number).cloned().collect() };
    let part = |number: &str| csv_of(&header, &store(number));
    write(folder.path(), "in/2012/one.csv", &part("1"));
    write(folder.path(), "in/2013/two.csv.gz", &packed(&part("2"), "gz"));
    write(folder.path(), "in/2013/three.csv.zst", &packed(&part("3"), "zst"));
    write(folder.path(), "in/2013/_hidden.csv", b"x");
    write(folder.path(), "in/2014/other.txt", b"x");
    assert_eq!(["1", "2", "3"].map(|number| store(number).len()).iter().sum::<usize>(), records.len());
    for pattern in ["in/201[23]", "in/*/*.csv*", "in/2013/../{2012/one.csv,2013/*.csv.{gz,zst}}"] {
        let output = folder.path().join("out");
        assert_done(&forecast(&folder.path().join(pattern), &output, &weekly(&[])));
        assert_eq!(rows(&output), rows(&want), "{pattern}");
    }
    let outcome = forecast(&folder.path().join("in/*.parquet"), &folder.path().join("none"), &weekly(&[]));
    assert_refused(&outcome, &folder.path().join("none"), &["in/*.parquet", "no such file"]);

    let stores = ["1", "2", "3"].map(|number| (number, parquet_of(&header, &store(number))));
    for (number, bytes) in &stores {
        write(folder.path(), &format!("parquet/{number}.parquet"), bytes);
    }
    let output = folder.path().join("out");
    let args = ["--file_format", "parquet", "--output_format", "csv"];
    assert_done(&forecast(&folder.path().join("parquet"), &output, &weekly(&args)));
    assert_eq!(rows(&output), rows(&want), "parquet");
}

#[test]
fn files_that_are_not_what_was_asked_for_are_named() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let (header, records) = records();
    let csv = csv_of(&header, &records);
    let gz = packed(&csv, "gz");
    let mut damaged = gz.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 20].fill(0);
    let parquet = parquet_of(&header, &records);
    let json = json_of(&header, &records);
    let file = |name: &str, bytes: &[u8]| write(folder.path(), name, bytes);
    file("mixed/a.csv", &csv);
    file("mixed/b.parquet", &parquet);
    let mut renamed = header.clone();
    renamed[3] = "Sales".to_owned();
    file("two/a.parquet", &parquet);
    file("two/b.parquet", &parquet_of(&renamed, &records));
    let cases: Vec<(PathBuf, &str, Vec<&str>)> = vec![
        (file("a.orc", b"ORC..."), "csv", vec!["a.orc", "ORC", "not supported"]),
        (file("cut.csv.gz", &gz[..gz.len() / 2]), "csv", vec!["cut.csv.gz", "gzip", "cut short"]),
        (file("damaged.csv.gz", &damaged), "csv", vec!["damaged.csv.gz", "gzip", "damaged"]),
        (file("plain.csv.gz", &csv), "csv", vec!["plain.csv.gz", "gzip"]),
        (file("cut.json.zst", &packed(&json, "zst")[..999]), "json", vec!["cut.json.zst", "zstd"]),
        (file("a.csv.xz", &csv), "csv", vec!["a.csv.xz", "compressed", ".gz"]),
        (file("a.parquet.gz", &gz), "parquet", vec!["a.parquet.gz", "compressed"]),
        (folder.path().join("mixed"), "csv", vec!["mixed", "a.csv (csv)", "b.parquet (parquet)"]),
        (file("a.parquet", &parquet), "csv", vec!["a.parquet", "parquet", "csv"]),
        (file("a.csv", &csv), "parquet", vec!["a.csv", "csv", "parquet"]),
        (file("unnamed", &parquet), "csv", vec!["unnamed", "parquet", "csv"]),
        (file("also_unnamed", &csv), "parquet", vec!["also_unnamed", "no Parquet file"]),
        (file("cut.parquet", &parquet[..parquet.len() - 9]), "parquet", vec!["cut.parquet", "no Parquet file"]),
        (folder.path().join("two"), "parquet", vec!["b.parquet", "'Weekly_Sales'", "missing", "a.parquet"]),
        (file("csv.txt", &csv), "json", vec!["csv.txt", "no JSON object", "Store,Dept"]),
    ];
    for (table, format, words) in cases {
        let outcome = forecast(&table, &output, &weekly(&["--file_format", format]));
        assert_refused(&outcome, &output, &words);
    }
    for (flag, value, word) in [
        ("--file_format", "orc", "ORC is not supported"),
        ("--output_format", "orc", "ORC is not supported"),
        ("--file_format", "delta", "csv, parquet or json"),
    ] {
        let outcome = forecast(&weekly_sales(), &output, &weekly(&[flag, value]));
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(flag) && outcome.stderr.contains(word), "{}", outcome.stderr);
    }
}

#[test]
fn columns_of_the_wrong_type_are_named_in_every_format() {
    let folder = tempdir().unwrap();
    let output = folder.path().join("out");
    let (header, records) = records();
    let table = write(folder.path(), "t.parquet", &parquet_of(&header, &records));
    let more = |more: &[&'static str]| weekly(&[&["--file_format", "parquet"], more].concat());
    let dates = more(&["--target_col", "Date", "--time_col", "CPI"]);
    assert_refused(&forecast(&table, &output, &dates), &output, &["CPI", "double", "not a date or time"]);
    let dates = more(&["--target_col", "Date", "--time_col", "Fuel_Price"]);
    assert_refused(&forecast(&table, &output, &dates), &output, &["Fuel_Price"]);
    let missing = more(&["--target_col", "Weekly_Sale"]);
    assert_refused(&forecast(&table, &output, &missing), &output, &["'Weekly_Sale'", "did you mean 'Weekly_Sales'"]);

    let mut odd = records.clone();
    odd[7][2] = "soon".to_owned();
    let table = write(folder.path(), "t.json", &json_of(&header, &odd));
    let outcome = forecast(&table, &output, &weekly(&["--file_format", "json"]));
    assert_refused(&outcome, &output, &["time column 'Date'", "'soon'", "row 8"]);
    let outcome = forecast(&table, &output, &weekly(&["--file_format", "json", "--index_cols", "['Shop']"]));
    assert_refused(&outcome, &output, &["index column 'Shop'", "CPI, Date, Dept, Fuel_Price"]);
}

#[test]
fn lines_that_are_no_json_are_counted_and_named_and_left_out() {
    let folder = tempdir().unwrap();
    let (header, records) = records();
    let want = folder.path().join("want");
    assert_done(&forecast(&weekly_sales(), &want, &weekly(&[])));
    let json = String::from_utf8(json_of(&header, &records)).unwrap();
    let mut lines: Vec<&str> = json.lines().collect();
    lines.insert(2, "not json");
    lines.insert(9, r#"{"Store": 1, "Dept": "#);
    let table = write(folder.path(), "t.json", lines.join("\n").as_bytes());
    let output = folder.path().join("out");
    let outcome = forecast(&table, &output, &weekly(&["--file_format", "json", "--output_format", "csv"]));
    assert_done(&outcome);
    for word in ["t.json", "2 lines", "line 3", "not json"] {
        assert!(outcome.stderr.contains(word), "no '{word}' in {}", outcome.stderr);
    }
    assert_eq!(rows(&output), rows(&want));
}
