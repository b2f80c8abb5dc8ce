//! The plan node around a series aggregate through which a cancelled job reaches the fits.
//!
//! A stream is cancelled by dropping it. But an aggregate fits its series inside one `poll`, during which nothing can
//! be dropped. So this node runs its input on a thread of its own and only waits for it: the drop arrives at once, sets the stop flag,
//! and the fits, which look at the flag in every iteration, end within milliseconds. It also keeps fits off the threads that serve
//! heartbeats and shuffles.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};
use merlion::models::StopFlag;
use merlion_udf::stop::StopScope;
use tokio::sync::mpsc;

/// Runs a series aggregate so that it can be stopped.
#[derive(Debug)]
pub struct SeriesScopeExec {
    input: Arc<dyn ExecutionPlan>,
    /// Set when the whole task is to stop.
    task: StopFlag,
}

impl SeriesScopeExec {
    /// A scope around `input`.
    #[must_use]
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, task: StopFlag::default() }
    }

    /// The same scope, which also ends when `task` is set.
    #[must_use]
    pub fn of_task(&self, task: StopFlag) -> Self {
        Self { input: Arc::clone(&self.input), task }
    }
}

impl DisplayAs for SeriesScopeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeriesScopeExec")
    }
}

impl ExecutionPlan for SeriesScopeExec {
    fn name(&self) -> &str {
        "SeriesScopeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self { input, task: self.task.clone() })),
            _ => internal_err!("SeriesScopeExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let flag = self.task.child();
        let (sender, receiver) = mpsc::channel(1);
        let (input, scope_flag, runtime) = (Arc::clone(&self.input), flag.clone(), tokio::runtime::Handle::current());
        tokio::task::spawn_blocking(move || {
            let _scope = StopScope::enter(scope_flag);
            runtime.block_on(async {
                let mut batches = match input.execute(partition, context) {
                    Ok(batches) => batches,
                    // A receiver that is gone needs no error, nor anything below.
                    Err(error) => return drop(sender.send(Message::Batch(Err(error))).await),
                };
                while let Some(batch) = batches.next().await {
                    if sender.send(Message::Batch(batch)).await.is_err() {
                        return;
                    }
                }
                drop(sender.send(Message::End).await);
            });
        });
        Ok(Box::pin(ScopedBatches { schema: self.input.schema(), receiver, flag, ended: false }))
    }
}

/// What the thread says. A channel that closes without an end means that the thread panicked.
enum Message {
    Batch(Result<RecordBatch>),
    End,
}

/// The batches of the thread; dropping them stops it.
struct ScopedBatches {
    schema: SchemaRef,
    receiver: mpsc::Receiver<Message>,
    flag: StopFlag,
    ended: bool,
}

impl Stream for ScopedBatches {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.receiver.poll_recv(context).map(|message| {
            self.ended = !matches!(message, Some(Message::Batch(Ok(_))));
            match message {
                Some(Message::Batch(batch)) => Some(batch),
                Some(Message::End) => None,
                None => Some(Err(DataFusionError::Internal("a series aggregate panicked".to_owned()))),
            }
        })
    }
}

impl RecordBatchStream for ScopedBatches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Drop for ScopedBatches {
    fn drop(&mut self) {
        self.flag.stop();
    }
}
