//! The plan of a forecast job, from the scan to the part files.
//!
//! ```text
//! WriteExec                         a part file per chunk
//!   ProjectionExec                  output columns, 32-bit floats
//!     ProjectionExec                a column for each thing known of a row
//!       UnnestExec                  a row per time
//!         SortExec                  series in order, within the task
//!           SeriesScopeExec         on a thread that can be stopped
//!             AggregateExec         forecast(time, y, options, key) per chunk and key
//!               RepartitionExec     the one shuffle, by chunk
//!                 ProjectionExec    range_chunk(key)
//!                   DataSourceExec  the table
//! ```
//!
//! It is made by hand, as a physical plan: nothing in it is for an optimizer to decide, and it means the same tomorrow. What a
//! hierarchical job adds is in [`super::hierarchy`].

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::{BinaryExpr, IsNullExpr, lit};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::Partitioning;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use merlion::hierarchy::AGGREGATED;
use merlion::math::normal;
use merlion_io::chunk::Chunks;
use merlion_io::dataset::{Dataset, TimeType};
use merlion_io::format::FileFormat;
use merlion_io::write::{DiagnosticsSpec, WriteExec, WriteSpec};
use merlion_session::master::Master;
use merlion_session::run_in_scope;
use merlion_udf::aggregate::forecast::NAME as FORECAST;
use merlion_udf::options::ForecastOptions;
use merlion_udf::scalar::interval_bound::NAME as INTERVAL_BOUND;

use super::hierarchy::{Levels, reconciled, table_and_sums, with_sums};
use super::physical::{
    Expr, Plan, aggregate_function, at, call, cast, chunk, field, named, project, structure, unnest_last,
};
use super::report::chosen;
use super::{ForecastJob, Output, Outputs, ValueType};

/// Bytes of input that make one scan task.
const SCAN_BYTES: u64 = 32 << 20;

/// Bytes of input per chunk: what one task collects at once.
const CHUNK_BYTES: u64 = 64 << 20;

/// Below this much input, starting tasks costs more than sharing the work out finely gains.
const SMALL: u64 = 8 << 20;

/// Tasks at once that are assumed of a cluster in other processes.
const REMOTE_VCORES: usize = 8;

/// What of a row is not written but told in the report.
const TOLD: [&str; 4] = ["status", "error", "model", "details"];

/// What a job's output looks like and how its work is shared out.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    time_type: TimeType,
    value_type: ValueType,
    time_name: String,
    target_name: String,
    keys: Vec<String>,
    /// Levels of the prediction intervals.
    intervals: Vec<f64>,
    levels: Option<Levels>,
    /// Whether there is a report, which shows some series.
    report: bool,
    format: FileFormat,
    scan_tasks: usize,
    chunks: usize,
}

impl Shape {
    pub(super) fn new(job: &ForecastJob, dataset: &Dataset, levels: Option<Levels>) -> Self {
        let vcores = match &job.master {
            Master::Local { vcores } => *vcores,
            Master::Remote { .. } => REMOTE_VCORES,
        };
        let tasks = |unit: u64| usize::try_from(dataset.bytes().div_ceil(unit)).unwrap_or(usize::MAX);
        let small = dataset.bytes() < SMALL;
        let by_bytes = tasks(CHUNK_BYTES);
        Self {
            time_type: job.time_type(dataset),
            value_type: job.value_type,
            time_name: dataset.time_column().to_owned(),
            target_name: job.target_col.clone(),
            keys: job.index_cols.clone(),
            intervals: job.level.clone(),
            levels,
            report: job.report.is_some(),
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
        let value = match self.value_type {
            ValueType::Float => DataType::Float32,
            ValueType::Double => DataType::Float64,
        };
        let target = &self.target_name;
        let mut fields: Vec<Field> = self.keys.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        fields.push(Field::new(&self.time_name, time, true));
        let bounds = self.intervals.iter().flat_map(|level| SIDES.map(|side| format!("{target}_{side}_{level}")));
        let values = [target.clone(), format!("{target}_err")].into_iter().chain(bounds);
        fields.extend(values.map(|name| Field::new(name, value.clone(), true)));
        Arc::new(Schema::new(fields))
    }
}

const SIDES: [&str; 2] = ["lower", "upper"];

/// The plan.
pub(super) fn forecast_plan(
    state: &SessionState,
    dataset: &Dataset,
    shape: &Shape,
    options: &ForecastOptions,
    outputs: &Outputs,
) -> Result<Plan> {
    let keys = shape.keys.len();
    let sample = dataset.key_sample();
    let shown = shape.report.then(|| chosen(sample.clone(), shape.levels.is_some()));
    let sample = if shape.levels.is_some() { with_sums(sample) } else { sample };
    let chunks = Chunks::from_sample(sample, shape.chunks)?;

    let scan = dataset.scan(shape.scan_tasks)?;
    let table = match &shape.levels {
        Some(levels) => table_and_sums(state, (Arc::clone(&scan), scan), keys, &chunks, levels)?,
        None => with_chunk(state, scan, keys, &chunks)?,
    };
    let by_chunk = Partitioning::Hash(vec![at(&table, 0)], chunks.len());
    let shuffled: Plan = Arc::new(RepartitionExec::try_new(table, by_chunk)?);
    let forecasts = run_in_scope(aggregate(state, shuffled, keys, options)?);
    let rows = match &shape.levels {
        None => told_rows(state, unnest_last(in_series_order(forecasts, keys, None))?, shape)?,
        Some(levels) => {
            let rows = told_rows(state, unnest_last(forecasts)?, shape)?;
            in_series_order(reconciled(state, rows, keys, &chunks, levels)?, keys, Some(keys + 1))
        }
    };
    let output = output_columns(rows, shape)?;
    let staging = |output: &Output| output.committer.staging().to_string();
    let spec = WriteSpec {
        store: outputs.forecasts.store.clone(),
        staging: staging(&outputs.forecasts),
        labels: chunks.labels().to_vec(),
        key_columns: keys,
        diagnostics: outputs
            .diagnostics
            .as_ref()
            .map(|output| DiagnosticsSpec { store: output.store.clone(), staging: staging(output) }),
        shown,
        format: shape.format,
    };
    Ok(Arc::new(WriteExec::try_new(output, spec)?))
}

/// The scan's columns behind the label of their chunk.
fn with_chunk(state: &SessionState, scan: Plan, keys: usize, chunks: &Chunks) -> Result<Plan> {
    let schema = scan.schema();
    let mut columns = vec![chunk(state, chunks, (0..keys).map(|key| at(&scan, key)).collect(), &schema)?];
    columns.extend((0..schema.fields().len()).map(|index| named(&scan, index)));
    project(scan, columns)
}

/// One list of forecasts per chunk and key. Its input's columns: chunk, keys, time, data.
fn aggregate(state: &SessionState, input: Plan, keys: usize, options: &ForecastOptions) -> Result<Plan> {
    let schema = input.schema();
    let (time, first_data) = (keys + 1, keys + 2);
    let y = if schema.fields().len() == first_data + 1 {
        at(&input, first_data)
    } else {
        structure(state, &input, first_data..schema.fields().len())?
    };
    let text = ScalarValue::from(options.to_json().to_string());
    let options = ScalarValue::Dictionary(Box::new(DataType::Int8), Box::new(text));
    let mut args = vec![at(&input, time), y, lit(options)];
    args.push(if keys > 0 { structure(state, &input, 1..time)? } else { lit("all") });
    let forecast = AggregateExprBuilder::new(aggregate_function(state, FORECAST)?, args)
        .schema(Arc::clone(&schema))
        .alias(FORECAST)
        .build()?;
    Ok(Arc::new(AggregateExec::try_new(
        AggregateMode::SinglePartitioned,
        PhysicalGroupBy::new_single((0..=keys).map(|index| named(&input, index)).collect()),
        vec![Arc::new(forecast)],
        vec![None],
        Arc::clone(&input),
        schema,
    )?))
}

/// Sorted as [`merlion_io::chunk::compare_keys`] has it, then by the column `then`. The chunk is the first column, keys follow.
fn in_series_order(input: Plan, keys: usize, then: Option<usize>) -> Plan {
    let ascending = SortOptions { descending: false, nulls_first: false };
    let columns: Vec<Expr> = (1..=keys).map(|key| at(&input, key)).collect();
    // Only sums of a hierarchy have this word in their keys.
    let is_sum = |key: &Expr| Arc::new(BinaryExpr::new(Arc::clone(key), Operator::Eq, lit(AGGREGATED))) as Expr;
    let sums: Vec<Expr> = if then.is_some() { columns.iter().map(is_sum).collect() } else { Vec::new() };
    let has_null = columns
        .iter()
        .map(|key| Arc::new(IsNullExpr::new(Arc::clone(key))) as Expr)
        .reduce(|a, b| Arc::new(BinaryExpr::new(a, Operator::Or, b)));
    let nulls = has_null.filter(|_| keys > 1);
    let order = sums.into_iter().chain(nulls).chain(columns).chain(then.map(|column| at(&input, column)));
    match LexOrdering::new(order.map(|expr| PhysicalSortExpr::new(expr, ascending))) {
        Some(order) => Arc::new(SortExec::new(order, input).with_preserve_partitioning(true)),
        None => input,
    }
}

/// Chunk, keys, time, forecast, error; then what is known besides: bounds of the intervals (of a flat job) or the step (of a
/// hierarchical one), and what is told.
fn told_rows(state: &SessionState, input: Plan, shape: &Shape) -> Result<Plan> {
    let schema = input.schema();
    let element = shape.keys.len() + 1;
    let part = |name: &str| field(state, at(&input, element), name, &schema);
    let mut columns: Vec<(Expr, String)> = (0..element).map(|index| named(&input, index)).collect();
    for name in ["ds", "yhat", "stderr"] {
        columns.push((part(name)?, format!("__{name}")));
    }
    if shape.levels.is_none() {
        for level in &shape.intervals {
            for side in SIDES {
                let args = vec![part("intervals")?, lit(*level), lit(side)];
                columns.push((call(state, INTERVAL_BOUND, args, &schema)?, format!("__{side}_{level}")));
            }
        }
    } else {
        columns.push((part("step")?, "__step".to_owned()));
    }
    for name in TOLD {
        columns.push((part(name)?, format!("__{name}")));
    }
    project(input, columns)
}

/// The chunk, the output's columns, and what is told.
fn output_columns(input: Plan, shape: &Shape) -> Result<Plan> {
    let schema = input.schema();
    let keys = shape.keys.len();
    let output = shape.output_schema();
    let first_told = schema.fields().len() - TOLD.len();
    let (mean, error) = (at(&input, keys + 2), at(&input, keys + 3));
    let mut values: Vec<Expr> = vec![at(&input, keys + 1), Arc::clone(&mean), Arc::clone(&error)];
    if shape.levels.is_none() {
        values.extend((keys + 4..first_told).map(|index| at(&input, index)));
    } else {
        // Reconciled errors are what is left to make intervals of.
        for level in &shape.intervals {
            let width = normal::quantile(0.5 + level / 200.0);
            let half: Expr = Arc::new(BinaryExpr::new(Arc::clone(&error), Operator::Multiply, lit(width)));
            for operator in [Operator::Minus, Operator::Plus] {
                values.push(Arc::new(BinaryExpr::new(Arc::clone(&mean), operator, Arc::clone(&half))));
            }
        }
    }
    let mut columns: Vec<(Expr, String)> = (0..=keys).map(|index| named(&input, index)).collect();
    columns.extend(values.into_iter().enumerate().map(|(index, value)| {
        let wanted = output.field(keys + index);
        (cast(value, wanted.data_type().clone()), wanted.name().clone())
    }));
    columns.extend((first_told..schema.fields().len()).map(|index| named(&input, index)));
    project(input, columns)
}
