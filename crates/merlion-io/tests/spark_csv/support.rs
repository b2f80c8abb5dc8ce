//! What the recordings test needs: the recordings, a read as `spark.read` does it, and JSON as the recordings have it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampNanosecondType,
};
use merlion_io::csv::{
    CsvDecoder, CsvSurvey, DecodeError, DecoderOptions, Projected, Read, SparkType, SurveyOptions, first_line,
    strip_bom,
};
use merlion_io::spark_text::{CsvTextWriter, SessionZone, parse_date, parse_timestamp, push_date, push_timestamp};
use serde_json::{Value, json};

/// The folder of the recordings and their manifest.
pub(crate) struct Reference {
    folder: PathBuf,
    manifest: Value,
}

impl Reference {
    /// The recordings, or `None` with a note when this machine has none.
    pub(crate) fn open() -> Option<Self> {
        let folder = std::env::var_os("MERLION_SPARK_REFERENCE").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/spark"),
            PathBuf::from,
        );
        let Ok(text) = fs::read_to_string(folder.join("manifest.json")) else {
            println!("skipped: no reference at {}", folder.display());
            return None;
        };
        let manifest = serde_json::from_str(&text).unwrap();
        Some(Self { folder, manifest })
    }

    pub(crate) fn case_names(&self) -> Vec<String> {
        self.manifest["cases"].as_object().unwrap().keys().cloned().collect()
    }

    pub(crate) fn case(&self, name: &str) -> &Value {
        let case = &self.manifest["cases"][name];
        assert!(case.is_object(), "no case {name} in the manifest");
        case
    }

    pub(crate) fn read(&self, case: &str, path: &str) -> Vec<u8> {
        let path = self.folder.join(case).join(path);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    /// The visible files of a folder with this ending, in order.
    pub(crate) fn files(&self, folder: &str, ending: &str) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(self.folder.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(ending) && !merlion_io::csv::header::is_hidden(&name)
        });
        paths.sort();
        paths
    }
}

/// What a read gave: the schema as Spark prints it, the names, the rows as JSON.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

pub(crate) fn survey(files: &[&[u8]], zone: SessionZone) -> Option<CsvSurvey> {
    let (header, _) = files.iter().find_map(|file| first_line(strip_bom(file)))?;
    let mut survey = CsvSurvey::new(header, SurveyOptions { zone, ..Default::default() });
    for file in files {
        survey.update(strip_bom(file));
    }
    Some(survey)
}

pub(crate) fn schema_of(survey: &CsvSurvey) -> String {
    let columns = survey.names().iter().zip(survey.types());
    let columns: Vec<String> = columns.map(|(name, spark_type)| format!("{name}:{spark_type}")).collect();
    format!("struct<{}>", columns.join(","))
}

/// `spark.read.format("csv").load(files, inferSchema=True, header=True)`.
pub(crate) fn spark_read(files: &[Vec<u8>], zone: SessionZone) -> Table {
    let views: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    match survey(&views, zone) {
        None => Table { schema: "struct<>".into(), names: Vec::new(), rows: Vec::new() },
        Some(survey) => decode(files, &survey, zone, |_, spark_type| Read::Raw(spark_type)).unwrap(),
    }
}

/// All columns of the files, each in the reading that `read` gives for its number and type.
pub(crate) fn decode(
    files: &[Vec<u8>],
    survey: &CsvSurvey,
    zone: SessionZone,
    read: impl Fn(usize, SparkType) -> Read,
) -> Result<Table, DecodeError> {
    let columns: Vec<Projected> = survey
        .names()
        .iter()
        .zip(survey.types())
        .enumerate()
        .map(|(index, (name, spark_type))| Projected { name: name.clone(), index, read: read(index, spark_type) })
        .collect();
    let options = DecoderOptions { zone, batch_size: 7, ..Default::default() };
    let mut decoder = CsvDecoder::new(&columns, columns.len(), options)?;
    for file in files {
        decoder.begin_file();
        for chunk in file.chunks(11) {
            decoder.push(chunk)?;
        }
        decoder.end_line()?;
    }
    decoder.finish()?;
    let batches: Vec<RecordBatch> = std::iter::from_fn(|| decoder.next_batch()).collect();
    let rows = batches.iter().flat_map(|batch| {
        (0..batch.num_rows()).map(|row| batch.columns().iter().map(|array| value(array, row)).collect())
    });
    Ok(Table { schema: schema_of(survey), names: survey.names().to_vec(), rows: rows.collect() })
}

pub(crate) fn printed(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    String::from_utf8(out).unwrap()
}

/// A value as the recordings write it.
fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Float64 => json!({ "float": array.as_primitive::<Float64Type>().value(row).to_string() }),
        DataType::Decimal128(..) => json!({ "decimal": array.as_primitive::<Decimal128Type>().value(row).to_string() }),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            json!({ "date": printed(|out| push_date(out, i64::from(days))) })
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            json!({ "datetime": printed(|out| push_timestamp(out, micros, &SessionZone::Utc)) })
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            json!({ "nanoseconds": array.as_primitive::<TimestampNanosecondType>().value(row) })
        }
        other => panic!("no recording has a {other}"),
    }
}

/// Midnight of a recorded day, as the decoder gives it.
pub(crate) fn midnight(day: &Value) -> Value {
    match day.as_str() {
        None => Value::Null,
        Some(text) => json!({ "nanoseconds": i64::from(parse_date(text.as_bytes()).unwrap()) * 86_400_000_000_000 }),
    }
}

/// Rows are equal: floats as numbers, times without regard to trailing zeros of the fraction.
pub(crate) fn assert_rows(got: &[Vec<Value>], want: &[Value], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: rows {got:?} for {want:?}");
    for (number, (got, want)) in got.iter().zip(want).enumerate() {
        let want = want.as_array().unwrap();
        assert_eq!(got.len(), want.len(), "{what}, row {number}");
        for (column, (got, want)) in got.iter().zip(want).enumerate() {
            let number_of = |value: &Value| value.get("float")?.as_str()?.parse::<f64>().ok();
            let time_of =
                |value: &Value| parse_timestamp(value.get("datetime")?.as_str()?.as_bytes(), &SessionZone::Utc);
            let same = match (number_of(got), number_of(want), time_of(got), time_of(want)) {
                (Some(a), Some(b), _, _) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
                (_, _, Some(a), Some(b)) => a == b,
                _ => got == want,
            };
            assert!(same, "{what}, row {number}, column {column}: {got} for {want}");
        }
    }
}

/// The CSV text of recorded rows with a schema as Spark prints it.
pub(crate) fn written(schema: &str, rows: &[Value]) -> String {
    let columns = schema.trim_start_matches("struct<").trim_end_matches('>').split(',').enumerate();
    write(columns.map(|(index, column)| {
        let (name, spark_type) = column.split_once(':').unwrap();
        (name.to_owned(), array(spark_type, rows.iter().map(|row| &row[index])))
    }))
}

fn write(columns: impl Iterator<Item = (String, ArrayRef)>) -> String {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap();
    let writer = CsvTextWriter::new(&batch.schema(), SessionZone::Utc).unwrap();
    printed(|out| {
        writer.write_header(out);
        writer.write_batch(&batch, out).unwrap();
    })
}

fn array<'a>(spark_type: &str, values: impl Iterator<Item = &'a Value>) -> ArrayRef {
    let inner = |value: &'a Value, key: &str| value.get(key)?.as_str();
    let float = |value: &'a Value| inner(value, "float").map(|text| text.parse::<f64>().unwrap());
    match spark_type {
        "string" => Arc::new(values.map(Value::as_str).collect::<StringArray>()),
        "int" => Arc::new(values.map(|v| v.as_i64().map(|v| v as i32)).collect::<Int32Array>()),
        "bigint" => Arc::new(values.map(Value::as_i64).collect::<Int64Array>()),
        "boolean" => Arc::new(values.map(Value::as_bool).collect::<BooleanArray>()),
        "double" => Arc::new(values.map(float).collect::<Float64Array>()),
        "float" => Arc::new(values.map(|v| float(v).map(|v| v as f32)).collect::<Float32Array>()),
        "date" => Arc::new(values.map(|v| parse_date(inner(v, "date")?.as_bytes())).collect::<Date32Array>()),
        "timestamp" => Arc::new(
            values
                .map(|v| parse_timestamp(inner(v, "datetime")?.as_bytes(), &SessionZone::Utc))
                .collect::<TimestampMicrosecondArray>(),
        ),
        other => panic!("no recording writes a {other}"),
    }
}

pub(crate) fn lines_of(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// A text that Spark wrote, read as these types and written again.
pub(crate) fn rewritten(text: &str, types: &str) -> String {
    let file = text.as_bytes().to_vec();
    let survey = survey(&[&file], SessionZone::Utc).unwrap();
    let table = decode(&[file], &survey, SessionZone::Utc, |_, _| Read::Raw(SparkType::String)).unwrap();
    let columns = types.split(',').enumerate().map(|(index, spark_type)| {
        let values: Vec<Value> = table
            .rows
            .iter()
            .map(|row| match (row[index].as_str(), spark_type) {
                (None, _) => Value::Null,
                (Some(text), "float") => json!({ "float": text }),
                (Some(text), "date") => json!({ "date": text }),
                (Some(text), "bigint") => json!(text.parse::<i64>().unwrap()),
                (Some(text), _) => json!(text),
            })
            .collect();
        (table.names[index].clone(), array(spark_type, values.iter()))
    });
    write(columns)
}
