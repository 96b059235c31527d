//! video: looks into a video, and makes what shows it.
//!
//! - Event in: a job, through the video queue, for an accepted video.
//! - Decision: facts and pictures ([`Shown`]), a pure function of the bytes, found by FFmpeg in a confined process of its own
//!   (`photovault_sandbox`), which gets the original as an open file and nothing else.
//! - Effects out: `derivatives/<user>/<media>/<recipe>/<name>`, the facets `video`, `facts` and `derivatives`, the ledger entry.
//! - Idempotent by: the derivatives' keys (same recipe, same key, same bytes) and the entry's recipe and input.

mod make;

use std::{io, sync::Arc};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use photovault_domain::{Derivative, Derivatives, Facet, Format, Media, Stage, Video, VideoFacet, limits};
use photovault_lambda::{Message, Served};
use photovault_media::RenderedFile;
use photovault_sandbox::{Answer, Background, Decoder, Input, VIDEO};
use photovault_vault::{Outcome, Vault};

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
    photovault_sandbox::serve_files(&VIDEO, |question, file| Ok(make::make(question, file)))
}

/// What a confined process that runs [`serve`] makes of a video.
pub fn ask(decoder: &Decoder, video: &Input, question: Question) -> io::Result<Answer<Shown>> {
    decoder.ask(&question, video, make::join)
}

/// The same in this process, where there is no bootstrap that could be started again.
pub fn show_here(video: &Input, question: Question) -> io::Result<Result<Shown, String>> {
    Ok(match make::make(question, video.reader()?.into()) {
        Ok(made) => Ok(make::join(made.facts, made.files)?),
        Err(reason) => Err(reason),
    })
}

/// What became of an original that was to be shown, or why it cannot be.
pub type Made = anyhow::Result<Result<Shown, String>>;
/// What reads an original by its key and makes what shows it. The simulation puts a stand-in without codecs here.
pub type Maker = Arc<dyn Fn(Vault, String, Format) -> BoxFuture<'static, Made> + Send + Sync>;

/// One message of the video queue.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    on_message_by(vault, message, Arc::new(|vault, original, format| Box::pin(read(vault, original, format))))
}

/// The same by another maker.
pub fn on_message_by(vault: Vault, message: Message, maker: Maker) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(photovault_lambda::work_on(vault, message, |vault, media| Box::pin(handle(vault, media, maker))))
}

async fn handle(vault: Vault, media: Media, maker: Maker) -> anyhow::Result<Outcome> {
    let original = media.object.clone().context("the item names no original")?;
    let format = media.format.context("the item has no format")?;
    match maker(vault.clone(), original, format).await? {
        Ok(shown) => apply(&vault, &media, shown).await,
        Err(reason) => Ok(Outcome::Rejected(reason)),
    }
}

/// Gathers the original on disk: a video may be larger than memory.
async fn read(vault: Vault, original: String, format: Format) -> Made {
    let _permit = READS.acquire().await?;
    let mut video = Input::on_disk().context("storage for the video")?;
    let found = vault.originals.read_to(&original, limits::MAX_UPLOAD_BYTES, &mut video).await?;
    found.with_context(|| format!("the original {original} is missing from the vault bucket"))?;
    decide(video, Question { format, rendition: vault.names.rendition }).await
}

/// Pure but for where it runs.
async fn decide(video: Input, question: Question) -> Made {
    let asked = tokio::task::spawn_blocking(move || match DECODER.ready() {
        Some(decoder) => ask(decoder, &video, question),
        None => Ok(Answer { made: show_here(&video, question)?, said: String::new() }),
    });
    let Answer { made, said } = asked.await?.context("no decoder can be started")?;
    if !said.is_empty() {
        tracing::debug!(ffmpeg = said, "what FFmpeg said of it");
    }
    Ok(made)
}

async fn apply(vault: &Vault, media: &Media, shown: Shown) -> anyhow::Result<Outcome> {
    let poster = shown.poster.files.into_iter().map(|RenderedFile { name, mime, width, height, bytes }| {
        let stored_as = format!("{name}.{}", if mime == Format::Webp.mime() { "webp" } else { "jpg" });
        store(vault, media, File { name, stored_as, mime, size: (width, height), bytes })
    });
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
    let facet = VideoFacet { video, facts: shown.facts, derivatives, look: shown.poster.look };
    let note = (!shown.notes.is_empty()).then(|| shown.notes.join(" "));
    Ok(Outcome::Done { facet: Some(Facet::Video(Box::new(facet))), note })
}

/// What is to be stored.
struct File {
    /// Its name on the item.
    name: &'static str,
    /// The last part of its key.
    stored_as: String,
    mime: &'static str,
    size: (u32, u32),
    bytes: Vec<u8>,
}

async fn store(vault: &Vault, media: &Media, File { name, stored_as, mime, size, bytes }: File) -> anyhow::Result<Derivative> {
    let size_bytes = bytes.len() as u64;
    let bytes = Bytes::from(bytes);
    let key = vault.originals.store_derivative(&media.user, &media.id, Stage::Video, &stored_as, mime, bytes).await?;
    Ok(Derivative { name: name.to_owned(), key, mime: mime.to_owned(), width: size.0, height: size.1, size_bytes })
}
