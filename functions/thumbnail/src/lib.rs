//! thumbnail: makes the derivatives that screens show, and a thumbhash.
//!
//! - Event in: a job, through the thumbnail queue, for an accepted photo.
//! - Decision: the derivatives themselves (`photovault_media::derive`), a pure function of the bytes and the size table, made in a
//!   confined process of its own (`photovault_sandbox`).
//! - Effects out: `derivatives/<user>/<media>/<recipe>/<size>.jpg`, the `derivatives` facet, the ledger entry.
//! - Idempotent by: the derivatives' keys (same recipe, same key, same bytes) and the entry's recipe and input.

use std::sync::{Arc, Once, OnceLock};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use photovault_domain::{Derivative, Derivatives, Facet, Format, Media, Stage, limits};
use photovault_lambda::{Message, Served};
use photovault_media::{Rendered, Unreadable, derive};
use photovault_sandbox::{Decoder as Confined, Input};
use photovault_vault::{Mutant, Outcome, Vault, mutated};

/// Decodes that run at once: a decode's memory is bounded, two of them would be twice that.
static DECODES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);

/// The confined process that decodes. Set by [`run`]: a test that calls the handlers in its own process has no bootstrap that
/// could be started again, and decodes there.
static CONFINED: OnceLock<Confined> = OnceLock::new();

/// Runs the function under the Lambda runtime, or the decoder that it started.
pub fn run() -> Served {
    if photovault_sandbox::is_decoder() {
        return Ok(photovault_sandbox::serve()?);
    }
    let confined = Confined::start().context("the decoder did not start")?;
    CONFINED.set(confined).ok().context("the function runs twice in one process")?;
    photovault_lambda::serve_messages(Stage::Thumbnail, on_message)
}

/// What makes the derivatives of a still's bytes. The simulation puts a stand-in without codecs here.
pub type Decoder = Arc<dyn Fn(Vec<u8>, Format) -> BoxFuture<'static, anyhow::Result<Result<Rendered, Unreadable>>> + Send + Sync>;

/// One message of the thumbnail queue.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    on_message_by(vault, message, Arc::new(|bytes, format| Box::pin(decide(bytes, format))))
}

/// The same by another decoder.
pub fn on_message_by(vault: Vault, message: Message, decoder: Decoder) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(photovault_lambda::work_on(vault, message, |vault, media| Box::pin(handle(vault, media, decoder))))
}

async fn handle(vault: Vault, media: Media, decoder: Decoder) -> anyhow::Result<Outcome> {
    let (bytes, format) = gather(&vault, &media).await?;
    match decoder(bytes, format).await? {
        Ok(rendered) => apply(&vault, &media, rendered).await,
        Err(Unreadable { reason }) => Ok(Outcome::Rejected(reason)),
    }
}

async fn gather(vault: &Vault, media: &Media) -> anyhow::Result<(Vec<u8>, Format)> {
    let key = media.object.as_deref().context("the item names no original")?;
    let bytes = vault.originals.read(key, limits::MAX_PHOTO_BYTES).await?;
    let bytes = bytes.with_context(|| format!("the original {key} is missing from the vault bucket"))?;
    Ok((bytes, media.format.context("the item has no format")?))
}

/// Pure but for where it runs: a decode must neither stop the messages beside it nor hurt the function.
async fn decide(bytes: Vec<u8>, format: Format) -> anyhow::Result<Result<Rendered, Unreadable>> {
    let _permit = DECODES.acquire().await?;
    let Some(confined) = CONFINED.get() else {
        return Ok(tokio::task::spawn_blocking(move || derive(&bytes, format)).await?);
    };
    tell_once(confined);
    let work = move || Input::of(&bytes).and_then(|photo| confined.derive(&photo, format));
    tokio::task::spawn_blocking(work).await?.context("no decoder can be started")
}

/// What holds in the decoder stands in the log of every start.
fn tell_once(confined: &Confined) {
    static TOLD: Once = Once::new();
    TOLD.call_once(
        || tracing::info!(decoder.protections = %confined.protections(), "photos are decoded in a process of their own"),
    );
}

async fn apply(vault: &Vault, media: &Media, rendered: Rendered) -> anyhow::Result<Outcome> {
    let store = |file: photovault_media::RenderedFile| async move {
        let mut name = format!("{}.{}", file.name, if file.mime == "image/webp" { "webp" } else { "jpg" });
        if mutated(Mutant::DerivativeByAttempt) {
            name = format!("{}-{name}", vault.clock.now().0);
        }
        let size_bytes = file.bytes.len() as u64;
        let bytes = Bytes::from(file.bytes);
        let key = vault.originals.store_derivative(&media.user, &media.id, Stage::Thumbnail, &name, file.mime, bytes).await?;
        anyhow::Ok(Derivative {
            name: file.name.to_owned(),
            key,
            mime: file.mime.to_owned(),
            width: file.width,
            height: file.height,
            size_bytes,
        })
    };
    let files = futures::future::try_join_all(rendered.files.into_iter().map(store)).await?;
    let (pid, cpu_ns) = (std::process::id(), photovault_media::cpu_ns());
    tracing::info!(media.id = %media.id, process.pid = pid, work.cpu_ns = cpu_ns, "derivatives stored");
    let derivatives = Derivatives { files, thumbhash: STANDARD.encode(rendered.thumbhash) };
    let note = (!rendered.warnings.is_empty()).then(|| rendered.warnings.join("; "));
    Ok(Outcome::Done { facet: Some(Facet::Derivatives(derivatives)), note })
}
