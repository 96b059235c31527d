//! The walks: what each comes past, page by page, and how it repairs what is decided.

use futures::{StreamExt as _, TryStreamExt as _};
use photovault_domain::{Media, MediaId, Sha256, Stage, UploadKey, UserId, UtcMs, kept_bytes};
use photovault_vault::{Change, Mutant, UploadRef, Vault, mutated, revive, seams::Listed};

use crate::decide::{Files, Moment, Repair, of_bytes, of_item, of_unsettled, of_upload};

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
}

/// In this order: what the first finds becomes the work of the stages, not of the later walks.
pub(crate) const WALKS: &[Walk] = &[Walk::Uploads, Walk::Bytes, Walk::Items, Walk::Unsettled];

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
            Self::Items => items(vault, place).await,
            Self::Unsettled => {
                let page = vault.catalog.unsettled(place, UNSETTLED).await?;
                each(page.items, page.next, |media| unsettled_step(vault, moment, media)).await
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
        vault.jobs.send_upload(&upload).await?;
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

/// A page of one user's items, and behind the last one the next user.
async fn items(vault: &Vault, place: Option<&str>) -> anyhow::Result<Step> {
    let begun = place.and_then(|place| place.split_once('/'));
    let (user, after) = match begun {
        Some((user, after)) => (user.parse()?, Some(after).filter(|after| !after.is_empty())),
        None => match next_user(vault, None).await? {
            Some(user) => (user, None),
            None => return Ok(Step { looked_at: 0, repairs: Vec::new(), next: None }),
        },
    };
    let page = vault.catalog.list(&user, "", after, ITEMS).await?;
    let next = match page.next {
        Some(after) => Some(format!("{user}/{after}")),
        None => next_user(vault, Some(&user)).await?.map(|user| format!("{user}/")),
    };
    each(page.items, next, |media| item_step(vault, media)).await
}

/// The next user who has anything in the vault bucket: found by stepping over all keys of the one before.
async fn next_user(vault: &Vault, before: Option<&UserId>) -> anyhow::Result<Option<UserId>> {
    let mut nearest: Option<UserId> = None;
    for prefix in ["derivatives/", "originals/", "quarantine/"] {
        // '0' is the character behind '/'.
        let after = before.map(|user| format!("/{prefix}{user}0"));
        let page = vault.originals.kept_after(prefix, after.as_deref(), 1).await?;
        let user = page.items.first().and_then(|listed| listed.key.strip_prefix(prefix)?.split('/').next()?.parse().ok());
        nearest = [nearest, user].into_iter().flatten().min_by_key(|user: &UserId| format!("{user}/"));
    }
    Ok(nearest)
}

async fn item_step(vault: &Vault, media: Media) -> anyhow::Result<Option<Repair>> {
    let (Some(object), Some(sha256)) = (media.object.clone(), media.sha256.clone()) else { return Ok(None) };
    let files = gather(vault, &media, &object, &sha256).await?;
    let repair = of_item(&media, files);
    match repair {
        Some(Repair::OriginalMissing) => Box::pin(without_original(vault, media, &object)).await.map(Some),
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

async fn without_original(vault: &Vault, media: Media, object: &str) -> anyhow::Result<Repair> {
    if let (Some(sha256), Some(format)) = (&media.sha256, media.format)
        && vault.originals.bring_back(object, sha256, format.mime()).await?
    {
        tracing::warn!(media.id = %media.id, "a removed original was brought back");
        return Ok(Repair::OriginalBroughtBack);
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
    Ok(Repair::OriginalMissing)
}
