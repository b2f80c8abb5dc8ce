//! What can be wrong with a hierarchy, or with forecasts to be reconciled along it.

use crate::series::SeriesError;

/// What can be wrong with a hierarchy, or with forecasts to be reconciled along it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HierarchyError {
    /// The reserved word among a leaf's index values.
    #[error("'__aggregated__' is reserved for sums, but leaf {key} has it as a value")]
    ReservedValue {
        /// The leaf's key.
        key: String,
    },
    /// A value after the reserved word: not a prefix hierarchy.
    #[error("key {key}: only trailing index columns can be '__aggregated__'")]
    NotAPrefix {
        /// The key.
        key: String,
    },
    /// Two series, or two rows of one time stamp, with the same key.
    #[error("key {key} occurs more than once")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// Keys with different numbers of index columns.
    #[error("key {key} has {got} index columns, the first key has {expected}")]
    KeyWidth {
        /// The key.
        key: String,
        /// Columns it has.
        got: usize,
        /// Columns the first key has.
        expected: usize,
    },
    /// Parents that do not make a forest.
    #[error("series {node}: parent {parent} is not a series, or the parents run in a circle")]
    NotATree {
        /// The series.
        node: usize,
        /// The parent given for it.
        parent: usize,
    },
    /// A summing matrix that is not one.
    #[error("row {row} of the summing matrix: {reason}")]
    InvalidRow {
        /// The row.
        row: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A row whose coefficients do not add up to something positive cannot be weighted by its size.
    #[error("row {row} of the summing matrix adds up to {sum}, but weighting by size needs a positive number")]
    RowSum {
        /// The row.
        row: usize,
        /// Its sum.
        sum: f64,
    },
    /// Not one number for each series.
    #[error("{got} {what} for {expected} series")]
    LengthMismatch {
        /// What there are too many or too few of.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many series there are.
        expected: usize,
    },
    /// A standard error below zero.
    #[error("series {node} has standard error {value}")]
    NegativeError {
        /// The series.
        node: usize,
        /// Its standard error.
        value: f64,
    },
    /// A summing matrix that is no tree and too large for the dense solution.
    #[error("a hierarchy that is no tree can have {limit} sums, this one has {got}")]
    TooLarge {
        /// Sums there are.
        got: usize,
        /// Sums there can be.
        limit: usize,
    },
    /// Series that cannot be brought to common times.
    #[error(transparent)]
    Series(#[from] SeriesError),
}
