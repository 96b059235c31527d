//! One attempt of one stage on one item: what every stage does around its own work.
//!
//! Reads the item; does nothing where the stage has ended by the same recipe on the same bytes, or was asked for again
//! since the job was sent; lets the stage work;
//! writes its ledger entry and its facet in one conditional write. Running it twice changes nothing the second time.

use photovault_domain::{Billed, Entry, Facet, Job, Media, Progress, Stage, State, UtcMs};

use crate::{Change, Mutant, Vault, mutated, seams::SeamResult, spans};

/// One delivery of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What to do.
    pub job: Job,
    /// How often this message was received, this time included.
    pub number: u32,
}

/// How a stage's work ended. An error instead is retried by the queue, then dead-lettered.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It found this out; `note` is what the owner should know of it (a warning).
    Done {
        /// What to write on the item.
        facet: Option<Facet>,
        /// Warnings, in plain words.
        note: Option<String>,
    },
    /// By decision: the file is not one that the stage can take. Plain words.
    Rejected(String),
    /// It gave up, and another attempt would as well, until it is asked for again. Plain words.
    Failed(String),
    /// The rest is for another: what it found out so far is written, and the stage asked for anew.
    HandedOn {
        /// What to write on the item.
        facet: Option<Facet>,
        /// What is waited for, in plain words.
        reason: String,
    },
}

/// Runs `work` on the item of a job and records how it ended.
pub async fn run_attempt<F>(vault: &Vault, attempt: &Attempt, work: impl FnOnce(Media) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<Outcome>>,
{
    let Some(media) = begin(vault, attempt).await? else { return Ok(()) };
    let started = vault.clock.now();
    let outcome = match work(media.clone()).await {
        Err(error) if mutated(Mutant::ErrorIsDone) => {
            tracing::error!(%error, "passed over");
            return Ok(());
        }
        outcome => outcome?,
    };
    finish(vault, media, attempt, outcome, started).await
}

/// The item of a job that there is work on. A first attempt is not announced on it, a further one is.
pub async fn begin(vault: &Vault, attempt: &Attempt) -> anyhow::Result<Option<Media>> {
    let Job { user, media: id, stage, .. } = &attempt.job;
    let Some(mut media) = vault.catalog.media(user, id).await? else {
        tracing::warn!(media.id = %id, stage = %stage, "the item is gone: nothing to do");
        return Ok(None);
    };
    if attempt.number > 1 && is_open(&media, &attempt.job) {
        let announce = |item: Option<Media>| announced(item, attempt);
        let Some(announced) = vault.catalog.change_from(media, announce).await? else { return Ok(None) };
        media = announced;
    }
    if !is_open(&media, &attempt.job) {
        tracing::info!(media.id = %id, stage = %stage, "ended before or asked for again since: nothing to do");
        return Ok(None);
    }
    spans::belongs(&tracing::Span::current(), &media, &attempt.job);
    Ok(Some(media))
}

/// The item with an attempt's good end on it, for whoever writes it together with something else.
pub fn done(vault: &Vault, mut media: Media, attempt: &Attempt, facet: Option<Facet>, started: UtcMs) -> Media {
    let entry = Entry { state: State::Done, ..entry_of(vault, &media, attempt, started, vault.clock.now()) };
    media.record(attempt.job.stage, entry, facet);
    wish(vault, &mut media);
    media
}

/// Who completes an item asks for what a vault may want of it besides.
fn wish(vault: &Vault, media: &mut Media) {
    if vault.names.recognising.sought.is_anything() {
        media.wish_for_tags();
    }
}

/// Writes how an attempt ended: the ledger entry and the facet in one write.
pub async fn finish(vault: &Vault, media: Media, attempt: &Attempt, outcome: Outcome, started: UtcMs) -> anyhow::Result<()> {
    let (state, reason, facet) = match outcome {
        Outcome::Done { facet, note } => (State::Done, note, facet.filter(|_| !mutated(Mutant::FacetForgotten))),
        Outcome::Rejected(reason) => (State::Rejected, Some(reason), None),
        Outcome::Failed(reason) => (State::Failed, Some(reason), None),
        Outcome::HandedOn { facet, reason } => return hand_on(vault, media, attempt, facet, reason).await,
    };
    if let Some(Facet::Pictures(_, look)) = &facet {
        // Before the item's write: an item that is done is found by its look.
        vault.looks.note(&media.user, &media.id, &vault.names.recipe(attempt.job.stage), look).await?;
    }
    let entry = Entry { state, reason, ..entry_of(vault, &media, attempt, started, vault.clock.now()) };
    let heeds = |item: &Media| is_open(item, &attempt.job) || mutated(Mutant::EndIsNotHeeded);
    let record = |item: Option<Media>| match item {
        Some(mut item) if heeds(&item) => {
            item.record(attempt.job.stage, entry.clone(), facet.clone());
            wish(vault, &mut item);
            Change::Put(item)
        }
        _ => Change::Leave,
    };
    // Boxed: an item with all its facts is large, and this future holds several of them.
    Box::pin(vault.catalog.change_from(media, record)).await?;
    Ok(())
}

/// Writes what was found out so far, and asks for the rest.
async fn hand_on(vault: &Vault, media: Media, attempt: &Attempt, facet: Option<Facet>, reason: String) -> anyhow::Result<()> {
    let hand_on = |item: Option<Media>| match item {
        Some(mut item) if is_open(&item, &attempt.job) => {
            item.hand_on(attempt.job.stage, facet.clone(), reason.clone());
            Change::Put(item)
        }
        _ => Change::Leave,
    };
    Box::pin(vault.catalog.change_from(media, hand_on)).await?;
    Ok(())
}

/// Writes why an attempt failed, so that the owner sees it while the queue waits to bring the job again.
pub async fn announce_failure(vault: &Vault, attempt: &Attempt, error: &str) -> SeamResult<()> {
    let change = |item: Option<Media>| match announced(item, attempt) {
        Change::Put(mut item) => {
            if let Some(entry) = item.ledger.get_mut(&attempt.job.stage) {
                entry.reason = Some(error.to_owned());
            }
            Change::Put(item)
        }
        Change::Leave => Change::Leave,
    };
    vault.catalog.change(&attempt.job.user, &attempt.job.media, change).await.map(|_| ())
}

/// Writes how far an attempt has come; `false` where nobody waits for it any more: it has ended, or was asked for again since.
pub async fn announce_progress(vault: &Vault, attempt: &Attempt, progress: Progress) -> SeamResult<bool> {
    let change = |item: Option<Media>| match announced(item, attempt) {
        Change::Put(mut item) => {
            if let Some(entry) = item.ledger.get_mut(&attempt.job.stage) {
                (entry.reason, entry.progress) = (None, Some(progress));
            }
            Change::Put(item)
        }
        Change::Leave => Change::Leave,
    };
    let media = vault.catalog.change(&attempt.job.user, &attempt.job.media, change).await?;
    Ok(media.is_some_and(|media| is_open(&media, &attempt.job)))
}

/// What a run cost on Lambda, in millionths of a US dollar: its time in memory and one call.
pub fn lambda_cost_microusd(took_ms: u64, memory_mb: u32) -> f64 {
    let gb_seconds = (took_ms as f64 / 1000.0) * (f64::from(memory_mb) / 1024.0);
    thousandths(Billed::LambdaGbSeconds.microusd(gb_seconds) + Billed::LambdaCalls.microusd(1.0))
}

/// What a run of the worker cost, in millionths of a US dollar: the template gives it four processors and 8 GB.
pub fn worker_cost_microusd(took_ms: u64) -> f64 {
    let hours = took_ms as f64 / 3_600_000.0;
    thousandths(Billed::SpotCpuHours.microusd(4.0 * hours) + Billed::SpotGbHours.microusd(8.0 * hours))
}

/// As it is kept: finer than that is noise.
fn thousandths(microusd: f64) -> f64 {
    (microusd * 1000.0).round() / 1000.0
}

/// Whether the job still asks for something: its stage has not ended, and it answers the latest asking.
pub fn is_open(media: &Media, job: &Job) -> bool {
    !job.is_outdated(media) && !is_finished(media, job.stage)
}

/// Whether the stage has ended on these bytes by the recipe of today. A failure is an end too, until the stage is asked
/// for again: a late delivery must not undo it.
pub fn is_finished(media: &Media, stage: Stage) -> bool {
    media.ledger.get(&stage).is_some_and(|entry| {
        let ended = match entry.state {
            State::Done | State::Rejected => entry.input == input_of(media),
            State::Failed => !mutated(Mutant::FailedIsNoEnd),
            State::Pending | State::Running => false,
        };
        ended && entry.recipe.is_of(stage)
    })
}

fn input_of(media: &Media) -> String {
    media.sha256.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn announced(item: Option<Media>, attempt: &Attempt) -> Change {
    let stage = attempt.job.stage;
    let heeds = |item: &Media| is_open(item, &attempt.job) || mutated(Mutant::AnnouncedOverEnd);
    let Some(mut item) = item.filter(heeds) else { return Change::Leave };
    let (reason, progress) = item.ledger.get(&stage).map_or((None, None), |entry| (entry.reason.clone(), entry.progress));
    let entry = Entry { state: State::Running, attempts: attempt.number, reason, progress, ..Entry::pending(stage.recipe()) };
    item.record(stage, entry, None);
    Change::Put(item)
}

fn entry_of(vault: &Vault, media: &Media, attempt: &Attempt, started: UtcMs, finished: UtcMs) -> Entry {
    let took_ms = finished.since(started);
    Entry {
        input: input_of(media),
        asked: attempt.job.asked,
        attempts: attempt.number,
        started: Some(started),
        finished: Some(finished),
        took_ms,
        cost_microusd: match vault.names.memory_mb {
            0 => worker_cost_microusd(took_ms),
            memory_mb => lambda_cost_microusd(took_ms, memory_mb),
        },
        ..Entry::pending(vault.names.recipe(attempt.job.stage))
    }
}
