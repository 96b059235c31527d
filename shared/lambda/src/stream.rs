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

/// One record of the stream: the rows before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// Where it stands in the stream.
    pub sequence: String,
    /// The row before, where there was one.
    pub before: Option<Arc<Row>>,
    /// The row after, unless it was removed.
    pub after: Option<Arc<Row>>,
}

/// Gives the changes of media items among the records to `on_changes`, up to the first that cannot be read; says at which
/// sequence number the stream must begin again, if anything failed.
pub async fn run_changes(
    vault: Vault,
    records: impl IntoIterator<Item = Result<Images, (String, anyhow::Error)>>,
    on_changes: OnChanges,
) -> Option<String> {
    let (mut changes, mut unreadable) = (Vec::new(), None);
    for record in records {
        let read = record.and_then(|images| {
            let sequence = images.sequence.clone();
            changed(images).map_err(|error| (sequence, error))
        });
        match read {
            Ok(change) => changes.extend(change),
            Err((sequence, error)) => {
                tracing::error!(stream.sequence = sequence, error = %error, "a record of the stream cannot be read");
                unreadable = Some(sequence);
                break;
            }
        }
    }
    on_changes(vault, changes).await.err().or(unreadable)
}

async fn handle(vault: Vault, event: Event, on_changes: OnChanges) -> Value {
    let failed = run_changes(vault, event.records.into_iter().map(images_of), on_changes).await;
    json!({ "batchItemFailures": failed.into_iter().map(|sequence| json!({ "itemIdentifier": sequence })).collect::<Vec<_>>() })
}

fn images_of(record: EventRecord) -> Result<Images, (String, anyhow::Error)> {
    let sequence = record.change.sequence_number.unwrap_or_default();
    let row = |image: serde_dynamo::Item| -> anyhow::Result<Option<Arc<Row>>> {
        Ok(if image.is_empty() { None } else { Some(Arc::new(serde_dynamo::from_item(image)?)) })
    };
    let images = row(record.change.old_image).and_then(|before| Ok((before, row(record.change.new_image)?)));
    match images {
        Ok((before, after)) => Ok(Images { sequence, before, after }),
        Err(error) => Err((sequence, error)),
    }
}

/// `None` for what is no media item's new state: removals, digests, letters.
fn changed(images: Images) -> anyhow::Result<Option<Changed>> {
    let is_media =
        |row: &&Row| row.get("sk").and_then(Value::as_str).is_some_and(|sk| sk.starts_with(photovault_vault::MEDIA_PREFIX));
    let media = |row: &Option<Arc<Row>>| row.as_deref().filter(is_media).map(media_of_row).transpose();
    let (before, after) = (media(&images.before)?, media(&images.after)?);
    Ok(after.map(|after| Changed { sequence: images.sequence, before, after }))
}
