//! SQS: queues with visibility, delays, retention and dead letters, in the store's tables.
//!
//! A send is durable when it returns. Receivers sleep until a message is due or a send wakes them; nothing polls.

mod queues;
mod receive;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

pub(crate) use self::{queues::insert, wire::call};
use crate::store::Store;

/// What a queue is created with; creating again updates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// Queue name; a FIFO queue's ends in `.fifo`.
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

impl QueueSpec {
    /// A queue with SQS's defaults.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            visibility_timeout_s: 30,
            retention_s: 345_600,
            delay_s: 0,
            redrive: None,
            fifo: has_fifo_suffix(name),
        }
    }
}

/// Who holds a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A client over HTTP.
    Client,
    /// An event source mapping of this engine; its holds end with the process.
    Mapping,
}

/// What is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// Body.
    pub body: String,
    /// Delay in seconds; without one the queue's.
    pub delay_s: Option<u32>,
    /// Message attributes, in the JSON shape of `SendMessage`.
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// FIFO: message group.
    pub group: Option<String>,
    /// FIFO: deduplication id.
    pub deduplication: Option<String>,
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

/// The queue is not there.
#[derive(Debug, thiserror::Error)]
#[error("there is no queue {0}")]
pub struct NoSuchQueue(pub String);

/// Queues of the engine.
pub struct Queues {
    store: Arc<Store>,
    bells: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Queues {
    /// Queues over `store`.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, bells: Mutex::default() }
    }

    /// ARN of a queue.
    pub fn arn(queue: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{queue}", crate::gateway::REGION, crate::gateway::ACCOUNT)
    }

    /// Wakes receivers of `queue`: messages arrived by another way than `send`.
    pub(crate) fn ring(&self, queue: &str) {
        self.bell(queue).notify_waiters();
    }

    fn bell(&self, queue: &str) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(queue) {
            return Arc::clone(bell);
        }
        Arc::clone(bells.entry(queue.to_owned()).or_default())
    }
}

pub(crate) fn has_fifo_suffix(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, suffix)| suffix == "fifo")
}

/// 128 random bits in the shape of a UUID; `SQLite`'s generator is seeded by the system's.
fn random_id(connection: &rusqlite::Connection) -> rusqlite::Result<String> {
    let mut random = connection.prepare_cached("SELECT lower(hex(randomblob(16)))")?;
    let hex: String = random.query_row([], |row| row.get(0))?;
    Ok(format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]))
}
