//! Event notifications: the message that S3 puts into a queue.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::Connection;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Bucket, Notification};
use crate::{
    gateway::{ACCOUNT, REGION},
    sqs::{Letter, insert},
};

/// Keys in events are form-encoded, the slash kept.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');

/// What happened to which version.
pub(super) struct Event<'a> {
    /// Name without `s3:`, `ObjectCreated:Put`.
    pub(super) name: &'a str,
    pub(super) key: &'a str,
    pub(super) size_bytes: u64,
    pub(super) etag: &'a str,
    pub(super) version: Option<&'a str>,
    /// The row's id: grows with every write.
    pub(super) row: i64,
    pub(super) at_ms: i64,
}

/// Puts the event's messages into the queues that the bucket notifies; gives their names, to be rung after the commit.
pub(super) fn notify(connection: &Connection, bucket: &Bucket, event: &Event) -> anyhow::Result<Vec<String>> {
    let mut rung = Vec::new();
    for notification in bucket.notifications.iter().filter(|notification| wants(notification, event)) {
        let body = message(bucket, notification, event)?;
        insert(connection, &notification.queue, &Letter { body, ..Letter::default() })?;
        rung.push(notification.queue.clone());
    }
    Ok(rung)
}

fn wants(notification: &Notification, event: &Event) -> bool {
    let named = notification.events.iter().any(|pattern| {
        let pattern = pattern.strip_prefix("s3:").unwrap_or(pattern);
        pattern.strip_suffix('*').map_or(pattern == event.name, |stem| event.name.starts_with(stem))
    });
    named
        && notification.prefix.as_deref().is_none_or(|prefix| event.key.starts_with(prefix))
        && notification.suffix.as_deref().is_none_or(|suffix| event.key.ends_with(suffix))
}

fn message(bucket: &Bucket, notification: &Notification, event: &Event) -> anyhow::Result<String> {
    let mut object = json!({
        "key": utf8_percent_encode(event.key, FORM).to_string().replace(' ', "+"),
        "sequencer": format!("{:016X}", event.row),
    });
    if event.name.starts_with("ObjectCreated") {
        object["size"] = event.size_bytes.into();
        object["eTag"] = event.etag.into();
    }
    if let Some(version) = event.version {
        object["versionId"] = version.into();
    }
    let record = json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": OffsetDateTime::from_unix_timestamp_nanos(i128::from(event.at_ms) * 1_000_000)?.format(&Rfc3339)?,
        "eventName": event.name,
        "userIdentity": {"principalId": ACCOUNT},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": format!("{:016X}", event.row), "x-amz-id-2": "photovault"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": notification.id,
            "bucket": {"name": bucket.name, "ownerIdentity": {"principalId": ACCOUNT}, "arn": format!("arn:aws:s3:::{}", bucket.name)},
            "object": object,
        },
    });
    Ok(json!({"Records": [record]}).to_string())
}
