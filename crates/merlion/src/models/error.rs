//! Why a model could not be built, fitted or asked.

use super::Kind;
use crate::series::SeriesError;
use crate::time::TimeError;
use crate::transform::TransformError;

/// Why a model could not be built, fitted or asked. The caller, who knows it, adds the series key.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No model has this name.
    #[error("unknown model '{name}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// The model has no such parameter.
    #[error("{model} has no parameter '{parameter}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    UnknownParameter {
        /// The model's name.
        model: String,
        /// The parameter asked for.
        parameter: String,
        /// The nearest parameter there is.
        nearest: Option<String>,
    },
    /// A parameter has a value the model cannot take.
    #[error("{model}: {parameter} = {value}: {reason}")]
    InvalidParameter {
        /// The model's name.
        model: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Model JSON that cannot be read as a model.
    #[error("{0}")]
    InvalidSpec(String),
    /// A forecaster where a detector belongs, or the other way round.
    #[error("{name} is a {kind}, but a {} is wanted{}", kind.other(), twin.map(|twin| format!(", such as {twin}")).unwrap_or_default())]
    WrongKind {
        /// The model's name.
        name: &'static str,
        /// What it is.
        kind: Kind,
        /// The model of the other kind that belongs to it.
        twin: Option<&'static str>,
    },
    /// Too few observations.
    #[error("{got} observations, at least {needed} needed")]
    TooShort {
        /// Observations there are.
        got: usize,
        /// Observations needed.
        needed: usize,
    },
    /// A value the model cannot take.
    #[error("{what} (first: {value} at position {position})")]
    UnsuitableValue {
        /// What is wrong.
        what: &'static str,
        /// The first such value.
        value: f64,
        /// Its position.
        position: usize,
    },
    /// The series has no observation left after missing values were removed.
    #[error("no usable observation")]
    Empty,
    /// A request the fitted model cannot answer.
    #[error("{0}")]
    Request(String),
    /// Something this model does not do.
    #[error("{what} is not supported by this model")]
    Unsupported {
        /// What was asked.
        what: &'static str,
    },
    /// Optimisation or arithmetic did not give a usable result.
    #[error("numerical failure: {0}")]
    Numerical(String),
    /// Time stamps that cannot be worked with.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A series that cannot be worked with.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// A transform that does not exist, or cannot be applied.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// A model of Merlion's that has not been written yet.
    #[error("model '{name}' exists in Merlion but is not available yet")]
    NotAvailable {
        /// Its name.
        name: String,
    },
    /// A model that leaves several columns to one that has not been written yet.
    #[error(
        "{model} leaves {columns} columns to {name}, which is not available yet; give it one column, or name another model"
    )]
    Delegated {
        /// The model.
        model: &'static str,
        /// Columns it was given.
        columns: usize,
        /// The model it would hand them to.
        name: &'static str,
    },
    /// The job was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The fit took longer than allowed.
    #[error("deadline exceeded")]
    DeadlineExceeded,
}
