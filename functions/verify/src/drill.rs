//! The restore drill: the newest backup is read as a restore reads it, every original is hashed, and the result is written down.
//!
//! Its scratch is a hash: bytes are read to the last one and kept nowhere, so a drill fits a function whatever the vault's size.
//! `photovault restore --to` writes the same to files.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use photovault_backup::restore::Reading;
use photovault_domain::{Line, Media, News, Subject, Until};
use photovault_vault::{Drill as Record, Vault};
use serde::Serialize;

use crate::OnProgress;

/// Originals that are read at once.
const AT_ONCE: usize = 4;

pub use photovault_vault::Drill;

/// What a run of the drill did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrillRun {
    /// What is known so far; the record, where it is complete.
    pub drill: Record,
    /// Whether all of the backup was read; otherwise the next run goes on.
    pub complete: bool,
}

/// Drills; what is begun is gone on with. No segment is begun later than `within` from now. Nothing to do where there is no backup.
pub async fn drill(vault: &Vault, within: Duration, on_progress: OnProgress<'_>) -> anyhow::Result<Option<DrillRun>> {
    let until = Until { began: vault.clock.now(), within };
    let Some(manifest) = vault.backups.newest().await? else { return Ok(None) };
    let mut record = match vault.drills.begun().await? {
        Some(known) if known.backup == manifest.made => known,
        _ => Record { backup: manifest.made, started: until.began, ..Record::default() },
    };
    let mut backup = Reading::of(&manifest);
    let mut segments = 0;
    while let Some(lines) = backup.next(vault).await? {
        segments += 1;
        if segments <= record.segments {
            // Read by a run before this one, and again here for what it says is outdated.
            continue;
        }
        let items = lines.into_iter().filter_map(|line| if let Line::Item(item) = line { Some(*item) } else { None });
        let read = futures::stream::iter(items.map(|item| is_whole(vault, item))).buffer_unordered(AT_ONCE);
        let read: Vec<Option<(bool, u64)>> = read.try_collect().await?;
        record.items += read.len() as u64;
        for (whole, size_bytes) in read.into_iter().flatten() {
            record.originals += 1;
            record.bytes += size_bytes;
            record.matched += u64::from(whole);
        }
        record.segments = segments;
        on_progress(record.originals);
        if until.is_over(vault.clock.now()) {
            break;
        }
    }
    let complete = segments as usize == manifest.segments.len();
    record.took_ms += vault.clock.now().since(until.began);
    vault.drills.keep(&record, complete).await?;
    if complete && record.matched < record.originals {
        let lost = record.originals - record.matched;
        let text =
            format!("The restore drill failed: of {} originals the backup does not have {lost} as they were.", record.originals);
        let news = News::of_day("drill", Subject::Backup, vault.clock.now(), text);
        vault.jobs.send_news(&vault.names.owner, news).await?;
        tracing::error!(backup_trouble = true, lost, "the restore drill failed");
    }
    Ok(Some(DrillRun { drill: record, complete }))
}

/// Whether the backup has an item's original as it was, and its bytes; `None` where the item has none.
async fn is_whole(vault: &Vault, media: Media) -> anyhow::Result<Option<(bool, u64)>> {
    let (Some(object), Some(sha256)) = (media.object, media.sha256) else { return Ok(None) };
    let found = vault.backups.hash(&object).await?;
    let size_bytes = found.as_ref().map_or(0, |(_, size_bytes)| *size_bytes);
    Ok(Some((found.is_some_and(|(hash, _)| hash == sha256), size_bytes)))
}
