//! thumbnail: makes the derivatives that screens show, and a thumbhash.
//!
//! - Event in: a job, through the thumbnail queue, for an accepted photo.
//! - Decision: the derivatives themselves (`photovault_media::derive`), a pure function of the bytes and the size table, made in a
//!   confined process of its own (`photovault_sandbox`).
//! - Effects out: `derivatives/<user>/<media>/<recipe>/<size>.jpg`, `.webp` and `.avif`, the `derivatives` facet, the ledger entry.
//! - Idempotent by: the derivatives' keys (same recipe, same key, same bytes) and the entry's recipe and input.

use std::sync::Arc;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use photovault_domain::{Derivative, Derivatives, Facet, Format, Media, Outputs, Stage, limits};
use photovault_lambda::{Message, Served};
use photovault_media::{Rendered, Unreadable, derive_as};
use photovault_sandbox::{Background, Input, PHOTO};
use photovault_vault::{Mutant, Outcome, Vault, mutated};

/// Decodes that run at once: a decode's memory is bounded, two of them would be twice that.
static DECODES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);

/// The confined process that decodes; where none was started, decoding happens in this one.
static DECODER: Background = Background::new();

/// Runs the function under the Lambda runtime, or the decoder that it started.
pub fn run() -> Served {
    if photovault_sandbox::is_decoder() {
        return Ok(photovault_sandbox::serve()?);
    }
    DECODER.start(&PHOTO);
    photovault_lambda::serve_messages(Stage::Thumbnail, on_message)
}

/// What became of an original that was to be rendered.
pub type Made = anyhow::Result<Result<Rendered, Unreadable>>;
/// What reads an original by its key and makes its derivatives. The simulation puts a stand-in without codecs here.
pub type Renderer = Arc<dyn Fn(Vault, String, Format) -> BoxFuture<'static, Made> + Send + Sync>;

/// One message of the thumbnail queue.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    on_message_by(vault, message, Arc::new(|vault, original, format| Box::pin(render(vault, original, format))))
}

/// The same by another renderer.
pub fn on_message_by(vault: Vault, message: Message, renderer: Renderer) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(photovault_lambda::work_on(vault, message, |vault, media| Box::pin(handle(vault, media, renderer))))
}

async fn handle(vault: Vault, media: Media, renderer: Renderer) -> anyhow::Result<Outcome> {
    let original = media.object.clone().context("the item names no original")?;
    let format = media.format.context("the item has no format")?;
    match renderer(vault.clone(), original, format).await? {
        Ok(files) => apply(&vault, &media, files).await,
        Err(Unreadable { reason }) => Ok(Outcome::Rejected(reason)),
    }
}

async fn render(vault: Vault, original: String, format: Format) -> Made {
    let mut photo = Input::new().context("memory for the photo")?;
    let found = vault.originals.read_to(&original, limits::MAX_PHOTO_BYTES, &mut photo).await?;
    found.with_context(|| format!("the original {original} is missing from the vault bucket"))?;
    decide(photo, format, vault.names.outputs).await
}

/// Pure but for where it runs: a decode must neither stop the messages beside it nor hurt the function.
async fn decide(photo: Input, format: Format, outputs: Outputs) -> Made {
    let _permit = DECODES.acquire().await?;
    let derived = tokio::task::spawn_blocking(move || match DECODER.ready() {
        Some(decoder) => decoder.derive(&photo, format, outputs),
        None => Ok(derive_as(&photo.bytes()?, format, outputs)),
    });
    derived.await?.context("no decoder can be started")
}

async fn apply(vault: &Vault, media: &Media, rendered: Rendered) -> anyhow::Result<Outcome> {
    let store = |file: photovault_media::RenderedFile| async move {
        let mut name = file.stored_as();
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
    let derivatives = Derivatives { files, thumbhash: STANDARD.encode(rendered.thumbhash), gain_map: rendered.gain_map };
    let note = (!rendered.warnings.is_empty()).then(|| rendered.warnings.join("; "));
    Ok(Outcome::Done { facet: Some(Facet::Pictures(derivatives, rendered.look)), note })
}
