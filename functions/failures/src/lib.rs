//! failures: writes down what a stage gave up, and keeps its message for redrive.
//!
//! - Event in: the messages of every dead-letter queue.
//! - Decision ([`decide`]): what the message was about, and what to keep of it.
//! - Effects out: `failed` with the reason in the item's ledger (an upload that is not taken in gets a placeholder), and
//!   the message as a letter in the catalog, where it stays until it is redriven or dropped.
//! - Idempotent by: the letter's id (the message's) and the ledger: what has ended, or was asked for again since, is left
//!   alone, and no letter of it is kept. Since either may happen while this runs, it looks again after it has written.

mod decide;

use futures::future::BoxFuture;
use photovault_domain::{Entry, Job, Letter, Media, Stage, State, UtcMs};
use photovault_lambda::{Message, Served, run_each, serve_batches};
use photovault_vault::{Change, Mutant, UploadRef, Vault, is_finished, mutated};

pub use decide::{Dead, Subject, decide};

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    serve_batches(on_batch)
}

/// A batch of dead letters; returns the ids of the messages that failed here.
pub fn on_batch(vault: Vault, messages: Vec<Message>) -> BoxFuture<'static, Vec<String>> {
    Box::pin(run_each(vault, None, messages, |vault, message| Box::pin(handle(vault, message))))
}

async fn handle(vault: Vault, message: Message) -> anyhow::Result<()> {
    let Dead { letter, subject } = decide(&message, &vault.names.owner, vault.clock.now());
    tracing::warn!(media.id = ?letter.media, stage = letter.stage, "dead-lettered");
    match subject {
        Subject::Job(job) => fail_job(&vault, &message, &job, letter).await,
        Subject::Upload(upload, placeholder) => fail_upload(&vault, &message, &upload, placeholder, letter).await,
        Subject::Unknown => Ok(vault.letters.keep(&letter).await?),
    }
}

async fn fail_job(vault: &Vault, message: &Message, job: &Job, mut letter: Letter) -> anyhow::Result<()> {
    let now = vault.clock.now();
    let outdated = |media: &Media| job.is_outdated(media) && !mutated(Mutant::FailsOutdated);
    let fail = |item: Option<Media>| match item {
        Some(media) if !outdated(&media) && !has_ended(&media, job.stage) => Change::Put(failed(media, job.stage, message, now)),
        _ => Change::Leave,
    };
    let media = vault.catalog.change(&job.user, &job.media, fail).await?;
    if let Some(media) = media.as_ref().filter(|media| stands(media, job)) {
        describe(&mut letter, media, job.stage);
        if mutated(Mutant::NoLetter) {
            return Ok(());
        }
        vault.letters.keep(&letter).await?;
        let now = vault.catalog.media(&job.user, &job.media).await?;
        if now.is_some_and(|media| stands(&media, job)) {
            return Ok(());
        }
    }
    Ok(vault.letters.discard(&letter).await?)
}

async fn fail_upload(
    vault: &Vault,
    message: &Message,
    upload: &UploadRef,
    placeholder: Media,
    mut letter: Letter,
) -> anyhow::Result<()> {
    let (now, user, id) = (vault.clock.now(), placeholder.user.clone(), placeholder.id.clone());
    if vault.originals.has_upload(upload).await? || mutated(Mutant::PlaceholderUnasked) {
        let fail = |item: Option<Media>| match item.unwrap_or_else(|| placeholder.clone()) {
            media if has_ended(&media, Stage::Validate) => Change::Leave,
            media => Change::Put(failed(media, Stage::Validate, message, now)),
        };
        if let Some(media) = vault.catalog.change(&user, &id, fail).await? {
            describe(&mut letter, &media, Stage::Validate);
        }
        vault.letters.keep(&letter).await?;
        if mutated(Mutant::PlaceholderUnasked) || vault.originals.has_upload(upload).await? {
            return Ok(());
        }
    }
    vault.catalog.remove(&user, &id).await?;
    Ok(vault.letters.discard(&letter).await?)
}

/// What has ended by any recipe's account stays as it ended.
fn has_ended(media: &Media, stage: Stage) -> bool {
    let failed = media.ledger.get(&stage).is_some_and(|entry| entry.state == State::Failed);
    (is_finished(media, stage) && !mutated(Mutant::FailsWhatEnded)) || failed
}

/// Whether the item stands where this message's death left it: there is something to redrive.
fn stands(media: &Media, job: &Job) -> bool {
    let failed = media.ledger.get(&job.stage).is_some_and(|entry| entry.state == State::Failed);
    (failed && media.leaving.is_none() && !job.is_outdated(media)) || mutated(Mutant::LetterOfEnded)
}

/// Tells in the letter whose message it was and why it died, as the item says it.
fn describe(letter: &mut Letter, media: &Media, stage: Stage) {
    media.name().clone_into(&mut letter.name);
    if let Some(reason) = media.ledger.get(&stage).and_then(|entry| entry.reason.clone()) {
        letter.reason = reason;
    }
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
    if mutated(Mutant::FailuresRevive) {
        media.ledger.insert(Stage::Notify, Entry::pending(Stage::Notify.recipe()));
    }
    media
}
