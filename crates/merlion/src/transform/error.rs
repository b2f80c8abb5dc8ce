//! Why a transform could not be built, fitted or applied.

use crate::series::SeriesError;
use crate::time::TimeError;

/// Why a transform could not be built, fitted or applied.
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
    /// A series the transform cannot work with.
    #[error(transparent)]
    Series(#[from] SeriesError),
}

impl From<TimeError> for TransformError {
    fn from(error: TimeError) -> Self {
        Self::Series(error.into())
    }
}
