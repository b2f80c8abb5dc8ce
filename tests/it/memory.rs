//! Less memory than a partition needs.

use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use merlion_session::stores::Credentials;
use merlion_session::{runtime_env, session_config, session_state};

const SERIES: usize = 2_000;
const POINTS: usize = 150;

/// Two thousand series in time order, the order that is hardest on a collecting aggregate.
fn table() -> Arc<MemTable> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("ds", DataType::Timestamp(TimeUnit::Nanosecond, None), false),
        Field::new("y", DataType::Float64, false),
    ]));
    let batches = (0..POINTS)
        .map(|point| {
            let ids = StringArray::from_iter_values((0..SERIES).map(|s| format!("series-{s:05}")));
            let times = TimestampNanosecondArray::from(vec![point as i64 * 86_400_000_000_000; SERIES]);
            let values = Float64Array::from_iter_values((0..SERIES).map(|s| (s * 31 + point * 17 % 13) as f64));
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids), Arc::new(times), Arc::new(values)]).unwrap()
        })
        .collect();
    Arc::new(MemTable::try_new(schema, vec![batches]).unwrap())
}

fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.spill_count()).unwrap_or(0);
    own + plan.children().into_iter().map(spills).sum::<usize>()
}

async fn answer(memory: Option<usize>) -> (String, usize) {
    let config = session_config().with_target_partitions(1).with_batch_size(256);
    let runtime = runtime_env(&config, &Credentials::default(), memory).unwrap();
    let context = SessionContext::new_with_state(session_state(config, runtime).unwrap());
    context.register_table("t", table()).unwrap();
    let query = "SELECT id, forecast(ds, y, {model: 'Naive', horizon: 2}, id) AS f FROM t GROUP BY id";
    let plan = context.sql(query).await.unwrap().create_physical_plan().await.unwrap();
    let batches = collect(Arc::clone(&plan), context.task_ctx()).await.unwrap();
    let text = pretty_format_batches(&batches).unwrap().to_string();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    (lines.join("\n"), spills(&plan))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_smaller_than_a_partition_spills_and_gives_the_same_rows() {
    let (plenty, none) = answer(None).await;
    let (tight, some) = answer(Some(3 << 20)).await;
    assert_eq!(none, 0, "with plenty of memory nothing is spilled");
    assert!(some > 0, "300,000 rows of 20 bytes fit into 3 MiB?");
    assert_eq!(plenty.lines().count(), tight.lines().count());
    assert!(plenty == tight, "spilling changed the answer");
}
