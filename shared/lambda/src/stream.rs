//! The catalog's stream: both images of each changed item, in order.

use std::sync::Arc;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use futures::future::BoxFuture;
use lambda_runtime::{LambdaEvent, service_fn};
use photovault_domain::Media;
use photovault_vault::{Vault, media_of_row, seams::Row};
use serde_json::{Value, json};

use crate::{Served, serve};

/// One change of a media item.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// Where it stands in the stream.
    pub sequence: String,
    /// The item before, where there was one.
    pub before: Option<Arc<Media>>,
    /// The item after.
    pub after: Arc<Media>,
}

impl Changed {
    /// Reads a record's rows. `None` for what is no media item's new state: removals, digests, letters.
    pub fn of_rows(sequence: String, before: Option<&Row>, after: Option<&Row>) -> anyhow::Result<Option<Self>> {
        let is_media =
            |row: &&Row| row.get("sk").and_then(Value::as_str).is_some_and(|sk| sk.starts_with(photovault_vault::MEDIA_PREFIX));
        let media = |row: Option<&Row>| row.filter(is_media).map(media_of_row).transpose();
        let (before, after) = (media(before)?, media(after)?);
        Ok(after.map(|after| Self { sequence, before: before.map(Arc::new), after: Arc::new(after) }))
    }
}

/// Handles changes in order; says at which sequence number it must be begun again, if anything failed.
pub type OnChanges = fn(Vault, Vec<Changed>) -> BoxFuture<'static, Result<(), String>>;

/// Runs a function on the catalog's stream.
pub fn serve_changes(on_changes: OnChanges) -> Served {
    serve(async |vault| {
        let handler = |event: LambdaEvent<Event>| {
            let vault = vault.clone();
            async move { Ok::<_, lambda_runtime::Error>(handle(vault, event.payload, on_changes).await) }
        };
        lambda_runtime::run(service_fn(handler)).await
    })
}

/// Gives the changes among the records to `on_changes`, up to the first that cannot be read; says at which
/// sequence number the stream must begin again, if anything failed.
async fn handle(vault: Vault, event: Event, on_changes: OnChanges) -> Value {
    let (mut changes, mut unreadable) = (Vec::new(), None);
    for record in event.records {
        let sequence = record.change.sequence_number.clone().unwrap_or_default();
        match changed(record, sequence.clone()) {
            Ok(change) => changes.extend(change),
            Err(error) => {
                tracing::error!(stream.sequence = sequence, error = %error, "a record of the stream cannot be read");
                unreadable = Some(sequence);
                break;
            }
        }
    }
    let failed = on_changes(vault, changes).await.err().or(unreadable);
    json!({ "batchItemFailures": failed.into_iter().map(|sequence| json!({ "itemIdentifier": sequence })).collect::<Vec<_>>() })
}

fn changed(record: EventRecord, sequence: String) -> anyhow::Result<Option<Changed>> {
    let row = |image: serde_dynamo::Item| -> anyhow::Result<Option<Row>> {
        Ok(if image.is_empty() { None } else { Some(serde_dynamo::from_item(image)?) })
    };
    let (before, after) = (row(record.change.old_image)?, row(record.change.new_image)?);
    Changed::of_rows(sequence, before.as_ref(), after.as_ref())
}
