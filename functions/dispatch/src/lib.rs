//! dispatch: the one reader of the catalog's stream; sends each stage its job when its turn comes.
//!
//! - Event in: DynamoDB stream records of media items, both images.
//! - Decision ([`decide`]): `next_stages` of the record's own images. The item is never read again: a replay that sees a
//!   later version would find the needs met before and after, and lose the stage.
//! - Effects out: jobs in the stages' queues.
//! - Idempotent by: the stages. A record that comes twice sends its jobs twice, and a stage that is done does nothing.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::BoxFuture;
use photovault_domain::{Job, Media, Needs, Stage, UtcMs, next_stages};
use photovault_lambda::{Changed, Served};
use photovault_vault::{DIGEST_WINDOW_MS, Mutant, Vault, mutated, spans::sending_spans, window_of};

/// Seconds after the end of a window in which its last jobs may still be on their way.
const WINDOW_GRACE_S: u32 = 1;

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_changes(on_changes)
}

/// A batch of changes, in order. An error names the first change: the stream brings it and what follows again.
pub fn on_changes(vault: Vault, changes: Vec<Changed>) -> BoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let Some(first) = changes.first().map(|change| change.sequence.clone()) else { return Ok(()) };
        let changes = if mutated(Mutant::DispatchReadsAgain) { read_again(&vault, changes).await } else { changes };
        let jobs = decide(&changes, vault.clock.now());
        let _spans: Vec<_> = changes.iter().map(|change| sending_spans(change.before.as_deref(), &change.after)).collect();
        for (stage, jobs) in &jobs {
            if let Err(error) = vault.jobs.send(*stage, jobs).await {
                tracing::error!(stage = %stage, jobs = jobs.len(), %error, "jobs could not be sent: the stream brings them again");
                return if mutated(Mutant::StreamGoesOn) { Ok(()) } else { Err(first) };
            }
            if mutated(Mutant::DispatchSendsOneStage) {
                break;
            }
            tracing::info!(stage = %stage, jobs = jobs.len(), "sent");
        }
        Ok(())
    })
}

/// The jobs that these changes make due, by stage, each with the seconds until it may begin.
pub fn decide(changes: &[Changed], now: UtcMs) -> BTreeMap<Stage, Vec<(Job, u32)>> {
    let mut jobs: BTreeMap<Stage, Vec<(Job, u32)>> = BTreeMap::new();
    for change in changes {
        for stage in next_stages(change.before.as_deref(), &change.after) {
            jobs.entry(stage).or_default().push((Job::of(&change.after, stage), delay_s(stage, &change.after, now)));
        }
    }
    jobs
}

/// What [`Mutant::DispatchReadsAgain`] does; nothing else comes here.
async fn read_again(vault: &Vault, changes: Vec<Changed>) -> Vec<Changed> {
    let mut read = Vec::new();
    for mut change in changes {
        if let Ok(Some(media)) = vault.catalog.media(&change.after.user, &change.after.id).await {
            change.before = Some(std::mem::replace(&mut change.after, Arc::new(media)));
        }
        read.push(change);
    }
    read
}

/// What tells the owner waits for the end of its window, so that one digest holds all of it. Never longer than a window:
/// the end was written by another sandbox's clock than this one.
fn delay_s(stage: Stage, media: &Media, now: UtcMs) -> u32 {
    if stage.spec().needs != Needs::Settled {
        return 0;
    }
    let window_end = UtcMs(window_of(media.ended().unwrap_or(now)).0 + DIGEST_WINDOW_MS);
    let left_ms = window_end.since(now).min(DIGEST_WINDOW_MS.unsigned_abs());
    u32::try_from(left_ms.div_ceil(1000)).unwrap_or(0) + WINDOW_GRACE_S
}
