//! thumbnail: makes the derivatives that screens show, and a thumbhash.
//!
//! - Event in: a job, through the thumbnail queue, for an accepted photo.
//! - Decision: the derivatives themselves (`photovault_media::derive`), a pure function of the bytes and the size table.
//! - Effects out: `derivatives/<user>/<media>/<recipe>/<size>.jpg`, the `derivatives` facet, the ledger entry.
//! - Idempotent by: the derivatives' keys (same recipe, same key, same bytes) and the entry's recipe and input.

use std::sync::Arc;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use photovault_domain::{Derivative, Derivatives, Facet, Format, Media, Stage, limits};
use photovault_lambda::{Message, Served};
use photovault_media::{Rendered, Unreadable, derive};
use photovault_vault::{Mutant, Outcome, Vault, mutated};

/// Decodes that run at once: a decode's memory is bounded, two of them would be twice that.
static DECODES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
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

/// Pure but for the thread that it runs on: a decode must not stop the messages beside it.
async fn decide(bytes: Vec<u8>, format: Format) -> anyhow::Result<Result<Rendered, Unreadable>> {
    let _permit = DECODES.acquire().await?;
    Ok(tokio::task::spawn_blocking(move || derive(&bytes, format)).await?)
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
