//! `interval_bound(intervals, level, 'lower' | 'upper')`: one bound of a forecast's prediction intervals, null where there is none of
//! that level.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array, ListArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::output::intervals_type;

/// The name in SQL.
pub const NAME: &str = "interval_bound";

#[derive(Debug, PartialEq, Eq, Hash)]
struct IntervalBound {
    signature: Signature,
}

/// The function as DataFusion registers it.
#[must_use]
pub fn interval_bound_udf() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(IntervalBound { signature: Signature::user_defined(Volatility::Immutable) }))
}

impl ScalarUDFImpl for IntervalBound {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [list, _, _] if list.equals_datatype(&intervals_type()) => {
                Ok(vec![list.clone(), DataType::Float64, DataType::Utf8])
            }
            _ => plan_err!("{NAME} takes (intervals of a forecast, level in per cent, 'lower' or 'upper')"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [intervals, level, side] = args.args.as_slice() else { return exec_err!("{NAME} takes three arguments") };
        let ColumnarValue::Scalar(ScalarValue::Float64(Some(level))) = level else {
            return exec_err!("{NAME}: the level is one number");
        };
        let column = match side {
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(side))) if side == "lower" => 1,
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(side))) if side == "upper" => 2,
            _ => return exec_err!("{NAME}: the side is 'lower' or 'upper'"),
        };
        let intervals = intervals.to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(Arc::new(bounds(intervals.as_list::<i32>(), *level, column))))
    }
}

fn bounds(intervals: &ListArray, level: f64, column: usize) -> Float64Array {
    let rows = intervals.values().as_struct();
    let levels = rows.column(0).as_primitive::<Float64Type>();
    let bounds = rows.column(column).as_primitive::<Float64Type>();
    let offsets = intervals.value_offsets();
    (0..intervals.len())
        .map(|row| {
            // Arrow's offsets are never negative.
            let range = usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0);
            let at = range.into_iter().find(|&at| intervals.is_valid(row) && levels.value(at) == level)?;
            Some(bounds.value(at)).filter(|bound| bound.is_finite())
        })
        .collect()
}
