//! The catalog's stream: both images of each changed item, in order.

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
    pub before: Option<Media>,
    /// The item after.
    pub after: Media,
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

async fn handle(vault: Vault, event: Event, on_changes: OnChanges) -> Value {
    let (mut changes, mut unreadable) = (Vec::new(), None);
    for record in event.records {
        let sequence = record.change.sequence_number.clone().unwrap_or_default();
        match changed(record, &sequence) {
            Ok(Some(change)) => changes.push(change),
            Ok(None) => {}
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

/// `None` for what is no media item's new state: removals, digests, letters.
fn changed(record: EventRecord, sequence: &str) -> anyhow::Result<Option<Changed>> {
    let media = |image: serde_dynamo::Item| -> anyhow::Result<Option<Media>> {
        if image.is_empty() {
            return Ok(None);
        }
        let row: Row = serde_dynamo::from_item(image)?;
        let is_media = row.get("sk").and_then(Value::as_str).is_some_and(|sk| sk.starts_with(photovault_vault::MEDIA_PREFIX));
        Ok(if is_media { Some(media_of_row(row)?) } else { None })
    };
    let (before, after) = (media(record.change.old_image)?, media(record.change.new_image)?);
    Ok(after.map(|after| Changed { sequence: sequence.to_owned(), before, after }))
}
