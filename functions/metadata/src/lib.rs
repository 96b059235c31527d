//! metadata: reads what a photo's file says of it, and what its uploads tell beside that.
//!
//! - Event in: a job, through the metadata queue, for an accepted photo.
//! - Decision: the facts (`photovault_media::facts`, `with_sidecar`, `with_arrivals`, `located`), a pure function of the bytes, of the sidecar beside
//!   them, and of the uploads' names and times; what is broken is passed over and noted.
//! - Effects out: every raw tag in `derivatives/<user>/<media>/<recipe>/metadata.json`, the `facts` facet, the ledger entry.
//! - Idempotent by: the object's key and the entry's recipe and input.

use std::sync::Arc;

use anyhow::Context as _;
use futures::future::BoxFuture;
use photovault_domain::{Facet, Format, Media, Stage, limits::MAX_METADATA_BYTES, stem};
use photovault_lambda::{Message, Served};
use photovault_media::{Arrival, Read, Sparse, facts, located, with_arrivals, with_sidecar};
use photovault_vault::{Outcome, Vault};

/// Trips for parts of an original, before all of it is read at once.
const MAX_TRIPS: u32 = 16;

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_messages(Stage::Metadata, on_message)
}

/// What is read beside an original's bytes.
#[derive(Debug)]
pub struct Original {
    /// Bytes.
    pub size_bytes: u64,
    /// What they are.
    pub format: Format,
    /// How they came.
    pub arrivals: Vec<Arrival>,
    /// What lies beside them: an XMP packet.
    pub sidecar: Option<Vec<u8>>,
}

/// What reads the facts of an original, of which parts may be missing. The simulation puts a stand-in without parsers here.
pub type Reader = Arc<dyn Fn(Sparse, Arc<Original>) -> BoxFuture<'static, anyhow::Result<(Read, Sparse)>> + Send + Sync>;

/// One message of the metadata queue.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    on_message_by(vault, message, Arc::new(|file, original| Box::pin(decide(file, original))))
}

/// The same by another reader.
pub fn on_message_by(vault: Vault, message: Message, reader: Reader) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(photovault_lambda::work_on(vault, message, |vault, media| Box::pin(handle(vault, media, reader))))
}

async fn handle(vault: Vault, media: Media, reader: Reader) -> anyhow::Result<Outcome> {
    let read = gather(&vault, &media, reader).await?;
    if !read.raw.is_empty() {
        let raw = serde_json::to_vec(&read.raw)?.into();
        vault
            .originals
            .store_derivative(&media.user, &media.id, Stage::Metadata, "metadata.json", "application/json", raw)
            .await?;
    }
    tracing::info!(media.id = %media.id, tags = read.raw.len(), "metadata read");
    let note = (!read.warnings.is_empty()).then(|| read.warnings.join("; "));
    Ok(Outcome::Done { facet: Some(Facet::Facts(Box::new(read.facts))), note })
}

/// Pure but for the thread that it runs on.
async fn decide(mut file: Sparse, original: Arc<Original>) -> anyhow::Result<(Read, Sparse)> {
    let read = move || {
        let mut read = facts(&mut file, original.size_bytes, original.format);
        if let Some(packet) = &original.sidecar {
            read = with_sidecar(read, packet);
        }
        (Read { facts: located(with_arrivals(read.facts, &original.arrivals)), ..read }, file)
    };
    Ok(tokio::task::spawn_blocking(read).await?)
}

/// Reads of the original what its metadata need: most photos have them in their first part.
async fn gather(vault: &Vault, media: &Media, reader: Reader) -> anyhow::Result<Read> {
    let key = media.object.as_deref().context("the item names no original")?;
    let arrivals = media.uploads.iter().map(|upload| Arrival { name: upload.name.clone(), at: upload.at });
    let original = Arc::new(Original {
        size_bytes: media.size_bytes,
        format: media.format.context("the item has no format")?,
        arrivals: arrivals.collect(),
        sidecar: sidecar(vault, media).await?,
    });
    let mut file = Sparse::new(original.size_bytes);
    for trip in 1.. {
        let range = file.missing().filter(|_| trip < MAX_TRIPS).unwrap_or(0..original.size_bytes);
        let bytes = vault.originals.read_range(key, range.clone()).await?;
        file.add(range.start, bytes.with_context(|| format!("the original {key} is missing from the vault bucket"))?);
        let read;
        (read, file) = reader(file, original.clone()).await?;
        if file.missing().is_none() {
            return Ok(read);
        }
    }
    unreachable!("the last trip brings all of the file")
}

/// The sidecar beside the photo, under the latest of its names that has one.
async fn sidecar(vault: &Vault, media: &Media) -> anyhow::Result<Option<Vec<u8>>> {
    for upload in media.uploads.iter().rev() {
        let names = vault.catalog.namesakes(&media.user, stem(&upload.name)).await?;
        if let Some(sidecar) = names.sidecar_of(&upload.name) {
            return Ok(vault.originals.read(&sidecar.object, MAX_METADATA_BYTES as u64).await?);
        }
    }
    Ok(None)
}
