//! One Parquet file: its columns found by name, its row groups by position, its batches in the readings a plan wants.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use datafusion::parquet::basic::Type as PhysicalType;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;

use super::convert::convert;
use super::stored::StoredFile;
use crate::csv::{DecodeError, Projected, SparkType};
use crate::spark_text::SessionZone;

/// Why a Parquet file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParquetFileError {
    /// The file is none, or damaged, or its storage failed.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// A value that cannot be what it is to be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A column that the survey saw is not there.
    #[error("no column '{0}'")]
    NoColumn(String),
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileColumn {
    /// Its name in the file.
    pub(super) name: String,
    /// Which it is among the columns, those within it not counted.
    pub(super) root: usize,
    /// The first of its leaves.
    pub(super) leaf: usize,
    /// As what it is read.
    pub(super) data_type: DataType,
}

impl FileColumn {
    /// The type Spark has for the column; `None` for those that are no column of a series.
    pub(super) fn spark_type(&self) -> Option<SparkType> {
        Some(match &self.data_type {
            DataType::Boolean => SparkType::Boolean,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => SparkType::Int,
            DataType::Int64 | DataType::UInt32 => SparkType::BigInt,
            DataType::UInt64 => SparkType::Decimal(20),
            DataType::Decimal128(precision, 0) => SparkType::Decimal(*precision),
            DataType::Decimal128(..) | DataType::Float16 | DataType::Float32 | DataType::Float64 => SparkType::Double,
            DataType::Date32 => SparkType::Date,
            DataType::Timestamp(..) => SparkType::Timestamp,
            DataType::Utf8 | DataType::Binary => SparkType::String,
            _ => return None,
        })
    }

    /// The type in words.
    pub(super) fn described(&self) -> String {
        self.spark_type().map_or_else(|| format!("of the type {}", self.data_type), |found| found.to_string())
    }
}

/// The footer of a file. What Arrow's writers left in it about their own types is not looked at: Spark does not, either.
pub(super) async fn open(
    store: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
) -> Result<(StoredFile, ArrowReaderMetadata), ParquetError> {
    let mut reader = StoredFile { store, path, size };
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load_async(&mut reader, options).await?;
    Ok((reader, metadata))
}

/// The schema of a file: types are those that its columns are read as.
pub(crate) async fn schema(store: Arc<dyn ObjectStore>, path: Path, size: u64) -> Result<Schema, ParquetError> {
    let (_, metadata) = open(store, path, size).await?;
    let fields = columns(&metadata).into_iter().map(|column| Field::new(column.name, column.data_type, true));
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

/// The columns of a file.
pub(super) fn columns(metadata: &ArrowReaderMetadata) -> Vec<FileColumn> {
    let leaves = metadata.parquet_schema();
    let fields = metadata.schema().fields().iter().enumerate();
    fields
        .map(|(root, field)| {
            let leaf = (0..leaves.num_columns()).find(|leaf| leaves.get_column_root_idx(*leaf) == root).unwrap_or(0);
            // Hive's and Spark's old times are instants, though nothing in the file says so.
            let int96 = leaves.columns().get(leaf).is_some_and(|leaf| leaf.physical_type() == PhysicalType::INT96);
            let data_type = match field.data_type() {
                DataType::Timestamp(TimeUnit::Nanosecond, None) if int96 => {
                    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
                }
                other => other.clone(),
            };
            FileColumn { name: field.name().clone(), root, leaf, data_type }
        })
        .collect()
}

/// The column of a name, whatever its case when there is no better one.
pub(super) fn find<'a>(columns: &'a [FileColumn], name: &str) -> Option<&'a FileColumn> {
    let exact = columns.iter().find(|column| column.name == name);
    exact.or_else(|| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
}

/// The first byte of a row group, by which it belongs to a part of the file.
pub(super) fn first_byte(group: &RowGroupMetaData) -> u64 {
    group.columns().iter().map(|column| column.byte_range().0).min().unwrap_or(0)
}

/// The row groups that begin within a range of bytes.
fn groups_within(metadata: &ParquetMetaData, start: u64, end: u64) -> Vec<usize> {
    let groups = metadata.row_groups().iter().enumerate();
    groups.filter(|(_, group)| (start..end).contains(&first_byte(group))).map(|(index, _)| index).collect()
}

/// What is read of a part of a file.
#[derive(Debug, Clone)]
pub(crate) struct ParquetScan {
    /// First byte of the part.
    pub(crate) start: u64,
    /// Byte behind the part.
    pub(crate) end: u64,
    /// The file's size.
    pub(crate) size: u64,
    /// The columns wanted.
    pub(crate) projected: Vec<Projected>,
    /// Their names in the file.
    pub(crate) fields: Vec<String>,
    /// The schema of the batches.
    pub(crate) schema: SchemaRef,
    /// The session's time zone.
    pub(crate) zone: SessionZone,
    /// Rows of a batch.
    pub(crate) batch_size: usize,
}

/// The rows of the row groups that begin within a part of a file.
pub(crate) async fn batches(
    store: Arc<dyn ObjectStore>,
    path: Path,
    scan: ParquetScan,
) -> Result<BoxStream<'static, Result<RecordBatch, ParquetFileError>>, ParquetFileError> {
    let (reader, metadata) = open(store, path, scan.size).await?;
    let known = columns(&metadata);
    let wanted: Vec<FileColumn> = scan
        .fields
        .iter()
        .map(|name| find(&known, name).cloned().ok_or_else(|| ParquetFileError::NoColumn(name.clone())))
        .collect::<Result<_, _>>()?;
    let groups = groups_within(metadata.metadata(), scan.start, scan.end);
    let stream = read(reader, metadata, &wanted, groups, scan.batch_size)?;
    let batches = stream.map(move |arrays| {
        let arrays = arrays?;
        let rows = arrays.num_rows();
        let converted = scan.projected.iter().zip(&wanted).enumerate().map(|(position, (projected, column))| {
            convert(arrays.column(position), &column.data_type, projected, &scan.zone)
        });
        let converted: Vec<ArrayRef> = converted.collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&scan.schema), converted, &options);
        Ok(batch.map_err(DecodeError::from)?)
    });
    Ok(batches.boxed())
}

/// The arrays of these columns, in this order.
pub(super) fn read(
    reader: StoredFile,
    metadata: ArrowReaderMetadata,
    wanted: &[FileColumn],
    groups: Vec<usize>,
    batch_size: usize,
) -> Result<BoxStream<'static, Result<RecordBatch, ParquetFileError>>, ParquetFileError> {
    let roots = wanted.iter().map(|column| column.root);
    let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
    // The reader gives columns in the order of the file, and each once.
    let mut in_file: Vec<usize> = wanted.iter().map(|column| column.root).collect();
    in_file.sort_unstable();
    in_file.dedup();
    let order: Vec<usize> = wanted.iter().map(|column| in_file.partition_point(|root| *root < column.root)).collect();
    let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata)
        .with_projection(mask)
        .with_row_groups(groups)
        .with_batch_size(batch_size)
        .build()?;
    let ordered = stream.map_err(ParquetFileError::from).and_then(move |batch| {
        futures::future::ready(batch.project(&order).map_err(|error| DecodeError::from(error).into()))
    });
    Ok(ordered.boxed())
}
