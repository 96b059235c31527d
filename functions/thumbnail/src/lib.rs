//! thumbnail: makes the derivatives that screens show, and a thumbhash.
//!
//! - Event in: a job, through the thumbnail queue, for an accepted photo.
//! - Decision: the derivatives themselves (`photovault_media::derive`), a pure function of the bytes and the size table, made in a
//!   confined process of its own (`photovault_sandbox`).
//! - Effects out: `derivatives/<user>/<media>/<recipe>/<size>.jpg` and `.webp`, the `derivatives` facet, the ledger entry.
//! - Idempotent by: the derivatives' keys (same recipe, same key, same bytes) and the entry's recipe and input.

use std::{
    io,
    sync::{Arc, LazyLock, Once, OnceLock},
};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use photovault_domain::{Derivative, Derivatives, Facet, Format, Media, Outputs, Stage, limits};
use photovault_lambda::{Message, Served};
use photovault_media::{Rendered, Unreadable, derive_as};
use photovault_sandbox::{Decoder, Input};
use photovault_vault::{Mutant, Outcome, Vault, mutated};

/// Decodes that run at once: a decode's memory is bounded, two of them would be twice that.
static DECODES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);

/// The confined process that decodes. Set by [`run`]: a test that calls the handlers in its own process has no bootstrap that
/// could be started again, and decodes there.
static DECODER: OnceLock<LazyLock<io::Result<Decoder>>> = OnceLock::new();

/// Runs the function under the Lambda runtime, or the decoder that it started.
pub fn run() -> Served {
    if photovault_sandbox::is_decoder() {
        return Ok(photovault_sandbox::serve()?);
    }
    let decoder = DECODER.get_or_init(|| LazyLock::new(Decoder::start));
    // It starts while the first event is fetched, and whoever needs it first waits for it.
    std::thread::spawn(|| LazyLock::force(decoder));
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
    let Some(decoder) = DECODER.get() else {
        let bytes = photo.bytes()?;
        return Ok(tokio::task::spawn_blocking(move || derive_as(&bytes, format, outputs)).await?);
    };
    let derived = tokio::task::spawn_blocking(move || {
        let decoder = LazyLock::force(decoder).as_ref().unwrap_or_else(|error| end(error));
        tell_once(decoder);
        decoder.derive(&photo, format, outputs)
    });
    derived.await?.context("no decoder can be started")
}

/// A function whose decoder does not start makes way for a new one; its messages come back to that.
fn end(error: &io::Error) -> ! {
    tracing::error!(error = %error, "the decoder did not start");
    std::process::exit(1)
}

/// What holds in the decoder stands in the log of every start.
fn tell_once(decoder: &Decoder) {
    static TOLD: Once = Once::new();
    TOLD.call_once(
        || tracing::info!(decoder.protections = %decoder.protections(), "photos are decoded in a process of their own"),
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
    let derivatives = Derivatives { files, thumbhash: STANDARD.encode(rendered.thumbhash), gain_map: rendered.gain_map };
    let note = (!rendered.warnings.is_empty()).then(|| rendered.warnings.join("; "));
    Ok(Outcome::Done { facet: Some(Facet::Pictures(derivatives, rendered.look)), note })
}
