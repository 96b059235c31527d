//! analytics: keeps the counters of each user: items, bytes, what stages did and what it cost.
//!
//! - Event in: DynamoDB stream records of media items, removals too, gathered for half a minute: most of a photo's changes come together.
//! - Decision ([`decide`]): what each item counts for now ([`Counted::of`]), by user.
//! - Effects out: in one transaction the counters, and beside each item what it has counted for (`shared/vault/src/counters.rs`).
//! - Idempotent by: that row beside the item, which names its version. A change that comes again counts for nothing.
//!
//! A photo costs the same in every library: two rows are read and written for it, one of them together with many others.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use photovault_domain::{Counted, MediaId, UserId};
use photovault_lambda::{Images, Served};
use photovault_vault::{Vault, item_of_row};

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_images(on_images)
}

/// A batch of changes, in order. An error names where the stream must begin again.
pub fn on_images(vault: Vault, images: Vec<Images>) -> BoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let Some(first) = images.first().map(|images| images.sequence.clone()) else { return Ok(()) };
        let (by_user, unreadable) = decide(&images);
        for (user, seen) in &by_user {
            if let Err(error) = vault.counters.count(user, seen).await {
                tracing::error!(changes = seen.len(), %error, "changes could not be counted: the stream brings them again");
                return Err(first);
            }
        }
        tracing::info!(changes = images.len(), users = by_user.len(), "counted");
        unreadable.map_or(Ok(()), Err)
    })
}

/// What was seen of each user's items.
type ByUser = BTreeMap<UserId, Vec<(MediaId, Counted)>>;

/// What was seen of each user's items, up to the first record that cannot be read, and where that stands.
pub fn decide(images: &[Images]) -> (ByUser, Option<String>) {
    let mut by_user = ByUser::new();
    for images in images {
        match seen(images) {
            Ok(Some((user, id, seen))) => by_user.entry(user).or_default().push((id, seen)),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(stream.sequence = images.sequence, %error, "a record of the stream cannot be read");
                return (by_user, Some(images.sequence.clone()));
            }
        }
    }
    (by_user, None)
}

/// `None` for what is no media item.
fn seen(images: &Images) -> anyhow::Result<Option<(UserId, MediaId, Counted)>> {
    let Some(row) = images.after.as_deref().or(images.before.as_deref()) else { return Ok(None) };
    let Some(media) = item_of_row(row)? else { return Ok(None) };
    let counted = Counted::of(&media);
    let seen = if images.after.is_some() { counted } else { counted.removed() };
    Ok(Some((media.user, media.id, seen)))
}
