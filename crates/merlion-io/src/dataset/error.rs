//! Why a table cannot be read as asked.

use crate::csv::SparkType;
use crate::format::FileFormat;

/// Why a table cannot be read as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A path that is none.
    #[error("{path}: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No file there.
    #[error("{path}: no such file, or no file in that folder")]
    NotFound {
        /// The path.
        path: String,
    },
    /// The store failed.
    #[error("{path}: {source}")]
    Storage {
        /// The path.
        path: String,
        /// What the store said.
        source: object_store::Error,
    },
    /// A compression that is not read, or one around a format that compresses by itself.
    #[error("{path}: compressed in a way that is not read for {format}; .gz, .zst and .bz2 are, for csv and json")]
    Compressed {
        /// The file.
        path: String,
        /// How the table is to be read.
        format: FileFormat,
    },
    /// A file that is not whole, or not what its name says.
    #[error("{path}: {what}: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// What it should be.
        what: String,
        /// What its decoder says.
        reason: String,
    },
    /// A file of another format than the one asked for.
    #[error("{path}: a {found} file, but the file format asked for is {asked}")]
    OtherFormat {
        /// The file.
        path: String,
        /// What its name or its first bytes say.
        found: &'static str,
        /// How it was to be read.
        asked: FileFormat,
    },
    /// An ORC file.
    #[error("{path}: ORC files are not supported; csv, parquet and json are")]
    Orc {
        /// The file.
        path: String,
    },
    /// Files of several formats in one folder.
    #[error("{path}: files of two formats, {} ({}) and {} ({})", first.0, first.1, second.0, second.1)]
    Mixed {
        /// The path.
        path: String,
        /// A file, and what its name says.
        first: (String, &'static str),
        /// Another file, and what its name says.
        second: (String, &'static str),
    },
    /// No line is a JSON object.
    #[error("{path}: no JSON object on any of {count} lines (one object per line is read); the first is '{first}'")]
    NotJson {
        /// The path.
        path: String,
        /// How many lines there are.
        count: u64,
        /// The first.
        first: String,
    },
    /// A file whose columns are not those of the first.
    #[error("{path}: column '{column}' is {found}; in {first} it is {wanted}")]
    OtherColumns {
        /// The file.
        path: String,
        /// The first file.
        first: String,
        /// The column.
        column: String,
        /// What it is in this file.
        found: String,
        /// What it is in the first.
        wanted: String,
    },
    /// A column of a type that cannot play its role.
    #[error("{path}: {role} column '{name}' is {found}, {wanted}")]
    ColumnType {
        /// The path.
        path: String,
        /// What it was to be: time, index, data.
        role: &'static str,
        /// The column.
        name: String,
        /// What it is.
        found: String,
        /// What it would have to be.
        wanted: &'static str,
    },
    /// Files without a line.
    #[error("{path}: empty, not even a header")]
    Empty {
        /// The path.
        path: String,
    },
    /// Files without a record.
    #[error("{path}: no rows")]
    NoRows {
        /// The path.
        path: String,
    },
    /// No such column.
    #[error("{path}: no {role} column '{name}'{}; the columns are {columns}", nearest.as_ref().map(|n| format!(", did you mean '{n}'?")).unwrap_or_default())]
    NoColumn {
        /// The path.
        path: String,
        /// What it was to be: time, index, data.
        role: &'static str,
        /// The name asked for.
        name: String,
        /// The nearest there is.
        nearest: Option<String>,
        /// What there is.
        columns: String,
    },
    /// All columns are index or data.
    #[error("{path}: no column is left for the time: {columns}")]
    NoTimeColumn {
        /// The path.
        path: String,
        /// What there is.
        columns: String,
    },
    /// A data column with text in it.
    #[error("{path}: data column '{name}' is not numeric: '{value}' in row {row}")]
    NotNumeric {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// The first value that is no number.
        value: String,
        /// Its row, counted from 1 without headers.
        row: u64,
    },
    /// A data column without values.
    #[error("{path}: data column '{name}' has no values")]
    NoValues {
        /// The path.
        path: String,
        /// The column.
        name: String,
    },
    /// A time column with something else in it.
    #[error(
        "{path}: time column '{name}' has '{value}' in row {row}, which is no time (2012-11-02, 2012-11-02 13:30:00)"
    )]
    NotATime {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// The first value that is no time.
        value: String,
        /// Its row, counted from 1 without headers.
        row: u64,
    },
    /// A time column of numbers or booleans.
    #[error("{path}: time column '{name}' is {found}, not a date or time")]
    TimeType {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// What it is.
        found: SparkType,
    },
    /// Times that 64-bit nanoseconds cannot hold.
    #[error("{path}: time column '{name}' goes from {first} to {last}, beyond 1677-09-21 to 2262-04-11")]
    TimeOutOfRange {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// The earliest time.
        first: String,
        /// The latest time.
        last: String,
    },
    /// Keys that are two in the file and one as texts.
    #[error("{path}: index column '{name}': {spellings} both become '{text}', which would make one series of two")]
    SameText {
        /// The path.
        path: String,
        /// The column.
        name: String,
        /// The two values.
        spellings: String,
        /// The text of both.
        text: String,
    },
    /// A reserved word as a key.
    #[error("{path}: index column '{name}' has the reserved value '__aggregated__'")]
    Reserved {
        /// The path.
        path: String,
        /// The column.
        name: String,
    },
    /// A time zone that does not exist.
    #[error("time zone '{0}' is unknown")]
    TimeZone(String),
}
