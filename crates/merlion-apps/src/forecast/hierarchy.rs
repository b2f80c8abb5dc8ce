//! What a hierarchical job adds to the plan: the series of sums before the forecasts, and their reconciliation behind.
//!
//! ```text
//! UnnestExec                                a row per series and time
//!   AggregateExec                           reconcile(key, yhat, stderr, options, carry) per time
//!     RepartitionExec                       by time
//!       …                                   the forecasts, as in a flat job
//!         UnionExec
//!           ProjectionExec                  the table
//!           ProjectionExec                  the sums, '__aggregated__' in their keys
//!             AggregateExec                 FinalPartitioned
//!               RepartitionExec             by keys and time
//!                 AggregateExec             Partial: one grouping set per level
//!                   DataSourceExec
//! ```

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{BinaryExpr, CaseExpr, IsNullExpr, lit};
use datafusion::physical_plan::Partitioning;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;
use merlion::hierarchy::{AGGREGATED, MinTrace};
use merlion_io::chunk::{Chunks, Key};
use merlion_udf::aggregate::reconcile::NAME as RECONCILE;
use merlion_udf::aggregate::spark_aggregate::{NAME as SPARK_AGGREGATE, SparkAggregate};

use super::physical::{
    Expr, Plan, aggregate_function, at, call, cast, chunk, field, named, project, structure, unnest_last,
};

/// How the data columns of sums are made, and how forecasts are made to add up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    /// The aggregation of each data column; a column without one is not there in sums.
    pub(super) columns: Vec<Option<SparkAggregate>>,
    /// How forecasts are reconciled.
    pub(super) reconciliation: MinTrace,
    /// Whether forecasts are rounded to 32 bits before, as between two stages of Merlion's job.
    pub(super) round: bool,
}

/// The keys of all sums over these leaves, and the leaves.
pub(super) fn with_sums(leaves: Vec<Key>) -> Vec<Key> {
    let width = leaves.first().map_or(0, Vec::len);
    let sum = |leaf: &Key, depth: usize| -> Key {
        (0..width).map(|i| if i < depth { leaf[i].clone() } else { Some(AGGREGATED.to_owned()) }).collect()
    };
    let sums: Vec<Key> = leaves.iter().flat_map(|leaf| (0..width).map(|depth| sum(leaf, depth))).collect();
    leaves.into_iter().chain(sums).collect()
}

/// The table and its sums. The inputs are two scans of the same columns: keys, time, data; the output has the chunk in front.
pub(super) fn table_and_sums(
    state: &SessionState,
    (leaves, again): (Plan, Plan),
    keys: usize,
    chunks: &Chunks,
    levels: &Levels,
) -> Result<Plan> {
    let schema = leaves.schema();
    let mut columns = vec![chunk(state, chunks, (0..keys).map(|key| at(&leaves, key)).collect(), &schema)?];
    columns.extend((0..=keys).map(|index| named(&leaves, index)));
    columns.extend((keys + 1..schema.fields().len()).map(|index| {
        let (expr, name) = named(&leaves, index);
        (cast(expr, DataType::Float64), name)
    }));
    let leaves = project(leaves, columns)?;
    let sums = sums(state, again, keys, chunks, levels)?;
    UnionExec::try_new(vec![leaves, sums])
}

fn sums(state: &SessionState, scan: Plan, keys: usize, chunks: &Chunks, levels: &Levels) -> Result<Plan> {
    let schema = scan.schema();
    let functions = levels
        .columns
        .iter()
        .enumerate()
        .filter_map(|(data, aggregate)| Some((keys + 1 + data, (*aggregate)?)))
        .map(|(index, aggregate)| {
            let function = aggregate_function(state, SPARK_AGGREGATE)?;
            let args = vec![cast(at(&scan, index), DataType::Float64), lit(aggregate.to_string())];
            let name = schema.field(index).name();
            Ok(Arc::new(AggregateExprBuilder::new(function, args).schema(Arc::clone(&schema)).alias(name).build()?))
        })
        .collect::<Result<Vec<Arc<AggregateFunctionExpr>>>>()?;
    let filters = vec![None; functions.len()];

    // Keys and time; in the level of the first `depth` keys the others are null.
    let columns: Vec<(Expr, String)> = (0..=keys).map(|index| named(&scan, index)).collect();
    let nulls = (0..=keys)
        .map(|index| {
            Ok((lit(ScalarValue::try_from(schema.field(index).data_type())?), schema.field(index).name().clone()))
        })
        .collect::<Result<Vec<_>>>()?;
    let sets = (0..keys).map(|depth| (0..=keys).map(|index| (depth..keys).contains(&index)).collect()).collect();
    let group_by = PhysicalGroupBy::new(columns, nulls, sets, true);
    let partial: Plan = Arc::new(AggregateExec::try_new(
        AggregateMode::Partial,
        group_by.clone(),
        functions.clone(),
        filters.clone(),
        scan,
        Arc::clone(&schema),
    )?);
    // Keys, time, and which level it is.
    let by_series = (0..keys + 2).map(|index| at(&partial, index)).collect();
    let shuffled = Arc::new(RepartitionExec::try_new(partial, Partitioning::Hash(by_series, chunks.len()))?);
    let totals: Plan = Arc::new(AggregateExec::try_new(
        AggregateMode::FinalPartitioned,
        group_by.as_final(),
        functions,
        filters,
        shuffled,
        Arc::clone(&schema),
    )?);

    let level = cast(at(&totals, keys + 1), DataType::UInt64);
    let key = |index: usize| -> Result<Expr> {
        // One bit per grouping column, the first one highest: key `index` and all behind it are missing, the time is not.
        let missing = ((1u64 << (keys - index)) - 1) << 1;
        let is_sum = Arc::new(BinaryExpr::new(Arc::clone(&level), Operator::GtEq, lit(missing)));
        Ok(Arc::new(CaseExpr::try_new(None, vec![(is_sum, lit(AGGREGATED))], Some(at(&totals, index)))?))
    };
    let key_columns = (0..keys).map(key).collect::<Result<Vec<_>>>()?;
    let mut columns = vec![chunk(state, chunks, key_columns.clone(), &totals.schema())?];
    columns.extend(key_columns.into_iter().enumerate().map(|(index, expr)| (expr, schema.field(index).name().clone())));
    columns.push(named(&totals, keys));
    let mut next = keys + 2;
    for (data, aggregate) in levels.columns.iter().enumerate() {
        let name = schema.field(keys + 1 + data).name().clone();
        if aggregate.is_some() {
            columns.push((at(&totals, next), name));
            next += 1;
        } else {
            columns.push((lit(ScalarValue::Float64(None)), name));
        }
    }
    project(totals, columns)
}

fn key_field(key: usize) -> String {
    format!("key{key}")
}

/// Forecasts that add up. Columns in: chunk, keys, time, forecast, error, step, then what travels along; out: the same without the
/// step.
pub(super) fn reconciled(
    state: &SessionState,
    rows: Plan,
    keys: usize,
    chunks: &Chunks,
    levels: &Levels,
) -> Result<Plan> {
    let schema = rows.schema();
    let (time, step, carried) = (keys + 1, keys + 4, keys + 5..schema.fields().len());
    let by_time = Partitioning::Hash(vec![at(&rows, time)], chunks.len());
    let shuffled: Plan = Arc::new(RepartitionExec::try_new(rows, by_time)?);
    let number = |index: usize| {
        let number = at(&shuffled, index);
        if levels.round { cast(cast(number, DataType::Float32), DataType::Float64) } else { number }
    };
    let options = serde_json::to_string(&serde_json::json!({
        "method": levels.reconciliation.weighting,
        "missing": levels.reconciliation.missing,
    }));
    let options = options.map_err(|e| datafusion::error::DataFusionError::External(Box::new(e)))?;
    let options = ScalarValue::Dictionary(Box::new(DataType::Int8), Box::new(ScalarValue::from(options)));
    let args = vec![
        // Under names of ours: a column of the table may be called as a field of the result.
        call(
            state,
            "named_struct",
            (0..keys).flat_map(|key| [lit(key_field(key)), at(&shuffled, key + 1)]).collect(),
            &schema,
        )?,
        number(keys + 2),
        number(keys + 3),
        lit(options),
        structure(state, &shuffled, carried.clone())?,
    ];
    let reconcile = AggregateExprBuilder::new(aggregate_function(state, RECONCILE)?, args)
        .schema(Arc::clone(&schema))
        .alias(RECONCILE)
        .build()?;
    // Where the time of a step is unknown (a series of one row) each step is by itself.
    let no_time = Arc::new(IsNullExpr::new(at(&shuffled, time)));
    let untimed = Arc::new(CaseExpr::try_new(None, vec![(no_time, at(&shuffled, step))], None)?);
    let lists: Plan = Arc::new(AggregateExec::try_new(
        AggregateMode::SinglePartitioned,
        PhysicalGroupBy::new_single(vec![named(&shuffled, time), (untimed, "__untimed_step".to_owned())]),
        vec![Arc::new(reconcile)],
        vec![None],
        shuffled,
        Arc::clone(&schema),
    )?);
    let rows = unnest_last(lists)?;

    let element = rows.schema();
    let part = |name: &str| field(state, at(&rows, 2), name, &element);
    let key_columns = (0..keys).map(|key| part(&key_field(key))).collect::<Result<Vec<_>>>()?;
    let mut columns = vec![chunk(state, chunks, key_columns.clone(), &element)?];
    columns.extend(
        key_columns.into_iter().enumerate().map(|(index, expr)| (expr, schema.field(index + 1).name().clone())),
    );
    columns.push(named(&rows, 0));
    for (index, name) in [(keys + 2, "yhat"), (keys + 3, "stderr")] {
        columns.push((part(name)?, schema.field(index).name().clone()));
    }
    for index in carried {
        let name = schema.field(index).name();
        columns.push((field(state, part("carry")?, name, &element)?, name.clone()));
    }
    let rows = project(rows, columns)?;
    let by_chunk = Partitioning::Hash(vec![at(&rows, 0)], chunks.len());
    Ok(Arc::new(RepartitionExec::try_new(rows, by_chunk)?))
}
