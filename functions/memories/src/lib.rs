//! memories: places an item in its user's timeline, and decides where moments begin around it.
//!
//! - Event in: a job, through the memories queue, for an item whose stage `metadata` (or `video`) has found out when and where it was taken.
//!   The queue is one after the other for each user, which keeps workers out of each other's way; nothing depends on it.
//! - Decision ([`rearrange`]): whether a moment begins at the item and at what follows it, and at what followed it where it stood before.
//! - Effects out: one transaction with its place in the timeline (the old one goes), the beginnings of at most three moments, the count of
//!   photos of its place and day, the timeline's head, and the item with its ledger entry.
//! - Idempotent by: that transaction. It holds only if neither the item nor the timeline has changed since they were read; else all is
//!   read and decided anew. So who was overtaken changes nothing, and what is done is found done.
//!
//! A photo costs the same in every library: it reads the item, the head, two neighbours on either side, and one count.

mod change;
mod merge;
mod trash;

use anyhow::bail;
use futures::future::BoxFuture;
use photovault_domain::{Facet, Stage};
use photovault_lambda::{Message, Served, attempt_on, serve_messages};
use photovault_vault::{Attempt, Item, TimelineChange, Vault, begin, done, seams::Written};

use change::{Near, gather};
pub use change::{Saying, remove, say, say_again};
pub use merge::{Undone, merge, undo_merge};
pub use trash::{put_in_trash, restore};

/// How often a change is decided anew when another came first.
const MAX_CONFLICTS: u32 = 20;

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    serve_messages(Stage::Memories, on_message)
}

/// One message of the memories queue.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(attempt_on(vault, message, handle))
}

async fn handle(vault: Vault, attempt: Attempt) -> anyhow::Result<()> {
    for _ in 0..MAX_CONFLICTS {
        let Some(media) = begin(&vault, &attempt).await? else { return Ok(()) };
        // What is in the trash has no place.
        let (started, taken) = (vault.clock.now(), media.trashed.is_none().then(|| media.taken()));
        let near = gather(&vault, &media, taken).await?;
        let rewrites = near.rearranged(&media.id, media.placed, taken);
        let user = media.user.clone();
        let media = done(&vault, media, &attempt, taken.map(|taken| Facet::Placed(taken.at)), started);
        let (item, Near { head, counts, .. }) = (Item::Written(Box::new(media)), near);
        let change = TimelineChange { head, item, rewrites, counts, said: vec![], unsaid: vec![] };
        if vault.timelines.change(&user, change).await? == Written::Yes {
            return Ok(());
        }
    }
    bail!("other changes of the timeline came first {MAX_CONFLICTS} times")
}

#[cfg(test)]
mod tests;
