//! Why there is no score.

/// Why alarms or scores could not be measured against labels.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TsadError {
    /// There is nothing to compare.
    #[error("there are no {what}")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// Slices of different length.
    #[error("{got} {what}, but {expected} labels")]
    LengthMismatch {
        /// Which slice.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The number of labels.
        expected: usize,
    },
    /// Labels or alarms in several columns.
    #[error("{what} have {columns} columns, not one")]
    Columns {
        /// Labels or alarms.
        what: &'static str,
        /// How many columns there are.
        columns: usize,
    },
    /// A value that cannot be ranked.
    #[error("the score at position {position} is not a number")]
    NotANumber {
        /// Its position.
        position: usize,
    },
    /// An interval that ends before it starts, or overlaps the one before.
    #[error("{what} number {position}, from {start} to {end}, {reason}")]
    Interval {
        /// Which list.
        what: &'static str,
        /// The position in the list.
        position: usize,
        /// Its start.
        start: f64,
        /// Its end.
        end: f64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no metric of this name.
    #[error("unknown metric '{name}'{}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
}
