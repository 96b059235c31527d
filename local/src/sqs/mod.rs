//! The SQS model over the store.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::store::Store;

/// What a queue is created with; creating again updates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// Queue name.
    pub name: String,
    /// Default visibility timeout.
    pub visibility_timeout_s: u32,
    /// How long a message is kept from its first send.
    pub retention_s: u32,
    /// Default delay of a send.
    pub delay_s: u32,
    /// Dead-letter queue's name and `maxReceiveCount`.
    pub redrive: Option<(String, u32)>,
    /// Whether it is a FIFO queue.
    pub fifo: bool,
}

/// Who holds a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A client over HTTP.
    Client,
    /// An event source mapping of this engine; its holds end with the process.
    Mapping,
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Message id.
    pub id: String,
    /// Receipt handle of this receive.
    pub receipt: String,
    /// Body.
    pub body: String,
    /// Message attributes, in the JSON shape of `SendMessage` (`{"name": {"DataType": …, "StringValue": …}}`).
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// When it was first sent.
    pub sent_ms: i64,
    /// When it was first received.
    pub first_received_ms: i64,
    /// Receives so far, this one included.
    pub receive_count: u32,
    /// FIFO: message group.
    pub group: Option<String>,
    /// ARN of the queue it was dead-lettered from.
    pub dead_letter_source: Option<String>,
}

/// A queue's approximate numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Can be received now.
    pub visible: u64,
    /// Received, neither deleted nor timed out.
    pub in_flight: u64,
    /// Sent with a delay that still runs.
    pub delayed: u64,
}

/// Queues of the engine.
pub struct Queues;

impl Queues {
    /// Queues over `store`.
    pub fn new(_store: Arc<Store>) -> Self {
        todo!()
    }
    /// Creates a queue or updates its attributes.
    pub async fn create(&self, _spec: QueueSpec) -> anyhow::Result<()> {
        todo!()
    }
    /// Names of all queues.
    pub async fn list(&self) -> anyhow::Result<Vec<String>> {
        todo!()
    }
    /// A queue's attributes; `None` if there is no such queue.
    pub async fn spec(&self, _queue: &str) -> anyhow::Result<Option<QueueSpec>> {
        todo!()
    }
    /// Sends; durable when it returns the message id.
    pub async fn send(&self, _queue: &str, _body: String, _delay_s: u32, _attributes: BTreeMap<String, serde_json::Value>) -> anyhow::Result<String> {
        todo!()
    }
    /// Receives up to `max`, waiting up to `wait` for the first.
    pub async fn receive(&self, _queue: &str, _max: usize, _visibility_s: Option<u32>, _wait: Duration, _holder: Holder) -> anyhow::Result<Vec<Message>> {
        todo!()
    }
    /// Deletes by receipt; a stale receipt is not an error.
    pub async fn delete(&self, _queue: &str, _receipts: &[String]) -> anyhow::Result<()> {
        todo!()
    }
    /// Sets when the message can be received again.
    pub async fn change_visibility(&self, _queue: &str, _receipt: &str, _seconds: u32) -> anyhow::Result<()> {
        todo!()
    }
    /// Approximate numbers.
    pub async fn counts(&self, _queue: &str) -> anyhow::Result<Counts> {
        todo!()
    }
    /// Removes every message.
    pub async fn purge(&self, _queue: &str) -> anyhow::Result<()> {
        todo!()
    }
    /// Moves a dead-letter queue's messages to `to`, or each to the queue it came from; gives how many.
    pub async fn redrive(&self, _from: &str, _to: Option<&str>) -> anyhow::Result<u64> {
        todo!()
    }
    /// After a crash: messages that mappings held become visible at once, that receive not counted.
    pub async fn release_mapping_holds(&self) -> anyhow::Result<()> {
        todo!()
    }
}
