//! S3: buckets with versions, checksums, conditions, multipart uploads and event notifications over the store.
//!
//! A key is data from first to last: it lives in a column and never becomes a path. An object's row and its event's message are one
//! transaction, so an acknowledged upload has its event and a refused one has neither.

mod checks;
mod events;
#[cfg(test)]
mod keys;
mod lifecycle;
mod listing;
mod multipart;
mod objects;
mod pages;
mod read;
mod service;
#[cfg(test)]
mod tests;
mod uploads;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _};
use s3s::{S3Result, s3_error};

pub use self::lifecycle::LifecycleRule;
use crate::{clock::now_ms, sqs::Queues, store::Store};

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

/// Buckets of the engine; what S3 clients talk to is `Buckets` as an `s3s::S3`.
#[derive(Clone)]
pub struct Buckets {
    store: Arc<Store>,
    queues: Arc<Queues>,
}

impl Buckets {
    /// Buckets over `store`; events wake `queues`.
    pub fn new(store: Arc<Store>, queues: Arc<Queues>) -> Self {
        Self { store, queues }
    }

    /// Creates a bucket or updates its settings.
    pub async fn create(&self, spec: BucketSpec) -> anyhow::Result<()> {
        let notifications = serde_json::to_string(&spec.notifications)?;
        let versioning = if spec.versioned { Versioning::Enabled } else { Versioning::Off };
        self.store
            .write(move |connection| {
                connection.execute(
                    "INSERT INTO buckets (name, versioning, notifications, created_ms) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (name) DO UPDATE SET versioning = ?2, notifications = ?3",
                    rusqlite::params![spec.name, versioning.as_str(), notifications, now_ms()],
                )?;
                Ok(())
            })
            .await
    }
}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Versioning {
    Off,
    Enabled,
    Suspended,
}

impl Versioning {
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }
}

/// A bucket as it is.
struct Bucket {
    name: String,
    versioning: Versioning,
    notifications: Vec<Notification>,
}

fn bucket(connection: &Connection, name: &str) -> anyhow::Result<S3Result<Bucket>> {
    let mut find = connection.prepare_cached("SELECT versioning, notifications FROM buckets WHERE name = ?1")?;
    let row = find.query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).optional()?;
    let Some((versioning, notifications)) = row else {
        return Ok(Err(s3_error!(NoSuchBucket, "there is no bucket {name}")));
    };
    let versioning = match versioning.as_str() {
        "Enabled" => Versioning::Enabled,
        "Suspended" => Versioning::Suspended,
        _ => Versioning::Off,
    };
    Ok(Ok(Bucket { name: name.to_owned(), versioning, notifications: serde_json::from_str(&notifications)? }))
}

/// What the uploader said about an object, given back on reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Headers {
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_language: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

/// `?` over both layers: the outer for the database, the inner for a refusal that S3 has a code for.
macro_rules! granted {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}
use granted;
