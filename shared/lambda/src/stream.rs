//! The catalog's stream: both images of each changed item, in order.

use std::sync::Arc;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use futures::future::BoxFuture;
use lambda_runtime::{LambdaEvent, service_fn};
use photovault_domain::Media;
use photovault_vault::{Vault, item_of_row, seams::Row};
use serde_json::{Value, json};

use crate::{Served, serve, trace};

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
        let media = |row: Option<&Row>| row.map_or(Ok(None), item_of_row);
        let (before, after) = (media(before)?, media(after)?);
        Ok(after.map(|after| Self { sequence, before: before.map(Arc::new), after: Arc::new(after) }))
    }
}

/// Handles changes in order; says at which sequence number it must be begun again, if anything failed.
pub type OnChanges = fn(Vault, Vec<Changed>) -> BoxFuture<'static, Result<(), String>>;

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

/// Handles rows before and after their changes, in order; says where it must be begun again, if anything failed.
pub type OnImages = fn(Vault, Vec<Images>) -> BoxFuture<'static, Result<(), String>>;

/// Runs a function on the changes of media items in the catalog's stream.
pub fn serve_changes(on_changes: OnChanges) -> Served {
    serve_stream(move |vault, records| {
        let read = |images: Images| {
            let change = Changed::of_rows(images.sequence.clone(), images.before.as_deref(), images.after.as_deref());
            change.map_err(|error| (images.sequence, error))
        };
        let (changes, unreadable) = until_unreadable(records.into_iter().map(|record| record.and_then(read)));
        let changes = on_changes(vault, changes.into_iter().flatten().collect());
        Box::pin(async move { changes.await.err().or(unreadable) })
    })
}

/// Runs a function on what the catalog's stream brings, removals too.
pub fn serve_images(on_images: OnImages) -> Served {
    serve_stream(move |vault, records| {
        let (images, unreadable) = until_unreadable(records.into_iter());
        let handled = on_images(vault, images);
        Box::pin(async move { handled.await.err().or(unreadable) })
    })
}

/// A record of the stream, or where one stands that cannot be read, and why.
type Read<T> = Result<T, (String, anyhow::Error)>;

/// `run` says at which sequence number the stream must begin again, if anything failed.
fn serve_stream(run: impl Fn(Vault, Vec<Read<Images>>) -> BoxFuture<'static, Option<String>>) -> Served {
    serve(async |vault| {
        let handler = |event: LambdaEvent<Event>| {
            let failed = run(vault.clone(), event.payload.records.into_iter().map(images_of).collect());
            async move {
                let failed = failed.await;
                trace::flush(event.context.xray_trace_id.as_deref()).await;
                Ok::<_, lambda_runtime::Error>(response(failed))
            }
        };
        lambda_runtime::run(service_fn(handler)).await
    })
}

/// What can be read up to the first that cannot, and where that stands.
fn until_unreadable<T>(records: impl Iterator<Item = Read<T>>) -> (Vec<T>, Option<String>) {
    let mut readable = Vec::new();
    for record in records {
        match record {
            Ok(record) => readable.push(record),
            Err((sequence, error)) => {
                tracing::error!(stream.sequence = sequence, error = %error, "a record of the stream cannot be read");
                return (readable, Some(sequence));
            }
        }
    }
    (readable, None)
}

fn response(failed: Option<String>) -> Value {
    json!({ "batchItemFailures": failed.into_iter().map(|sequence| json!({ "itemIdentifier": sequence })).collect::<Vec<_>>() })
}

fn images_of(record: EventRecord) -> Read<Images> {
    let sequence = record.change.sequence_number.unwrap_or_default();
    let row = |image: serde_dynamo::Item| -> anyhow::Result<Option<Arc<Row>>> {
        Ok(if image.is_empty() { None } else { Some(Arc::new(serde_dynamo::from_item(image)?)) })
    };
    match row(record.change.old_image).and_then(|before| Ok((before, row(record.change.new_image)?))) {
        Ok((before, after)) => Ok(Images { sequence, before, after }),
        Err(error) => Err((sequence, error)),
    }
}
