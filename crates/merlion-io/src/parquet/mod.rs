//! Parquet: the reader of the engine, and Spark's readings of its types.
//!
//! The reader is the `parquet` crate's, which is DataFusion's. It stands behind a scan of our own and not behind DataFusion's,
//! so that index columns become Spark's texts and times instants while they are read, on any executor, with the codec and the
//! slicing that CSV has.

mod convert;
mod file;
mod stored;
mod survey;

pub(crate) use file::{ParquetScan, batches, schema};
pub(crate) use survey::ParquetTable;
