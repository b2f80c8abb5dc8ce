//! Bits of physical plans that the plan of a job is put together from. Columns are found by position: users' may be called anything.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DataFusionError, Result, UnnestOptions, internal_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::AggregateUDF;
use datafusion::physical_expr::expressions::{CastExpr, Column, lit};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::unnest::{ListUnnest, UnnestExec};
use merlion_io::chunk::{Chunks, RANGE_CHUNK};

pub(super) type Expr = Arc<dyn PhysicalExpr>;
pub(super) type Plan = Arc<dyn ExecutionPlan>;

/// The name of the chunk column.
const CHUNK: &str = "__chunk";

/// A column of a plan.
pub(super) fn at(plan: &Plan, index: usize) -> Expr {
    Arc::new(Column::new(plan.schema().field(index).name(), index))
}

/// A column of a plan with its name.
pub(super) fn named(plan: &Plan, index: usize) -> (Expr, String) {
    (at(plan, index), plan.schema().field(index).name().clone())
}

pub(super) fn cast(expr: Expr, to: DataType) -> Expr {
    Arc::new(CastExpr::new(expr, to, None))
}

/// A call of a scalar function.
pub(super) fn call(state: &SessionState, name: &str, args: Vec<Expr>, schema: &Schema) -> Result<Expr> {
    let function = state
        .scalar_functions()
        .get(name)
        .ok_or_else(|| internal_datafusion_err!("function {name} is not registered"))?;
    let config = Arc::new(state.config_options().as_ref().clone());
    Ok(Arc::new(ScalarFunctionExpr::try_new(Arc::clone(function), args, schema, config)?))
}

/// An aggregate function.
pub(super) fn aggregate_function(state: &SessionState, name: &str) -> Result<Arc<AggregateUDF>> {
    let function = state.aggregate_functions().get(name);
    Ok(Arc::clone(function.ok_or_else(|| internal_datafusion_err!("function {name} is not registered"))?))
}

/// Some columns of a plan as one struct.
pub(super) fn structure(state: &SessionState, plan: &Plan, columns: std::ops::Range<usize>) -> Result<Expr> {
    let schema = plan.schema();
    let args = columns.flat_map(|index| [lit(schema.field(index).name().clone()), at(plan, index)]).collect();
    call(state, "named_struct", args, &schema)
}

/// A field of a struct.
pub(super) fn field(state: &SessionState, structure: Expr, name: &str, schema: &Schema) -> Result<Expr> {
    call(state, "get_field", vec![structure, lit(name)], schema)
}

/// A projection to these columns.
pub(super) fn project(input: Plan, columns: Vec<(Expr, String)>) -> Result<Plan> {
    let columns: Vec<ProjectionExpr> =
        columns.into_iter().map(|(expr, name)| ProjectionExpr::new(expr, name)).collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, input)?))
}

/// The label of the chunk of a key, under the name by which it travels.
pub(super) fn chunk(state: &SessionState, chunks: &Chunks, keys: Vec<Expr>, schema: &Schema) -> Result<(Expr, String)> {
    let json = serde_json::to_string(chunks).map_err(|e| DataFusionError::External(Box::new(e)))?;
    let mut args: Vec<Expr> = vec![lit(json)];
    args.extend(keys);
    Ok((call(state, RANGE_CHUNK, args, schema)?, CHUNK.to_owned()))
}

/// A row for each element of the last column's lists.
pub(super) fn unnest_last(input: Plan) -> Result<Plan> {
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
