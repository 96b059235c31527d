//! Functions that are a stage: a job in, the item's ledger entry and facet out.

use anyhow::Context as _;
use futures::future::BoxFuture;
use photovault_domain::{Job, Media};
use photovault_vault::{Attempt, Mutant, Outcome, Vault, announce_failure, finish, mutated, run_attempt, spans};
use tracing::Instrument as _;

use crate::Message;

/// One message of a stage's queue: an attempt. Where it fails, why is written on the item.
pub async fn attempt_on<F>(vault: Vault, message: Message, run: impl FnOnce(Vault, Attempt) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let job: Job = serde_json::from_str(&message.body).context("the message is not a job")?;
    let attempt = Attempt { job, number: message.received };
    let span = spans::work_span(attempt.job.stage, attempt.number);
    let worked = run(vault.clone(), attempt.clone()).instrument(span.clone()).await;
    if let Err(error) = &worked {
        spans::failed(&span, &attempt.job, attempt.number, &format!("{error:#}"));
        if mutated(Mutant::FailureIsEnd) {
            let Some(media) = vault.catalog.media(&attempt.job.user, &attempt.job.media).await? else { return Ok(()) };
            return finish(&vault, media, &attempt, Outcome::Rejected(format!("{error:#}")), vault.clock.now()).await;
        }
        announce_failure(&vault, &attempt, &format!("{error:#}")).await.context("the failure could not be written down")?;
    }
    worked
}

/// One message of a stage's queue, from its body to its ledger entry; `work` is the stage's own on one item: gather →
/// decide → apply. Doing it twice does nothing the second time.
pub async fn work_on<W>(vault: Vault, message: Message, work: W) -> anyhow::Result<()>
where
    W: FnOnce(Vault, Media) -> BoxFuture<'static, anyhow::Result<Outcome>> + Send,
{
    let run =
        |vault: Vault, attempt: Attempt| async move { run_attempt(&vault, &attempt, |media| work(vault.clone(), media)).await };
    attempt_on(vault, message, run).await
}
