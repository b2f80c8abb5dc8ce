//! From a series to what a model is trained on: transformed, on its grid, aligned, finite.

use crate::align;
use crate::models::ModelError;
use crate::series::TimeSeries;
use crate::time::{Granularity, Timestamp};
use crate::transform::{FittedTransform, TransformSpec};

/// The largest observation. Variances square it, and sums of squares must stay finite.
const LARGEST: f64 = 1e150;

/// A series as a model is to see it, and how it came about.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) transform: FittedTransform,
    pub(super) transformed: TimeSeries,
    pub(super) times: Vec<Timestamp>,
    /// A column for each of the transformed series; not yet checked for being finite.
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) granularity: Granularity,
}

/// Trains the transform on the series and applies it.
pub(super) fn prepare(
    series: &TimeSeries,
    transform: &TransformSpec,
    even_sampling: bool,
) -> Result<Prepared, ModelError> {
    let transform = transform.fit(series)?;
    let transformed = transform.apply(series)?;
    let (times, columns) = align::to_columns(&transformed)?;
    let granularity = match transform.grid() {
        Some(grid) => grid,
        None => Granularity::infer(&times)?,
    };
    if even_sampling && times.len() > 2 && !granularity.is_even(&times) {
        return Err(ModelError::Unsupported { what: "an unevenly sampled series without resampling" });
    }
    Ok(Prepared { transform, transformed, times, columns, granularity })
}

/// The column that is meant.
pub(super) fn target_index(columns: usize, setting: Option<usize>) -> Result<usize, ModelError> {
    match (columns, setting) {
        (0, _) => Err(ModelError::Empty),
        (1, _) => Ok(0),
        (_, Some(index)) if index < columns => Ok(index),
        (_, Some(index)) => Err(out_of_range(index, columns)),
        (_, None) => {
            Err(ModelError::Request(format!("target_seq_index must say which of {columns} columns is the target")))
        }
    }
}

pub(super) fn out_of_range(index: usize, columns: usize) -> ModelError {
    ModelError::Request(format!("target_seq_index {index} is out of range for {columns} columns"))
}

/// Refuses a value no model can calculate with.
pub(super) fn check_values(column: &[f64]) -> Result<(), ModelError> {
    // NaN is in no range.
    let unusable = |v: &f64| !(-LARGEST..=LARGEST).contains(v);
    match column.iter().position(unusable) {
        None => Ok(()),
        Some(position) => {
            let what = "not a finite number, or too large to be squared";
            Err(ModelError::UnsuitableValue { what, value: column[position], position })
        }
    }
}
