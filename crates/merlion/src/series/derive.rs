//! Series made of other series: other values or names at the same times, which stay shared in memory.

use std::ops::Range;
use std::sync::Arc;

use super::{TimeSeries, Univariate};
use crate::time::Timestamp;

impl Univariate {
    /// The column with other values, of which there must be as many.
    pub(crate) fn with_values(&self, values: Vec<f64>) -> Self {
        debug_assert_eq!(values.len(), self.len(), "one value per time");
        Self { name: Arc::clone(&self.name), times: Arc::clone(&self.times), values: Arc::new(values) }
    }

    /// The column under another name.
    pub(crate) fn named(&self, name: &str) -> Self {
        Self { name: name.into(), ..self.clone() }
    }
}

impl TimeSeries {
    /// The series whose columns have other values at the same times, one value per time.
    pub(crate) fn map_columns(&self, mut values: impl FnMut(&Univariate) -> Vec<f64>) -> Self {
        Self { columns: self.columns.iter().map(|column| column.with_values(values(column))).collect() }
    }

    /// The observations at the positions that `range` chooses from each column's times.
    pub(crate) fn at_positions(&self, range: impl Fn(&[Timestamp]) -> Range<usize>) -> Self {
        self.slice(range)
    }

    /// The column of a name, for callers that know what a missing one means.
    pub(crate) fn find(&self, name: &str) -> Option<&Univariate> {
        self.columns.iter().find(|column| column.name() == name)
    }
}
