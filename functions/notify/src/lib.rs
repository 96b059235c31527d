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
use photovault_domain::{Job, Media, MediaId, Status, UserId, UtcMs};
use photovault_lambda::{Message, Served};
use photovault_vault::{Attempt, Lease, Mutant, Outcome, Vault, finish, is_open, mutated, spans, window_of};
use tracing::Span;

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_batches(on_batch)
}

/// One item that is to be told of, and the message that says so.
struct Due {
    message: Message,
    attempt: Attempt,
    media: Media,
    /// Ends when it is told of.
    span: Span,
}

/// A batch of the notify queue; returns the ids of the messages that failed.
pub fn on_batch(vault: Vault, messages: Vec<Message>) -> BoxFuture<'static, Vec<String>> {
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
                Ok(Some((attempt, media))) => {
                    let span = spans::work_span(attempt.job.stage, attempt.number);
                    spans::belongs(&span, &media, &attempt.job);
                    due.push(Due { message, attempt, media, span });
                }
                Ok(None) => {}
                Err(error) => failed.push(lost(&message, &error)),
            }
        }
        for ((user, window), group) in decide(due, started) {
            let end = |due: &Due| (due.media.id.clone(), due.media.status(), due.media.version);
            let items: Vec<_> = group.iter().map(end).collect();
            if mutated(Mutant::RecordsBeforeTelling) {
                failed.extend(record_all(&vault, group, started).await);
                let _ = tell(&vault, &user, window, &items).await;
                continue;
            }
            match tell(&vault, &user, window, &items).await {
                Err(error) if !mutated(Mutant::TellingErrorIsDone) => {
                    failed.extend(group.iter().map(|due| lost(&due.message, &error)));
                }
                _ => failed.extend(record_all(&vault, group, started).await),
            }
        }
        failed
    })
}

/// The item, if there is still something to tell of it.
async fn gather(vault: &Vault, message: &Message) -> anyhow::Result<Option<(Attempt, Media)>> {
    let job: Job = serde_json::from_str(&message.body)?;
    let media = vault.catalog.media(&job.user, &job.media).await?;
    let has_ended = |media: &Media| media.status() != Status::Processing;
    let untold = media.filter(|media| has_ended(media) && is_open(media, &job));
    Ok(untold.map(|media| (Attempt { job, number: message.received }, media)))
}

/// The digests, by user and window.
fn decide(due: Vec<Due>, now: UtcMs) -> BTreeMap<(UserId, UtcMs), Vec<Due>> {
    let mut digests: BTreeMap<(UserId, UtcMs), Vec<Due>> = BTreeMap::new();
    for due in due {
        let mut window = window_of(due.media.ended().unwrap_or(due.media.updated));
        if mutated(Mutant::WindowByNow) {
            window = window_of(now);
        }
        digests.entry((due.media.user.clone(), window)).or_default().push(due);
    }
    digests
}

async fn tell(vault: &Vault, user: &UserId, window: UtcMs, items: &[(MediaId, Status, u64)]) -> anyhow::Result<()> {
    let digest = vault.digests.tell(user, window, items).await?;
    vault.digests.publish(&digest).await?;
    tracing::info!(items = items.len(), "told");
    Ok(())
}

/// Records each telling, if the item was not asked for again since it was read: the end that comes then is told of by
/// its own job. Returns the ids of the messages that failed.
async fn record_all(vault: &Vault, group: Vec<Due>, started: UtcMs) -> Vec<String> {
    let mut failed = Vec::new();
    for Due { message, attempt, media, span: _span } in group {
        let told = Outcome::Done { facet: None, note: None };
        if let Err(error) = finish(vault, media, &attempt, told, started).await {
            failed.push(lost(&message, &error));
        }
    }
    failed
}

fn lost(message: &Message, error: &anyhow::Error) -> String {
    tracing::error!(message.id, error = format!("{error:#}"), "the message failed and comes again");
    message.id.clone()
}
