//! The plan of a forecast job, from the scan to the part files.
//!
//! ```text
//! WriteExec                         a part file per chunk
//!   ProjectionExec                  output columns, 32-bit floats
//!     UnnestExec                    a row per time
//!       SortExec                    series in order, within the task
//!         SeriesScopeExec           on a thread that can be stopped
//!           AggregateExec           forecast(time, y, options, key) per chunk and key
//!             RepartitionExec       the one shuffle, by chunk
//!               ProjectionExec      range_chunk(key)
//!                 DataSourceExec    the table
//! ```
//!
//! It is made by hand, as a physical plan: nothing in it is for an optimizer to decide, and it means the same tomorrow.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::{Result, ScalarValue, UnnestOptions, internal_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::{BinaryExpr, CastExpr, IsNullExpr, lit};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::unnest::{ListUnnest, UnnestExec};
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use merlion_io::chunk::{Chunks, RANGE_CHUNK};
use merlion_io::dataset::{Dataset, TimeType};
use merlion_io::format::FileFormat;
use merlion_io::write::{StagingCommitter, WriteExec, WriteSpec, empty_file};
use merlion_session::master::Master;
use merlion_session::run_in_scope;
use merlion_udf::aggregate::forecast::NAME as FORECAST;
use merlion_udf::options::ForecastOptions;

use super::ForecastJob;

/// The name of the chunk column; user columns keep their names whatever they are, since columns are found by position.
const CHUNK: &str = "__chunk";

/// Bytes of input that make one scan task.
const SCAN_BYTES: u64 = 32 << 20;

/// Bytes of input per chunk: what one task collects at once.
const CHUNK_BYTES: u64 = 64 << 20;

/// Below this much input, starting tasks costs more than sharing the work out finely gains.
const SMALL: u64 = 8 << 20;

/// Tasks at once that are assumed of a cluster in other processes.
const REMOTE_VCORES: usize = 8;

/// What a job's output looks like and how its work is shared out.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    time_type: TimeType,
    time_name: String,
    target_name: String,
    keys: Vec<String>,
    format: FileFormat,
    scan_tasks: usize,
    chunks: usize,
}

impl Shape {
    pub(super) fn new(job: &ForecastJob, dataset: &Dataset) -> Self {
        let vcores = match &job.master {
            Master::Local { vcores } => *vcores,
            Master::Remote { .. } => REMOTE_VCORES,
        };
        let tasks = |unit: u64| usize::try_from(dataset.bytes().div_ceil(unit)).unwrap_or(usize::MAX);
        let small = dataset.bytes() < SMALL;
        let by_bytes = tasks(CHUNK_BYTES);
        Self {
            time_type: job.time_type(dataset),
            time_name: dataset.time_column().to_owned(),
            target_name: job.target_col.clone(),
            keys: job.index_cols.clone(),
            format: job.output_format,
            scan_tasks: if small { 1 } else { tasks(SCAN_BYTES).max(vcores) },
            chunks: if small { vcores } else { by_bytes.max(4 * vcores) }.min(4096),
        }
    }

    pub(super) fn output_schema(&self) -> SchemaRef {
        let time = match self.time_type {
            TimeType::Date => DataType::Date32,
            TimeType::Timestamp => DataType::Timestamp(TimeUnit::Nanosecond, None),
        };
        let mut fields: Vec<Field> = self.keys.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        fields.push(Field::new(&self.time_name, time, true));
        fields.push(Field::new(&self.target_name, DataType::Float32, true));
        fields.push(Field::new(format!("{}_err", self.target_name), DataType::Float32, true));
        Arc::new(Schema::new(fields))
    }

    /// The only part file of an output without rows.
    pub(super) fn empty_file(&self) -> Result<Vec<u8>> {
        empty_file(self.format, &self.output_schema())
            .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))
    }
}

type Expr = Arc<dyn PhysicalExpr>;
type Plan = Arc<dyn ExecutionPlan>;

/// The plan.
pub(super) fn forecast_plan(
    state: &SessionState,
    dataset: &Dataset,
    shape: &Shape,
    options: &ForecastOptions,
    store: &str,
    committer: &StagingCommitter,
) -> Result<Plan> {
    let keys = shape.keys.len();
    let chunks = Chunks::from_sample(dataset.key_sample(), shape.chunks)?;

    let scan = dataset.scan(shape.scan_tasks)?;
    let chunked = with_chunk(state, scan, keys, &chunks)?;
    let by_chunk = Partitioning::Hash(vec![at(&chunked, 0)], chunks.len());
    let shuffled: Plan = Arc::new(RepartitionExec::try_new(chunked, by_chunk)?);
    let forecasts = run_in_scope(aggregate(state, shuffled, keys, options)?);
    let ordered: Plan = match series_order(&forecasts, keys) {
        Some(order) => Arc::new(SortExec::new(order, forecasts).with_preserve_partitioning(true)),
        None => forecasts,
    };
    let rows = unnest_last(ordered)?;
    let output = output_columns(state, rows, shape)?;
    let spec = WriteSpec {
        store: store.to_owned(),
        staging: committer.staging().to_string(),
        labels: chunks.labels().to_vec(),
        key_columns: keys,
        format: shape.format,
    };
    Ok(Arc::new(WriteExec::try_new(output, spec)?))
}

fn at(plan: &Plan, index: usize) -> Expr {
    let schema = plan.schema();
    Arc::new(datafusion::physical_expr::expressions::Column::new(schema.field(index).name(), index))
}

fn call(state: &SessionState, name: &str, args: Vec<Expr>, schema: &Schema) -> Result<Expr> {
    let function = state
        .scalar_functions()
        .get(name)
        .ok_or_else(|| internal_datafusion_err!("function {name} is not registered"))?;
    let config = Arc::new(state.config_options().as_ref().clone());
    Ok(Arc::new(ScalarFunctionExpr::try_new(Arc::clone(function), args, schema, config)?))
}

/// The scan's columns behind the label of their chunk.
fn with_chunk(state: &SessionState, scan: Plan, keys: usize, chunks: &Chunks) -> Result<Plan> {
    let schema = scan.schema();
    let json = serde_json::to_string(chunks).map_err(|e| datafusion::error::DataFusionError::External(Box::new(e)))?;
    let mut args: Vec<Expr> = vec![lit(json)];
    args.extend((0..keys).map(|key| at(&scan, key)));
    let mut columns = vec![ProjectionExpr::new(call(state, RANGE_CHUNK, args, &schema)?, CHUNK)];
    for (index, field) in schema.fields().iter().enumerate() {
        columns.push(ProjectionExpr::new(at(&scan, index), field.name()));
    }
    Ok(Arc::new(ProjectionExec::try_new(columns, scan)?))
}

/// One list of forecasts per chunk and key. Its input's columns: chunk, keys, time, data.
fn aggregate(state: &SessionState, input: Plan, keys: usize, options: &ForecastOptions) -> Result<Plan> {
    let schema = input.schema();
    let named = |index: usize| (at(&input, index), schema.field(index).name().clone());
    let structure = |columns: std::ops::Range<usize>| {
        let args = columns.flat_map(|index| [lit(schema.field(index).name().clone()), at(&input, index)]).collect();
        call(state, "named_struct", args, &schema)
    };
    let (time, first_data) = (keys + 1, keys + 2);
    let y = if schema.fields().len() == first_data + 1 {
        at(&input, first_data)
    } else {
        structure(first_data..schema.fields().len())?
    };
    let text = ScalarValue::from(options.to_json().to_string());
    let options = ScalarValue::Dictionary(Box::new(DataType::Int8), Box::new(text));
    let mut args = vec![at(&input, time), y, lit(options)];
    if keys > 0 {
        args.push(structure(1..time)?);
    } else {
        args.push(lit("all"));
    }
    let function = state
        .aggregate_functions()
        .get(FORECAST)
        .ok_or_else(|| internal_datafusion_err!("function {FORECAST} is not registered"))?;
    let forecast =
        AggregateExprBuilder::new(Arc::clone(function), args).schema(Arc::clone(&schema)).alias(FORECAST).build()?;
    Ok(Arc::new(AggregateExec::try_new(
        AggregateMode::SinglePartitioned,
        PhysicalGroupBy::new_single((0..=keys).map(named).collect()),
        vec![Arc::new(forecast)],
        vec![None],
        Arc::clone(&input),
        schema,
    )?))
}

/// Keys as text, those with a null in them last: the order of [`merlion_io::chunk::compare_keys`].
fn series_order(input: &Plan, keys: usize) -> Option<LexOrdering> {
    let ascending = SortOptions { descending: false, nulls_first: false };
    let columns = (1..=keys).map(|key| at(input, key));
    let has_null = columns
        .clone()
        .map(|key| Arc::new(IsNullExpr::new(key)) as Expr)
        .reduce(|a, b| Arc::new(BinaryExpr::new(a, Operator::Or, b)));
    let first = has_null.filter(|_| keys > 1);
    LexOrdering::new(first.into_iter().chain(columns).map(|expr| PhysicalSortExpr::new(expr, ascending)))
}

/// A row for each element of the last column's lists.
fn unnest_last(input: Plan) -> Result<Plan> {
    let schema = input.schema();
    let last = schema.fields().len() - 1;
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    if let DataType::List(item) = schema.field(last).data_type() {
        fields[last] = Arc::new(Field::new(schema.field(last).name(), item.data_type().clone(), true));
    }
    let unnested = Arc::new(Schema::new(fields));
    let lists = vec![ListUnnest { index_in_input_schema: last, depth: 1 }];
    // A series without rows leaves none.
    let options = UnnestOptions::new().with_preserve_nulls(false);
    Ok(Arc::new(UnnestExec::new(input, lists, Vec::new(), unnested, options)?))
}

/// Chunk, keys, time, target, error; then status and message for the report.
fn output_columns(state: &SessionState, input: Plan, shape: &Shape) -> Result<Plan> {
    let schema = input.schema();
    let keys = shape.keys.len();
    let element = keys + 1;
    let field = |name: &str| call(state, "get_field", vec![at(&input, element), lit(name)], &schema);
    let cast = |expr: Expr, to: DataType| Arc::new(CastExpr::new(expr, to, None)) as Expr;
    let output = shape.output_schema();
    let mut columns: Vec<ProjectionExpr> =
        (0..=keys).map(|index| ProjectionExpr::new(at(&input, index), schema.field(index).name())).collect();
    for (index, source) in ["ds", "yhat", "stderr"].into_iter().enumerate() {
        let wanted = output.field(keys + index);
        columns.push(ProjectionExpr::new(cast(field(source)?, wanted.data_type().clone()), wanted.name()));
    }
    for name in ["status", "error"] {
        columns.push(ProjectionExpr::new(field(name)?, format!("__{name}")));
    }
    Ok(Arc::new(ProjectionExec::try_new(columns, input)?))
}
