//! What can be wrong with a series, and with bringing its columns together.

use crate::time::TimeError;

/// What can be wrong with a series, and with bringing its columns together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// A column that is not as long as its times.
    #[error("{column}: {got} values for {expected} times")]
    LengthMismatch {
        /// The column.
        column: String,
        /// Values wanted.
        expected: usize,
        /// Values there are.
        got: usize,
    },
    /// Two columns of one name.
    #[error("two columns are called '{column}'")]
    DuplicateColumn {
        /// The name.
        column: String,
    },
    /// No column of that name.
    #[error("no column '{column}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    NoSuchColumn {
        /// The name asked for.
        column: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// Two series that should have the same columns.
    #[error("columns differ: {left} and {right}")]
    DifferentColumns {
        /// Columns of one series.
        left: String,
        /// Columns of the other.
        right: String,
    },
    /// An alignment to given times without the times.
    #[error("alignment policy FixedReference needs reference times")]
    NoReference,
    /// An inner join of columns that have no time in common.
    #[error("the columns have no time stamp in common")]
    NoCommonTimes,
    /// Time stamps or offsets that cannot be worked with.
    #[error(transparent)]
    Time(#[from] TimeError),
}
