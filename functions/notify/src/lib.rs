//! notify: tells owners what became of their uploads, one digest per user and window.
//!
//! - Event in: jobs, through the notify queue, for items whose other stages have all ended.
//! - Decision ([`decide`]): which digest each item belongs to, by the window in which it ended.
//! - Effects out: the digest in the user's inbox; one message to the topic, if there is one; the ledger entries.
//! - Idempotent by: the digest's key and its set of items: exactly once in the inbox. Publishing is claimed on the digest
//!   first, since a topic has no idempotency token: once there, and once more only if a publisher dies before it could write
//!   down that it published. The end of a claim's lease comes as a message too.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use photovault_domain::{Job, Media, MediaId, Stage, Status, UserId, UtcMs};
use photovault_lambda::{Message, Served};
use photovault_vault::{Attempt, Lease, Outcome, Vault, finish, is_finished, window_of};

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_batches(on_batch)
}

/// One item that is to be told of, and the message that says so.
struct Due {
    message: Message,
    attempt: Attempt,
    media: Media,
}

/// A batch of the notify queue; returns the ids of the messages that failed.
pub fn on_batch(vault: Vault, messages: Vec<Message>, _deadline: UtcMs) -> BoxFuture<'static, Vec<String>> {
    Box::pin(async move {
        let started = vault.clock.now();
        let mut failed = Vec::new();
        let mut due = Vec::new();
        for message in messages {
            if let Ok(lease) = serde_json::from_str::<Lease>(&message.body) {
                if let Err(error) = vault.digests.take_over(&lease).await {
                    failed.push(lost(&message, &error.into()));
                }
                continue;
            }
            match gather(&vault, &message).await {
                Ok(Some((attempt, media))) => due.push(Due { message, attempt, media }),
                Ok(None) => {}
                Err(error) => failed.push(lost(&message, &error)),
            }
        }
        for ((user, window), group) in decide(due) {
            let items: Vec<(MediaId, Status)> = group.iter().map(|due| (due.media.id.clone(), due.media.status())).collect();
            let told = tell(&vault, &user, window, &items).await;
            for due in group {
                let recorded = match &told {
                    Ok(()) => record(&vault, due.media, &due.attempt, started).await,
                    Err(error) => Err(anyhow::anyhow!("{error:#}")),
                };
                if let Err(error) = recorded {
                    failed.push(lost(&due.message, &error));
                }
            }
        }
        failed
    })
}

/// The item, if there is still something to tell of it.
async fn gather(vault: &Vault, message: &Message) -> anyhow::Result<Option<(Attempt, Media)>> {
    let job: Job = serde_json::from_str(&message.body)?;
    let media = vault.catalog.media(&job.user, &job.media).await?;
    let untold = media.filter(|media| media.status() != Status::Processing && !is_finished(media, Stage::Notify));
    Ok(untold.map(|media| (Attempt { job, number: message.received }, media)))
}

/// The digests, by user and window.
fn decide(due: Vec<Due>) -> BTreeMap<(UserId, UtcMs), Vec<Due>> {
    let mut digests: BTreeMap<(UserId, UtcMs), Vec<Due>> = BTreeMap::new();
    for due in due {
        let window = window_of(due.media.ended().unwrap_or(due.media.updated));
        digests.entry((due.media.user.clone(), window)).or_default().push(due);
    }
    digests
}

async fn tell(vault: &Vault, user: &UserId, window: UtcMs, items: &[(MediaId, Status)]) -> anyhow::Result<()> {
    let digest = vault.digests.tell(user, window, items).await?;
    vault.digests.publish(&digest).await?;
    tracing::info!(items = items.len(), "told");
    Ok(())
}

async fn record(vault: &Vault, media: Media, attempt: &Attempt, started: UtcMs) -> anyhow::Result<()> {
    finish(vault, media, attempt, Outcome::Done { facet: None, note: None }, started).await
}

fn lost(message: &Message, error: &anyhow::Error) -> String {
    tracing::error!(message.id, error = format!("{error:#}"), "the message failed and comes again");
    message.id.clone()
}
