//! Lets go of old backups: once a day, by the rule of [`Retention`].
//!
//! A segment goes when no backup that stays names it; an original when its item had left the vault before the oldest of them was made.

use std::collections::BTreeSet;

use photovault_domain::{Retention, UtcMs};
use photovault_vault::{BackupState, Deed, Vault, seams::SeamResult};

const DAY_MS: u64 = 86_400_000;

/// Gives how many backups went.
pub(crate) async fn thin(vault: &Vault, state: &mut BackupState) -> SeamResult<u64> {
    let now = vault.clock.now();
    if now.since(state.thinned) < DAY_MS {
        return Ok(0);
    }
    let manifests = vault.backups.manifests().await?;
    let made: Vec<UtcMs> = manifests.iter().map(|(made, _)| *made).collect();
    let stays = Retention::DEFAULT.kept(&made);
    let (kept, old): (Vec<_>, Vec<_>) = manifests.into_iter().partition(|(made, _)| stays.contains(made));
    if !old.is_empty() {
        let mut named = BTreeSet::new();
        for (_, key) in &kept {
            named.extend(vault.backups.manifest(key).await?.segments.into_iter().map(|segment| segment.key));
        }
        for (_, key) in &old {
            let manifest = vault.backups.manifest(key).await?;
            for segment in manifest.segments.iter().filter(|segment| !named.contains(&segment.key)) {
                vault.backups.remove(&segment.key).await?;
            }
            // Last: who is interrupted finds it again.
            vault.backups.remove(key).await?;
        }
    }
    if let Some((oldest, _)) = kept.first() {
        originals(vault, state, *oldest).await?;
    }
    state.thinned = now;
    vault.backups.keep_state(state).await?;
    Ok(old.len() as u64)
}

/// Originals of items that no backup that stays has alive.
async fn originals(vault: &Vault, state: &mut BackupState, oldest: UtcMs) -> SeamResult<()> {
    loop {
        let page = vault.audit.list(state.forgotten.as_deref(), 500).await?;
        for (place, entry) in page.items {
            if entry.at >= oldest {
                return Ok(());
            }
            if let (Deed::TrashEmptied | Deed::QuarantineEmptied, Some(media), Some(original)) =
                (entry.deed, &entry.media, entry.keys.first())
                && vault.catalog.media(&entry.user, media).await?.is_none()
            {
                vault.backups.remove(original).await?;
            }
            state.forgotten = Some(place);
        }
        if page.next.is_none() {
            return Ok(());
        }
    }
}
