//! The worker: makes the copies for browsers that would take a function too long, segment by segment.
//!
//! - Event in: a job, through the slow queue, for a video whose copy was left to it; with `worker-only`, for every video.
//! - Decision: as of the function's; then where the video is cut ([`segments`](crate::segments)).
//! - Effects out: a checkpoint for each segment, `checkpoints/<user>/<media>/<work>/<number>`, and the progress in the ledger; in
//!   the end what the function writes, and the checkpoints are gone.
//! - Idempotent by: the checkpoints' keys, which name the recipe, the policy and the encoder: what is there is not made again. A job that
//!   was interrupted goes on behind its last segment.

use anyhow::Context as _;
use futures::future::BoxFuture;
use photovault_domain::{Job, Media, Stage, State, checkpoint_prefix};
use photovault_lambda::{Message, Served};
use photovault_sandbox::VIDEO;
use photovault_vault::{Attempt, Outcome, Vault};

use crate::{DECODER, Maker, apply, asked, gather, make::Task, question, refused, segments::Made};

/// Takes messages of the slow queue until there are none.
pub fn run() -> Served {
    DECODER.start(&VIDEO);
    photovault_lambda::serve_worker(on_message)
}

/// One message of the slow queue.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        let job: Job = serde_json::from_str(&message.body).context("the message is not a job")?;
        let attempt = Attempt { job: job.clone(), number: message.received };
        let work = |vault, media| -> BoxFuture<'static, _> { Box::pin(handle(vault, media, attempt)) };
        photovault_lambda::work_on(vault.clone(), message, work).await?;
        tidy(&vault, &job).await
    })
}

/// The same with a stand-in that makes everything at once: for the simulation.
pub fn on_message_by(vault: Vault, message: Message, maker: Maker) -> BoxFuture<'static, anyhow::Result<()>> {
    let work = |vault: Vault, media: Media| -> BoxFuture<'static, _> {
        Box::pin(async move {
            let (original, question) = question(&vault, &media, Some(0))?;
            match maker(vault.clone(), original, question).await? {
                Ok(shown) => apply(&vault, &media, shown, false).await,
                Err(reason) => Ok(refused(&media, reason)),
            }
        })
    };
    Box::pin(photovault_lambda::work_on(vault, message, work))
}

async fn handle(vault: Vault, media: Media, attempt: Attempt) -> anyhow::Result<Outcome> {
    let (original, question) = question(&vault, &media, Some(0))?;
    let video = gather(&vault, &original).await?;
    let mut shown = match asked(Task::Show(question), vec![video.reader()?.into()]).await? {
        Ok((answer, files)) => crate::make::shown(answer, files)?,
        Err(reason) => return Ok(refused(&media, reason)),
    };
    if shown.video.work_s > 0 {
        match crate::segments::make(&vault, &media, &attempt, (&video, question), &shown.video).await? {
            Made::Nothing => {}
            Made::Rendition(extra, bytes, how) => {
                shown.notes.push(how);
                shown.extras.push((extra, bytes));
            }
            Made::GivenUp(reason) => shown.notes.push(format!("There is no copy for browsers: {reason}")),
            // Not written: the item says something else by now.
            Made::Outdated => return Ok(Outcome::Failed("It was asked for again.".to_owned())),
            Made::OverTime(reason) => {
                tracing::error!(media.id = %media.id, over_time = true, reason, "a video took too long");
                return Ok(Outcome::Failed(reason));
            }
        }
    }
    apply(&vault, &media, shown, false).await
}

/// Removes the checkpoints of what is done or gone.
async fn tidy(vault: &Vault, job: &Job) -> anyhow::Result<()> {
    let media = vault.catalog.media(&job.user, &job.media).await?;
    let ended = media.and_then(|media| media.ledger.get(&Stage::Video).map(|entry| entry.state));
    if matches!(ended, None | Some(State::Done | State::Rejected)) {
        vault.originals.remove_checkpoints(&checkpoint_prefix(&job.user, &job.media)).await?;
    }
    Ok(())
}
