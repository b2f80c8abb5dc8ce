//! The scan of a dataset: byte ranges of files, decoded to the columns a job needs. A Parquet row group and a compressed file
//! belong to the range that they begin in.
//!
//! It is a DataFusion `FileSource`, so that Ballista can hand each task its share of the files.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::{FileRange, PartitionedFile};
use datafusion::datasource::physical_plan::{
    FileGroup, FileOpenFuture, FileOpener, FileScanConfig, FileScanConfigBuilder, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use serde::{Deserialize, Serialize};

use crate::bytes::PartReader;
use crate::csv::{CsvDecoder, DecodeError, DecoderOptions, Projected};
use crate::format::FileFormat;
use crate::json::JsonDecoder;
use crate::parquet::ParquetScan;
use crate::path::full;
use crate::spark_text::SessionZone;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// The file in the store.
    pub path: String,
    /// The file's size.
    pub size: u64,
    /// First byte of the part.
    pub start: u64,
    /// Byte behind the part.
    pub end: u64,
}

/// A scan as it travels between processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSpec {
    /// The object store.
    pub store: String,
    /// The parts of files that each partition reads.
    pub partitions: Vec<Vec<FilePart>>,
    /// What is decoded how.
    pub columns: ColumnSpec,
}

/// What is decoded how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnSpec {
    /// How the files are stored.
    pub format: FileFormat,
    /// The columns wanted.
    pub projected: Vec<Projected>,
    /// Their names in the files, which CSV finds by position instead.
    pub fields: Vec<String>,
    /// How many columns the file has.
    pub file_columns: usize,
    /// The session's time zone.
    pub time_zone: String,
}

impl ColumnSpec {
    fn zone(&self) -> Result<SessionZone> {
        self.time_zone.parse().map_err(external)
    }

    fn decoder(&self, batch_size: usize) -> Result<TextDecoder> {
        let options = DecoderOptions { zone: self.zone()?, batch_size, ..DecoderOptions::default() };
        Ok(match self.format {
            FileFormat::Json => {
                TextDecoder::Json(JsonDecoder::new(&self.projected, &self.fields, options).map_err(external)?)
            }
            // Of Parquet it gives the schema, which is that of the readings.
            FileFormat::Csv | FileFormat::Parquet => {
                TextDecoder::Csv(CsvDecoder::new(&self.projected, self.file_columns, options).map_err(external)?)
            }
        })
    }
}

/// A part of a table that a scan reads whole or, if it can be cut, in parts.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// The part.
    pub(crate) part: FilePart,
    /// Whether it can be cut anywhere.
    pub(crate) cuttable: bool,
}

/// Shares pieces out among about `count` partitions of about equal size.
pub(crate) fn partitions(pieces: &[Piece], count: usize) -> Vec<Vec<FilePart>> {
    let size = |part: &FilePart| part.end - part.start;
    let total: u64 = pieces.iter().map(|piece| size(&piece.part)).sum();
    let share = total.div_ceil(count.max(1) as u64).max(1);
    let mut partitions = Vec::new();
    let (mut current, mut room) = (Vec::<FilePart>::new(), share);
    for Piece { part, cuttable } in pieces {
        let mut start = part.start;
        while start < part.end {
            let left = part.end - start;
            if !cuttable && left > room && left - room > room && !current.is_empty() {
                // Most of it would be too much.
                partitions.push(std::mem::take(&mut current));
                room = share;
            }
            let end = if *cuttable { part.end.min(start + room) } else { part.end };
            match current.last_mut() {
                Some(last) if last.path == part.path && last.end == start => last.end = end,
                _ => current.push(FilePart { start, end, ..part.clone() }),
            }
            room = room.saturating_sub(end - start);
            start = end;
            if room == 0 {
                partitions.push(std::mem::take(&mut current));
                room = share;
            }
        }
    }
    if !current.is_empty() {
        partitions.push(current);
    }
    partitions
}

impl ScanSpec {
    /// The plan node of this scan.
    ///
    /// # Errors
    /// When a column cannot be read as asked.
    pub fn plan(self) -> Result<Arc<dyn ExecutionPlan>> {
        let source = TableScan::try_new(self.columns)?;
        let groups = self
            .partitions
            .into_iter()
            .map(|parts| parts.into_iter().map(partitioned_file).collect::<Result<Vec<_>>>());
        let groups = groups.map(|files| files.map(FileGroup::new)).collect::<Result<Vec<_>>>()?;
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(&self.store)?, Arc::new(source))
            .with_file_groups(groups)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    /// The scan behind a plan node, if it is one of ours.
    #[must_use]
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let source: &dyn Any = plan.downcast_ref::<DataSourceExec>()?.data_source().as_ref();
        let config = source.downcast_ref::<FileScanConfig>()?;
        let scan: &dyn Any = config.file_source.as_ref();
        let scan = scan.downcast_ref::<TableScan>()?;
        let partitions = config.file_groups.iter().map(|group| group.iter().map(file_part).collect()).collect();
        Some(Self { store: config.object_store_url.as_str().to_owned(), partitions, columns: scan.columns.clone() })
    }
}

fn partitioned_file(part: FilePart) -> Result<PartitionedFile> {
    let location = Path::parse(&part.path).map_err(external)?;
    let meta = ObjectMeta {
        location,
        last_modified: chrono::DateTime::UNIX_EPOCH,
        size: part.size,
        e_tag: None,
        version: None,
    };
    let signed = |byte: u64| i64::try_from(byte).map_err(external);
    let mut file = PartitionedFile::from(meta);
    file.range = Some(FileRange { start: signed(part.start)?, end: signed(part.end)? });
    Ok(file)
}

fn file_part(file: &PartitionedFile) -> FilePart {
    let size = file.object_meta.size;
    let unsigned = |byte: i64| u64::try_from(byte).unwrap_or(0);
    let (start, end) = file.range.as_ref().map_or((0, size), |range| (unsigned(range.start), unsigned(range.end)));
    FilePart { path: file.object_meta.location.to_string(), size, start, end }
}

#[derive(Debug, Clone)]
struct TableScan {
    columns: ColumnSpec,
    table: TableSchema,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl TableScan {
    fn try_new(columns: ColumnSpec) -> Result<Self> {
        let batch_size = DecoderOptions::default().batch_size;
        let schema = Arc::clone(columns.decoder(batch_size)?.schema());
        Ok(Self { columns, table: schema.into(), batch_size, metrics: ExecutionPlanMetricsSet::new() })
    }
}

impl FileSource for TableScan {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        _: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        Ok(Arc::new(Opener {
            store,
            store_url: config.object_store_url.as_str().to_owned(),
            columns: self.columns.clone(),
            schema: Arc::clone(self.table.table_schema()),
            batch_size: self.batch_size,
        }))
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        match self.columns.format {
            FileFormat::Csv => "spark_csv",
            FileFormat::Parquet => "spark_parquet",
            FileFormat::Json => "spark_json",
        }
    }

    fn supports_repartitioning(&self) -> bool {
        // The parts are cut already, to the job's measure.
        false
    }

    fn fmt_extra(&self, _: DisplayFormatType, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
}

struct Opener {
    store: Arc<dyn ObjectStore>,
    store_url: String,
    columns: ColumnSpec,
    schema: SchemaRef,
    batch_size: usize,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let part = file_part(&file);
        let store = Arc::clone(&self.store);
        let path = file.object_meta.location;
        let shown = full(&self.store_url, path.as_ref());
        if self.columns.format == FileFormat::Parquet {
            let scan = ParquetScan {
                start: part.start,
                end: part.end,
                size: part.size,
                projected: self.columns.projected.clone(),
                fields: self.columns.fields.clone(),
                schema: Arc::clone(&self.schema),
                zone: self.columns.zone()?,
                batch_size: self.batch_size,
            };
            return Ok(Box::pin(async move {
                let failed = move |error| in_file(&shown, error);
                let batches = crate::parquet::batches(store, path, scan).await.map_err(&failed)?;
                Ok(batches.map_err(failed).boxed())
            }));
        }
        let mut decoder = self.columns.decoder(self.batch_size)?;
        if part.start == 0 {
            decoder.begin_file();
        }
        let state = Decoding { reader: PartReader::new(store, path, &part), shown, decoder, ended: false };
        let batches = futures::stream::try_unfold(state, Decoding::next);
        Ok(Box::pin(async move { Ok(batches.boxed()) }))
    }
}

/// What makes batches of lines.
enum TextDecoder {
    Csv(CsvDecoder),
    Json(JsonDecoder),
}

impl TextDecoder {
    fn schema(&self) -> &SchemaRef {
        match self {
            Self::Csv(decoder) => decoder.schema(),
            Self::Json(decoder) => decoder.schema(),
        }
    }

    fn begin_file(&mut self) {
        match self {
            Self::Csv(decoder) => decoder.begin_file(),
            Self::Json(decoder) => decoder.begin_file(),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        match self {
            Self::Csv(decoder) => decoder.push(bytes),
            Self::Json(decoder) => decoder.push(bytes),
        }
    }

    fn finish(&mut self) -> Result<(), DecodeError> {
        match self {
            Self::Csv(decoder) => decoder.finish(),
            Self::Json(decoder) => decoder.finish(),
        }
    }

    fn next_batch(&mut self) -> Option<RecordBatch> {
        match self {
            Self::Csv(decoder) => decoder.next_batch(),
            Self::Json(decoder) => decoder.next_batch(),
        }
    }
}

struct Decoding {
    reader: PartReader,
    /// The file, for messages.
    shown: String,
    decoder: TextDecoder,
    ended: bool,
}

impl Decoding {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        loop {
            if let Some(batch) = self.decoder.next_batch() {
                return Ok(Some((batch, self)));
            }
            if self.ended {
                return Ok(None);
            }
            let decoded = match self.reader.next().await.map_err(|error| in_file(&self.shown, error))? {
                Some(block) => self.decoder.push(&block),
                None => {
                    self.ended = true;
                    self.decoder.finish()
                }
            };
            decoded.map_err(|error| in_file(&self.shown, error))?;
        }
    }
}

/// An error with the file it is about, which a task of a hundred files would otherwise not name.
fn in_file(file: &str, error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error)).context(file)
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(path: &str, start: u64, end: u64, cuttable: bool) -> Piece {
        Piece { part: FilePart { path: path.to_owned(), size: 1000, start, end }, cuttable }
    }

    fn shares(pieces: &[Piece], count: usize) -> Vec<Vec<(String, u64, u64)>> {
        let shares = partitions(pieces, count).into_iter();
        shares.map(|parts| parts.into_iter().map(|part| (part.path, part.start, part.end)).collect()).collect()
    }

    #[test]
    fn text_is_cut_to_measure_and_row_groups_stay_whole() {
        let at = |path: &str, start, end| (path.to_owned(), start, end);
        let text = [piece("a", 0, 100, true), piece("b", 0, 50, true)];
        assert_eq!(shares(&text, 2), [vec![at("a", 0, 75)], vec![at("a", 75, 100), at("b", 0, 50)]]);
        assert_eq!(shares(&text, 1), [vec![at("a", 0, 100), at("b", 0, 50)]]);
        let groups = [piece("a", 4, 40, false), piece("a", 40, 80, false), piece("a", 80, 120, false)];
        assert_eq!(shares(&groups, 1), [vec![at("a", 4, 120)]]);
        assert_eq!(shares(&groups, 2), [vec![at("a", 4, 80)], vec![at("a", 80, 120)]]);
        assert_eq!(shares(&groups, 3), [[at("a", 4, 40)], [at("a", 40, 80)], [at("a", 80, 120)]]);
        let packed = [piece("a", 0, 90, false), piece("b", 0, 10, false), piece("c", 0, 200, false)];
        assert_eq!(shares(&packed, 3), [vec![at("a", 0, 90), at("b", 0, 10)], vec![at("c", 0, 200)]]);
    }
}
