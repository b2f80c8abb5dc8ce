//! What can go wrong between the bytes of a CSV file and a record batch, with the values involved.

use arrow::error::ArrowError;
use thiserror::Error;

use super::SparkType;

/// A failure of the CSV decoder. Tokens that a column's type cannot read are no failure: Spark makes them null.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// A projected column number is beyond the columns of the file.
    #[error("column number {index} (`{name}`) is outside of the {columns} columns of the file")]
    NoSuchColumn {
        /// The name asked for.
        name: String,
        /// Its number, counted from 0.
        index: usize,
        /// How many columns the file has.
        columns: usize,
    },
    /// A column whose type Spark cannot cast to a date was asked to be the time.
    #[error("column `{column}` was inferred as {spark_type}, which cannot be read as a time")]
    NotATime {
        /// The column.
        column: String,
        /// What inference found.
        spark_type: SparkType,
    },
    /// A time that 64-bit nanoseconds (years 1677 to 2262) cannot hold.
    #[error("column `{column}`, record {record}: time `{value}` is outside of 1677-09-21 to 2262-04-11")]
    TimeOutOfRange {
        /// The column.
        column: String,
        /// The text read.
        value: String,
        /// Number of the record, counted from [`first_record`](super::DecoderOptions::first_record).
        record: u64,
    },
    /// Arrow refused to build the batch.
    #[error("the record batch could not be built")]
    Arrow(#[from] ArrowError),
}
