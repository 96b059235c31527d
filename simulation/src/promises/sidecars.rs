//! At rest a photo says what the sidecar beside it says, whichever of them came first, and under whichever of its names.

use photovault_domain::{Media, Stage, State, original_key};

use super::{Promise, Scene};
use crate::{stand_ins::said, workload::Upload};

pub(super) struct Sidecars;

impl Promise for Sidecars {
    fn name(&self) -> &'static str {
        "sidecars"
    }

    fn at_rest(&mut self, scene: &Scene, _cured: bool) -> Result<(), String> {
        for media in scene.items.values().filter(|media| is_read(media)) {
            let beside = |media: &Media| media.uploads.iter().rev().find_map(|upload| latest(scene, &upload.key));
            let wanted = beside(media);
            if wanted.is_some_and(|sidecar| scene.truth.was_let_go(sidecar)) {
                // It left out of the trash, before or after it was read.
                continue;
            }
            let title = media.facts.as_ref().and_then(|facts| facts.title.as_deref());
            let wanted = wanted.map(|sidecar| said(&sidecar.bytes));
            if title != wanted.as_deref() {
                return Err(format!("{} says {title:?}, and beside it is {wanted:?}", media.name()));
            }
        }
        Ok(())
    }
}

fn is_read(media: &Media) -> bool {
    media.ledger.get(&Stage::Metadata).is_some_and(|entry| entry.state == State::Done)
}

/// The sidecar that stands of those beside an upload.
fn latest<'a>(scene: &'a Scene, key: &str) -> Option<&'a Upload> {
    scene.truth.sidecars_of(key).max_by_key(|sidecar| (sidecar.at, original_key(&sidecar.user, &sidecar.sha256)))
}
