//! Joins sidecars and photos by their names, in whatever order they arrive.
//!
//! Both write into one row before their items know of the upload, and before they look for the other: a photo's metadata are asked for
//! by the write that gives its item the name; a sidecar asks for those of the photos that it finds in the row. So one of them finds the
//! other, or both do.

use photovault_domain::{Media, MediaId, Namesakes, Sidecar, Stage, UploadKey, UtcMs, beside, stem};
use photovault_vault::{Change, Vault};

/// The registered media type of XMP (ISO 16684-1, annex B).
pub(crate) const MIME: &str = "application/rdf+xml";

/// Writes down that there is such a photo.
pub(crate) async fn announce_photo(vault: &Vault, key: &UploadKey, photo: &MediaId) -> anyhow::Result<()> {
    vault.catalog.change_namesakes(&key.user, stem(&key.name), |names| names.add_photo(photo)).await?;
    Ok(())
}

/// Writes down that there is such a sidecar, and has the metadata of its photos read again.
pub(crate) async fn join(vault: &Vault, key: &UploadKey, object: String, at: UtcMs) -> anyhow::Result<()> {
    let sidecar = Sidecar { of: beside(&key.name).to_owned(), object, at };
    let add = |names: &mut Namesakes| names.add_sidecar(sidecar.clone());
    let names = vault.catalog.change_namesakes(&key.user, stem(&sidecar.of), add).await?;
    for photo in &names.photos {
        let renew = |item: Option<Media>| {
            let renewed = item.and_then(|mut item| item.renew(Stage::Metadata).then_some(item));
            renewed.map_or(Change::Leave, Change::Put)
        };
        vault.catalog.change(&key.user, photo, renew).await?;
    }
    Ok(())
}
