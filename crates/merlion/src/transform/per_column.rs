//! A number for all columns, or one for each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TransformError;
use crate::series::TimeSeries;

/// A number for all columns, or one for each by its name: `2.5` or `{"x": 2.5, "y": 3}` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or a dict of numbers by column name")]
pub enum PerColumn {
    /// The same for all columns.
    Same(f64),
    /// One for each column.
    Each(BTreeMap<String, f64>),
}

impl PerColumn {
    /// One number for each column of a series.
    pub(super) fn learn<E>(
        series: &TimeSeries,
        mut number: impl FnMut(&crate::series::Univariate) -> Result<f64, E>,
    ) -> Result<Self, E> {
        let numbers = series.univariates().iter().map(|column| Ok((column.name().to_owned(), number(column)?)));
        numbers.collect::<Result<_, _>>().map(Self::Each)
    }

    /// The number for a column.
    pub(super) fn of(&self, column: &str, transform: &'static str, parameter: &str) -> Result<f64, TransformError> {
        match self {
            Self::Same(number) => Ok(*number),
            Self::Each(numbers) => numbers.get(column).copied().ok_or_else(|| TransformError::UnsuitableColumn {
                transform,
                column: column.to_owned(),
                reason: format!("has no {parameter}"),
            }),
        }
    }

    /// All numbers.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> {
        let (same, each) = match self {
            Self::Same(number) => (Some(*number), None),
            Self::Each(numbers) => (None, Some(numbers)),
        };
        same.into_iter().chain(each.into_iter().flat_map(BTreeMap::values).copied())
    }
}
