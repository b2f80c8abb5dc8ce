//! Record batches as the JSON lines that Spark writes: Jackson's generator under Spark's settings.
//!
//! A field that is null is left out, a row of nulls is `{}`; numbers are as in CSV, but those that are not finite are texts.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::SessionZone;
use super::values::{Column, WriteError, check_types};

/// Encodes record batches of one schema as JSON lines. Knows nothing of files: it appends to a buffer.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::{array::{Float32Array, RecordBatch, StringArray}, datatypes::{DataType, Field, Schema}};
/// # use merlion_io::spark_text::{JsonTextWriter, SessionZone};
/// let schema = Arc::new(Schema::new(vec![
///     Field::new("id", DataType::Utf8, true),
///     Field::new("y", DataType::Float32, true),
/// ]));
/// let ids = StringArray::from(vec![Some("1"), Some("say \"a\""), None]);
/// let values = Float32Array::from(vec![Some(1e10), Some(f32::NAN), None]);
/// let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids), Arc::new(values)])?;
/// let mut text = Vec::new();
/// JsonTextWriter::new(&schema, SessionZone::Utc)?.write_batch(&batch, &mut text)?;
/// assert_eq!(text, b"{\"id\":\"1\",\"y\":1.0E10}\n{\"id\":\"say \\\"a\\\"\",\"y\":\"NaN\"}\n{}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct JsonTextWriter {
    /// The names, quoted, with a colon.
    names: Vec<Vec<u8>>,
    zone: SessionZone,
}

impl JsonTextWriter {
    /// A writer of batches with this schema; times are written with the offset of `zone`.
    ///
    /// # Errors
    /// A column of a type that has no text here.
    pub fn new(schema: &Schema, zone: SessionZone) -> Result<Self, WriteError> {
        check_types(schema)?;
        let quoted = |name: &String| {
            let mut out = Vec::new();
            push_quoted(&mut out, name);
            out.push(b':');
            out
        };
        Ok(Self { names: schema.fields().iter().map(|field| quoted(field.name())).collect(), zone })
    }

    /// Appends the rows of a batch, which has the schema that [`new`](Self::new) was given.
    ///
    /// # Errors
    /// A column of a type that has no text here.
    pub fn write_batch(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let mut columns = Column::of(batch)?;
        for row in 0..batch.num_rows() {
            out.push(b'{');
            let mut first = true;
            for (column, name) in columns.iter_mut().zip(&self.names) {
                if column.is_null(row) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                out.extend_from_slice(name);
                match column.text(row) {
                    Some(text) => push_quoted(out, text),
                    None if column.is_bare(row) => column.push(out, row, &self.zone),
                    None => {
                        out.push(b'"');
                        column.push(out, row, &self.zone);
                        out.push(b'"');
                    }
                }
            }
            out.extend_from_slice(b"}\n");
        }
        Ok(())
    }
}

/// Appends a text as Jackson quotes it: only quotes, backslashes and control characters are escaped.
fn push_quoted(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push(b'"');
    for &b in text.as_bytes() {
        match b {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            0..=31 => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
            }
            _ => out.push(b),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, Date32Array, Float32Array, Float64Array, Int32Array, StringArray, TimestampNanosecondArray,
    };

    use super::*;

    #[test]
    fn rows_are_what_spark_wrote() {
        // The recording `json_parquet_orc_roundtrip`.
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("i", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))),
            ("s", Arc::new(StringArray::from(vec![Some("a"), None, Some("")]))),
            ("d", Arc::new(Date32Array::from(vec![Some(15_646), None, Some(15_653)]))),
            ("f", Arc::new(Float32Array::from(vec![Some(1.5), None, Some(1e10)]))),
            ("g", Arc::new(Float64Array::from(vec![Some(f64::NAN), None, Some(f64::INFINITY)]))),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        let mut out = Vec::new();
        JsonTextWriter::new(&batch.schema(), SessionZone::Utc).unwrap().write_batch(&batch, &mut out).unwrap();
        let want = "{\"i\":1,\"s\":\"a\",\"d\":\"2012-11-02\",\"f\":1.5,\"g\":\"NaN\"}\n{}\n\
                    {\"i\":3,\"s\":\"\",\"d\":\"2012-11-09\",\"f\":1.0E10,\"g\":\"Infinity\"}\n";
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn texts_and_names_are_escaped_and_times_quoted() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("a\"b", Arc::new(StringArray::from(vec!["x\ty\u{1}é\\/"]))),
            ("t", Arc::new(TimestampNanosecondArray::from(vec![1_351_814_400_500_000_000]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut out = Vec::new();
        JsonTextWriter::new(&batch.schema(), SessionZone::Utc).unwrap().write_batch(&batch, &mut out).unwrap();
        let want = r#"{"a\"b":"x\ty\u0001é\\/","t":"2012-11-02T00:00:00.500Z"}"#;
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), want);
    }
}
