//! The scan of a CSV dataset: byte ranges of files, decoded to the columns a job needs.
//!
//! It is a DataFusion `FileSource`, so that Ballista can hand each task its share of the files.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

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
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use crate::csv::{CsvDecoder, DecoderOptions, LineRange, Projected};
use crate::spark_text::SessionZone;

/// Bytes asked of the store at once.
const BLOCK: u64 = 4 << 20;

/// Bytes asked for behind the end of a range, where its last line ends.
const TAIL: u64 = 64 << 10;

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
    /// The columns wanted.
    pub projected: Vec<Projected>,
    /// How many columns the file has.
    pub file_columns: usize,
    /// The session's time zone.
    pub time_zone: String,
}

impl ColumnSpec {
    fn decoder(&self, batch_size: usize) -> Result<CsvDecoder> {
        let zone: SessionZone = self.time_zone.parse().map_err(external)?;
        let options = DecoderOptions { zone, batch_size, ..DecoderOptions::default() };
        CsvDecoder::new(&self.projected, self.file_columns, options).map_err(external)
    }
}

impl ScanSpec {
    /// The plan node of this scan.
    ///
    /// # Errors
    /// When a column cannot be read as asked.
    pub fn plan(self) -> Result<Arc<dyn ExecutionPlan>> {
        let source = CsvScan::try_new(self.columns)?;
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
        let scan = scan.downcast_ref::<CsvScan>()?;
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

/// Blocks of a file from the first byte of a range to where its last line ends, or a little beyond.
pub(crate) fn blocks(
    store: Arc<dyn ObjectStore>,
    path: Path,
    range: &LineRange,
    end: u64,
    size: u64,
) -> BoxStream<'static, object_store::Result<bytes::Bytes>> {
    let from = range.fetch_from();
    let within = (from..end.min(size)).step_by(BLOCK as usize).map(move |at| at..(at + BLOCK).min(end).min(size));
    let beyond = (end.min(size)..size).step_by(TAIL as usize).map(move |at| at..(at + TAIL).min(size));
    futures::stream::iter(within.chain(beyond))
        .map(move |range| {
            let (store, path) = (Arc::clone(&store), path.clone());
            async move { store.get_range(&path, range).await }
        })
        // The next block is on its way while one is decoded.
        .buffered(2)
        .boxed()
}

#[derive(Debug, Clone)]
struct CsvScan {
    columns: ColumnSpec,
    table: TableSchema,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl CsvScan {
    fn try_new(columns: ColumnSpec) -> Result<Self> {
        let batch_size = DecoderOptions::default().batch_size;
        let schema = Arc::clone(columns.decoder(batch_size)?.schema());
        Ok(Self { columns, table: schema.into(), batch_size, metrics: ExecutionPlanMetricsSet::new() })
    }
}

impl FileSource for CsvScan {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        _: &FileScanConfig,
        _: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        Ok(Arc::new(Opener { store, columns: self.columns.clone(), batch_size: self.batch_size }))
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
        "spark_csv"
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
    columns: ColumnSpec,
    batch_size: usize,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let part = file_part(&file);
        let mut decoder = self.columns.decoder(self.batch_size)?;
        if part.start == 0 {
            decoder.begin_file();
        }
        let range = LineRange::new(part.start, part.end);
        let path = file.object_meta.location;
        let blocks = blocks(Arc::clone(&self.store), path, &range, part.end, part.size);
        let state = Decoding { blocks, range, decoder, ended: false };
        let batches = futures::stream::try_unfold(state, Decoding::next);
        Ok(Box::pin(async move { Ok(batches.boxed()) }))
    }
}

struct Decoding {
    blocks: BoxStream<'static, object_store::Result<bytes::Bytes>>,
    range: LineRange,
    decoder: CsvDecoder,
    ended: bool,
}

impl Decoding {
    async fn next(mut self) -> Result<Option<(datafusion::arrow::array::RecordBatch, Self)>> {
        loop {
            if let Some(batch) = self.decoder.next_batch() {
                return Ok(Some((batch, self)));
            }
            if self.ended {
                return Ok(None);
            }
            let block = if self.range.is_complete() { None } else { self.blocks.try_next().await.map_err(external)? };
            match block {
                Some(block) => self.decoder.push(self.range.take(&block)).map_err(external)?,
                None => {
                    self.ended = true;
                    self.decoder.finish().map_err(external)?;
                }
            }
        }
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
