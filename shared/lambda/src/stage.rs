//! Functions that are a stage: a job in, the item's ledger entry and facet out.

use anyhow::Context as _;
use futures::future::BoxFuture;
use photovault_domain::{Job, Media};
use photovault_vault::{Attempt, Outcome, Vault, announce_failure, run_attempt};

use crate::Message;

/// A stage's own work on one item: gather → decide → apply.
pub type StageWork = fn(Vault, Media) -> BoxFuture<'static, anyhow::Result<Outcome>>;

/// One message of a stage's queue, from its body to its ledger entry. Doing it twice does nothing the second time.
pub async fn work_on(vault: Vault, message: Message, work: StageWork) -> anyhow::Result<()> {
    let job: Job = serde_json::from_str(&message.body).context("the message is not a job")?;
    let attempt = Attempt { job, number: message.received };
    let worked = run_attempt(&vault, &attempt, |media| work(vault.clone(), media)).await;
    if let Err(error) = &worked {
        announce_failure(&vault, &attempt, &format!("{error:#}")).await.context("the failure could not be written down")?;
    }
    worked
}
