//! The plan node that writes part files: one per chunk of the key range, by the task that computed its rows.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err, internal_err};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::{StreamExt, TryStreamExt};
use merlion::hierarchy::AGGREGATED;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::diagnostics::{DiagnosticsFile, DiagnosticsSpec, SeriesRow};
use super::encoder::PartEncoder;
use super::manifest::{MANIFEST, MAX_NOTES, Manifest, Note, STAGED};
use super::shown::Showcase;
use crate::chunk::Key;
use crate::format::FileFormat;

/// What is written where. The input's columns are: the chunk's label; the key columns; other output columns; and, not written,
/// status, message, model and details of the row's series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteSpec {
    /// The object store, as `file:///` or `s3://bucket/`.
    pub store: String,
    /// The staging folder in it.
    pub staging: String,
    /// The labels of the chunks, in order.
    pub labels: Vec<i32>,
    /// How many of the output columns are the series key.
    pub key_columns: usize,
    /// Where a row per series goes, if anywhere.
    pub diagnostics: Option<DiagnosticsSpec>,
    /// The series that the report shows, beside the first that failed; `None` without a report.
    pub shown: Option<Vec<Key>>,
    /// How part files are stored.
    pub format: FileFormat,
}

/// Columns after the output columns: the series' status, message, model and details.
const TRAILING_COLUMNS: usize = 4;

/// Writes part files to the staging folder; its own output is a row per file.
#[derive(Debug)]
pub struct WriteExec {
    input: Arc<dyn ExecutionPlan>,
    spec: WriteSpec,
    properties: Arc<PlanProperties>,
}

static OUTPUT: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("file", DataType::Utf8, false),
        Field::new("rows", DataType::UInt64, false),
        Field::new("series", DataType::UInt64, false),
    ]))
});

impl WriteExec {
    /// A node that writes what `input` yields.
    ///
    /// # Errors
    /// When the input lacks the columns that [`WriteSpec`] describes.
    pub fn try_new(input: Arc<dyn ExecutionPlan>, spec: WriteSpec) -> Result<Self> {
        let schema = input.schema();
        let fields = schema.fields();
        if fields.len() < 1 + spec.key_columns + TRAILING_COLUMNS || fields[0].data_type() != &DataType::Int32 {
            return internal_err!("cannot write {schema:?} with {} key columns", spec.key_columns);
        }
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&OUTPUT)),
            datafusion::physical_plan::Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Ok(Self { input, spec, properties })
    }

    /// What is written where.
    #[must_use]
    pub fn spec(&self) -> &WriteSpec {
        &self.spec
    }
}

impl DisplayAs for WriteExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.input.schema();
        let names: Vec<&str> = schema.fields()[1..schema.fields().len() - TRAILING_COLUMNS]
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        match format {
            DisplayFormatType::TreeRender => write!(f, "parts={}", self.spec.labels.len()),
            _ => write!(
                f,
                "WriteExec: format={}, parts={}, columns=[{}]",
                self.spec.format,
                self.spec.labels.len(),
                names.join(", ")
            ),
        }
    }
}

impl ExecutionPlan for WriteExec {
    fn name(&self) -> &str {
        "WriteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        // The input is partitioned by chunk already; spreading its rows further would tear files apart.
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::try_new(input, self.spec.clone())?)),
            _ => internal_err!("WriteExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let store = |url: &str| context.runtime_env().object_store(ObjectStoreUrl::parse(url)?);
        let stores = Stores {
            output: store(&self.spec.store)?,
            diagnostics: self.spec.diagnostics.as_ref().map(|to| store(&to.store)).transpose()?,
        };
        let input = self.input.execute(partition, context)?;
        let files = write_partition(input, stores, self.spec.clone());
        let batch = futures::stream::once(files).map_ok(|files| report(&files)).map(|r| r.and_then(|r| r));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&OUTPUT), batch)))
    }
}

fn report(files: &[Manifest]) -> Result<RecordBatch> {
    let names: StringArray = files.iter().map(|f| Some(f.file.as_str())).collect();
    let rows: UInt64Array = files.iter().map(|f| Some(f.rows)).collect();
    let series: UInt64Array = files.iter().map(|f| Some(f.series)).collect();
    Ok(RecordBatch::try_new(Arc::clone(&OUTPUT), vec![Arc::new(names), Arc::new(rows), Arc::new(series)])?)
}

/// The object stores that are written to.
struct Stores {
    output: Arc<dyn ObjectStore>,
    diagnostics: Option<Arc<dyn ObjectStore>>,
}

async fn write_partition(
    mut input: SendableRecordBatchStream,
    stores: Stores,
    spec: WriteSpec,
) -> Result<Vec<Manifest>> {
    let mut done = Vec::new();
    let mut finished = HashSet::new();
    let mut open: Option<PartFile> = None;
    while let Some(batch) = input.next().await {
        let batch = batch?;
        let labels = batch.column(0).as_primitive::<Int32Type>();
        let mut start = 0;
        while start < batch.num_rows() {
            let label = labels.value(start);
            let end = (start..batch.num_rows()).find(|&row| labels.value(row) != label).unwrap_or(batch.num_rows());
            let Some(chunk) = spec.labels.iter().position(|l| *l == label) else {
                return exec_err!("row of an unknown chunk {label}");
            };
            let rows = batch.slice(start, end - start);
            start = end;
            match &mut open {
                Some(file) if file.manifest.chunk == chunk => file.write(&rows).await?,
                _ => {
                    if let Some(file) = open.take() {
                        finished.insert(file.manifest.chunk);
                        done.push(file.finish().await?);
                    }
                    if finished.contains(&chunk) {
                        return internal_err!("rows of chunk {chunk} are not together");
                    }
                    let file = open.insert(PartFile::open(&stores, &spec, chunk, &batch.schema())?);
                    file.write(&rows).await?;
                }
            }
        }
    }
    if let Some(file) = open {
        done.push(file.finish().await?);
    }
    Ok(done)
}

/// A part file being written by one attempt.
struct PartFile {
    store: Arc<dyn ObjectStore>,
    staging: Path,
    stem: String,
    encoder: PartEncoder,
    key_columns: usize,
    last_key: Option<Vec<Option<String>>>,
    diagnostics: Option<DiagnosticsFile>,
    showcase: Option<Showcase>,
    manifest: Manifest,
}

impl PartFile {
    fn open(stores: &Stores, spec: &WriteSpec, chunk: usize, schema: &SchemaRef) -> Result<Self> {
        let store = Arc::clone(&stores.output);
        let stem = format!("part-{chunk:05}-{}", Uuid::new_v4());
        let file = format!("{stem}.{STAGED}");
        let staging = Path::parse(&spec.staging).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let writer = BufWriter::new(Arc::clone(&store), staging.clone().join(file.as_str()));
        let columns: Vec<usize> = (1..schema.fields().len() - TRAILING_COLUMNS).collect();
        let encoder = PartEncoder::new(spec.format, &schema.project(&columns)?, writer).map_err(external)?;
        let manifest = Manifest { chunk, file, ..Manifest::default() };
        let diagnostics = match (&spec.diagnostics, &stores.diagnostics) {
            (Some(to), Some(store)) => {
                let keys: Vec<String> =
                    schema.fields()[1..=spec.key_columns].iter().map(|f| f.name().clone()).collect();
                Some(DiagnosticsFile::open(Arc::clone(store), &to.staging, spec.format, chunk, &keys)?)
            }
            _ => None,
        };
        let showcase = spec.shown.as_deref().map(Showcase::new);
        let key_columns = spec.key_columns;
        Ok(Self { store, staging, stem, encoder, key_columns, last_key: None, diagnostics, showcase, manifest })
    }

    async fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        let width = rows.num_columns();
        let columns: Vec<usize> = (1..width - TRAILING_COLUMNS).collect();
        self.encoder.write(&rows.project(&columns)?).await.map_err(external)?;
        for series in self.count(rows)? {
            if let Some(diagnostics) = &mut self.diagnostics {
                diagnostics.push(series).await?;
            }
        }
        Ok(())
    }

    /// Counts rows, series, and series by status; rows of a series are together. Returns the series that begin here, if there are
    /// diagnostics to write.
    fn count(&mut self, rows: &RecordBatch) -> Result<Vec<SeriesRow>> {
        self.manifest.rows += rows.num_rows() as u64;
        let keys = &rows.columns()[1..=self.key_columns];
        let told = &rows.columns()[rows.num_columns() - TRAILING_COLUMNS..];
        let mut begun = Vec::new();
        let mut start = 0;
        while start < rows.num_rows() {
            let key: Vec<Option<String>> = keys.iter().map(|column| text(column, start)).collect::<Result<_>>()?;
            let end = end_of_series(keys, start, rows.num_rows());
            if self.last_key.as_ref() != Some(&key) {
                self.manifest.series += 1;
                self.manifest.sums += u64::from(key.iter().flatten().any(|part| part == AGGREGATED));
                let (status, error) = (text(&told[0], start)?.unwrap_or_default(), text(&told[1], start)?);
                let model = text(&told[2], start)?;
                *self.manifest.statuses.entry(status.clone()).or_default() += 1;
                *self.manifest.models.entry(model.clone().unwrap_or_default()).or_default() += 1;
                if let Some(showcase) = &mut self.showcase {
                    showcase.begin(&key, model.clone(), &status, error.as_deref());
                }
                if self.diagnostics.is_some() {
                    begun.push(SeriesRow {
                        key: key.clone(),
                        status: Some(status.clone()),
                        error: error.clone(),
                        model,
                        details: text(&told[3], start)?,
                    });
                }
                if let Some(message) = error.filter(|_| self.manifest.notes.len() < MAX_NOTES) {
                    let series = named(&rows.schema(), &key);
                    self.manifest.notes.push(Note { series, status, message });
                }
                self.last_key = Some(key);
            }
            if let Some(showcase) = &mut self.showcase {
                let values: Vec<usize> = (1 + self.key_columns..rows.num_columns() - TRAILING_COLUMNS).collect();
                showcase.rows(&rows.project(&values)?.slice(start, end - start))?;
            }
            start = end;
        }
        Ok(begun)
    }

    /// Closes the data file, then says so: the manifest is what makes an attempt count.
    async fn finish(mut self) -> Result<Manifest> {
        self.manifest.shown = self.showcase.take().map(|showcase| showcase.shown).unwrap_or_default();
        if let Some(diagnostics) = self.diagnostics.take() {
            diagnostics.finish().await?;
        }
        self.encoder.close().await.map_err(|e| exec_datafusion_err!("close {}: {e}", self.manifest.file))?;
        let name = format!("{}.{MANIFEST}", self.stem);
        let bytes = serde_json::to_vec(&self.manifest).map_err(external)?;
        self.store
            .put(&self.staging.clone().join(name), bytes.into())
            .await
            .map_err(|e| DataFusionError::External(Box::new(e)))?;
        Ok(self.manifest)
    }
}

/// A series as messages name it. The key columns follow the chunk.
fn named(schema: &Schema, key: &[Option<String>]) -> String {
    let parts = schema.fields()[1..].iter().zip(key);
    let parts: Vec<String> =
        parts.map(|(field, part)| format!("{}={}", field.name(), part.as_deref().unwrap_or("null"))).collect();
    if parts.is_empty() { "the only series".to_owned() } else { parts.join(", ") }
}

/// The first row after `start` with another key. Compares neighbours without making text of them.
fn end_of_series(keys: &[arrow::array::ArrayRef], start: usize, len: usize) -> usize {
    let same = |row: usize| {
        keys.iter().all(|column| match column.as_string_opt::<i32>() {
            Some(text) => {
                text.is_null(row) == text.is_null(start) && (text.is_null(row) || text.value(row) == text.value(start))
            }
            None => false,
        })
    };
    (start + 1..len).find(|&row| !same(row)).unwrap_or(len)
}

fn text(column: &arrow::array::ArrayRef, row: usize) -> Result<Option<String>> {
    if column.is_null(row) { Ok(None) } else { Ok(Some(array_value_to_string(column, row)?)) }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl WriteExec {
    /// The node behind a plan, if it is one.
    #[must_use]
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Option<&Self> {
        let plan: &dyn Any = plan.as_ref();
        plan.downcast_ref::<Self>()
    }
}
