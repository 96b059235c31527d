//! The S3 model over the store.

use std::sync::Arc;

use crate::store::Store;

/// Sends a bucket's events to a queue.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Notification {
    /// Configuration id, shown in the event.
    pub id: String,
    /// Event names, `s3:ObjectCreated:*` and the like.
    pub events: Vec<String>,
    /// Only keys that begin so.
    pub prefix: Option<String>,
    /// Only keys that end so.
    pub suffix: Option<String>,
    /// Queue name.
    pub queue: String,
}

/// What a bucket is created with; creating again updates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSpec {
    /// Bucket name.
    pub name: String,
    /// Whether versions are kept.
    pub versioned: bool,
    /// Event notifications.
    pub notifications: Vec<Notification>,
}

/// Buckets of the engine.
pub struct Buckets;

impl Buckets {
    /// Buckets over `store`; events wake `queues`.
    pub fn new(_store: Arc<Store>, _queues: Arc<crate::sqs::Queues>) -> Self {
        todo!()
    }
    /// Creates a bucket or updates its settings.
    pub async fn create(&self, _spec: BucketSpec) -> anyhow::Result<()> {
        todo!()
    }
}
