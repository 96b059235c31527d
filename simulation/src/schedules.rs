//! The schedules: `health` where the stream is trimmed, `cleanup` where people put things away; until everything has come to rest.

use futures::future::BoxFuture;
use photovault_sim::Task;
use photovault_vault::Vault;
use serde_json::{Value, json};

use crate::{
    history::{End, History, Note, Running, Work},
    settings::{CLEANUP, HEALTH, ScheduleSettings},
    stream::Shard,
};

/// Names the runs of each in the seed.
const HEALTH_KEY: u64 = 1 << 60;
const CLEANUP_KEY: u64 = 1 << 61;

type OnEvent = fn(Vault, Value) -> BoxFuture<'static, anyhow::Result<Value>>;

impl History {
    /// One run of `health`, and the next later, unless there is nothing left to look after.
    pub(crate) fn run_health(&mut self) {
        if !(self.is_idle() && self.promises.items().all(photovault_domain::Media::is_settled)) {
            self.run_scheduled(HEALTH, HEALTH_KEY, Note::Health, photovault_health::on_event, json!({}));
        }
    }

    /// When people put things away and take them back, and with it the first run of `cleanup`.
    pub(crate) fn plan_trash(&mut self) {
        if self.workload.trash.is_empty() {
            return;
        }
        for at in self.workload.trash.clone() {
            self.at(at, Note::Trash);
        }
        for at in self.workload.restores.clone() {
            self.at(at, Note::Restore);
        }
        for at in self.workload.agains.clone() {
            self.at(at, Note::Again);
        }
        self.at(self.now() + i64::from(CLEANUP.every_s) * 1000, Note::Cleanup);
    }

    /// The same of `cleanup`: nothing is kept for any time, so that all that it does happens beside everything else.
    pub(crate) fn run_cleanup(&mut self) {
        let leaving = self.promises.items().any(|media| media.leaving.is_some());
        if leaving || !self.is_idle() {
            let at_once = json!({"trash_days": 0, "leftover_days": 0});
            self.run_scheduled(CLEANUP, CLEANUP_KEY, Note::Cleanup, photovault_cleanup::on_event, at_once);
        }
    }

    fn run_scheduled(&mut self, schedule: ScheduleSettings, key: u64, note: Note, on_event: OnEvent, event: Value) {
        let now = self.now();
        self.start(key + now as u64, true, schedule.timeout_s, |history, task: Task| {
            history.tell(|| format!("task {task} is {note:?}"));
            let vault = history.simulation.vault(task);
            let future = Box::pin(async move {
                // A run that fails is over; the schedule brings the next.
                let _ = on_event(vault, event).await;
                End::Alone
            });
            Running { future, work: Work::Schedule }
        });
        self.at(now + i64::from(schedule.every_s) * 1000, note);
    }

    /// Whether nothing is under way, and nothing goes wrong any more.
    fn is_idle(&self) -> bool {
        let idle = self.tasks.is_empty() && self.queues.iter().all(|queue| queue.messages.is_empty());
        let read = self.shards.iter().all(Shard::is_read);
        let calm = !self.simulation.scheduler().faults_on;
        calm && idle && read
    }
}
