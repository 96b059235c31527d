//! How an item leaves the vault.
//!
//! 1. One transaction marks it as leaving and adds the line to the log, if nobody has changed the item since it was read. From
//!    here on nothing brings it back: no restore, no upload.
//! 2. Its files go: the original, or the refused bytes, and everything that stages made of it; the faces that a recogniser keeps of it; and the
//!    letters of what failed on it.
//! 3. Its row goes.
//!
//! Whoever is interrupted leaves an item that is marked; it stands first in the list of the trash, and the next run goes on. An upload of
//! the same bytes reads the item before it looks for them (`functions/validate`): while the item is marked it comes again later, and once the
//! row is gone the bytes are, so they are kept anew.

use anyhow::bail;
use photovault_domain::{Media, checkpoint_prefix, derivative_prefix};
use photovault_vault::{Asked, AuditEntry, Deed, Mutant, Vault, mutated};

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
    forget_faces(vault, &leaving).await?;
    for stage in leaving.failed_stages() {
        for letter in vault.letters.of_item(stage, &leaving.id).await? {
            vault.letters.discard(&letter).await?;
        }
    }
    vault.catalog.remove(&leaving.user, &leaving.id).await?;
    tracing::info!(media.id = %leaving.id, ?deed, "an item left the vault");
    Ok(true)
}

/// The recogniser first: the rows say what there is to forget, and go when it has.
async fn forget_faces(vault: &Vault, media: &Media) -> anyhow::Result<()> {
    let Some(faces) = vault.faces.indexed(&media.user, &media.id).await? else { return Ok(()) };
    let ids: Vec<String> = faces.into_iter().filter_map(|face| face.id).collect();
    if !ids.is_empty()
        && let Asked::Deferred(why) | Asked::Untaken(why) = vault.recogniser.forget(&media.user, &ids).await?
    {
        bail!("the faces of {} are still with the recogniser: {why}", media.id);
    }
    Ok(vault.faces.forget(&media.user, &media.id).await?)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use photovault_domain::{Face, MediaId, Sha256, UserId, UtcMs};
    use photovault_sim::{Fabric, Fault};
    use photovault_vault::{Change, KnownFace, KnownPerson};

    use super::*;

    /// Two photos in the trash that show one person.
    async fn library(fabric: &Fabric, vault: &Vault, user: &UserId, photos: &[MediaId]) {
        let mut person = KnownPerson { person: "f0".to_owned(), ..KnownPerson::default() };
        for (number, media) in photos.iter().enumerate() {
            let item = Media { trashed: Some(UtcMs(1)), ..Media::new(user.clone(), media.clone(), UtcMs(0)) };
            vault.catalog.change(user, media, |_| Change::Put(item.clone())).await.unwrap();
            let face = format!("f{number}");
            vault.faces.keep_indexed(user, media, vec![Face { id: Some(face.clone()), ..Face::default() }]).await.unwrap();
            person.told.push((face.clone(), number as i32));
            let known = KnownFace { face: face.clone(), media: media.clone(), day: 0, person: Some("f0".to_owned()), version: 0 };
            vault.faces.write(user, &[known], std::slice::from_ref(&person)).await.unwrap();
            person.version += 1;
            let mut world = fabric.world();
            let collection = world.collections.entry(format!("vault.{user}")).or_default();
            collection.faces.insert(face.clone(), 0);
            collection.associate("f0", &[face]);
        }
    }

    #[tokio::test]
    async fn faces_leave_with_their_photo_whatever_call_fails() {
        let user: UserId = "ann".parse().unwrap();
        let photos = [1, 2].map(|number| MediaId::of_bytes(&user, &Sha256::from_digest([number; 32])));
        let mut calls = 0;
        loop {
            let fabric = Fabric::default();
            let vault = fabric.vault();
            library(&fabric, &vault, &user, &photos).await;
            let fault = if calls % 2 == 0 { Fault::Before } else { Fault::After };
            fabric.world().faults = std::iter::repeat_n(None, calls).chain([Some(fault)]).collect();
            let item = async || vault.catalog.media(&user, &photos[0]).await.unwrap();
            let media = vault.catalog.media(&user, &photos[0]).await;
            let was_interrupted = match media {
                Ok(media) => let_go(&vault, media.unwrap(), Deed::TrashEmptied, "test").await.is_err(),
                Err(_) => true,
            };
            fabric.world().faults.clear();
            while let Some(media) = item().await {
                let_go(&vault, media, Deed::TrashEmptied, "test").await.unwrap();
            }
            let collection = fabric.world().collections["vault.ann"].clone();
            assert_eq!(collection.faces.keys().collect::<Vec<_>>(), ["f1"], "call {calls}");
            assert_eq!(collection.persons["f0"], BTreeSet::from(["f1".to_owned()]), "call {calls}");
            assert_eq!(vault.faces.indexed(&user, &photos[0]).await.unwrap(), None, "call {calls}");
            assert_eq!(vault.faces.face(&user, "f0").await.unwrap(), None, "call {calls}");
            let person = vault.faces.person(&user, "f0").await.unwrap().unwrap();
            assert_eq!(person.told, [("f1".to_owned(), 1)], "call {calls}");
            assert!(vault.faces.face(&user, "f1").await.unwrap().is_some());
            if !was_interrupted {
                break;
            }
            calls += 1;
        }
        assert!(calls > 8, "{calls} calls were interrupted");
    }
}
