//! validate: takes an upload in or refuses it.
//!
//! - Event in: S3 `ObjectCreated`, or what GuardDuty found, through the validate queue.
//! - Decision ([`decide`]): keep or hold, from the bytes' head, size and hash and from what a virus scanner says; never from name
//!   or Content-Type. A scanner that cannot tell is asked again, and then the upload is held: it is never taken for clean.
//!   XMP is kept as a sidecar.
//! - Effects out: the bytes under their hash in the vault bucket (checksum verified by the store), the media item with
//!   its ledger planned, then the removal of the upload, and last of the placeholder that `failures` may have written.
//! - Idempotent by: the hash as the object's key, the item's id derived from it, the upload's version as what is removed.
//!   An upload that is gone was dealt with by an earlier delivery.

mod clamd;
mod decide;
mod event;
mod outline;
mod receive;
mod sidecar;

use std::time::Duration;

use anyhow::{Context as _, bail};
use event::GUARD_DUTY;
use futures::future::BoxFuture;
use photovault_domain::{Entry, Kind, Media, MediaId, Scan, Scanner, Stage, State, Upload, UploadKey, UtcMs};
use photovault_lambda::{Message, Served};
use photovault_vault::{Change, Mutant, UploadRef, Vault, lambda_cost_microusd, mutated, spans};
use tracing::{Instrument as _, Span};

pub use decide::{NotScanned, Verdict, decide};
pub use event::{Arrival, arrivals, created_uploads, placeholder};
pub use receive::Received;

/// Deliveries in which a scanner that does not answer is waited for; then the upload is held. As many as the queue makes.
const SCAN_ATTEMPTS: u32 = 5;
/// How long an upload waits for its bytes to leave the vault, which takes moments unless clean-up was interrupted.
const COME_AGAIN_S: u32 = 60;
/// How long GuardDuty's result is waited for, which mostly comes within minutes; then the upload is held.
const GUARD_DUTY_PATIENCE: Duration = Duration::from_hours(24);

/// Runs the function under the Lambda runtime.
pub fn run() -> Served {
    photovault_lambda::serve_messages(Stage::Validate, on_message)
}

/// One message of the validate queue: an S3 event with one upload or several.
pub fn on_message(vault: Vault, message: Message) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        for Arrival { upload, scan } in arrivals(&message.body)? {
            let told = match scan {
                None if vault.names.scanner == Scanner::GuardDuty => {
                    let Some(silence) = silence(&vault, &upload).await? else { continue };
                    Some(silence)
                }
                told => told,
            };
            handle(&vault, &upload, told, message.received).await.with_context(|| format!("upload {}", upload.key))?;
        }
        Ok(())
    })
}

/// What is made of GuardDuty's silence on an upload, once it has lasted too long: health sends the events of uploads that
/// nobody took in again. `None` while the result, a message of its own, may still come.
async fn silence(vault: &Vault, upload: &UploadRef) -> anyhow::Result<Option<Scan>> {
    let Some(opened) = vault.originals.open_upload(upload).await? else { return Ok(None) };
    if Duration::from_millis(vault.clock.now().since(opened.modified)) < GUARD_DUTY_PATIENCE {
        tracing::info!(upload.version, "the upload waits for GuardDuty's result, which comes as a message of its own");
        return Ok(None);
    }
    let why = format!("no result of it came within {} hours", GUARD_DUTY_PATIENCE.as_secs() / 3600);
    Ok(Some(Scan::Unfinished { by: GUARD_DUTY.to_owned(), why }))
}

/// One upload. `told` is what a scanner said of it, which stays as it is; `attempt` counts its deliveries.
pub async fn handle(vault: &Vault, upload: &UploadRef, told: Option<Scan>, attempt: u32) -> anyhow::Result<()> {
    let span = spans::work_span(Stage::Validate, attempt);
    take_in(vault, upload, told, attempt).instrument(span).await
}

async fn take_in(vault: &Vault, upload: &UploadRef, told: Option<Scan>, attempt: u32) -> anyhow::Result<()> {
    let started = vault.clock.now();
    let is_asked_again = told.is_none() && attempt < SCAN_ATTEMPTS;
    let Some(received) = receive::gather(vault, upload, told).await? else {
        tracing::info!(upload.version, "the upload is gone: an earlier delivery has dealt with it");
        return remove_placeholder(vault, upload).await;
    };
    let verdict = decide(&received, is_asked_again)?;
    apply(vault, upload, received, verdict, Times { started, attempt }).await
}

struct Times {
    started: UtcMs,
    attempt: u32,
}

async fn apply(vault: &Vault, upload: &UploadRef, received: Received, verdict: Verdict, times: Times) -> anyhow::Result<()> {
    let key = UploadKey::parse(&upload.key, &vault.names.owner);
    let id = MediaId::of_bytes(&key.user, &received.sha256);
    // Before the bytes are kept: what is kept while clean-up removes their item must not be taken for kept.
    let known = vault.catalog.media(&key.user, &id).await?;
    if known.as_ref().is_some_and(is_leaving) {
        return come_again(vault, upload).await;
    }
    let was_known = known.is_some();
    let object = match &verdict {
        Verdict::Keep { format, .. } => vault.originals.keep(upload, &key.user, &received.sha256, format.mime()).await?,
        Verdict::Beside => vault.originals.keep(upload, &key.user, &received.sha256, sidecar::MIME).await?,
        Verdict::Hold { .. } => vault.originals.hold(upload, &key.user, &received.sha256).await?,
    };
    let arrival = Upload {
        name: key.name.clone(),
        bucket: upload.bucket.clone(),
        key: upload.key.clone(),
        version: upload.version.clone(),
        at: received.uploaded,
    };
    let finished = vault.clock.now();
    let entry = ledger_entry(vault, &received, &verdict, &times, finished);
    let fresh = Media {
        sha256: Some(received.sha256.clone()),
        object: Some(object.clone()),
        format: verdict.format(),
        size_bytes: received.size_bytes,
        width: verdict.size().0,
        height: verdict.size().1,
        refusal: verdict.refusal(),
        scan: received.scan.clone(),
        ..Media::new(key.user.clone(), id.clone(), finished)
    };
    let mut has_left = false;
    let admit = |item: Option<Media>| {
        has_left = was_known && item.is_none() && !mutated(Mutant::LeavingIsTaken);
        match item {
            Some(item) if is_leaving(&item) => Change::Leave,
            None if has_left => Change::Leave,
            item => admitted(item, &fresh, &entry, &arrival),
        }
    };
    if mutated(Mutant::ForgetBeforeRecord) {
        vault.originals.forget_upload(upload).await?;
    }
    // Before the item knows of the upload, which clean-up takes for dealt with from then on.
    let meet = async || match &verdict {
        Verdict::Beside => sidecar::join(vault, &key, object.clone(), received.uploaded).await,
        Verdict::Keep { .. } if fresh.kind() == Some(Kind::Photo) => sidecar::announce_photo(vault, &key, &id).await,
        _ => Ok(()),
    };
    if !mutated(Mutant::AnnouncedLate) {
        meet().await?;
    }
    let item = vault.catalog.change_seen(&key.user, &id, known, admit).await?;
    if has_left {
        bail!("its bytes left the vault while they were taken in: they are taken in anew");
    }
    if let Some(item) = &item {
        spans::arrived(&Span::current(), item, &upload.version);
    }
    if item.as_ref().is_some_and(is_leaving) {
        return come_again(vault, upload).await;
    }
    if mutated(Mutant::AnnouncedLate) {
        meet().await?;
    }
    // In this order: `failures` writes a placeholder only while the upload is there, so one that it writes now is seen.
    vault.originals.forget_upload(upload).await?;
    remove_placeholder(vault, upload).await?;
    let (pid, cpu_ns) = (std::process::id(), photovault_media::cpu_ns());
    tracing::info!(media.id = %id, state = ?entry.state, process.pid = pid, work.cpu_ns = cpu_ns, "validated");
    Ok(())
}

/// Its bytes are leaving the vault this moment: once they are gone, they are taken in anew.
async fn come_again(vault: &Vault, upload: &UploadRef) -> anyhow::Result<()> {
    if vault.names.scanner == Scanner::GuardDuty {
        // What it said of the upload is in this message alone.
        bail!("its bytes are leaving the vault this moment");
    }
    tracing::info!(upload.version, "the same bytes are leaving the vault: the upload comes again later");
    Ok(vault.jobs.send_upload(upload, COME_AGAIN_S).await?)
}

fn is_leaving(item: &Media) -> bool {
    item.leaving.is_some() && !mutated(Mutant::LeavingIsTaken)
}

/// What stood for the upload while it seemed lost: it got through after all.
async fn remove_placeholder(vault: &Vault, upload: &UploadRef) -> anyhow::Result<()> {
    if mutated(Mutant::PlaceholderStays) {
        return Ok(());
    }
    let user = UploadKey::parse(&upload.key, &vault.names.owner).user;
    let id = placeholder(&user, upload);
    Ok(vault.catalog.remove(&user, &id).await?)
}

/// The same bytes again are the same item under one more name, out of the trash; a verdict of another recipe replaces the old one, and so
/// does one on an item whose original had been lost.
fn admitted(item: Option<Media>, fresh: &Media, entry: &Entry, arrival: &Upload) -> Change {
    let stands = |known: &Entry| known.recipe == entry.recipe && known.state != State::Failed;
    let current = |item: &Media| item.ledger.get(&Stage::Validate).is_some_and(stands);
    let mut next = match &item {
        Some(_) if mutated(Mutant::AdmittedAfresh) => {
            Media { ledger: [(Stage::Validate, entry.clone())].into(), ..fresh.clone() }
        }
        Some(item) if current(item) => item.clone(),
        Some(item) => Media { uploads: item.uploads.clone(), created: item.created, ..fresh.clone() },
        None => fresh.clone(),
    };
    if !item.as_ref().is_some_and(current) {
        next.record(Stage::Validate, entry.clone(), None);
    }
    let is_named_anew = item.as_ref().is_some_and(|item| item.uploads.iter().all(|upload| upload.name != arrival.name));
    let is_new = (item.is_none() || !mutated(Mutant::ArrivalIsLost)) && next.add_upload(arrival.clone());
    if is_new {
        // Who uploads what is in the trash wants it back.
        next.restore();
    }
    if is_new && is_named_anew && !mutated(Mutant::NewNameIsNotRead) {
        // Its names are among what its metadata are made of: the sidecar of this one may lie there already.
        next.renew(Stage::Metadata);
    }
    if item.is_some_and(|item| item == next) { Change::Leave } else { Change::Put(next) }
}

fn ledger_entry(vault: &Vault, received: &Received, verdict: &Verdict, times: &Times, finished: UtcMs) -> Entry {
    let took_ms = finished.since(times.started);
    Entry {
        state: if verdict.refusal().is_some() { State::Rejected } else { State::Done },
        reason: verdict.reason(),
        input: received.sha256.to_string(),
        attempts: times.attempt,
        started: Some(times.started),
        finished: Some(finished),
        took_ms,
        cost_microusd: lambda_cost_microusd(took_ms, vault.names.memory_mb),
        ..Entry::pending(Stage::Validate.recipe())
    }
}
