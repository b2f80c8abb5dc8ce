//! Tests of the CSV writer, on values PySpark 3.5 was asked to write.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};

use super::*;

fn write(columns: Vec<(&str, ArrayRef)>, zone: SessionZone) -> String {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let writer = CsvTextWriter::new(&batch.schema(), zone).unwrap();
    let mut out = Vec::new();
    writer.write_header(&mut out);
    writer.write_batch(&batch, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn written(value: &str, first: bool) -> String {
    let mut out = Vec::new();
    push_text(&mut out, value, first);
    String::from_utf8(out).unwrap()
}

#[test]
fn texts_are_quoted_escaped_and_trimmed_as_spark_does() {
    let cases = [
        ("plain", "plain"),
        ("", "\"\""),
        ("   ", "\"\""),
        ("a,b", "\"a,b\""),
        ("q\"uote", "\"q\\\"uote\""),
        ("line\nbreak", "\"line\nbreak\""),
        ("cr\rx", "\"cr\rx\""),
        (" lead", "lead"),
        ("trail ", "trail"),
        ("back\\slash", "back\\slash"),
        ("\\", "\\"),
        ("\"", "\"\\\"\""),
        ("\\\"", "\"\\\\\\\"\""),
        ("a\"b,c", "\"a\\\"b,c\""),
        ("tab\there", "tab\there"),
        ("#hash", "#hash"),
        ("a\\b,c", "\"a\\\\b,c\""),
        ("broken off\n", "\"broken off\""),
        ("\nbroken on", "broken on"),
        ("é日", "é日"),
    ];
    for (value, want) in cases {
        assert_eq!(written(value, false), want, "{value:?}");
    }
    assert_eq!(written("#c", true), "\"#c\"");
    assert_eq!(written(" #c", true), "#c");
}

#[test]
fn every_type_has_its_java_text_and_null_is_nothing() {
    let text = write(
        vec![
            ("f", Arc::new(Float32Array::from(vec![Some(21_595.498), None, Some(f32::NAN)]))),
            ("d", Arc::new(Float64Array::from(vec![Some(1e-4), None, Some(-0.0)]))),
            ("l", Arc::new(Int64Array::from(vec![Some(-7), None, Some(i64::MIN)]))),
            ("b", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            ("dt", Arc::new(Date32Array::from(vec![Some(15_646), None, Some(-719_162)]))),
        ],
        SessionZone::Utc,
    );
    assert_eq!(
        text,
        "f,d,l,b,dt\n21595.498,1.0E-4,-7,true,2012-11-02\n,,,,\nNaN,-0.0,-9223372036854775808,false,0001-01-01\n"
    );
}

#[test]
fn timestamps_have_milliseconds_and_the_session_s_offset() {
    let micros = 1_351_818_123_123_456;
    let columns = || -> Vec<(&str, ArrayRef)> {
        vec![
            ("us", Arc::new(TimestampMicrosecondArray::from(vec![micros, -1]))),
            ("ns", Arc::new(TimestampNanosecondArray::from(vec![micros * 1000 + 999, 0]))),
        ]
    };
    assert_eq!(
        write(columns(), SessionZone::Utc),
        "us,ns\n2012-11-02T01:02:03.123Z,2012-11-02T01:02:03.123Z\n1969-12-31T23:59:59.999Z,1970-01-01T00:00:00.000Z\n"
    );
    let los_angeles = write(columns(), "America/Los_Angeles".parse().unwrap());
    assert!(los_angeles.contains("2012-11-01T18:02:03.123-07:00"), "{los_angeles}");
}

#[test]
fn a_row_that_comes_out_empty_is_left_out() {
    let single = write(vec![("s", Arc::new(StringArray::from(vec![None, Some("x"), Some("")])))], SessionZone::Utc);
    assert_eq!(single, "s\nx\n\"\"\n");
}

#[test]
fn a_type_without_text_is_refused_by_name() {
    let schema = Schema::new(vec![arrow::datatypes::Field::new("x", arrow::datatypes::DataType::Binary, true)]);
    let error = CsvTextWriter::new(&schema, SessionZone::Utc).unwrap_err();
    assert_eq!(error.to_string(), "column `x` has the type Binary, which is not written as text");
}
