//! Why nothing was generated.

use crate::series::SeriesError;
use crate::time::TimeError;

/// Why nothing was generated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A parameter has a value it cannot have.
    #[error("{name}: {parameter} = {value}: {reason}")]
    InvalidParameter {
        /// Whose parameter.
        name: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no such parameter.
    #[error("there is no parameter '{parameter}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    UnknownParameter {
        /// The parameter asked for.
        parameter: String,
        /// The nearest parameter there is.
        nearest: Option<String>,
    },
    /// JSON that cannot be read as a generator.
    #[error("{0}")]
    InvalidSpec(String),
    /// The columns are not those of a series, with or without its labels.
    #[error(
        "anomalies are put into a series of one column, or of one column and labels whose name contains 'anom', not of '{}'",
        columns.join("', '")
    )]
    Columns {
        /// The columns there are.
        columns: Vec<String>,
    },
    /// Times that cannot be worked with.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A series that cannot be worked with.
    #[error(transparent)]
    Series(#[from] SeriesError),
}

impl GenerateError {
    pub(super) fn invalid(
        name: &'static str,
        parameter: &'static str,
        value: impl std::fmt::Debug,
        reason: &'static str,
    ) -> Self {
        Self::InvalidParameter { name, parameter, value: format!("{value:?}"), reason }
    }
}

/// `value` must be a probability.
pub(super) fn probability(name: &'static str, parameter: &'static str, value: f64) -> Result<(), GenerateError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(GenerateError::invalid(name, parameter, value, "must be from 0 to 1"))
}
