//! Nothing is removed that an item names, unless the item leaves the vault; only what was put in the trash, and not taken out of it,
//! leaves, and then nothing of it stays.

use photovault_domain::Media;
use photovault_sim::VAULT;

use super::{Event, Promise, Scene};

pub(super) struct Trash;

impl Promise for Trash {
    fn name(&self) -> &'static str {
        "trash"
    }

    fn step(&mut self, event: &Event, scene: &Scene) -> Result<(), String> {
        match event {
            Event::Dropped { at } if at.bucket == VAULT => {
                let is_there = scene.world.objects.contains_key(&(VAULT.to_owned(), at.key.clone()));
                let names =
                    |media: &Media| media.object.as_ref() == Some(&at.key) || media.files().any(|file| file.key == at.key);
                match scene.items.values().filter(|media| media.leaving.is_none()).find(|media| names(media)) {
                    Some(media) if !is_there => Err(format!("{} was removed, and {} names it", at.key, media.name())),
                    _ => Ok(()),
                }
            }
            Event::Item { before: Some(before), after, .. } if after.leaving.is_some() && before.leaving.is_none() => {
                if before.trashed.is_some() { Ok(()) } else { Err(format!("{} leaves, and is not in the trash", before.name())) }
            }
            Event::Item { before: Some(before), after, .. } if before.leaving.is_some() && after.leaving.is_none() => {
                Err(format!("{} was on its way out of the vault and came back", before.name()))
            }
            Event::Gone { media } if media.sha256.is_some() => {
                let object = media.object.clone().unwrap_or_default();
                if media.leaving.is_none() {
                    Err(format!("{} is gone without having been let go", media.name()))
                } else if scene.world.objects.contains_key(&(VAULT.to_owned(), object)) {
                    Err(format!("{} is gone, and its bytes are not", media.name()))
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, scene: &Scene, _cured: bool) -> Result<(), String> {
        match scene.items.values().find(|media| media.leaving.is_some()) {
            Some(media) => Err(format!("{} is on its way out of the vault for ever", media.name())),
            None => Ok(()),
        }
    }
}
