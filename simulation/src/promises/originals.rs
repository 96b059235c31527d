//! An original never changes, and an upload goes only when its bytes are kept and its item knows of it.

use photovault_domain::{Sha256, original_key, quarantine_key};
use photovault_sim::{UPLOADS, VAULT};
use sha2::Digest as _;

use super::{Event, Promise, Scene};

pub(super) struct Originals;

impl Promise for Originals {
    fn name(&self) -> &'static str {
        "originals"
    }

    fn step(&mut self, event: &Event, scene: &Scene) -> Result<(), String> {
        match event {
            Event::Stored { at, bytes, .. } if at.bucket == VAULT && !at.key.starts_with("derivatives/") => {
                let sha256 = Sha256::from_digest(sha2::Sha256::digest(bytes).into());
                let name = at.key.rsplit('/').next().unwrap_or_default();
                if name == sha256.as_str() { Ok(()) } else { Err(format!("{} holds the bytes of {sha256}", at.key)) }
            }
            Event::Dropped { at } if at.bucket == UPLOADS => {
                let gone = |version: &String| {
                    let versions = scene.world.objects.get(&(at.bucket.clone(), at.key.clone()));
                    !versions.is_some_and(|versions| versions.iter().any(|it| it.version == *version))
                };
                let uploads = scene.truth.uploads.iter().filter(|upload| upload.key == at.key);
                for upload in uploads.filter(|upload| upload.version.as_ref().is_some_and(gone)) {
                    is_kept(scene, upload)?;
                }
                Ok(())
            }
            Event::Item { after, .. } => match &after.object {
                Some(key) if after.leaving.is_none() && !scene.world.objects.contains_key(&(VAULT.to_owned(), key.clone())) => {
                    Err(format!("{} is an item, and {key} is not there", after.name()))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn is_kept(scene: &Scene, upload: &crate::workload::Upload) -> Result<(), String> {
    if scene.truth.was_let_go(upload) {
        return Ok(());
    }
    let version = upload.version.as_deref().unwrap_or_default();
    let what = || format!("upload {} {version} was removed", upload.key);
    let kept = [original_key(&upload.user, &upload.sha256), quarantine_key(&upload.user, &upload.sha256)];
    if !kept.into_iter().any(|key| scene.world.objects.contains_key(&(VAULT.to_owned(), key))) {
        return Err(format!("{} and its bytes are kept nowhere", what()));
    }
    let item = scene.items.values().find(|media| media.id == upload.media && media.user == upload.user);
    let knows = item.is_some_and(|media| media.uploads.iter().any(|it| it.key == upload.key && it.version == version));
    if knows { Ok(()) } else { Err(format!("{} and no item knows of it", what())) }
}
