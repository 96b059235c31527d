//! The walks: what each comes past, page by page, and what it removes there.

use photovault_domain::{Media, MediaId, UploadKey, UtcMs, kept_bytes};
use photovault_vault::{AuditEntry, Deed, UploadRef, Vault, seams::Listed};

use crate::{
    NAME,
    decide::{Terms, of_refused, of_trash, of_upload},
    derivatives, let_go,
};

/// Items of a page of the trash.
const TRASH: u32 = 50;
/// Refused objects of a page.
const REFUSED: u32 = 100;
/// Uploads of a page.
const UPLOADS: u32 = 50;
/// Pages of the trash and of what is left of uploads that one run makes: whatever is due, within its time.
const EVERY_PAGE: u32 = u32::MAX;

/// What a walk comes past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// The trash.
    Trash,
    /// Refused bytes.
    Refused,
    /// Uploads that lie there still.
    Uploads,
    /// What stages made.
    Derivatives,
}

/// Items before derivatives: what an item leaves behind is found by the same run.
pub(crate) const WALKS: &[Walk] = &[Walk::Trash, Walk::Refused, Walk::Uploads, Walk::Derivatives];

/// A page.
#[derive(Default)]
pub(crate) struct Step {
    pub(crate) looked_at: u64,
    pub(crate) suspected: u64,
    pub(crate) removed: Vec<(Deed, u64)>,
    /// Where the next page begins; `None` at the end.
    pub(crate) next: Option<String>,
}

impl Walk {
    /// The name of its place.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Trash => "trash",
            Self::Refused => "refused",
            Self::Uploads => "uploads",
            Self::Derivatives => "derivatives",
        }
    }

    /// Pages that one run makes.
    pub(crate) const fn pages(self) -> u32 {
        match self {
            Self::Trash => EVERY_PAGE,
            Self::Refused | Self::Uploads => 1,
            Self::Derivatives => 4,
        }
    }

    /// Comes past one page and removes what may go there.
    pub(crate) async fn step(self, vault: &Vault, terms: Terms, dry_run: bool, place: Option<&str>) -> anyhow::Result<Step> {
        match self {
            Self::Trash => trash(vault, terms, dry_run, place).await,
            Self::Refused => refused(vault, terms, dry_run, place).await,
            Self::Uploads => uploads(vault, terms, dry_run, place).await,
            Self::Derivatives => derivatives::step(vault, terms, dry_run, place).await,
        }
    }
}

/// What is due comes first, so the walk ends at the first item that is not.
async fn trash(vault: &Vault, terms: Terms, dry_run: bool, place: Option<&str>) -> anyhow::Result<Step> {
    let page = vault.catalog.trash(place, TRASH).await?;
    let mut step = Step { looked_at: page.items.len() as u64, next: page.next, ..Step::default() };
    let mut gone = 0;
    for media in page.items {
        // One at which a stage is at work stands in the other partition, unless the index lags.
        if media.trashed.is_some_and(|_| media.is_settled()) && !of_trash(terms, &media) {
            step.next = None;
            break;
        }
        if of_trash(terms, &media) {
            let deed = if media.refusal.is_some() { Deed::QuarantineEmptied } else { Deed::TrashEmptied };
            gone += u64::from(dry_run || let_go(vault, media, deed, NAME).await?);
        }
    }
    step.removed.extend((gone > 0).then_some((Deed::TrashEmptied, gone)));
    Ok(step)
}

async fn refused(vault: &Vault, terms: Terms, dry_run: bool, place: Option<&str>) -> anyhow::Result<Step> {
    let page = vault.originals.kept_after("quarantine/", place, REFUSED).await?;
    let (mut gone, looked_at) = (0, page.items.len() as u64);
    for listed in page.items.into_iter().filter(|listed| listed.is_latest) {
        if let Some(media) = item_of(vault, &listed).await?.filter(|media| of_refused(terms, media)) {
            gone += u64::from(dry_run || let_go(vault, media, Deed::QuarantineEmptied, NAME).await?);
        }
    }
    let removed = (gone > 0).then_some((Deed::QuarantineEmptied, gone)).into_iter().collect();
    Ok(Step { looked_at, removed, next: page.next, ..Step::default() })
}

/// The item whose refused bytes these are.
async fn item_of(vault: &Vault, listed: &Listed) -> anyhow::Result<Option<Media>> {
    let Some((user, sha256)) = kept_bytes(&listed.key) else { return Ok(None) };
    let item = vault.catalog.media(&user, &MediaId::of_bytes(&user, &sha256)).await?;
    Ok(item.filter(|item| item.object.as_ref() == Some(&listed.key)))
}

async fn uploads(vault: &Vault, terms: Terms, dry_run: bool, place: Option<&str>) -> anyhow::Result<Step> {
    let page = vault.originals.waiting_uploads(place, UPLOADS).await?;
    let (mut gone, looked_at) = (0, page.items.len() as u64);
    for (upload, uploaded) in page.items {
        gone += u64::from(upload_step(vault, terms, dry_run, upload, uploaded).await?);
    }
    let removed = (gone > 0).then_some((Deed::UploadRemoved, gone)).into_iter().collect();
    Ok(Step { looked_at, removed, next: page.next, ..Step::default() })
}

/// An upload goes where its item knows of it and the vault has its bytes: they are read and hashed here, and compared with what the store
/// says of the bytes that it keeps.
async fn upload_step(vault: &Vault, terms: Terms, dry_run: bool, upload: UploadRef, uploaded: UtcMs) -> anyhow::Result<bool> {
    let user = UploadKey::parse(&upload.key, &vault.names.owner).user;
    let placeholder = MediaId::of_upload(&user, &upload.bucket, &upload.key, &upload.version);
    let given_up = vault.catalog.media(&user, &placeholder).await?.is_some();
    if !of_upload(terms, uploaded, given_up) {
        return Ok(false);
    }
    let Some(sha256) = vault.originals.hash_upload(&upload).await? else { return Ok(false) };
    let Some(media) = vault.catalog.media(&user, &MediaId::of_bytes(&user, &sha256)).await? else { return Ok(false) };
    let knows =
        media.uploads.iter().any(|it| (&it.bucket, &it.key, &it.version) == (&upload.bucket, &upload.key, &upload.version));
    let Some(object) = media.object.clone().filter(|_| knows && media.is_settled() && media.leaving.is_none()) else {
        return Ok(false);
    };
    if !vault.originals.holds_bytes(&object, &sha256).await? {
        return Ok(false);
    }
    if !dry_run {
        let keys = vec![format!("{}?versionId={}", upload.key, upload.version)];
        let entry = AuditEntry::of(&media, Deed::UploadRemoved, NAME, keys, vault.clock.now());
        vault.audit.add(&entry).await?;
        vault.originals.forget_upload(&upload).await?;
    }
    Ok(true)
}
