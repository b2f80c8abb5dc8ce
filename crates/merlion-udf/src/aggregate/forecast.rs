//! `forecast(ds, y [, options [, key]])`: trains a model on the rows of a group and returns its forecasts.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray, StringArray, TimestampNanosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, TimestampNanosecondType};
use datafusion_common::{Result, ScalarValue, internal_err, not_impl_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, Expr, GroupsAccumulator, Signature,
};
use merlion::models::Catalog;

use crate::collected::Collected;
use crate::options::{ForecastOptions, literal_to_json};
use crate::output::{ForecastRows, forecast_type};
use crate::run::{ForecastRunner, RawSeries};
use crate::{documentation, series_input, stop};

/// The name in SQL.
pub const NAME: &str = "forecast";

/// The options of a call without any.
const NO_OPTIONS: &str = "{}";

/// The aggregate function, with the models it knows.
#[derive(Debug, Clone)]
pub struct ForecastUdaf {
    signature: Signature,
    catalog: Arc<Catalog>,
    documentation: Documentation,
}

/// The function as DataFusion registers it.
#[must_use]
pub fn forecast_udaf(catalog: Arc<Catalog>) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(ForecastUdaf {
        signature: series_input::signature(),
        documentation: documentation::forecast(&catalog),
        catalog,
    }))
}

// Two instances are one function: plans compare them across processes.
impl PartialEq for ForecastUdaf {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for ForecastUdaf {}
impl Hash for ForecastUdaf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NAME.hash(state);
    }
}

impl ForecastUdaf {
    fn options(&self, literal: &ScalarValue) -> Result<ForecastOptions> {
        Ok(ForecastOptions::from_json(&literal_to_json(literal)?, &self.catalog)?)
    }

    fn accumulator_of(&self, args: &AccumulatorArgs<'_>) -> Result<ForecastAccumulator> {
        if args.is_distinct {
            return not_impl_err!("{NAME}(DISTINCT …): a series has each of its rows once");
        }
        let options = match args.exprs.get(2) {
            Some(expr) => self.options(series_input::literal(NAME, expr)?)?,
            None => self.options(&ScalarValue::from(NO_OPTIONS))?,
        };
        Ok(ForecastAccumulator {
            runner: ForecastRunner::try_new(options, &self.catalog, stop::current())?,
            collected: Collected::new(series_input::column_count(args.expr_fields[1].data_type())),
        })
    }
}

impl AggregateUDFImpl for ForecastUdaf {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(series_input::coerce(NAME, types).unwrap_or_else(|_| types.to_vec()))
    }

    /// Also says what is wrong with the arguments: DataFusion wraps what `coerce_types` says into words about internal errors.
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        series_input::coerce(NAME, types)?;
        Ok(forecast_type())
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = |suffix: &str, item: DataType| {
            Arc::new(Field::new_list(format_state_name(args.name, suffix), Field::new_list_field(item, true), true))
        };
        let mut fields = vec![list("ds", series_input::ds_type())];
        for column in 0..series_input::column_count(args.input_fields[1].data_type()) {
            fields.push(list(&format!("y{column}"), DataType::Float64));
        }
        fields.push(Arc::new(Field::new(format_state_name(args.name, "key"), DataType::Utf8, true)));
        Ok(fields)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup(self.accumulator_of(&args)?)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.accumulator_of(&args)?))
    }

    /// Checks the options while the query is planned, and turns a struct literal into the text that ships.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        let this = self.clone();
        Some(Box::new(move |mut function, _| {
            let text = match function.params.args.get(2) {
                Some(Expr::Literal(literal, _)) => {
                    let options = this.options(literal)?;
                    if matches!(literal, ScalarValue::Struct(_)) { Some(options.to_json().to_string()) } else { None }
                }
                Some(Expr::Cast(_) | Expr::ScalarFunction(_)) => None,
                Some(other) => return plan_err!("{NAME}: the options must be one literal, got {other}"),
                None => None,
            };
            if let Some(text) = text {
                let text = ScalarValue::Dictionary(Box::new(DataType::Int8), Box::new(ScalarValue::from(text)));
                function.params.args[2] = Expr::Literal(text, None);
            }
            Ok(Expr::AggregateFunction(function))
        }))
    }
}

/// Collects the rows of every group, and runs the pipeline over each when asked for results.
#[derive(Debug)]
struct ForecastAccumulator {
    runner: ForecastRunner,
    collected: Collected,
}

impl GroupsAccumulator for ForecastAccumulator {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.collected.grow(total_num_groups);
        let keep = |row: usize| filter.is_none_or(|f| f.is_valid(row) && f.value(row));
        let batch = series_input::rows(&values[0], &values[1], keep)?;
        if let Some(key) = values.get(3) {
            for &row in &batch.rows {
                if self.collected.unnamed(group_indices[row]) {
                    self.collected.name(group_indices[row], series_input::key_text(key, row)?);
                }
            }
        }
        let groups = batch.rows.iter().map(|&row| group_number(group_indices[row])).collect::<Result<_>>()?;
        self.collected.push(groups, batch.times, batch.columns);
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let gathered = self.collected.take_first(self.emitted(emit_to));
        let mut rows = ForecastRows::new();
        for group in 0..gathered.len() {
            let range = gathered.rows(group);
            let raw = RawSeries {
                key: gathered.keys[group].as_deref(),
                times: &gathered.times[range.clone()],
                columns: gathered.columns.iter().map(|column| &column[range.clone()]).collect(),
            };
            self.runner.run(&raw, &mut rows)?;
        }
        rows.finish()
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let gathered = self.collected.take_first(self.emitted(emit_to));
        let offsets: Vec<i32> = gathered
            .offsets
            .iter()
            .map(|&o| {
                i32::try_from(o)
                    .map_err(|_| datafusion_common::exec_datafusion_err!("{NAME}: over 2^31 rows in one state"))
            })
            .collect::<Result<_>>()?;
        let offsets = OffsetBuffer::new(offsets.into());
        let mut state = vec![list(
            series_input::ds_type(),
            &offsets,
            Arc::new(TimestampNanosecondArray::from(gathered.times)),
            None,
        )?];
        for column in gathered.columns {
            state.push(list(DataType::Float64, &offsets, Arc::new(Float64Array::from(column)), None)?);
        }
        state.push(Arc::new(gathered.keys.iter().map(Option::as_deref).collect::<StringArray>()));
        Ok(state)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.collected.grow(total_num_groups);
        let [times, columns @ .., keys] = values else {
            return internal_err!("{NAME}: state of {} columns", values.len());
        };
        let (times, keys) = (times.as_list::<i32>(), keys.as_string::<i32>());
        let columns: Vec<&ListArray> = columns.iter().map(|column| column.as_list::<i32>()).collect();
        let time_values = times.values().as_primitive::<TimestampNanosecondType>();
        let mut groups = Vec::with_capacity(time_values.len());
        let mut merged_times = Vec::with_capacity(time_values.len());
        let mut merged_columns = vec![Vec::with_capacity(time_values.len()); columns.len()];
        for (row, &group) in group_indices.iter().enumerate() {
            if keys.is_valid(row) && self.collected.unnamed(group) {
                self.collected.name(group, keys.value(row).into());
            }
            if times.is_null(row) {
                continue;
            }
            let range = range(times, row);
            groups.extend(std::iter::repeat_n(group_number(group)?, range.len()));
            merged_times.extend_from_slice(&time_values.values()[range]);
            for (merged, column) in merged_columns.iter_mut().zip(&columns) {
                let values = column.values().as_primitive::<Float64Type>();
                merged.extend_from_slice(&values.values()[self::range(column, row)]);
            }
        }
        self.collected.push(groups, merged_times, merged_columns);
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let batch = series_input::rows(&values[0], &values[1], |_| true)?;
        let len = values[0].len();
        // Rows without a time, or filtered away, become null lists, which `merge_batch` passes over.
        let mut valid = vec![false; len];
        for &row in &batch.rows {
            valid[row] = filter.is_none_or(|f| f.is_valid(row) && f.value(row));
        }
        let mut offsets = Vec::with_capacity(len + 1);
        offsets.push(0i32);
        let mut end = 0;
        let mut with_time = batch.rows.iter().peekable();
        for row in 0..len {
            if with_time.next_if(|&&r| r == row).is_some() {
                end += 1;
            }
            offsets.push(end);
        }
        let offsets = OffsetBuffer::new(offsets.into());
        let nulls = NullBuffer::from(valid);
        let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(batch.times));
        let mut state = vec![list(series_input::ds_type(), &offsets, times, Some(&nulls))?];
        for column in batch.columns {
            state.push(list(DataType::Float64, &offsets, Arc::new(Float64Array::from(column)), Some(&nulls))?);
        }
        let keys: StringArray = match values.get(3) {
            Some(key) => (0..len).map(|row| series_input::key_text(key, row).map(Some)).collect::<Result<_>>()?,
            None => StringArray::new_null(len),
        };
        state.push(Arc::new(keys));
        Ok(state)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.collected.size()
    }
}

impl ForecastAccumulator {
    fn emitted(&self, emit_to: EmitTo) -> usize {
        match emit_to {
            EmitTo::All => self.collected.group_count(),
            EmitTo::First(n) => n,
        }
    }
}

fn group_number(group: usize) -> Result<u32> {
    u32::try_from(group).map_err(|_| datafusion_common::exec_datafusion_err!("{NAME}: over 2^32 series in one task"))
}

fn range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    // Arrow's offsets are never negative.
    usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0)
}

fn list(item: DataType, offsets: &OffsetBuffer<i32>, values: ArrayRef, nulls: Option<&NullBuffer>) -> Result<ArrayRef> {
    let field = Arc::new(Field::new_list_field(item, true));
    Ok(Arc::new(ListArray::try_new(field, offsets.clone(), values, nulls.cloned())?))
}

/// The same for a query without GROUP BY.
#[derive(Debug)]
struct OneGroup(ForecastAccumulator);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; values[0].len()];
        GroupsAccumulator::update_batch(&mut self.0, values, &groups, None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.collected.grow(1);
        let array = GroupsAccumulator::evaluate(&mut self.0, EmitTo::All)?;
        ScalarValue::try_from_array(&array, 0)
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.collected.grow(1);
        let state = GroupsAccumulator::state(&mut self.0, EmitTo::All)?;
        state.iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; states[0].len()];
        GroupsAccumulator::merge_batch(&mut self.0, states, &groups, 1)
    }
}
