//! video: looks into a video, and makes what shows it.
//!
//! - Event in: a job, through the video queue, for an accepted video, or for a photo with one in it: then only that is read and shown,
//!   and what cannot be shown of it takes nothing from the photo.
//! - Decision: facts and pictures ([`Shown`]), a pure function of the bytes, found by FFmpeg in a confined process of its own
//!   (`photovault_sandbox`), which gets the original as an open file and nothing else.
//! - Effects out: `derivatives/<user>/<media>/<recipe>/<name>`, the facets `video`, `facts` and `derivatives`, the ledger entry.
//!   A copy for browsers that is too much work for a function is left to the worker: the stage is asked for anew ([`worker`]).
//! - Idempotent by: the derivatives' keys (same recipe, same key, same bytes) and the entry's recipe and input.

mod make;
mod segments;
pub mod worker;

use std::{
    io,
    ops::Range,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use photovault_domain::{
    Derivative, Derivatives, Facet, Format, Kind, Media, Mode, Rendition, Stage, Video, VideoFacet, When, limits,
};
use photovault_lambda::{Message, Served};
use photovault_media::{RenderedFile, located};
use photovault_sandbox::{Answer, Background, Decoder, Input, VIDEO};
use photovault_vault::{Outcome, Vault};

use make::Task;
pub use make::{Extra, ExtraKind, Question, Shown};

/// Videos that are read at once: what reads one uses all cores, and memory without end if it were two.
static READS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);

/// The confined process that reads videos; where none was started, they are read in this one.
static DECODER: Background = Background::new();

/// Runs the function under the Lambda runtime, or the decoder that it started.
pub fn run() -> Served {
    if photovault_sandbox::is_decoder() {
        return Ok(serve()?);
    }
    DECODER.start(&VIDEO);
    photovault_lambda::serve_messages(Stage::Video, on_message)
}

/// Serves videos as the confined process that reads them.
pub fn serve() -> io::Result<()> {
    photovault_sandbox::serve_files(&VIDEO, make::make)
}

/// What a confined process that runs [`serve`] makes of a video.
pub fn ask(decoder: &Decoder, video: &Input, question: Question) -> io::Result<Answer<Shown>> {
    decoder.ask(&Task::Show(question), video, make::shown)
}

/// The same in this process, where there is no bootstrap that could be started again.
pub fn show_here(video: &Input, question: Question) -> io::Result<Result<Shown, String>> {
    Ok(match make::make(Task::Show(question), vec![video.reader()?.into()])? {
        Ok(made) => Ok(make::shown(made.facts, made.files)?),
        Err(reason) => Err(reason),
    })
}

/// What became of an original that was to be shown, or why it cannot be.
pub type Made = anyhow::Result<Result<Shown, String>>;
/// What reads a video where it lies and makes what shows it. The simulation puts a stand-in without codecs here.
pub type Maker = Arc<dyn Fn(Vault, Place, Question) -> BoxFuture<'static, Made> + Send + Sync>;

/// One message of the video queue.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    on_message_by(vault, message, Arc::new(|vault, original, question| Box::pin(read(vault, original, question))))
}

/// The same by another maker.
pub fn on_message_by(vault: Vault, message: Message, maker: Maker) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(photovault_lambda::work_on(vault, message, |vault, media| Box::pin(handle(vault, media, maker))))
}

async fn handle(vault: Vault, media: Media, maker: Maker) -> anyhow::Result<Outcome> {
    let processing = vault.names.processing;
    let most_work_s = (processing.mode != Mode::LambdaOnly).then_some(processing.slow_from_s);
    let (original, question) = question(&vault, &media, most_work_s)?;
    match maker(vault.clone(), original, question).await? {
        Ok(shown) => apply(&vault, &media, shown, most_work_s.is_some()).await,
        Err(reason) => Ok(refused(&media, reason)),
    }
}

/// Where a video lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The key of its original.
    pub key: String,
    /// Which bytes of that it is, where it is a part.
    pub range: Option<Range<u64>>,
}

/// Where the video is, and what is asked of it.
fn question(vault: &Vault, media: &Media, most_work_s: Option<u32>) -> anyhow::Result<(Place, Question)> {
    let key = media.object.clone().context("the item names no original")?;
    let rendition = vault.names.rendition;
    if media.kind() == Some(Kind::Photo) {
        let motion = media.facts.as_ref().and_then(|facts| facts.motion.as_ref()).context("the photo does not move")?;
        // Nothing plays it where it is: it always gets a file of its own.
        let when = if rendition.when == When::Never { When::Never } else { When::Always };
        let question = Question { format: Format::Mp4, rendition: Rendition { when, ..rendition }, most_work_s };
        return Ok((Place { key, range: Some(motion.at..motion.at + motion.length) }, question));
    }
    let format = media.format.context("the item has no format")?;
    Ok((Place { key, range: None }, Question { format, rendition, most_work_s }))
}

/// A video that cannot be shown is rejected; a photo is not, because of what it has besides.
fn refused(media: &Media, reason: String) -> Outcome {
    if media.kind() == Some(Kind::Photo) {
        let note = Some(format!("What moves in this photo is left out. {reason}"));
        return Outcome::Done { facet: None, note };
    }
    Outcome::Rejected(reason)
}

async fn read(vault: Vault, original: Place, question: Question) -> Made {
    let _permit = READS.acquire().await?;
    let video = gather(&vault, &original).await?;
    decide(video, question).await
}

/// The video on disk: it may be larger than memory.
async fn gather(vault: &Vault, Place { key, range }: &Place) -> anyhow::Result<Input> {
    let mut video = Input::on_disk().context("storage for the video")?;
    let found = match range {
        None => vault.originals.read_to(key, limits::MAX_UPLOAD_BYTES, &mut video).await?,
        Some(range) => vault.originals.read_range_to(key, range.clone(), &mut video).await?,
    };
    found.with_context(|| format!("the original {key} is missing from the vault bucket"))?;
    Ok(video)
}

async fn decide(video: Input, question: Question) -> Made {
    let answered = asked(Task::Show(question), vec![video.reader()?.into()]).await?;
    Ok(match answered {
        Ok((answer, files)) => Ok(make::shown(answer, files)?),
        Err(reason) => Err(reason),
    })
}

/// What the decoder answers, or its code in this process where there is none. What FFmpeg says besides goes to the log.
async fn asked(task: Task, files: Vec<OwnedFd>) -> anyhow::Result<Result<(make::Answer, Vec<Vec<u8>>), String>> {
    let asked = tokio::task::spawn_blocking(move || {
        if let Some(decoder) = DECODER.ready() {
            let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
            return decoder.ask_about(&task, &files, |answer, files| Ok((answer, files)));
        }
        let made = make::make(task, files)?;
        Ok(Answer { made: made.map(|made| (made.facts, made.files)), said: String::new() })
    });
    let Answer { made, said } = asked.await?.context("no decoder can be started")?;
    if !said.is_empty() {
        tracing::debug!(ffmpeg = said, "what FFmpeg said of it");
    }
    Ok(made)
}

/// `leaves` says whether another may make what is still to be made.
async fn apply(vault: &Vault, media: &Media, shown: Shown, leaves: bool) -> anyhow::Result<Outcome> {
    let is_photo = media.kind() == Some(Kind::Photo);
    let poster = if is_photo { Vec::new() } else { shown.poster.files };
    let poster = poster.into_iter().map(|file| {
        let stored_as = file.stored_as();
        let RenderedFile { name, mime, width, height, bytes } = file;
        store(vault, media, File { name, stored_as, mime, size: (width, height), bytes: bytes.into() })
    });
    let is_playable = shown.extras.iter().any(|(extra, _)| extra.kind == ExtraKind::Rendition);
    let left_s = if leaves && !is_playable { shown.video.work_s } else { 0 };
    let extras = shown.extras.into_iter().map(|(Extra { kind, width, height }, bytes)| {
        let (name, file, mime) = kind.names();
        // Another policy makes another file, and what is stored never changes.
        let policy = vault.names.rendition;
        let is_rendition = kind == ExtraKind::Rendition;
        let stored_as = if is_rendition { format!("{}p-{}k-{file}", policy.lines, policy.kbps) } else { file.to_owned() };
        store(vault, media, File { name, stored_as, mime, size: (width, height), bytes })
    });
    let files = futures::future::try_join_all(poster).await?;
    let video = Video { files: futures::future::try_join_all(extras).await?, ..shown.video };
    let (pid, cpu_ns) = (std::process::id(), photovault_media::cpu_ns());
    tracing::info!(media.id = %media.id, process.pid = pid, work.cpu_ns = cpu_ns, "video shown");
    let thumbhash = STANDARD.encode(shown.poster.thumbhash);
    let derivatives = Derivatives { files, thumbhash, gain_map: shown.poster.gain_map };
    let facet = VideoFacet { video, facts: located(shown.facts), derivatives, look: shown.poster.look };
    let facet = Some(Facet::Video(Box::new(facet)));
    if left_s > 0 {
        let reason = format!("Its copy for browsers is left to the worker: {} min of work, as reckoned.", left_s.div_ceil(60));
        return Ok(Outcome::HandedOn { facet, reason });
    }
    let note = (!shown.notes.is_empty()).then(|| shown.notes.join(" "));
    Ok(Outcome::Done { facet, note })
}

/// What is to be stored.
struct File {
    /// Its name on the item.
    name: &'static str,
    /// The last part of its key.
    stored_as: String,
    mime: &'static str,
    size: (u32, u32),
    bytes: Bytes,
}

async fn store(vault: &Vault, media: &Media, File { name, stored_as, mime, size, bytes }: File) -> anyhow::Result<Derivative> {
    let size_bytes = bytes.len() as u64;
    let key = vault.originals.store_derivative(&media.user, &media.id, Stage::Video, &stored_as, mime, bytes).await?;
    Ok(Derivative { name: name.to_owned(), key, mime: mime.to_owned(), width: size.0, height: size.1, size_bytes })
}
