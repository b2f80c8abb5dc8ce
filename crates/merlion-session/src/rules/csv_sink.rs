//! Keeps dates and times in CSV files that a cluster writes.
//!
//! How a column of times is written is optional, and Arrow knows what to do when nothing is said. But on its way to an executor
//! DataFusion 55 makes nothing into the empty format, by which every time is written as an empty cell. So the formats are said, here:
//! they are those that Arrow would have taken.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::file_format::csv::CsvSink;
use datafusion::datasource::physical_plan::FileSink;
use datafusion::datasource::sink::DataSinkExec;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

const DATE: &str = "%Y-%m-%d";
const TIME: &str = "%H:%M:%S%.f";
const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%S%.f";

/// The rule.
#[derive(Debug)]
pub(crate) struct CsvSinkFormats;

impl PhysicalOptimizerRule for CsvSinkFormats {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            let Some(writes) = node.downcast_ref::<DataSinkExec>() else { return Ok(Transformed::no(node)) };
            let Some(csv) = writes.sink().downcast_ref::<CsvSink>() else { return Ok(Transformed::no(node)) };
            let said = csv.writer_options().writer_options.clone();
            let or = |format: Option<&str>, default: &str| format.unwrap_or(default).to_owned();
            let (date, time) = (or(said.date_format(), DATE), or(said.time_format(), TIME));
            let (datetime, timestamp) = (or(said.datetime_format(), TIMESTAMP), or(said.timestamp_format(), TIMESTAMP));
            let mut options = csv.writer_options().clone();
            options.writer_options = said
                .with_date_format(date)
                .with_time_format(time)
                .with_datetime_format(datetime)
                .with_timestamp_format(timestamp);
            let sink = CsvSink::new(csv.config().clone(), options);
            let writes = DataSinkExec::new(Arc::clone(writes.input()), Arc::new(sink), writes.sort_order().clone());
            Ok(Transformed::yes(Arc::new(writes) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &str {
        "csv_sink_formats"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::RecordBatch;
    use datafusion::arrow::array::{
        ArrayRef, Date32Array, Date64Array, Time64NanosecondArray, TimestampNanosecondArray,
    };
    use datafusion::arrow::csv::WriterBuilder;

    use super::*;

    #[test]
    fn the_formats_said_are_those_that_arrow_takes() {
        let nanos = [0, 1_349_395_200_000_000_000, 1_349_395_200_123_000_000, -1, 1_349_395_200_000_000_001];
        let columns: [ArrayRef; 4] = [
            Arc::new(Date32Array::from(vec![0, 15_618, -1, 40_000, 1])),
            Arc::new(Date64Array::from(vec![0, 1_349_395_200_000, -86_400_000, 1, 1_349_395_200_123])),
            Arc::new(Time64NanosecondArray::from(vec![0, 1, 1_000_000, 86_399_999_999_999, 3_600_000_000_000])),
            Arc::new(TimestampNanosecondArray::from(nanos.to_vec())),
        ];
        let names = ["date", "datetime", "time", "timestamp"];
        let batch = RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap();
        let write = |builder: WriterBuilder| {
            let mut text = Vec::new();
            builder.build(&mut text).write(&batch).unwrap();
            String::from_utf8(text).unwrap()
        };
        let said = WriterBuilder::new()
            .with_date_format(DATE.to_owned())
            .with_time_format(TIME.to_owned())
            .with_datetime_format(TIMESTAMP.to_owned())
            .with_timestamp_format(TIMESTAMP.to_owned());
        assert_eq!(write(said), write(WriterBuilder::new()));
    }
}
