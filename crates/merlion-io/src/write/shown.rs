//! The forecasts of a few series, which the job's report shows: they travel in the manifests, so that nobody has to read the output.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampNanosecondType};
use datafusion::common::Result;
use serde::{Deserialize, Serialize};

use crate::chunk::Key;

/// Series that failed which a task shows though nobody asked for them.
const FAILED_PER_PART: usize = 2;

/// A series of the output as it was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShownSeries {
    /// The series' key.
    pub key: Key,
    /// Its model.
    pub model: String,
    /// What became of it.
    pub status: String,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// Nanoseconds since 1970 of each row.
    pub times: Vec<i64>,
    /// Each column after the time: forecast, error, bounds.
    pub values: Vec<Vec<Option<f64>>>,
}

/// Picks the series to show from the rows of a part.
#[derive(Debug)]
pub(super) struct Showcase {
    wanted: HashSet<Key>,
    failed: usize,
    is_open: bool,
    pub(super) shown: Vec<ShownSeries>,
}

impl Showcase {
    pub(super) fn new(wanted: &[Key]) -> Self {
        Self { wanted: wanted.iter().cloned().collect(), failed: 0, is_open: false, shown: Vec::new() }
    }

    /// A series begins: is it shown?
    pub(super) fn begin(&mut self, key: &Key, model: Option<String>, status: &str, error: Option<&str>) {
        let failed = error.is_some() && self.failed < FAILED_PER_PART;
        self.is_open = self.wanted.contains(key) || failed;
        if self.is_open {
            self.failed += usize::from(failed);
            self.shown.push(ShownSeries {
                key: key.clone(),
                model: model.unwrap_or_default(),
                status: status.to_owned(),
                error: error.map(str::to_owned),
                ..ShownSeries::default()
            });
        }
    }

    /// More rows of the series that began last. The columns are the time and what follows it.
    pub(super) fn rows(&mut self, rows: &RecordBatch) -> Result<()> {
        let Some(series) = self.shown.last_mut().filter(|_| self.is_open) else { return Ok(()) };
        let times = cast(rows.column(0), &DataType::Timestamp(TimeUnit::Nanosecond, None))?;
        let times = times.as_primitive::<TimestampNanosecondType>();
        let timed: Vec<usize> = (0..rows.num_rows()).filter(|&row| times.is_valid(row)).collect();
        series.times.extend(timed.iter().map(|&row| times.value(row)));
        series.values.resize(rows.num_columns() - 1, Vec::new());
        for (values, column) in series.values.iter_mut().zip(&rows.columns()[1..]) {
            values.extend(numbers(column, &timed)?);
        }
        Ok(())
    }
}

fn numbers(column: &ArrayRef, rows: &[usize]) -> Result<Vec<Option<f64>>> {
    let column = cast(column, &DataType::Float64)?;
    let column = column.as_primitive::<Float64Type>();
    let finite = |row: &usize| column.is_valid(*row).then(|| column.value(*row)).filter(|value| value.is_finite());
    Ok(rows.iter().map(finite).collect())
}
