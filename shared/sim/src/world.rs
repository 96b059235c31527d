//! What the fabric holds: plain maps that a test can look into.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use photovault_domain::{Media, UtcMs};
use photovault_vault::seams::{Outgoing, Row};

/// How a call to a seam goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happened.
    Before,
    /// It happened, and the answer was lost: the ambiguous case.
    After,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To which queue.
    pub queue: String,
    /// What.
    pub message: Outgoing,
}

/// A record of the table's stream: a media item before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The item before.
    pub before: Option<Media>,
    /// The item after.
    pub after: Option<Media>,
}

/// One stored object version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its version.
    pub version: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// When it was written.
    pub modified: UtcMs,
}

/// Everything that is outside of a function.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Object versions by bucket and key, oldest first.
    pub objects: BTreeMap<(String, String), Vec<Stored>>,
    /// Rows by partition and sort key.
    pub rows: BTreeMap<(String, String), Row>,
    /// The table's stream, media items only.
    pub stream: Vec<Record>,
    /// What was sent to queues.
    pub sent: Vec<Sent>,
    /// Receipts of messages that were given back, with the seconds.
    pub returned: Vec<(String, u32)>,
    /// What was published.
    pub published: Vec<String>,
    /// Now.
    pub now: UtcMs,
    /// Counts calls and versions.
    pub calls: u64,
    /// What the next calls meet, in order; `None` is a call that goes well. Empty: all go well.
    pub faults: VecDeque<Option<Fault>>,
}

impl World {
    /// The bytes of every object, by `bucket/key`, newest versions only.
    pub fn snapshot(&self) -> BTreeMap<String, usize> {
        self.objects
            .iter()
            .filter_map(|((bucket, key), versions)| Some((format!("{bucket}/{key}"), versions.last()?.bytes.len())))
            .collect()
    }
}
