//! The walks: what each comes past, page by page, and how it repairs what is decided.

use futures::{StreamExt as _, TryStreamExt as _};
use photovault_domain::{Media, MediaId, Sha256, Stage, UploadKey, UtcMs, kept_bytes};
use photovault_vault::{Change, Mutant, UploadRef, Vault, Waiting, mutated, revive, seams::Listed};

use crate::decide::{Deferred, Files, Moment, Repair, of_bytes, of_deferred, of_item, of_unsettled, of_upload};

/// Looked at at once.
const CONCURRENT: usize = 8;
/// Uploads of a page.
const UPLOADS: u32 = 100;
/// Objects of a page.
const OBJECTS: u32 = 100;
/// Items of a page: each costs a request per file.
const ITEMS: u32 = 25;
/// Unsettled items of a page.
const UNSETTLED: u32 = 500;
/// Items of a page that waited for another month.
const DEFERRED: u32 = 100;

/// What a walk comes past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// Uploads that nobody took in.
    Uploads,
    /// Originals and refused bytes, each of which has an item.
    Bytes,
    /// Items, each of which has its files.
    Items,
    /// Items on which work is left.
    Unsettled,
    /// Items that waited for another month to be looked at.
    Deferred,
}

/// In this order: what the first finds becomes the work of the stages, not of the later walks.
pub(crate) const WALKS: &[Walk] = &[Walk::Uploads, Walk::Bytes, Walk::Items, Walk::Unsettled, Walk::Deferred];

/// A page.
pub(crate) struct Step {
    pub(crate) looked_at: u64,
    pub(crate) repairs: Vec<Repair>,
    /// Where the next page begins; `None` at the end.
    pub(crate) next: Option<String>,
}

impl Walk {
    /// The name of its place.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Bytes => "bytes",
            Self::Items => "items",
            Self::Unsettled => "unsettled",
            Self::Deferred => "deferred",
        }
    }

    /// Comes past one page and repairs what is wrong there.
    pub(crate) async fn step(self, vault: &Vault, moment: Moment, place: Option<&str>) -> anyhow::Result<Step> {
        match self {
            Self::Uploads => {
                let page = vault.originals.waiting_uploads(place, UPLOADS).await?;
                each(page.items, page.next, |(upload, uploaded)| upload_step(vault, moment, upload, uploaded)).await
            }
            Self::Bytes => {
                // Derivatives come before originals and quarantine in key order.
                let page = vault.originals.kept_after("", Some(place.unwrap_or("/originals/")), OBJECTS).await?;
                each(page.items, page.next, |listed| bytes_step(vault, moment, listed)).await
            }
            Self::Items => {
                let page = vault.items_after(place, ITEMS).await?;
                each(page.items, page.next, |media| item_step(vault, media)).await
            }
            Self::Unsettled => {
                let page = vault.catalog.unsettled(place, UNSETTLED).await?;
                each(page.items, page.next, |media| unsettled_step(vault, moment, media)).await
            }
            Self::Deferred if !vault.names.recognising.sought.is_anything() => each(vec![], None, |()| async { Ok(None) }).await,
            Self::Deferred => {
                let page = vault.recogniser.deferred(place, DEFERRED).await?;
                each(page.items, page.next, |waiting| deferred_step(vault, waiting)).await
            }
        }
    }
}

async fn each<T, F>(items: Vec<T>, next: Option<String>, step: impl Fn(T) -> F) -> anyhow::Result<Step>
where
    F: Future<Output = anyhow::Result<Option<Repair>>>,
{
    let looked_at = items.len() as u64;
    let repairs: Vec<Option<Repair>> =
        futures::stream::iter(items.into_iter().map(step)).buffered(CONCURRENT).try_collect().await?;
    Ok(Step { looked_at, repairs: repairs.into_iter().flatten().collect(), next })
}

async fn upload_step(vault: &Vault, moment: Moment, upload: UploadRef, uploaded: UtcMs) -> anyhow::Result<Option<Repair>> {
    let user = UploadKey::parse(&upload.key, &vault.names.owner).user;
    let placeholder = MediaId::of_upload(&user, &upload.bucket, &upload.key, &upload.version);
    let given_up = vault.catalog.media(&user, &placeholder).await?.is_some();
    let repair = of_upload(moment, uploaded, given_up);
    if repair.is_some() {
        vault.jobs.send_upload(&upload, 0).await?;
        tracing::warn!(upload.version, "an upload that nobody took in was sent to validate again");
    }
    Ok(repair)
}

async fn bytes_step(vault: &Vault, moment: Moment, listed: Listed) -> anyhow::Result<Option<Repair>> {
    let Some((user, sha256)) = kept_bytes(&listed.key).filter(|_| listed.is_latest) else { return Ok(None) };
    let id = MediaId::of_bytes(&user, &sha256);
    let item = vault.catalog.media(&user, &id).await?;
    let repair = of_bytes(moment, listed.modified, item.as_ref());
    if repair.is_some() {
        let again = UploadKey { user, name: format!("recovered/{sha256}") };
        vault.originals.upload_again(&listed.key, &again.object_key()).await?;
        tracing::warn!(media.id = %id, "bytes without an item were uploaded again");
    }
    Ok(repair)
}

async fn unsettled_step(vault: &Vault, moment: Moment, media: Media) -> anyhow::Result<Option<Repair>> {
    let repair = of_unsettled(moment, &media).filter(|_| !mutated(Mutant::StalledIsLeft));
    if repair.is_some() {
        let stages = revive(vault, &media).await?;
        tracing::warn!(media.id = %media.id, ?stages, "an item without progress: its stages were sent again");
        // A write says when: the next run waits as long again, whatever the queues' backlog is.
        let touched = |item: Option<Media>| item.filter(|item| !item.is_settled()).map_or(Change::Leave, Change::Put);
        vault.catalog.change_from(media, touched).await?;
    }
    Ok(repair)
}

/// What waited is asked for first and written down afterwards: who dies in between asks twice, which is once.
async fn deferred_step(vault: &Vault, waiting: Waiting) -> anyhow::Result<Option<Repair>> {
    let is_due = vault.recogniser.is_due(&waiting);
    if !(is_due || waiting.asked) {
        return Ok(None);
    }
    let item = vault.catalog.media(&waiting.user, &waiting.media).await?;
    match of_deferred(item.as_ref(), is_due) {
        Deferred::Over => vault.recogniser.wait_no_more(&waiting).await?,
        Deferred::UnderWay => {}
        Deferred::WaitsOn => vault.recogniser.wait_on(&waiting, false).await?,
        Deferred::Due => {
            // Nobody is told: the photo was ready all the time.
            let again = |mut item: Option<Media>| {
                let is_asked = item.as_mut().is_some_and(|item| item.renew(Stage::Tag));
                item.filter(|_| is_asked).map_or(Change::Leave, Change::Put)
            };
            vault.catalog.change_seen(&waiting.user, &waiting.media, item, again).await?;
            vault.recogniser.wait_on(&waiting, true).await?;
            return Ok(Some(Repair::TagsAskedFor));
        }
    }
    Ok(None)
}

async fn item_step(vault: &Vault, media: Media) -> anyhow::Result<Option<Repair>> {
    let (Some(object), Some(sha256)) = (media.object.clone(), media.sha256.clone()) else { return Ok(None) };
    let files = gather(vault, &media, &object, &sha256).await?;
    let repair = of_item(&media, files);
    match repair {
        Some(Repair::OriginalMissing) => Box::pin(without_original(vault, media, &object)).await,
        Some(Repair::DerivativesAskedFor) => {
            let stage = media.pictured_by();
            tracing::warn!(media.id = %media.id, "derivatives are gone: asked for again");
            vault.catalog.change_from(media, |item| Change::asked_again(item, stage)).await?;
            Ok(repair)
        }
        _ => Ok(None),
    }
}

async fn gather(vault: &Vault, media: &Media, object: &str, sha256: &Sha256) -> anyhow::Result<Files> {
    let original = vault.originals.holds_bytes(object, sha256).await?;
    let mut derivatives = true;
    for file in media.files() {
        derivatives = derivatives && vault.originals.holds(&file.key).await?;
    }
    Ok(Files { original, derivatives })
}

/// `None` if it is leaving, which it may have begun since it was read.
async fn without_original(vault: &Vault, media: Media, object: &str) -> anyhow::Result<Option<Repair>> {
    let is_leaving = |item: Option<Media>| item.is_none_or(|item| item.leaving.is_some());
    if is_leaving(vault.catalog.media(&media.user, &media.id).await?) {
        return Ok(None);
    }
    if let (Some(sha256), Some(format)) = (&media.sha256, media.format)
        && vault.originals.bring_back(object, sha256, format.mime()).await?
    {
        tracing::warn!(media.id = %media.id, "a removed original was brought back");
        return Ok(Some(Repair::OriginalBroughtBack));
    }
    let now = vault.clock.now();
    let fail = |item: Option<Media>| match item {
        Some(mut item) if of_item(&item, Files { original: false, derivatives: true }).is_some() => {
            item.fail(Stage::Validate, format!("the original {object} is missing from the vault bucket"), now);
            Change::Put(item)
        }
        _ => Change::Leave,
    };
    tracing::error!(media.id = %media.id, "an item's original is gone");
    vault.catalog.change_from(media, fail).await?;
    Ok(Some(Repair::OriginalMissing))
}
