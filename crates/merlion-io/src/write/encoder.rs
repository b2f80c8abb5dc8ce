//! The bytes of a part file: CSV and JSON as Spark's writers make them, Parquet that Spark reads as its own.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use datafusion::parquet::arrow::AsyncArrowWriter;
use datafusion::parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::WriterProperties;
use object_store::buffered::BufWriter;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::format::FileFormat;
use crate::spark_text::{CsvTextWriter, JsonTextWriter, SessionZone, WriteError};

/// Bytes of text gathered before they are handed to the store.
const FLUSH_AT: usize = 1 << 20;

/// Bytes that a row group takes before it is written.
const ROW_GROUP: usize = 64 << 20;

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A type that has no text.
    #[error(transparent)]
    Text(#[from] WriteError),
    /// A type that Parquet files of Spark do not have, or a store that failed.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// A value that does not fit its column.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] object_store::Error),
    /// The store failed at the end.
    #[error(transparent)]
    Close(#[from] std::io::Error),
}

/// What a part file without rows contains: a header, nothing, or a schema.
///
/// # Errors
/// A column of a type that the format has no form for.
pub fn empty_file(format: FileFormat, schema: &Schema) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::new();
    match format {
        FileFormat::Csv => CsvTextWriter::new(schema, SessionZone::Utc)?.write_header(&mut bytes),
        FileFormat::Json => drop(JsonTextWriter::new(schema, SessionZone::Utc)?),
        FileFormat::Parquet => {
            let schema = parquet_schema(schema);
            let options = parquet_options(&schema);
            ArrowWriter::try_new_with_options(&mut bytes, schema, options)?.close()?;
        }
    }
    Ok(bytes)
}

/// Writes the batches of one part file.
pub(super) enum PartEncoder {
    Csv(CsvTextWriter, Text),
    Json(JsonTextWriter, Text),
    Parquet(Box<AsyncArrowWriter<BufWriter>>, SchemaRef),
}

/// Text on its way to the store.
pub(super) struct Text {
    writer: BufWriter,
    buffer: Vec<u8>,
}

impl Text {
    async fn flush(&mut self) -> Result<(), EncodeError> {
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(FLUSH_AT));
        Ok(self.writer.put(full.into()).await?)
    }
}

impl PartEncoder {
    /// An encoder of batches with this schema.
    pub(super) fn new(format: FileFormat, schema: &Schema, writer: BufWriter) -> Result<Self, EncodeError> {
        let text = |writer| Text { writer, buffer: Vec::with_capacity(FLUSH_AT) };
        Ok(match format {
            FileFormat::Csv => {
                let encoder = CsvTextWriter::new(schema, SessionZone::Utc)?;
                let mut text = text(writer);
                encoder.write_header(&mut text.buffer);
                Self::Csv(encoder, text)
            }
            FileFormat::Json => Self::Json(JsonTextWriter::new(schema, SessionZone::Utc)?, text(writer)),
            FileFormat::Parquet => {
                let schema = parquet_schema(schema);
                let options = parquet_options(&schema);
                let writer = AsyncArrowWriter::try_new_with_options(writer, Arc::clone(&schema), options)?;
                Self::Parquet(Box::new(writer), schema)
            }
        })
    }

    pub(super) async fn write(&mut self, rows: &RecordBatch) -> Result<(), EncodeError> {
        let text = match self {
            Self::Csv(encoder, text) => {
                encoder.write_batch(rows, &mut text.buffer)?;
                text
            }
            Self::Json(encoder, text) => {
                encoder.write_batch(rows, &mut text.buffer)?;
                text
            }
            Self::Parquet(writer, schema) => {
                let arrays = rows.columns().iter().zip(schema.fields());
                let arrays = arrays.map(|(array, field)| cast(array, field.data_type())).collect::<Result<_, _>>()?;
                writer.write(&RecordBatch::try_new(Arc::clone(schema), arrays)?).await?;
                if writer.in_progress_size() >= ROW_GROUP {
                    writer.flush().await?;
                }
                return Ok(());
            }
        };
        if text.buffer.len() >= FLUSH_AT { text.flush().await } else { Ok(()) }
    }

    pub(super) async fn close(self) -> Result<(), EncodeError> {
        match self {
            Self::Csv(_, mut text) | Self::Json(_, mut text) => {
                text.flush().await?;
                Ok(text.writer.shutdown().await?)
            }
            Self::Parquet(writer, _) => {
                writer.close().await?;
                Ok(())
            }
        }
    }
}

/// The schema as Spark has it: instants are microseconds in UTC.
pub(super) fn parquet_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            other => other.clone(),
        };
        Field::new(field.name(), data_type, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn parquet_options(schema: &Schema) -> ArrowWriterOptions {
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| json!({"name": field.name(), "type": spark_name(field.data_type()), "nullable": true, "metadata": {}}))
        .collect();
    // Where Spark looks for its own idea of a file's columns.
    let spark_schema = KeyValue::new(
        "org.apache.spark.sql.parquet.row.metadata".to_owned(),
        json!({"type": "struct", "fields": fields}).to_string(),
    );
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("merlion version {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![spark_schema]))
        .build();
    ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true)
}

/// A type as the schemas of Spark name it.
pub(super) fn spark_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Date32 => "date",
        DataType::Timestamp(..) => "timestamp",
        _ => "string",
    }
}
