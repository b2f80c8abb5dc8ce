//! The leading arguments of the series functions: `(ds, y [, options [, key]])`, as types and as arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Float64Type, TimeUnit, TimestampNanosecondType};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{Signature, TypeSignature, Volatility};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Literal;

use crate::documentation::PARAMETERS;

/// The type of the time argument.
pub(crate) fn ds_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, None)
}

/// The type the options travel as. A dictionary costs one byte per row where plain text would be copied for every row.
pub(crate) fn options_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))
}

/// Whatever [`coerce`] takes, and as an example the types of all four arguments: `SHOW FUNCTIONS` leaves out functions without one.
pub(crate) fn signature() -> Signature {
    let all = vec![ds_type(), DataType::Float64, DataType::Utf8, DataType::Utf8];
    let types = TypeSignature::OneOf(vec![TypeSignature::UserDefined, TypeSignature::Exact(all)]);
    let mut signature = Signature::new(types, Volatility::Immutable);
    // The setter takes names for a fixed number of arguments only.
    signature.parameter_names = Some(PARAMETERS.map(str::to_owned).to_vec());
    signature
}

/// What the arguments are cast to.
pub(crate) fn coerce(function: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    if !(2..=4).contains(&types.len()) {
        return plan_err!("{function} takes (ds, y [, options [, key]]), got {} arguments", types.len());
    }
    let mut coerced = vec![match &types[0] {
        DataType::Timestamp(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Utf8
        | DataType::Utf8View
        | DataType::LargeUtf8
        | DataType::Null => ds_type(),
        other => return plan_err!("{function}: ds is a time (timestamp or date), not {other}"),
    }];
    coerced.push(match &types[1] {
        DataType::Struct(fields) if fields.is_empty() => return plan_err!("{function}: y is a struct without columns"),
        DataType::Struct(fields) => {
            if let Some(field) = fields.iter().find(|f| !is_number(f.data_type())) {
                return plan_err!("{function}: column '{}' of y is {}, not a number", field.name(), field.data_type());
            }
            DataType::Struct(fields.iter().map(|f| Field::new(f.name(), DataType::Float64, true)).collect::<Fields>())
        }
        number if is_number(number) => DataType::Float64,
        other => return plan_err!("{function}: y is a number or a struct of numbers, not {other}"),
    });
    if let Some(options) = types.get(2) {
        coerced.push(match options {
            // Structs are turned into text by the simplifier, when they are known to be one literal.
            DataType::Struct(_) => options.clone(),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => options_type(),
            other => return plan_err!("{function}: the options are a struct {{…}} or JSON text, not {other}"),
        });
    }
    if let Some(key) = types.get(3) {
        coerced.push(key.clone());
    }
    Ok(coerced)
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Boolean | DataType::Null)
}

/// How many columns `y` has.
pub(crate) fn column_count(y: &DataType) -> usize {
    match y {
        DataType::Struct(fields) => fields.len(),
        _ => 1,
    }
}

/// The literal behind a physical argument.
pub(crate) fn literal<'a>(function: &str, expr: &'a Arc<dyn PhysicalExpr>) -> Result<&'a ScalarValue> {
    match expr.downcast_ref::<Literal>() {
        Some(literal) => Ok(literal.value()),
        None => exec_err!("{function}: the options must be one literal, got {expr}"),
    }
}

/// The rows of a batch that have a time: times, then columns with NaN for null, and which rows of the batch they are.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<usize>,
    pub(crate) times: Vec<i64>,
    pub(crate) columns: Vec<Vec<f64>>,
}

/// Reads `ds` and `y`, leaving out rows without a time and those `keep` refuses.
pub(crate) fn rows(ds: &ArrayRef, y: &ArrayRef, keep: impl Fn(usize) -> bool) -> Result<Rows> {
    let ds = cast(ds, &ds_type())?;
    let ds = ds.as_primitive::<TimestampNanosecondType>();
    let rows: Vec<usize> = (0..ds.len()).filter(|&row| ds.is_valid(row) && keep(row)).collect();
    let times = rows.iter().map(|&row| ds.value(row)).collect();
    let columns = match y.data_type() {
        DataType::Struct(_) => {
            let y: &StructArray = y.as_struct();
            y.columns().iter().map(|column| numbers(column, &rows, |row| y.is_valid(row))).collect::<Result<_>>()?
        }
        _ => vec![numbers(y, &rows, |_| true)?],
    };
    Ok(Rows { rows, times, columns })
}

fn numbers(column: &ArrayRef, rows: &[usize], valid: impl Fn(usize) -> bool) -> Result<Vec<f64>> {
    let column = cast(column, &DataType::Float64)?;
    let column = column.as_primitive::<Float64Type>();
    Ok(rows.iter().map(|&row| if column.is_valid(row) && valid(row) { column.value(row) } else { f64::NAN }).collect())
}

/// What a series is called: the key column's text, or `name=text` for each field of a struct.
pub(crate) fn key_text(key: &ArrayRef, row: usize) -> Result<Box<str>> {
    let mut text = String::new();
    match key.data_type() {
        DataType::Struct(fields) => {
            for (field, column) in fields.iter().zip(key.as_struct().columns()) {
                if !text.is_empty() {
                    text.push_str(", ");
                }
                text.push_str(field.name());
                text.push('=');
                push_value(&mut text, column, row)?;
            }
        }
        _ => push_value(&mut text, key, row)?,
    }
    Ok(text.into_boxed_str())
}

fn push_value(text: &mut String, column: &ArrayRef, row: usize) -> Result<()> {
    match column.data_type() {
        _ if column.is_null(row) => text.push_str("null"),
        DataType::Utf8 => text.push_str(column.as_string::<i32>().value(row)),
        DataType::Utf8View => text.push_str(column.as_string_view().value(row)),
        _ => text.push_str(&arrow::util::display::array_value_to_string(column, row)?),
    }
    Ok(())
}
