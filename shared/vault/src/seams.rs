//! The six seams: all that the vault asks of the outside. Twenty-nine methods; every one may fail before or after its effect.
//!
//! Rows and messages are JSON here: wire shapes stay behind `shared/aws`.

use std::{ops::Range, pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use photovault_domain::{Channel, Face, Label, Moderation, Notice, Sha256, UtcMs, Word};

use crate::Post;

/// A failure of the outside: what was asked and what came back. The queue brings the work again.
#[derive(Debug, thiserror::Error)]
#[error("{asked}: {answer}")]
pub struct SeamError {
    /// What was asked, with the key or queue.
    pub asked: String,
    /// What came back.
    pub answer: String,
}

/// What a seam gives.
pub type SeamResult<T> = Result<T, SeamError>;

/// A place in a bucket; without a version the newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectAt {
    /// Bucket name.
    pub bucket: String,
    /// Object key, as it is (not URL-encoded).
    pub key: String,
    /// Object version, where one is meant.
    pub version: Option<String>,
}

/// A stored object's bytes as they arrive.
pub type Body = Pin<Box<dyn Stream<Item = SeamResult<Bytes>> + Send>>;

/// An object that is being read.
pub struct Opened {
    /// Bytes in `body`.
    pub size_bytes: u64,
    /// When it was written.
    pub modified: UtcMs,
    /// The bytes.
    pub body: Body,
}

/// How an object is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// IANA media type.
    pub mime: String,
    /// Whether it never changes: it may be cached for ever.
    pub immutable: bool,
}

/// A version of an object, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its version; empty where the bucket has none.
    pub version: String,
    /// Whether it is what the key names now.
    pub is_latest: bool,
    /// When it was written.
    pub modified: UtcMs,
}

/// Buckets.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Opens an object, or only a range of its bytes that begins within it; `None` if it is not there.
    async fn open(&self, at: &ObjectAt, range: Option<Range<u64>>) -> SeamResult<Option<Opened>>;
    /// Writes an object whole, its checksum verified by the store.
    async fn write(&self, at: &ObjectAt, bytes: Bytes, served: &Served) -> SeamResult<()>;
    /// Copies within the store and gives the SHA-256 that the store computed over the copy; `None` if the source is not there.
    async fn copy(&self, from: &ObjectAt, to: &ObjectAt, served: &Served) -> SeamResult<Option<Sha256>>;
    /// The SHA-256 that the store keeps for an object; `None` if it is not there.
    async fn checksum(&self, at: &ObjectAt) -> SeamResult<Option<Sha256>>;
    /// Removes exactly this version (or writes a delete marker where none is named); removing what is not there is fine.
    async fn remove(&self, at: &ObjectAt) -> SeamResult<()>;
    /// Versions of objects whose key begins with `prefix`, in key order, at most `limit` of them (delete markers are none).
    ///
    /// `after` is the `next` of the page before, or `/<key>`: everything behind that key.
    async fn versions(&self, bucket: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<crate::Page<Listed>>;
}

/// A row of the table: its attributes as JSON, keys included.
pub type Row = serde_json::Map<String, serde_json::Value>;

/// A row's key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

/// What must hold for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No such row.
    Absent,
    /// The row is there and its `version` is this.
    Version(u64),
}

impl Expect {
    /// The row as it was read: 0 is the version of what was not there.
    pub const fn read(version: u64) -> Self {
        if version == 0 { Self::Absent } else { Self::Version(version) }
    }
}

/// One of the writes that happen together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A row as a whole, if its condition holds.
    Put(Row, Expect),
    /// A row as a whole, whatever is there.
    Set(Row),
    /// No row; removing what is not there is fine.
    Remove(RowKey),
}

/// Whether a conditional write happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It did.
    Yes,
    /// The condition did not hold; nothing was changed.
    Conflict,
}

/// The catalog's table. Reads are consistent.
#[async_trait]
pub trait Table: Send + Sync {
    /// One row.
    async fn row(&self, key: &RowKey) -> SeamResult<Option<Arc<Row>>>;
    /// Writes a row whole if `expect` holds.
    async fn put(&self, row: Row, expect: Expect) -> SeamResult<Written>;
    /// Does all of these if every condition holds, and else nothing. At most 100, each of another row.
    async fn put_all(&self, writes: Vec<Write>) -> SeamResult<Written>;
    /// Removes a row; removing what is not there is fine.
    async fn remove(&self, key: &RowKey) -> SeamResult<()>;
    /// Rows of one partition whose sort key starts with `prefix` and comes after `after`, in order, at most `limit`.
    async fn rows(&self, pk: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<crate::Page<Arc<Row>>>;
    /// Rows of one partition whose sort key comes before `before`, the nearest first, at most `limit`.
    async fn rows_before(&self, pk: &str, before: &str, limit: u32) -> SeamResult<Vec<Arc<Row>>>;
    /// Keys of the rows in a partition of the sparse index `work`, oldest first, after `after` (the `next` of the page before).
    ///
    /// The one read that may lag behind: read the row itself before acting on it.
    async fn work(&self, list: &str, after: Option<&str>, limit: u32) -> SeamResult<crate::Page<RowKey>>;
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its body.
    pub body: String,
    /// Seconds until it may be received, 0..=900; 0 where it has a group.
    pub delay_s: u32,
    /// Messages of one group are received one after the other, in order: of a FIFO queue, and only there.
    pub group: Option<String>,
}

/// Queues.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends messages; when it returns well, all of them are in the queue.
    async fn send(&self, queue: &str, messages: Vec<Outgoing>) -> SeamResult<()>;
    /// Lets a received message come back after so many seconds.
    async fn return_after(&self, queue: &str, receipt: &str, seconds: u32) -> SeamResult<()>;
    /// About how many messages wait to be received.
    async fn waiting(&self, queue: &str) -> SeamResult<u64>;
}

/// Time and randomness.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> UtcMs;
    /// 64 random bits.
    fn random(&self) -> u64;
}

/// What a channel said to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has it.
    Taken,
    /// It will not take it, whenever it is sent: why.
    Refused(String),
    /// It surely has not taken it this time: why.
    NotTaken(String),
}

/// Ways to people.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends once. An error says that nobody knows whether it was taken.
    async fn send(&self, post: &Post, to: &Channel, notice: &Notice) -> SeamResult<Answer>;
}

/// Why a recogniser saw nothing: another attempt would be answered the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// The picture is not one that it takes.
    Picture(String),
    /// It does not take requests of this account.
    Account(String),
}

/// Who sees what pictures show. Each call is paid for. A picture is named by its place in the object store: its bytes do not pass
/// through a function.
#[async_trait]
pub trait Recognition: Send + Sync {
    /// What is to be seen, the most certain first, and the version of the model that saw it.
    async fn labels(&self, at: &ObjectAt) -> SeamResult<Result<(Vec<Label>, String), Unseen>>;
    /// The faces, the largest first.
    async fn faces(&self, at: &ObjectAt) -> SeamResult<Result<Vec<Face>, Unseen>>;
    /// The words that can be read, in the order of reading.
    async fn text(&self, at: &ObjectAt) -> SeamResult<Result<Vec<Word>, Unseen>>;
    /// What is not to be shown unasked, the most certain first.
    async fn moderation(&self, at: &ObjectAt) -> SeamResult<Result<Moderation, Unseen>>;
    /// Takes the faces into a collection, under the name of the picture, and gives each a mark; the largest first. Again is another set of
    /// faces. The collection is made where there is none.
    async fn take_in(&self, collection: &str, at: &ObjectAt, name: &str) -> SeamResult<Result<Vec<Face>, Unseen>>;
    /// Persons of the collection whom one of its faces resembles, with the percent, the most alike first.
    async fn persons_like(&self, collection: &str, face: &str) -> SeamResult<Result<Vec<(String, u8)>, Unseen>>;
    /// Faces of the collection that one of them resembles, with the percent, the most alike first.
    async fn faces_like(&self, collection: &str, face: &str) -> SeamResult<Result<Vec<(String, u8)>, Unseen>>;
    /// Says that faces are of a person, who is made where there is none. Twice is once; one that is somebody else's stays theirs.
    async fn associate(&self, collection: &str, person: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>>;
    /// Says that faces are a person's no more; what is not theirs is fine.
    async fn part(&self, collection: &str, person: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>>;
    /// Removes faces from a collection, and from whomever they are of; removing what is not there is fine.
    async fn forget(&self, collection: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>>;
}
