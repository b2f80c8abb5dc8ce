//! The CSV reader and writer against recordings of PySpark 3.5: every case of the recordings' manifest that has to do
//! with CSV, numbers' texts or casts, with what is left to others listed and checked.
//!
//! The recordings are not part of the repository: `MERLION_SPARK_REFERENCE` says where they are, by default next to it.

#[expect(clippy::unwrap_used, reason = "a recording that is not what it should be fails the test on the spot")]
#[path = "spark_csv/support.rs"]
mod support;

use std::fs;

use merlion_io::csv::header::{is_hidden, partition_folder};
use merlion_io::csv::{ColumnInference, DecodeError, Projected, Read, SparkType};
use merlion_io::spark_text::{SessionZone, parse_date, parse_timestamp, push_date, push_double, push_float};
use merlion_io::spark_text::{push_timestamp, spark_string};
use serde_json::{Value, json};
use support::{Reference, assert_rows, decode, lines_of, printed, rewritten, spark_read, survey, written};

const UTC: SessionZone = SessionZone::Utc;

/// The manifest's cases that are tested here.
const COVERED: [&str; 15] = [
    "cast_nonstring_to_date",
    "cast_to_string",
    "csv_date_column_to_date",
    "csv_infer_types",
    "csv_multi_file",
    "csv_nan_in_numeric",
    "csv_null_tokens",
    "csv_structure",
    "csv_timestamp_session_tz",
    "csv_write_first_col_edge",
    "csv_write_layout",
    "csv_write_values",
    "merlion_pipeline",
    "spark_schema_walmart",
    "string_cast_to_date",
];

/// Those that are about other things than CSV text: `sql_aggs` and `apply_in_pandas_types` only use it.
const NOT_CSV: [&str; 4] = ["apply_in_pandas_types", "group_by_nulls", "json_parquet_orc_roundtrip", "sql_aggs"];

#[test]
fn every_recorded_case_is_covered_or_known_not_to_be_csv() {
    let Some(reference) = Reference::open() else { return };
    for name in reference.case_names() {
        let known = COVERED.contains(&name.as_str()) || NOT_CSV.contains(&name.as_str());
        assert!(known, "the case {name} is neither covered nor listed as something else");
    }
    for name in NOT_CSV {
        assert!(!name.starts_with("csv_"), "{name} is about CSV");
    }
}

#[test]
fn columns_are_inferred_and_read_as_recorded() {
    let Some(reference) = Reference::open() else { return };
    for (name, result) in [
        ("csv_infer_types", "result"),
        ("csv_null_tokens", "result"),
        ("csv_nan_in_numeric", "result"),
        ("spark_schema_walmart", "head"),
    ] {
        let case = reference.case(name);
        let input = case["inputs"][0].as_str().unwrap();
        let table = spark_read(&[reference.read(name, input)], UTC);
        let want = &case[result];
        assert_eq!(table.schema, want["schema"].as_str().unwrap(), "{name}");
        if let Some(count) = case["count"].as_u64() {
            assert_eq!(table.rows.len() as u64, count, "{name}");
        }
        let rows = want["rows"].as_array().unwrap();
        assert_rows(&table.rows[..rows.len()], rows, name);
        assert!(rows.len() == table.rows.len() || result == "head", "{name}");
    }
}

#[test]
fn index_columns_are_cast_to_strings_as_recorded() {
    let Some(reference) = Reference::open() else { return };
    let want = &reference.case("csv_null_tokens")["cast_string_all"];
    let file = reference.read("csv_null_tokens", "input/a.csv");
    let survey = survey(&[&file], UTC).unwrap();
    let table = decode(&[file], &survey, UTC, |_, spark_type| Read::Utf8SparkString(spark_type)).unwrap();
    assert_rows(&table.rows, want["rows"].as_array().unwrap(), "csv_null_tokens as strings");
}

#[test]
fn files_of_every_structure_are_read_as_recorded() {
    let Some(reference) = Reference::open() else { return };
    let mut left_out = Vec::new();
    for (name, want) in reference.case("csv_structure").as_object().unwrap() {
        if name == "doc" {
            continue;
        }
        if want["options"].get("multiLine").is_some() {
            left_out.push(name.as_str());
            continue;
        }
        let table = spark_read(&[reference.read("csv_structure", want["file"].as_str().unwrap())], UTC);
        assert_eq!(table.schema, want["schema"].as_str().unwrap(), "{name}");
        assert_eq!(json!(table.names), want["columns"], "{name}");
        assert_rows(&table.rows, want["rows"].as_array().unwrap(), name);
    }
    // Merlion's apps do not set `multiLine`, and without it a file can be cut into ranges.
    assert_eq!(left_out, ["quoted_newline_ml"]);
}

/// Cases of `csv_multi_file` that are about finding and unpacking files, the scan's business, not the text's.
const NOT_TEXT: [&str; 4] = ["gz", "bz2", "mixed_compress", "missing"];

#[test]
fn several_files_are_read_as_recorded() {
    let Some(reference) = Reference::open() else { return };
    let files: &[(&str, &[&str])] = &[
        ("directory", &["dir/part1.csv", "dir/part2.csv", "dir/notes.txt", "dir/_hidden.csv", "dir/.dot.csv"]),
        ("trailing_slash", &["dir/part1.csv", "dir/part2.csv", "dir/notes.txt", "dir/_SUCCESS"]),
        ("glob", &["dir/part1.csv", "dir/part2.csv"]),
        ("brace", &["dir/part1.csv", "dir/part2.csv"]),
        ("list", &["dir/part1.csv", "dir/part2.csv"]),
        ("explicit_hidden", &["dir/_hidden.csv"]),
        ("reordered_headers", &["reord/p1.csv", "reord/p2.csv"]),
        ("fewer_cols", &["fewer/p1.csv", "fewer/p2.csv"]),
        ("mixed_types", &["typed/p1.csv", "typed/p2.csv"]),
        ("nested_default", &["nested/q.csv"]),
        ("nested_recursive", &["nested/q.csv", "nested/s/p.csv"]),
        (
            "hive_partitions",
            &["part/Store=1/p.csv", "part/Store=2/p.csv", "part/Store=__HIVE_DEFAULT_PARTITION__/p.csv"],
        ),
        ("gz_without_ext", &["z/gz_noext.csv"]),
    ];
    let case = reference.case("csv_multi_file");
    for (name, paths) in files {
        let want = &case[name];
        let visible: Vec<&str> =
            paths.iter().copied().filter(|path| !is_hidden(path.rsplit('/').next().unwrap())).collect();
        if visible.is_empty() {
            assert!(want["error"]["message"].as_str().unwrap().contains("UNABLE_TO_INFER_SCHEMA"), "{name}");
            continue;
        }
        let read = |path: &&str| reference.read("csv_multi_file", &format!("input/{path}"));
        let mut table = spark_read(&visible.iter().map(read).collect::<Vec<_>>(), UTC);
        let folders: Vec<_> = visible.iter().filter_map(|path| partition_folder(path.split('/').nth(1)?)).collect();
        if !folders.is_empty() {
            let mut inference = ColumnInference::default();
            for (number, (_, value)) in folders.iter().enumerate() {
                inference.update(value.unwrap_or_default().as_bytes(), number as u64, &UTC);
            }
            table.schema = table.schema.replace('>', &format!(",{}:{}>", folders[0].0, inference.finish()));
            // One record in each of these files.
            for (row, (_, value)) in table.rows.iter_mut().zip(&folders) {
                row.push(value.map_or(Value::Null, |value| json!(value.parse::<i64>().unwrap())));
            }
        }
        assert_eq!(table.schema, want["schema"].as_str().unwrap(), "{name}");
        // Spark reads the largest file first; the order of the rows of several files is no promise.
        let mut want_rows = want["rows"].as_array().unwrap().clone();
        let text = |row: &Value| row.to_string();
        want_rows.sort_by_key(text);
        table.rows.sort_by_key(|row| text(&json!(row)));
        assert_rows(&table.rows, &want_rows, name);
    }
    for name in case.as_object().unwrap().keys().filter(|&name| name != "doc") {
        let covered = files.iter().any(|(covered, _)| covered == name);
        assert!(covered != NOT_TEXT.contains(&name.as_str()), "{name} must be either covered or left out");
    }
    for name in NOT_TEXT {
        let path = case[name]["path"].as_str().unwrap();
        let packed = path.contains(".gz") || path.contains(".bz2");
        assert!(packed || case[name].get("error").is_some(), "{name} has become a case of text");
    }
}

/// Tokens whose day Spark knows and 64-bit nanoseconds do not: a named error here.
const BEYOND_NANOSECONDS: [&str; 3] = ["0099-01-01", "12012-01-01", "1582-10-10"];

#[test]
fn a_time_column_becomes_dates_as_recorded() {
    let Some(reference) = Reference::open() else { return };
    let name = "csv_date_column_to_date";
    let mut beyond = Vec::new();
    for case in reference.case(name)["tokens"].as_array().unwrap() {
        let token = case["token"].as_str().unwrap();
        let file = reference.read(name, case["file"].as_str().unwrap());
        let survey = survey(&[&file], UTC).unwrap();
        let spark_type = survey.types()[0];
        assert_eq!(spark_type.to_string(), case["inferred"].as_str().unwrap(), "{token}");

        let mut value = Vec::new();
        let is_value = spark_string(token.as_bytes(), spark_type, &UTC, &mut value);
        let mut want_value = case["value"].clone();
        let mut want_date = case.get("cast_date").cloned();
        if token == "00:00:00" {
            let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
            (want_value, want_date) = (json!(format!("{today} 00:00:00")), Some(json!(today)));
        }
        let value = is_value.then(|| String::from_utf8(value).unwrap());
        assert_eq!(json!(value), want_value, "{token}");

        let time = |_: usize, spark_type| Read::TimeAsDate(spark_type);
        let table = decode(std::slice::from_ref(&file), &survey, UTC, |index, spark_type| match index {
            0 => time(index, spark_type),
            _ => Read::Raw(spark_type),
        });
        match (table, want_date) {
            (Ok(table), Some(want)) => assert_eq!(table.rows[0][0], support::midnight(&want), "{token}"),
            (Err(DecodeError::TimeOutOfRange { value, record, .. }), Some(_)) => {
                assert_eq!((value.as_str(), record), (token, 1));
                beyond.push(token);
            }
            (Err(DecodeError::NotATime { .. }), None) => assert_eq!(spark_type, SparkType::Double, "{token}"),
            // Spark refuses whole numbers; here they are epoch times (W-13).
            (Ok(_), None) => assert!(matches!(spark_type, SparkType::Int | SparkType::BigInt), "{token}"),
            (got, want) => panic!("{token}: {got:?} for {want:?}"),
        }
    }
    assert_eq!(beyond, BEYOND_NANOSECONDS);
}

#[test]
fn the_session_s_zone_shifts_times_as_recorded() {
    let Some(reference) = Reference::open() else { return };
    let name = "csv_timestamp_session_tz";
    let file = reference.read(name, "input/a.csv");
    for (zone_name, want) in reference.case(name)["by_tz"].as_object().unwrap() {
        let zone: SessionZone = zone_name.parse().unwrap();
        let survey = survey(&[&file], zone).unwrap();
        assert_eq!(support::schema_of(&survey), want["schema"].as_str().unwrap(), "{zone_name}");
        let files = [file.clone()];
        let texts = decode(&files, &survey, zone, |_, spark_type| Read::Utf8SparkString(spark_type)).unwrap();
        assert_eq!(json!(texts.rows.concat()), want["ts_str"], "{zone_name}");
        let dates = decode(&files, &survey, zone, |_, spark_type| Read::TimeAsDate(spark_type)).unwrap();
        let want: Vec<_> = want["date"].as_array().unwrap().iter().map(support::midnight).collect();
        assert_eq!(dates.rows.concat(), want, "{zone_name}");
    }
}

#[test]
fn strings_are_cast_to_dates_and_timestamps_as_recorded() {
    let Some(reference) = Reference::open() else { return };
    for row in reference.case("string_cast_to_date")["rows"].as_array().unwrap() {
        let token = row[0].as_str().unwrap();
        let date = parse_date(token.as_bytes()).map(|days| printed(|out| push_date(out, i64::from(days))));
        let time = parse_timestamp(token.as_bytes(), &UTC);
        let time = time.map(|micros| printed(|out| push_timestamp(out, micros, &UTC)));
        assert_eq!(json!([token, date, time]), *row, "{token}");
    }
}

#[test]
fn types_that_spark_casts_to_no_date_are_refused_but_for_whole_numbers() {
    let Some(reference) = Reference::open() else { return };
    for (name, result) in reference.case("cast_nonstring_to_date")["by_type"].as_object().unwrap() {
        let spark_type = match name.as_str() {
            "int" => SparkType::Int,
            "bigint" => SparkType::BigInt,
            "double" => SparkType::Double,
            "boolean" => SparkType::Boolean,
            "timestamp" | "timestamp_ntz" => SparkType::Timestamp,
            "date" => SparkType::Date,
            "decimal(10,0)" => SparkType::Decimal(10),
            other => panic!("{other} is no type of a CSV column"),
        };
        let column = Projected { name: "t".into(), index: 0, read: Read::TimeAsDate(spark_type) };
        let ours = merlion_io::csv::CsvDecoder::new(&[column], 1, Default::default());
        let epoch = matches!(spark_type, SparkType::Int | SparkType::BigInt);
        assert_eq!(ours.is_ok(), result.is_string() || epoch, "{name}");
    }
}

/// Doubles from 2^63 on whose JDK 17 text is not the shortest; ours is, and reads back as the same number.
const NOT_THE_JDK_S: [&str; 2] = ["9.999999999999999E22", "8.409999999999999E21"];

#[test]
fn numbers_have_the_recorded_java_texts() {
    let Some(reference) = Reference::open() else { return };
    let values = &reference.case("cast_to_string")["values"];
    let mut differ = Vec::new();
    for pair in values["double"].as_array().unwrap() {
        let (value, want) = (pair[0].as_str().unwrap().parse::<f64>().unwrap(), pair[1].as_str().unwrap());
        let got = printed(|out| push_double(out, value));
        if got != want {
            assert!(value >= 2_f64.powi(63) && got.parse() == Ok(value), "{want} printed as {got}");
            differ.push(want);
        }
    }
    assert_eq!(differ, NOT_THE_JDK_S);
    for pair in values["float"].as_array().unwrap() {
        let value = pair[0].as_str().unwrap().parse::<f64>().unwrap() as f32;
        let (got, want) = (printed(|out| push_float(out, value)), pair[1].as_str().unwrap());
        // JDK 17 gives exact powers of two below 1e-3 a digit that they do not need.
        let power_of_two = value.to_bits() & 0x007f_ffff == 0 && value < 1e-3 && got.parse() == Ok(value);
        assert!(got == want || power_of_two, "{want} printed as {got}");
    }
    let samples = reference.text("java_float/jdk17_samples.txt");
    let mut count = 0;
    for line in samples.lines() {
        let mut words = line.split(' ');
        let (kind, bits, want) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let got = match kind {
            "f" => printed(|out| push_float(out, f32::from_bits(bits.parse::<i32>().unwrap() as u32))),
            _ => printed(|out| push_double(out, f64::from_bits(bits.parse::<i64>().unwrap() as u64))),
        };
        let beyond = kind == "d" && want.parse::<f64>().unwrap().abs() >= 2_f64.powi(63);
        assert!(got == want || beyond, "{kind} {bits}: {got} for {want}");
        count += 1;
    }
    assert!(count > 0, "no samples");
}

#[test]
fn rows_are_written_as_recorded_and_read_back() {
    let Some(reference) = Reference::open() else { return };
    let case = reference.case("csv_write_values");
    let text = written(case["schema"].as_str().unwrap(), case["rows"].as_array().unwrap());
    assert_eq!(text, case["text"][0].as_str().unwrap());
    let table = spark_read(&[text.into_bytes()], UTC);
    assert_eq!(table.schema, case["read_back"]["schema"].as_str().unwrap());
    assert_rows(&table.rows, case["read_back"]["rows"].as_array().unwrap(), "csv_write_values read back");

    for (name, schema) in [
        ("single_null", "struct<s:string>"),
        ("single_float", "struct<f:float>"),
        ("hash_first", "struct<a:string,b:string>"),
    ] {
        let case = &reference.case("csv_write_first_col_edge")[name];
        let text = written(schema, case["rows"].as_array().unwrap());
        assert_eq!(text, case["text"][0].as_str().unwrap(), "{name}");
        let table = spark_read(&[text.into_bytes()], UTC);
        assert_eq!(table.schema, case["read_back"]["schema"].as_str().unwrap(), "{name}");
        assert_rows(&table.rows, case["read_back"]["rows"].as_array().unwrap(), name);
    }
}

#[test]
fn part_files_are_written_byte_for_byte() {
    let Some(reference) = Reference::open() else { return };
    // Texts only: how many files there are, and how they are called, is the writer node's.
    let mut files = 0;
    for output in ["out_sorted_aqe", "out_sorted_noaqe_4", "out_unsorted_3parts", "out_empty_df"] {
        for path in reference.files(&format!("csv_write_layout/{output}"), ".csv") {
            let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
            let types = if text.starts_with("__ts_id") { "bigint,date,float" } else { "date,float" };
            // `v` was a float column, `i/3` as text.
            assert_eq!(rewritten(&text, types), text, "{}", path.display());
            files += 1;
        }
    }
    assert_eq!(files, 9);
}

#[test]
fn the_pipeline_s_results_are_written_as_recorded() {
    let Some(reference) = Reference::open() else { return };
    for (name, case) in reference.case("merlion_pipeline").as_object().unwrap() {
        let Some(texts) = case.get("csv").and_then(Value::as_array) else { continue };
        for text in texts.iter().map(|text| text.as_str().unwrap()) {
            let types = match lines_of(text)[0].split(',').count() {
                3 => "date,float,float",
                _ => "string,string,date,float,float",
            };
            assert_eq!(rewritten(text, types), text, "{name}");
        }
    }
}
