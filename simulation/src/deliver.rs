//! The event source mappings of the queues: batches of whatever is visible, in any order, some of it twice; what a batch
//! did not report as failed is deleted, unless that is lost.

use photovault_domain::UtcMs;
use photovault_lambda::{Message, run_each};
use photovault_sim::{Queued, Received, Task};

use crate::{
    history::{End, History, Note, Running, Work},
    settings::{DISPATCH_DEAD, FIRST_DEAD, QUEUES},
    stand_ins::{maker, reader, renderer},
};

/// Deliveries of one message that may meet faults: fewer than its receives, so that what dies of faults alone died of the
/// protocol. Poison may meet any number.
pub(crate) const MARRED: u32 = 3;
/// The longest wait between a message's turn and its delivery, ms.
const POLL_MS: u64 = 400;
/// Polls of a thousand that bring few messages, whatever there is: two batches at once then write the same digest.
const FEW: u64 = 600;
/// Deliveries of a thousand that another one follows while they are worked on.
const TWICE: u64 = 40;
/// Deletes of a thousand that are lost.
const LOST: u64 = 40;

impl History {
    /// Lets a queue be polled when its next message can be received.
    pub(crate) fn wake(&mut self, queue: usize) {
        let Some(visible) = self.queues[queue].next_visible() else { return };
        let window = u64::from(QUEUES[queue].window_s) * 1000;
        let wait = self.random.below(POLL_MS + window) as i64;
        let at = visible.max(self.now()) + wait;
        if self.polls[queue].is_none_or(|planned| planned > at) {
            self.polls[queue] = Some(at);
            self.at(at, Note::Poll(queue));
        }
    }

    /// One poll: a batch of what is visible.
    pub(crate) fn deliver(&mut self, queue: usize) {
        let now = self.now();
        if self.polls[queue] != Some(now) {
            return;
        }
        self.polls[queue] = None;
        let settings = &QUEUES[queue];
        let of_queue = |running: &&Running| matches!(running.work, Work::Batch { queue: other, .. } if other == queue);
        if self.tasks.values().filter(of_queue).count() >= settings.concurrency {
            // Whoever ends wakes it again.
            return;
        }
        let few = self.random.per_mille(FEW);
        let most = 1 + self.random.below(if few { settings.batch.min(3) } else { settings.batch } as u64) as usize;
        let random = &mut self.random;
        let Received { taken, buried } = self.queues[queue].receive(now, most, |count| random.below(count as u64) as usize);
        for message in buried {
            self.bury(queue, message);
        }
        for (_, message) in &taken {
            let overlap = self.twice.remove(&message.id) && self.is_under_way(&message.id);
            if overlap {
                self.simulation.scheduler().count(true);
            }
        }
        if !taken.is_empty() {
            self.invoke(queue, taken);
        }
        self.wake(queue);
    }

    fn bury(&mut self, queue: usize, message: Queued) {
        let dead = FIRST_DEAD + queue;
        let now = self.now();
        self.tell(|| format!("{} goes to {}", message.id, QUEUES[dead].name));
        self.promises.buried(QUEUES[queue].name.trim_end_matches("-slow"), &message.body);
        self.queues[dead].bury(now, message);
        self.wake(dead);
    }

    /// A record of the stream that was given up, by right where every attempt met a fault: the account of it goes to the
    /// dispatcher's dead letters.
    pub(crate) fn bury_record(&mut self, shard: usize, sequence: usize, by_right: bool) {
        let batch = serde_json::json!({"shardId": shard.to_string(), "startSequenceNumber": sequence.to_string()});
        let body = serde_json::json!({"DDBStreamBatchInfo": batch}).to_string();
        if by_right {
            self.promises.truth.given_up.insert(body.clone());
        }
        self.promises.buried("dispatch", &body);
        self.send(DISPATCH_DEAD, body, 0);
    }

    fn is_under_way(&self, id: &str) -> bool {
        let holds = |running: &Running| match &running.work {
            Work::Batch { receipts, .. } => receipts.iter().any(|(_, of)| of == id),
            Work::Stream { .. } | Work::Schedule | Work::Person => false,
        };
        self.tasks.values().any(holds)
    }

    fn may_suffer(&self, queue: usize, message: &Queued) -> bool {
        QUEUES[queue].max_receives.is_none()
            || message.marred < MARRED
            || self.promises.truth.is_poison(QUEUES[queue].name, &message.body)
    }

    fn invoke(&mut self, queue: usize, taken: Vec<(String, Queued)>) {
        let mut faulty = true;
        for (receipt, message) in &taken {
            let may = self.may_suffer(queue, message);
            faulty &= may;
            let drawn = may && self.random.per_mille(TWICE);
            let what = || format!("{} comes again while it is worked on", message.id);
            if self.simulation.scheduler().fault_to_come(drawn, what) {
                self.twice.insert(message.id.clone());
                let again = self.now() + self.random.below(3_000) as i64;
                if let Some(at) = self.queues[queue].held(receipt) {
                    self.queues[queue].messages[at].visible = again;
                    self.queues[queue].messages[at].marred += 1;
                }
            }
        }
        // It counts as marred from now on, and no more once it ends unmarred: deliveries of one message overlap.
        for (receipt, _) in taken.iter().filter(|_| faulty) {
            if let Some(at) = self.queues[queue].held(receipt) {
                self.queues[queue].messages[at].marred += 1;
            }
        }
        let key = taken.iter().fold(queue as u64 + 100, |key, (_, message)| {
            let key = message.id.bytes().fold(key, |key, byte| key.wrapping_mul(31).wrapping_add(u64::from(byte)));
            key.wrapping_mul(7).wrapping_add(u64::from(message.received))
        });
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:photovault-{}", QUEUES[queue].name);
        let receipts = taken.iter().map(|(receipt, message)| (receipt.clone(), message.id.clone())).collect();
        let messages: Vec<Message> = taken
            .into_iter()
            .map(|(receipt, message)| Message {
                id: message.id,
                receipt,
                body: message.body,
                received: message.received,
                sent: UtcMs(message.sent),
                queue_arn: arn.clone(),
            })
            .collect();
        self.start(key, faulty, QUEUES[queue].timeout_s, |history, task| {
            history.tell(|| {
                let ids: Vec<String> = messages.iter().map(|it| format!("{} ({}.)", it.id, it.received)).collect();
                format!("task {task} is {} with {}", QUEUES[queue].function, ids.join(", "))
            });
            let future = history.function(queue, task, key, messages);
            Running { future, work: Work::Batch { queue, receipts, faulty } }
        });
    }

    /// The real function of a queue, on a batch.
    fn function(&self, queue: usize, task: Task, key: u64, messages: Vec<Message>) -> futures::future::BoxFuture<'static, End> {
        use photovault_domain::Stage::{Memories, Metadata, Tag, Thumbnail, Validate, Video};
        let vault = self.simulation.vault(task);
        let (renderer, reader) = (renderer(self.cured.clone(), self.seed.of(key)), reader(self.cured.clone()));
        Box::pin(async move {
            End::Batch(match QUEUES[queue].function {
                "validate" => run_each(vault, Some(Validate), messages, photovault_validate::on_message).await,
                "thumbnail" => {
                    let on_message = move |vault, message| photovault_thumbnail::on_message_by(vault, message, renderer.clone());
                    run_each(vault, Some(Thumbnail), messages, on_message).await
                }
                "metadata" => {
                    let on_message = move |vault, message| photovault_metadata::on_message_by(vault, message, reader.clone());
                    run_each(vault, Some(Metadata), messages, on_message).await
                }
                "video" => {
                    let on_message = |vault, message| photovault_video::on_message_by(vault, message, maker());
                    run_each(vault, Some(Video), messages, on_message).await
                }
                "worker" => {
                    let on_message = |vault, message| photovault_video::worker::on_message_by(vault, message, maker());
                    run_each(vault, None, messages, on_message).await
                }
                "memories" => run_each(vault, Some(Memories), messages, photovault_memories::on_message).await,
                "tag" => run_each(vault, Some(Tag), messages, photovault_tag::on_message).await,
                "notify" => photovault_notify::on_batch(vault, messages).await,
                _ => photovault_failures::on_batch(vault, messages).await,
            })
        })
    }

    /// A batch has ended: with what failed, or, without an answer, as a whole. `spared` by the faults that it might have met.
    pub(crate) fn delivered(&mut self, queue: usize, receipts: Vec<(String, String)>, failed: Option<&[String]>, spared: bool) {
        for (receipt, id) in receipts {
            let Some(at) = self.queues[queue].messages.iter().position(|message| message.id == id) else { continue };
            let counted = &mut self.queues[queue].messages[at].marred;
            *counted = counted.saturating_sub(u32::from(spared));
            let may = self.may_suffer(queue, &self.queues[queue].messages[at]);
            if failed.is_none_or(|failed| failed.contains(&id)) {
                continue;
            }
            let drawn = may && self.random.per_mille(LOST);
            if self.simulation.scheduler().fault(drawn, || format!("the delete of {id} is lost")) {
                self.queues[queue].messages[at].marred += 1;
            } else {
                self.queues[queue].delete(&receipt);
            }
        }
        self.wake(queue);
    }
}
