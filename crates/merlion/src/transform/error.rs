//! Why a transform could not be built, fitted, applied or inverted.

use crate::series::SeriesError;
use crate::time::TimeError;

/// Why a transform could not be built, fitted, applied or inverted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// No transform has this name.
    #[error("unknown transform '{name}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A transform of Merlion's that has not been written yet.
    #[error("transform '{name}' exists in Merlion but is not available yet")]
    NotAvailable {
        /// Its name.
        name: String,
    },
    /// The transform has no such parameter.
    #[error("{transform} has no parameter '{parameter}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    UnknownParameter {
        /// The transform.
        transform: &'static str,
        /// The parameter asked for.
        parameter: String,
        /// The nearest parameter there is.
        nearest: Option<String>,
    },
    /// A parameter that must be given was not.
    #[error("{transform} needs a value for '{parameter}'")]
    MissingParameter {
        /// The transform.
        transform: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// A parameter has a value the transform cannot take.
    #[error("{transform}: {parameter} = {value}: {reason}")]
    InvalidParameter {
        /// The transform.
        transform: &'static str,
        /// The parameter.
        parameter: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// JSON that cannot be read as a transform.
    #[error("{0}")]
    InvalidSpec(String),
    /// A column the transform cannot work with.
    #[error("{transform}: column '{column}' {reason}")]
    UnsuitableColumn {
        /// The transform.
        transform: &'static str,
        /// The column.
        column: String,
        /// What is wrong with it, as the end of a sentence about the column.
        reason: String,
    },
    /// What the transform did cannot be undone.
    #[error("{transform} cannot be inverted: {reason}")]
    NotInvertible {
        /// The transform.
        transform: &'static str,
        /// Why not.
        reason: String,
    },
    /// The inversion state came from another transform or another series.
    #[error("{transform}: the inversion state does not belong to this series: {reason}")]
    WrongState {
        /// The transform.
        transform: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// A series the transform cannot work with.
    #[error(transparent)]
    Series(#[from] SeriesError),
}

impl TransformError {
    /// [`TransformError::InvalidParameter`] for a value that can be shown.
    pub(super) fn invalid(
        transform: &'static str,
        parameter: &str,
        value: impl std::fmt::Display,
        reason: impl Into<String>,
    ) -> Self {
        let (parameter, value, reason) = (parameter.to_owned(), value.to_string(), reason.into());
        Self::InvalidParameter { transform, parameter, value, reason }
    }
}

impl From<TimeError> for TransformError {
    fn from(error: TimeError) -> Self {
        Self::Series(error.into())
    }
}
