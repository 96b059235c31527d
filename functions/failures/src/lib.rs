//! failures: writes down what a stage gave up, and keeps its message for redrive.
//!
//! - Event in: the messages of every dead-letter queue.
//! - Decision ([`decide`]): whose item it was, and what to tell its owner.
//! - Effects out: `failed` with the reason in the item's ledger (an upload that never became an item gets a placeholder),
//!   and the message as a letter in the catalog, where it stays until it is redriven or dropped.
//! - Idempotent by: the letter's id (the message's) and the ledger: what has ended well since is left alone.

mod decide;

use futures::future::BoxFuture;
use photovault_domain::{Entry, Media, Stage, State, UtcMs};
use photovault_lambda::{Message, Served, run_each, serve_batches};
use photovault_vault::{Change, Vault, is_finished};

pub use decide::{Dead, decide};

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    serve_batches(on_batch)
}

/// A batch of dead letters; returns the ids of the messages that failed here.
pub fn on_batch(vault: Vault, messages: Vec<Message>, deadline: UtcMs) -> BoxFuture<'static, Vec<String>> {
    Box::pin(run_each(vault, None, messages, deadline, |vault, message| Box::pin(handle(vault, message))))
}

async fn handle(vault: Vault, message: Message) -> anyhow::Result<()> {
    let now = vault.clock.now();
    let mut dead = decide(&message, &vault.names.owner, now);
    if let Some(item) = dead.item.take() {
        let stage = item.stage;
        let fail = |current: Option<Media>| match current.or_else(|| item.placeholder.clone()) {
            Some(media) if !is_finished(&media, stage) => Change::Put(failed(media, stage, &message, now)),
            _ => Change::Leave,
        };
        let media = vault.catalog.change(&item.user, &item.media, fail).await?;
        if let Some(reason) = media.as_ref().and_then(|media| media.ledger.get(&stage)?.reason.clone()) {
            dead.letter.reason = reason;
        }
        if let Some(media) = &media {
            media.name().clone_into(&mut dead.letter.name);
        }
        tracing::warn!(media.id = %item.media, stage = %stage, reason = dead.letter.reason, "dead-lettered");
    }
    vault.letters.keep(&dead.letter).await?;
    Ok(())
}

/// The item with the stage failed; the reason is what the last attempt left in the ledger, if it left anything.
fn failed(mut media: Media, stage: Stage, message: &Message, now: UtcMs) -> Media {
    let known = media.ledger.get(&stage);
    let attempts = known.map_or(message.received, |entry| entry.attempts.max(1));
    let last = known.filter(|entry| entry.state == State::Running).and_then(|entry| entry.reason.clone());
    let reason = last.unwrap_or_else(|| "the function ended without an answer: a crash, a time-out or out of memory".into());
    let entry = Entry {
        state: State::Failed,
        reason: Some(format!("{stage} gave up after {attempts} attempts: {reason}")),
        attempts,
        finished: Some(now),
        ..Entry::pending(stage.recipe())
    };
    media.record(stage, entry, None);
    media
}
