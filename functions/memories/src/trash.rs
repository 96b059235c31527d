//! Into the trash and out of it. Its place in the timeline goes in the same transaction; restoring asks the stage for another.

use anyhow::bail;
use photovault_domain::{Media, MediaId, UserId};
use photovault_vault::{Change, Item, TimelineChange, Vault, seams::Written};

use crate::{MAX_CONFLICTS, change::gather};

/// Puts an item in the trash; `false` if there is none, or it is there already.
pub async fn put_in_trash(vault: &Vault, user: &UserId, id: &MediaId) -> anyhow::Result<bool> {
    for _ in 0..MAX_CONFLICTS {
        let Some(mut media) = vault.catalog.media(user, id).await? else { return Ok(false) };
        let near = gather(vault, &media, None).await?;
        let rewrites = near.rearranged(id, media.placed, None);
        if !media.put_in_trash(vault.clock.now()) {
            return Ok(false);
        }
        let (head, item, counts) = (near.head, Item::Written(Box::new(media)), near.counts);
        let change = TimelineChange { head, item, rewrites, counts, said: vec![], unsaid: vec![] };
        if vault.timelines.change(user, change).await? == Written::Yes {
            return Ok(true);
        }
    }
    bail!("other changes of the timeline came first {MAX_CONFLICTS} times")
}

/// Takes an item out of the trash; `false` if it is not there, or on its way out of the vault.
pub async fn restore(vault: &Vault, user: &UserId, id: &MediaId) -> anyhow::Result<bool> {
    let mut restored = false;
    let restore = |item: Option<Media>| {
        let mut item = item;
        restored = item.as_mut().is_some_and(Media::restore);
        item.filter(|_| restored).map_or(Change::Leave, Change::Put)
    };
    vault.catalog.change(user, id, restore).await?;
    Ok(restored)
}
