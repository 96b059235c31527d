//! How an item leaves the vault.
//!
//! 1. One transaction marks it as leaving and adds the line to the log, if nobody has changed the item since it was read. From
//!    here on nothing brings it back: no restore, no upload.
//! 2. Its files go: the original, or the refused bytes, and everything that stages made of it; and the letters of what failed on it.
//! 3. Its row goes.
//!
//! Whoever is interrupted leaves an item that is marked; it stands first in the list of the trash, and the next run goes on. An upload of
//! the same bytes reads the item before it looks for them (`functions/validate`): while the item is marked it comes again later, and once the
//! row is gone the bytes are, so they are kept anew.

use photovault_domain::{Media, checkpoint_prefix, derivative_prefix};
use photovault_vault::{AuditEntry, Deed, Mutant, Vault, mutated};

/// Lets go of an item as it was read; `false` if somebody has changed it since.
pub async fn let_go(vault: &Vault, media: Media, deed: Deed, by: &str) -> anyhow::Result<bool> {
    if mutated(Mutant::FilesBeforeMark) {
        remove_files(vault, &media).await?;
    }
    let leaving = if media.leaving.is_some() {
        media
    } else {
        let keys = media.object.clone().into_iter().chain([derivative_prefix(&media.user, &media.id)]).collect();
        let entry = AuditEntry::of(&media, deed, by, keys, vault.clock.now());
        let Some(leaving) = vault.catalog.let_go(media, &entry).await? else { return Ok(false) };
        leaving
    };
    remove_files(vault, &leaving).await?;
    for stage in leaving.failed_stages() {
        for letter in vault.letters.of_item(stage, &leaving.id).await? {
            vault.letters.discard(&letter).await?;
        }
    }
    vault.catalog.remove(&leaving.user, &leaving.id).await?;
    tracing::info!(media.id = %leaving.id, ?deed, "an item left the vault");
    Ok(true)
}

async fn remove_files(vault: &Vault, media: &Media) -> anyhow::Result<()> {
    for prefix in [derivative_prefix(&media.user, &media.id), checkpoint_prefix(&media.user, &media.id)] {
        vault.originals.remove_all(&prefix).await?;
    }
    if let Some(object) = &media.object {
        vault.originals.remove(object).await?;
    }
    Ok(())
}
