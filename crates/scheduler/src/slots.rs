//! The slots of executors, counted from the tasks that run.
//!
//! Ballista 55 keeps a running count of free slots: down when a task is bound, up when its status arrives. When an executor is lost
//! together with the input of a running stage, the stage is taken back, and the scheduler no longer knows how many slots the
//! statuses of its cancelled tasks give back: they are lost, and on small clusters the job waits for ever. A late status may also be
//! taken for that of the task that has its number now, and frees a slot that is busy.
//!
//! So before tasks are bound the count is compared with the truth, which is in the jobs' execution graphs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::error::Result;
use ballista_core::serde::protobuf::ExecutorHeartbeat;
use ballista_core::serde::scheduler::{ExecutorData, ExecutorMetadata};
use ballista_scheduler::cluster::memory::InMemoryClusterState;
use ballista_scheduler::cluster::{BoundTask, ClusterState, ClusterStateEventStream, ExecutorSlot};
use ballista_scheduler::config::TaskDistributionPolicy;
use ballista_scheduler::state::task_manager::JobInfoCache;
use tokio::sync::Mutex;

/// The slots of one executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slots {
    total: u32,
    /// What Ballista believes is free.
    believed: u32,
}

/// Ballista's cluster state, with slots that are not lost.
#[derive(Default)]
pub(crate) struct CountedClusterState {
    ballista: InMemoryClusterState,
    slots: Mutex<HashMap<String, Slots>>,
}

/// What is wrong with the count, given how many slots of each executor are in use.
#[derive(Debug, Default, PartialEq, Eq)]
struct Correction {
    /// Slots to give back.
    lost: Vec<ExecutorSlot>,
    /// Executors without a free slot, whatever Ballista believes.
    full: HashSet<String>,
}

impl Correction {
    fn of(slots: &HashMap<String, Slots>, used: &HashMap<String, u32>) -> Self {
        let mut correction = Self::default();
        for (executor, count) in slots {
            let free = count.total.saturating_sub(used.get(executor).copied().unwrap_or(0));
            if free == 0 {
                correction.full.insert(executor.clone());
            }
            if free > count.believed {
                correction.lost.push((executor.clone(), free - count.believed));
            }
        }
        correction
    }
}

/// The slots that running tasks hold on each executor.
async fn in_use(jobs: &HashMap<JobId, JobInfoCache>) -> HashMap<String, u32> {
    let mut used = HashMap::new();
    for job in jobs.values() {
        let graph = job.execution_graph.read().await;
        for task in graph.running_tasks() {
            let vcores = graph.task_vcores(task.stage_id, task.task_id).unwrap_or(1);
            *used.entry(task.executor_id).or_default() += vcores;
        }
    }
    used
}

#[async_trait]
impl ClusterState for CountedClusterState {
    async fn bind_schedulable_tasks(
        &self,
        distribution: TaskDistributionPolicy,
        active_jobs: Arc<HashMap<JobId, JobInfoCache>>,
        executors: Option<HashSet<String>>,
    ) -> Result<Vec<BoundTask>> {
        let mut slots = self.slots.lock().await;
        let correction = Correction::of(&slots, &in_use(&active_jobs).await);
        for (executor, lost) in &correction.lost {
            log::info!("{lost} slots of executor {executor} are free again: their tasks were taken back");
            if let Some(count) = slots.get_mut(executor) {
                count.believed += lost;
            }
        }
        self.ballista.unbind_tasks(correction.lost).await?;
        let candidates = executors.unwrap_or_else(|| slots.keys().cloned().collect());
        let candidates = candidates.difference(&correction.full).cloned().collect();
        let bound = self.ballista.bind_schedulable_tasks(distribution, active_jobs, Some(candidates)).await?;
        for (executor, task) in &bound {
            if let Some(count) = slots.get_mut(executor) {
                count.believed = count.believed.saturating_sub(task.vcores_consumed);
            }
        }
        Ok(bound)
    }

    async fn unbind_tasks(&self, executor_slots: Vec<ExecutorSlot>) -> Result<()> {
        let mut slots = self.slots.lock().await;
        for (executor, freed) in &executor_slots {
            if let Some(count) = slots.get_mut(executor) {
                count.believed += freed;
            }
        }
        self.ballista.unbind_tasks(executor_slots).await
    }

    async fn register_executor(&self, metadata: ExecutorMetadata, spec: ExecutorData) -> Result<()> {
        let (executor, total) = (spec.executor_id.clone(), spec.available_vcores);
        let mut slots = self.slots.lock().await;
        self.ballista.register_executor(metadata, spec).await?;
        slots.insert(executor, Slots { total, believed: total });
        Ok(())
    }

    async fn save_executor_metadata(&self, metadata: ExecutorMetadata) -> Result<()> {
        self.ballista.save_executor_metadata(metadata).await
    }

    async fn get_executor_metadata(&self, executor_id: &str) -> Result<ExecutorMetadata> {
        self.ballista.get_executor_metadata(executor_id).await
    }

    async fn registered_executor_metadata(&self) -> Vec<ExecutorMetadata> {
        self.ballista.registered_executor_metadata().await
    }

    async fn save_executor_heartbeat(&self, heartbeat: ExecutorHeartbeat) -> Result<()> {
        self.ballista.save_executor_heartbeat(heartbeat).await
    }

    async fn remove_executor(&self, executor_id: &str) -> Result<()> {
        self.slots.lock().await.remove(executor_id);
        self.ballista.remove_executor(executor_id).await
    }

    fn executor_heartbeats(&self) -> HashMap<String, ExecutorHeartbeat> {
        self.ballista.executor_heartbeats()
    }

    fn get_executor_heartbeat(&self, executor_id: &str) -> Option<ExecutorHeartbeat> {
        self.ballista.get_executor_heartbeat(executor_id)
    }

    async fn cluster_state_events(&self) -> Result<ClusterStateEventStream> {
        self.ballista.cluster_state_events().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(entries: &[(&str, u32, u32)]) -> HashMap<String, Slots> {
        entries.iter().map(|&(id, total, believed)| (id.to_owned(), Slots { total, believed })).collect()
    }

    #[test]
    fn slots_of_tasks_that_were_taken_back_are_free_again() {
        let used = HashMap::from([("b".to_owned(), 1)]);
        let correction = Correction::of(&counts(&[("a", 2, 0), ("b", 2, 1)]), &used);
        assert_eq!(correction, Correction { lost: vec![("a".to_owned(), 2)], full: HashSet::new() });
    }

    #[test]
    fn an_executor_whose_slots_are_all_busy_is_full_whatever_is_believed() {
        let used = HashMap::from([("a".to_owned(), 1)]);
        let correction = Correction::of(&counts(&[("a", 1, 1)]), &used);
        assert_eq!(correction, Correction { lost: vec![], full: HashSet::from(["a".to_owned()]) });
    }
}
