//! `reconcile(key, yhat, stderr [, options [, carry]])`: the forecasts of one time stamp, made to add up along the hierarchy that
//! their keys describe (`__aggregated__` marks a sum).
//!
//! ```sql
//! SELECT ds, unnest(reconcile({store: store, dept: dept}, yhat, stderr)) FROM forecasts GROUP BY ds
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type};
use datafusion_common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use merlion::hierarchy::{Hierarchy, MinTrace};
use merlion::nearest::nearest;
use serde_json::Value;

use crate::options::{OptionsError, literal_to_json};
use crate::series_input;

/// The name in SQL.
pub const NAME: &str = "reconcile";

const OPTIONS: &[&str] = &["method", "missing"];

/// The aggregate function.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ReconcileUdaf {
    signature: Signature,
}

/// The function as DataFusion registers it.
#[must_use]
pub fn reconcile_udaf() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(ReconcileUdaf { signature: Signature::user_defined(Volatility::Immutable) }))
}

/// Reads `{method: 'wls_var' | 'wls_std' | 'wls_struct', missing: 'unchanged' | 'restrict'}`.
fn options(literal: &ScalarValue) -> Result<MinTrace> {
    let told = |error: OptionsError| DataFusionError::Plan(format!("{NAME}: {error}"));
    let json = literal_to_json(literal).map_err(told)?;
    let Value::Object(map) = json else { return Err(told(OptionsError::NotOptions(json.to_string()))) };
    let mut how = MinTrace::default();
    for (name, value) in map {
        let wrong = |name, expected| told(OptionsError::Value { name, value: value.to_string(), expected });
        match name.as_str() {
            "method" => {
                how.weighting = serde_json::from_value(value.clone())
                    .map_err(|_| wrong("method", "'wls_var', 'wls_std' or 'wls_struct'"))?;
            }
            "missing" => {
                how.missing =
                    serde_json::from_value(value.clone()).map_err(|_| wrong("missing", "'unchanged' or 'restrict'"))?;
            }
            _ => {
                let nearest = nearest(&name, OPTIONS.iter().copied()).map(str::to_owned);
                return Err(told(OptionsError::Unknown { name, nearest }));
            }
        }
    }
    Ok(how)
}

/// The rows of one time stamp: the parts of the key, forecast, standard error, and what goes along.
fn element(types: &[DataType]) -> Result<Fields> {
    let [DataType::Struct(key), ..] = types else {
        return plan_err!("{NAME}: the key is a struct of the index columns, as in {{store: store, dept: dept}}");
    };
    let mut fields: Vec<Field> = key.iter().map(|field| Field::new(field.name(), DataType::Utf8, true)).collect();
    fields.push(Field::new("yhat", DataType::Float64, true));
    fields.push(Field::new("stderr", DataType::Float64, true));
    if let Some(carried) = types.get(4) {
        fields.push(Field::new("carry", carried.clone(), true));
    }
    Ok(fields.into())
}

fn list_of(fields: Fields) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Struct(fields), true)))
}

impl AggregateUDFImpl for ReconcileUdaf {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if !(3..=5).contains(&types.len()) {
            return plan_err!("{NAME} takes (key, yhat, stderr [, options [, carry]]), got {} arguments", types.len());
        }
        let DataType::Struct(key) = &types[0] else {
            return plan_err!(
                "{NAME}: the key is a struct of the index columns, as in {{store: store}}, not {}",
                types[0]
            );
        };
        if key.is_empty() {
            return plan_err!("{NAME}: the key has no columns");
        }
        let key = key.iter().map(|field| Field::new(field.name(), DataType::Utf8, true)).collect();
        let mut coerced = vec![DataType::Struct(key), DataType::Float64, DataType::Float64];
        if let Some(options) = types.get(3) {
            coerced.push(match options {
                DataType::Struct(_) => options.clone(),
                _ => series_input::options_type(),
            });
        }
        coerced.extend(types.get(4).cloned());
        Ok(coerced)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(list_of(element(types)?))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let types: Vec<DataType> = args.input_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "rows"), list_of(element(&types)?), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let how = args.exprs.get(3).map(|expr| options(series_input::literal(NAME, expr)?)).transpose()?;
        let fields = element(&types)?;
        let key_width = fields.len() - 2 - usize::from(types.len() > 4);
        Ok(Box::new(ReconcileAccumulator { how: how.unwrap_or_default(), key_width, fields, rows: Vec::new() }))
    }
}

/// The rows of one time stamp.
#[derive(Debug)]
struct ReconcileAccumulator {
    how: MinTrace,
    key_width: usize,
    fields: Fields,
    rows: Vec<StructArray>,
}

impl ReconcileAccumulator {
    fn all_rows(&self) -> Result<StructArray> {
        let parts: Vec<&dyn Array> = self.rows.iter().map(|part| part as &dyn Array).collect();
        if parts.is_empty() {
            return Ok(StructArray::new_null(self.fields.clone(), 0));
        }
        Ok(concat(&parts)?.as_struct().clone())
    }

    fn one_list(&self, rows: StructArray) -> Result<ScalarValue> {
        let item = Arc::new(Field::new_list_field(DataType::Struct(self.fields.clone()), true));
        let list = ListArray::try_new(item, OffsetBuffer::from_lengths([rows.len()]), Arc::new(rows), None)?;
        Ok(ScalarValue::List(Arc::new(list)))
    }

    fn reconciled(&self, rows: &StructArray) -> Result<StructArray> {
        let width = self.key_width;
        let keys: Vec<&StringArray> = rows.columns()[..width].iter().map(|column| column.as_string::<i32>()).collect();
        let keys: Vec<Vec<Option<&str>>> = (0..rows.len())
            .map(|row| keys.iter().map(|column| column.is_valid(row).then(|| column.value(row))).collect())
            .collect();
        let told = |error: merlion::hierarchy::HierarchyError| DataFusionError::Execution(format!("{NAME}: {error}"));
        let (hierarchy, ids) = Hierarchy::from_keys(&keys).map_err(told)?;
        let by_id = |column: usize| {
            let column = rows.column(column).as_primitive::<Float64Type>();
            let mut values = vec![f64::NAN; ids.len()];
            for (row, &id) in ids.iter().enumerate() {
                values[id] = if column.is_valid(row) { column.value(row) } else { f64::NAN };
            }
            values
        };
        let result = self.how.reconcile(hierarchy.tree(), &by_id(width), Some(&by_id(width + 1))).map_err(told)?;
        let in_rows = |values: &[f64]| -> ArrayRef {
            let finite = |id: &usize| Some(values[*id]).filter(|value| value.is_finite());
            Arc::new(ids.iter().map(finite).collect::<Float64Array>())
        };
        let mut columns = rows.columns().to_vec();
        columns[width] = in_rows(&result.mean);
        if let Some(stderr) = &result.stderr {
            columns[width + 1] = in_rows(stderr);
        }
        Ok(StructArray::try_new(self.fields.clone(), columns, None)?)
    }
}

impl Accumulator for ReconcileAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut columns = values[0].as_struct().columns().to_vec();
        for (column, field) in columns.iter_mut().zip(&self.fields) {
            *column = cast(column, field.data_type())?;
        }
        columns.extend([Arc::clone(&values[1]), Arc::clone(&values[2])]);
        columns.extend(values.get(4).cloned());
        self.rows.push(StructArray::try_new(self.fields.clone(), columns, None)?);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            self.rows.push(lists.value(row).as_struct().clone());
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.one_list(self.all_rows()?)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let rows = self.all_rows()?;
        self.rows.clear();
        if rows.is_empty() {
            return self.one_list(rows);
        }
        let rows = self.reconciled(&rows)?;
        self.one_list(rows)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.rows.iter().map(Array::get_array_memory_size).sum::<usize>()
    }
}
