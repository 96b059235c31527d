//! The schedule of `health`: where the stream is trimmed, it runs until everything has come to rest.

use photovault_sim::Task;

use crate::{
    history::{End, History, Note, Running, Work},
    settings::HEALTH,
    stream::Shard,
};

/// Names the runs in the seed.
const KEY: u64 = 1 << 60;

impl History {
    /// One run, and the next later, unless there is nothing left to look after.
    pub(crate) fn run_health(&mut self) {
        if self.is_at_rest() {
            return;
        }
        let now = self.now();
        self.start(KEY + now as u64, true, HEALTH.timeout_s, |history, task: Task| {
            history.tell(|| format!("task {task} is health"));
            let vault = history.simulation.vault(task);
            let future = Box::pin(async move {
                // A run that fails is over; the schedule brings the next.
                let _ = photovault_health::on_event(vault, serde_json::json!({})).await;
                End::Alone
            });
            Running { future, work: Work::Health }
        });
        self.at(now + i64::from(HEALTH.every_s) * 1000, Note::Health);
    }

    fn is_at_rest(&self) -> bool {
        let idle = self.tasks.is_empty() && self.queues.iter().all(|queue| queue.messages.is_empty());
        let read = self.shards.iter().all(Shard::is_read);
        let calm = !self.simulation.scheduler().faults_on;
        calm && idle && read && self.promises.items().all(photovault_domain::Media::is_settled)
    }
}
