//! Fixity: whether an original is what its key says, by reading it.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use photovault_domain::{Format, Media, News, Stage, State, Subject, Until, UtcMs};
use photovault_vault::{AuditEntry, Deed, Vault};

use crate::{NAME, OnProgress, Report};

/// Items of a page.
const ITEMS: u32 = 50;
/// Pages of a daily run: of 100,000 items each is read again within a year and a half.
const PAGES: u32 = 4;
/// Originals that are read at once.
const AT_ONCE: usize = 4;
/// The walk's place.
const PLACE: &str = "items";

enum Found {
    /// There is nothing to read of it.
    Nothing,
    Whole(u64),
    Healed(u64),
    Lost,
}

/// Reads the next originals, or all of them; no page is begun later than `within` from now.
pub async fn verify(vault: &Vault, all: bool, within: Duration, on_progress: OnProgress<'_>) -> anyhow::Result<Report> {
    let until = Until { began: vault.clock.now(), within };
    let mut progress = vault.catalog.progress(NAME).await?;
    let mut place = progress.places.remove(PLACE).filter(|_| !all);
    let mut report = Report { complete: true, ..Report::default() };
    let mut pages = 0;
    loop {
        if until.is_over(vault.clock.now()) {
            report.complete = false;
            break;
        }
        let page = vault.items_after(place.as_deref(), ITEMS).await?;
        let found: Vec<Found> =
            futures::stream::iter(page.items.into_iter().map(|media| one(vault, media))).buffered(AT_ONCE).try_collect().await?;
        for found in found {
            let (read, bytes, healed, lost) = match found {
                Found::Nothing => (0, 0, 0, 0),
                Found::Whole(bytes) => (1, bytes, 0, 0),
                Found::Healed(bytes) => (1, bytes, 1, 0),
                Found::Lost => (1, 0, 0, 1),
            };
            report.read += read;
            report.bytes += bytes;
            report.healed += healed;
            report.lost += lost;
        }
        on_progress(report.read);
        place = page.next;
        pages += 1;
        if place.is_none() || (!all && pages >= PAGES) {
            break;
        }
    }
    progress.places.extend(place.map(|place| (PLACE.to_owned(), place)));
    vault.catalog.keep_progress(NAME, &progress).await?;
    tracing::info!(read = report.read, healed = report.healed, lost = report.lost, "originals verified");
    Ok(report)
}

async fn one(vault: &Vault, media: Media) -> anyhow::Result<Found> {
    let (Some(object), Some(sha256)) = (media.object.clone(), media.sha256.clone()) else { return Ok(Found::Nothing) };
    if media.leaving.is_some() {
        return Ok(Found::Nothing);
    }
    let known_lost = media.ledger.get(&Stage::Validate).is_some_and(|entry| entry.state == State::Failed);
    let found = vault.backups.hash_in_vault(&object).await?;
    if let Some((_, size_bytes)) = found.as_ref().filter(|(hash, _)| *hash == sha256) {
        return Ok(Found::Whole(*size_bytes));
    }
    // It may be on its way out: its mark comes before its bytes go.
    let is_leaving = |item: Option<Media>| item.is_none_or(|item| item.leaving.is_some());
    if found.is_none() && is_leaving(vault.catalog.media(&media.user, &media.id).await?) {
        return Ok(Found::Nothing);
    }
    let mime = media.format.map_or("application/octet-stream", Format::mime);
    let is_healed = vault.backups.bring_home(&object, &sha256, mime).await?;
    let deed = if is_healed { Deed::OriginalHealed } else { Deed::OriginalLost };
    if is_healed || !known_lost {
        vault.jobs.send_news(&media.user, trouble(&media, is_healed, vault.clock.now())).await?;
        let entry = AuditEntry::of(&media, deed, NAME, vec![object], vault.clock.now());
        vault.audit.add(&entry).await?;
        tracing::error!(media.id = %media.id, ?deed, backup_trouble = true, "an original was missing or damaged");
    }
    Ok(if is_healed { Found::Healed(media.size_bytes) } else { Found::Lost })
}

/// What the owner is told: once a day of each original.
fn trouble(media: &Media, is_healed: bool, now: UtcMs) -> News {
    let became = if is_healed {
        "was damaged or missing, and is whole again: it was copied back from the backup"
    } else {
        "is damaged or missing, and the backup does not have it as it was"
    };
    News::of_day(&format!("original-{}", media.id), Subject::Backup, now, format!("The original of {} {became}.", media.name()))
}
