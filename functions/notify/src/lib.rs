//! notify: tells users what became of their uploads and what else happened, one digest per user and window, and brings it to their channels.
//!
//! - Event in: through the notify queue, jobs for items whose other stages have all ended; news; and the messages of mailings, when
//!   those are due.
//! - Decision ([`decide`]): which digest each item belongs to, by the window in which it ended.
//! - Effects out: the digest in the user's inbox and, with it, what is to go to the user's channels; messages through channels; the ledger
//!   entries.
//! - Idempotent by: the digest's key and its set of items and news: exactly once in the inbox. What goes to a channel is claimed first:
//!   once at most, and a webhook's receiver can tell by the id (`shared/vault/src/mailings`).

use std::collections::BTreeMap;

use futures::{StreamExt as _, future::BoxFuture};
use photovault_domain::{Job, Media, MediaId, NewsOf, Stage, Status, UserId, UtcMs};
use photovault_lambda::{Message, Served};
use photovault_vault::{Attempt, Delivered, Delivery, Mutant, Outcome, Vault, finish, is_open, mutated, spans, window_of};
use tracing::Span;

/// Channels that are spoken to at once: one that is slow keeps no other waiting.
const CHANNELS_AT_ONCE: usize = 20;
/// Seconds before a message comes again that a channel did not take: this, and four times as long each time after.
const BACKOFF_S: u32 = 15;
/// The longest of those waits, in seconds.
const MAX_BACKOFF_S: u32 = 900;

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
        let (mut due, mut deliveries) = (Vec::new(), Vec::new());
        for message in messages {
            if let Ok(delivery) = serde_json::from_str::<Delivery>(&message.body) {
                deliveries.push((message, delivery));
                continue;
            }
            if let Ok(NewsOf { user, news }) = serde_json::from_str::<NewsOf>(&message.body) {
                if let Err(error) = vault.digests.tell(&user, window_of(news.at), &[], &[news]).await {
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
        let vault = &vault;
        let sent = deliveries.into_iter().map(|(message, delivery)| deliver(vault, message, delivery));
        let sent = futures::stream::iter(sent).buffer_unordered(CHANNELS_AT_ONCE).filter_map(|failed| async { failed });
        failed.extend(sent.collect::<Vec<_>>().await);
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
    vault.digests.tell(user, window, items, &[]).await?;
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

/// Brings a mailing to its channel. Returns the message's id if it is to come again.
async fn deliver(vault: &Vault, message: Message, delivery: Delivery) -> Option<String> {
    match vault.mailings.deliver(&delivery, &message.id).await {
        Ok(Delivered::Done) => None,
        Ok(Delivered::Again(why)) => {
            tracing::warn!(message.id, message.received, medium = %delivery.medium, why, "a channel did not take its message");
            let seconds = BACKOFF_S.saturating_mul(4_u32.saturating_pow(message.received.saturating_sub(1))).min(MAX_BACKOFF_S);
            if let Err(error) = vault.jobs.return_after(Stage::Notify, &message.receipt, seconds).await {
                tracing::warn!(message.id, %error, "the message comes back when its visibility ends");
            }
            Some(message.id)
        }
        Err(error) => Some(lost(&message, &error.into())),
    }
}

fn lost(message: &Message, error: &anyhow::Error) -> String {
    tracing::error!(message.id, error = format!("{error:#}"), "the message failed and comes again");
    message.id.clone()
}
