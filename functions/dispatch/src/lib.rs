//! dispatch: the one reader of the catalog's stream; sends each stage its job when its turn comes.
//!
//! - Event in: DynamoDB stream records of media items, both images.
//! - Decision ([`decide`]): `next_stages` of the record's own images. The item is never read again: a replay that sees a
//!   later version would find the needs met before and after, and lose the stage.
//! - Effects out: jobs in the stages' queues.
//! - Idempotent by: the stages. A record that comes twice sends its jobs twice, and a stage that is done does nothing.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use photovault_domain::{Job, Media, Needs, Stage, UtcMs, next_stages};
use photovault_lambda::{Changed, Served};
use photovault_vault::{DIGEST_WINDOW_MS, Vault, window_of};

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
        let jobs = decide(&changes, vault.clock.now());
        for (stage, jobs) in &jobs {
            if let Err(error) = vault.jobs.send(*stage, jobs).await {
                tracing::error!(stage = %stage, jobs = jobs.len(), %error, "jobs could not be sent: the stream brings them again");
                return Err(first);
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
        for stage in next_stages(change.before.as_ref(), &change.after) {
            let job = Job { user: change.after.user.clone(), media: change.after.id.clone(), stage };
            jobs.entry(stage).or_default().push((job, delay_s(stage, &change.after, now)));
        }
    }
    jobs
}

/// What tells the owner waits for the end of its window, so that one digest holds all of it.
fn delay_s(stage: Stage, media: &Media, now: UtcMs) -> u32 {
    if stage.spec().needs != Needs::Settled {
        return 0;
    }
    let window_end = UtcMs(window_of(media.ended().unwrap_or(now)).0 + DIGEST_WINDOW_MS);
    u32::try_from(window_end.since(now).div_ceil(1000)).unwrap_or(0) + WINDOW_GRACE_S
}
