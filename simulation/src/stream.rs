//! The mapping of the catalog's stream: shards in order, batches that begin again where they failed, halves, retries, and
//! records that come again although they were read.

use std::sync::Arc;

use photovault_domain::Media;
use photovault_lambda::Changed;
use photovault_sim::Task;

use crate::{
    deliver::MARRED,
    history::{End, History, Note, Running, Work},
    settings::STREAM,
    workload::Stream,
};

/// Shards of the stream: items of one partition stay in one.
pub(crate) const SHARDS: usize = 2;
/// The longest wait between a write and its record's delivery, ms.
const POLL_MS: u64 = 300;
/// The first pause after a failure, ms; each further one doubles it.
const PAUSE_MS: i64 = 250;
/// Batches of a thousand whose reading is forgotten.
const AGAIN: u64 = 40;
/// Turns of a shard in a thousand before which unread records are trimmed, where records are.
const TRIMMED: u64 = 100;
/// Failed attempts of a thousand after which the function is not even invoked the next time, where records are given up.
const OUTAGE: u64 = 850;

/// One shard.
#[derive(Default)]
pub(crate) struct Shard {
    records: Vec<(Changed, u32)>,
    position: usize,
    /// Attempts at the batch that begins at the position, and the most records that it may have.
    attempts: u32,
    most: usize,
    /// Whether an attempt failed without a fault.
    spared: bool,
    busy: bool,
}

impl Shard {
    pub(crate) fn is_read(&self) -> bool {
        self.position == self.records.len()
    }
}

impl History {
    /// A change of an item comes to its shard.
    pub(crate) fn append(&mut self, before: Option<Arc<Media>>, after: Arc<Media>) {
        let at = after.user.as_str().bytes().fold(0_usize, |sum, byte| sum + usize::from(byte)) % SHARDS;
        let records = &mut self.shards[at].records;
        records.push((Changed { sequence: records.len().to_string(), before, after }, 0));
        self.turn_to(at, 0);
    }

    fn turn_to(&mut self, shard: usize, pause: i64) {
        let at = self.now() + pause + self.random.below(POLL_MS) as i64;
        self.at(at, Note::Shard(shard));
    }

    /// One batch of a shard.
    pub(crate) fn deliver_records(&mut self, at: usize) {
        let shard = &self.shards[at];
        if shard.busy {
            return;
        }
        self.trim(at);
        let shard = &mut self.shards[at];
        let left = shard.records.len() - shard.position;
        if left == 0 {
            return;
        }
        if shard.attempts == 0 {
            let few = self.random.per_mille(500);
            shard.most = 1 + self.random.below(if few { 4 } else { STREAM.batch as u64 }) as usize;
        }
        let count = left.min(shard.most.max(1));
        let outage = self.workload.stream == Stream::GivenUp && shard.attempts > 0 && self.random.per_mille(OUTAGE);
        if self.simulation.scheduler().fault(outage, || format!("dispatch is not invoked with {count} records of shard {at}")) {
            self.read(at, count, Err(()), true);
            return;
        }
        let shard = &mut self.shards[at];
        let batch = &shard.records[shard.position..shard.position + count];
        let faulty = batch.iter().all(|(_, marred)| *marred < MARRED);
        let changes: Vec<_> = batch.iter().map(|(change, _)| change.clone()).collect();
        shard.busy = true;
        let key = 1 + ((at as u64) << 40) + ((shard.position as u64) << 8) + u64::from(shard.attempts);
        let position = shard.position;
        self.start(key, faulty, STREAM.timeout_s, |history, task: Task| {
            history.tell(|| format!("task {task} is dispatch with records {position}..{} of shard {at}", position + count));
            let vault = history.simulation.vault(task);
            let future = Box::pin(async move { End::Stream(photovault_dispatch::on_changes(vault, changes).await.err()) });
            Running { future, work: Work::Stream { shard: at, count } }
        });
    }

    /// Records that nobody has read may be gone.
    fn trim(&mut self, at: usize) {
        let left = self.shards[at].records.len() - self.shards[at].position;
        if self.workload.stream != Stream::Trimmed || left == 0 {
            return;
        }
        let (drawn, count) = (self.random.per_mille(TRIMMED), 1 + self.random.below(left as u64) as usize);
        if self.simulation.scheduler().fault(drawn, || format!("{count} records of shard {at} are trimmed unread")) {
            let shard = &mut self.shards[at];
            (shard.position, shard.attempts, shard.spared) = (shard.position + count, 0, false);
        }
    }

    /// A batch has ended: read, or to begin again at a record, or without an answer.
    pub(crate) fn read(&mut self, at: usize, count: usize, failed: Result<Option<String>, ()>, marred: bool) {
        let drawn = self.random.per_mille(AGAIN);
        let shard = &mut self.shards[at];
        shard.busy = false;
        let batch = &mut shard.records[shard.position..shard.position + count];
        let may = batch.iter().all(|(_, marred)| *marred < MARRED);
        for (_, count) in batch.iter_mut() {
            *count += u32::from(marred);
        }
        let reached = match failed {
            Ok(None) => {
                if self.simulation.scheduler().fault(drawn && may, || format!("{count} records of shard {at} come again")) {
                    for (_, count) in batch.iter_mut() {
                        *count += 1;
                    }
                    self.turn_to(at, 0);
                    return;
                }
                shard.position + count
            }
            Ok(Some(sequence)) => sequence.parse().unwrap_or(shard.position).max(shard.position),
            Err(()) => shard.position,
        };
        let pause = if reached > shard.position {
            (shard.position, shard.attempts, shard.spared) = (reached, 0, false);
            0
        } else {
            shard.attempts += 1;
            shard.spared |= !marred;
            shard.most = count.div_ceil(2);
            PAUSE_MS << shard.attempts
        };
        if shard.attempts > STREAM.retries {
            let (given_up, spared) = (shard.position, shard.spared);
            (shard.position, shard.attempts, shard.spared) = (given_up + 1, 0, false);
            self.bury_record(at, given_up, !spared && self.workload.stream == Stream::GivenUp);
        }
        self.turn_to(at, pause);
    }
}
