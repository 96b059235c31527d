//! A copy for browsers in segments, each kept as soon as it is made.

use std::{collections::HashSet, io::Write as _, os::fd::OwnedFd};

use anyhow::Context as _;
use bytes::Bytes;
use photovault_domain::{Media, Progress, Stage, UtcMs, Video, checkpoint_prefix, limits};
use photovault_movie::{Cut, Part, Span};
use photovault_sandbox::{Input, Mapped};
use photovault_vault::{Attempt, Vault, announce_progress};

use crate::{
    Extra, ExtraKind, Question, asked,
    make::{Answer, Task},
};

/// What became of it.
pub(crate) enum Made {
    /// None is needed.
    Nothing,
    /// The file, and how it was made.
    Rendition(Extra, Bytes, String),
    /// It cannot be made, for this reason.
    GivenUp(String),
    /// It took longer than it may.
    OverTime(String),
    /// Nobody waits for it any more.
    Outdated,
}

/// The work on one video.
struct Work<'a> {
    vault: &'a Vault,
    attempt: &'a Attempt,
    video: &'a Input,
    question: Question,
    shown: &'a Video,
    prefix: String,
    /// Milliseconds that earlier attempts spent, and when this one began.
    before_ms: u64,
    begun: UtcMs,
}

/// Makes the copy that was left to the worker.
pub(crate) async fn make(
    vault: &Vault,
    media: &Media,
    attempt: &Attempt,
    (video, question): (&Input, Question),
    shown: &Video,
) -> anyhow::Result<Made> {
    let begun = vault.clock.now();
    let seconds = vault.names.processing.segment_s;
    let task = Task::Cut(question, shown.clone(), seconds);
    let Cut { spans, encoder } = match asked(task, vec![video.reader()?.into()]).await? {
        Ok((Answer::Cut(Some(cut)), _)) => cut,
        Ok(_) => return Ok(Made::Nothing),
        Err(reason) => return Ok(Made::GivenUp(reason)),
    };
    let policy = question.rendition;
    let named = format!("{}-{}p-{}k-{seconds}s-{encoder}", Stage::Video.recipe(), policy.lines, policy.kbps);
    let prefix = format!("{}{named}/", checkpoint_prefix(&media.user, &media.id));
    let before_ms = media.ledger.get(&Stage::Video).and_then(|entry| entry.progress).map_or(0, |progress| progress.spent_ms);
    Work { vault, attempt, video, question, shown, prefix, before_ms, begun }.make(&spans).await
}

impl Work<'_> {
    async fn make(&self, spans: &[Span]) -> anyhow::Result<Made> {
        let there: HashSet<String> = self.vault.originals.checkpoints(&self.prefix).await?.into_iter().map(|it| it.key).collect();
        let mut done = (0..spans.len()).filter(|number| there.contains(&self.key(*number))).count();
        tracing::info!(media.id = %self.attempt.job.media, segments = spans.len(), done, "a video is encoded in segments");
        for (number, span) in spans.iter().enumerate() {
            if let Some(ended) = self.announce(done, spans.len()).await? {
                return Ok(ended);
            }
            let key = self.key(number);
            if there.contains(&key) {
                continue;
            }
            let task = Task::Segment(self.question, self.shown.clone(), *span);
            let bytes = match asked(task, vec![self.video.reader()?.into()]).await? {
                Ok((Answer::Segment, mut files)) => files.pop().context("a segment without its file")?,
                Ok(_) => anyhow::bail!("an answer to another question"),
                Err(reason) => return Ok(Made::GivenUp(reason)),
            };
            self.vault.originals.store_checkpoint(&key, bytes.into()).await?;
            done += 1;
        }
        if let Some(ended) = self.announce(done, spans.len()).await? {
            return Ok(ended);
        }
        self.join(spans).await
    }

    fn key(&self, number: usize) -> String {
        format!("{}{number:05}", self.prefix)
    }

    /// Writes how far it has come. An end where that is past the time, or where nobody waits for it any more.
    async fn announce(&self, done: usize, of: usize) -> anyhow::Result<Option<Made>> {
        let spent_ms = self.before_ms + self.vault.clock.now().since(self.begun);
        let progress = Progress { done: done as u32, of: of as u32, spent_ms };
        let most_s = self.vault.names.processing.most_s;
        if !announce_progress(self.vault, self.attempt, progress).await? {
            return Ok(Some(Made::Outdated));
        }
        Ok((spent_ms > most_s * 1000).then(|| {
            let most = if most_s < 120 { format!("{most_s} seconds") } else { format!("{} minutes", most_s.div_ceil(60)) };
            Made::OverTime(format!(
                "Its copy for browsers takes longer than the {most} that one video may: {done} of {of} segments are done."
            ))
        }))
    }

    async fn join(&self, spans: &[Span]) -> anyhow::Result<Made> {
        let mut lie_in = Input::on_disk().context("storage for the segments")?;
        let (mut parts, mut at) = (Vec::new(), 0);
        for (number, span) in spans.iter().enumerate() {
            let key = self.key(number);
            let bytes = self.vault.originals.read(&key, limits::MAX_RENDITION_BYTES).await?;
            let bytes = bytes.with_context(|| format!("the segment {key} is gone"))?;
            lie_in.write_all(&bytes).context("storage for the segments")?;
            parts.push(Part { at, bytes: bytes.len() as u64, from: span.from });
            at += bytes.len() as u64;
        }
        let output = tempfile::tempfile().context("storage for the copy")?;
        let files: Vec<OwnedFd> = vec![self.video.reader()?.into(), lie_in.reader()?.into(), output.try_clone()?.into()];
        let task = Task::Join(self.question.format, self.shown.clone(), parts);
        let joined = match asked(task, files).await? {
            Ok((Answer::Joined(joined), _)) => joined,
            Ok(_) => anyhow::bail!("an answer to another question"),
            Err(reason) => return Ok(Made::GivenUp(reason)),
        };
        let how = format!("The copy for browsers was made by the worker in {} segments: {} frames.", spans.len(), joined.frames);
        let extra = Extra { kind: ExtraKind::Rendition, width: joined.width, height: joined.height };
        Ok(Made::Rendition(extra, Bytes::from_owner(Mapped::of(output)?), how))
    }
}
