//! One row per series, beside the part files: which model, what became of it, and how long it took.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::encoder::PartEncoder;
use super::manifest::{MANIFEST, Manifest, STAGED};
use crate::format::FileFormat;

/// Where the diagnostics of a job go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticsSpec {
    /// The object store, as `file:///` or `s3://bucket/`.
    pub store: String,
    /// The staging folder in it.
    pub staging: String,
}

/// What is known of one series.
#[derive(Debug, Clone, Default)]
pub(super) struct SeriesRow {
    pub(super) key: Vec<Option<String>>,
    pub(super) model: Option<String>,
    pub(super) status: Option<String>,
    pub(super) error: Option<String>,
    /// `{"points": …, "seconds": …, "parameters": …}` as JSON.
    pub(super) details: Option<String>,
}

/// The columns of the diagnostics of series with these index columns.
#[must_use]
pub fn diagnostics_schema(keys: &[String]) -> SchemaRef {
    let mut fields: Vec<Field> = keys.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    fields.extend(["model", "status", "error"].map(|name| Field::new(name, DataType::Utf8, true)));
    fields.push(Field::new("points", DataType::Int64, true));
    fields.push(Field::new("seconds", DataType::Float64, true));
    fields.push(Field::new("parameters", DataType::Utf8, true));
    Arc::new(Schema::new(fields))
}

/// The diagnostics of one chunk, being written by one attempt.
pub(super) struct DiagnosticsFile {
    store: Arc<dyn ObjectStore>,
    staging: Path,
    stem: String,
    schema: SchemaRef,
    encoder: PartEncoder,
    rows: Vec<SeriesRow>,
    manifest: Manifest,
}

/// Rows gathered before they are written.
const FLUSH_AT: usize = 4096;

impl DiagnosticsFile {
    pub(super) fn open(
        store: Arc<dyn ObjectStore>,
        staging: &str,
        format: FileFormat,
        chunk: usize,
        keys: &[String],
    ) -> Result<Self> {
        let schema = diagnostics_schema(keys);
        let stem = format!("part-{chunk:05}-{}", Uuid::new_v4());
        let file = format!("{stem}.{STAGED}");
        let staging = Path::parse(staging).map_err(external)?;
        let writer = BufWriter::new(Arc::clone(&store), staging.clone().join(file.as_str()));
        let encoder = PartEncoder::new(format, &schema, writer).map_err(external)?;
        let manifest = Manifest { chunk, file, ..Manifest::default() };
        Ok(Self { store, staging, stem, schema, encoder, rows: Vec::new(), manifest })
    }

    pub(super) async fn push(&mut self, row: SeriesRow) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() >= FLUSH_AT { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        self.manifest.rows += rows.len() as u64;
        self.manifest.series = self.manifest.rows;
        self.encoder.write(&batch(&rows, &self.schema)?).await.map_err(external)
    }

    pub(super) async fn finish(mut self) -> Result<()> {
        self.flush().await?;
        self.encoder.close().await.map_err(external)?;
        let bytes = serde_json::to_vec(&self.manifest).map_err(external)?;
        let name = format!("{}.{MANIFEST}", self.stem);
        self.store.put(&self.staging.clone().join(name), bytes.into()).await.map_err(external)?;
        Ok(())
    }
}

fn batch(rows: &[SeriesRow], schema: &SchemaRef) -> Result<RecordBatch> {
    let text = |part: &dyn Fn(&SeriesRow) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(part).collect::<StringArray>())
    };
    let details: Vec<Value> = rows
        .iter()
        .map(|row| row.details.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default())
        .collect();
    let keys = schema.fields().len() - 6;
    let mut columns: Vec<ArrayRef> = (0..keys).map(|at| text(&move |row: &SeriesRow| row.key[at].clone())).collect();
    columns.push(text(&|row| row.model.clone()));
    columns.push(text(&|row| row.status.clone()));
    columns.push(text(&|row| row.error.clone()));
    columns.push(Arc::new(details.iter().map(|told| told["points"].as_i64()).collect::<Int64Array>()));
    columns.push(Arc::new(details.iter().map(|told| told["seconds"].as_f64()).collect::<Float64Array>()));
    let parameters = details.iter().map(|told| told.get("parameters").map(Value::to_string));
    columns.push(Arc::new(parameters.collect::<StringArray>()));
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
