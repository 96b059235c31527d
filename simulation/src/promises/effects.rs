//! No stage's effect is lost or doubled: what an item knew it knows on, what is done is there, and nothing else is.

use std::collections::BTreeSet;

use photovault_domain::{Facts, Media, MediaId, Stage, State, derivative_key};
use photovault_sim::VAULT;

use super::{Event, Promise, Scene};
use crate::stand_ins::{FileKind, read, rendered};

pub(super) struct Effects;

impl Promise for Effects {
    fn name(&self) -> &'static str {
        "effects"
    }

    fn step(&mut self, event: &Event, scene: &Scene) -> Result<(), String> {
        match event {
            Event::Item { before, after, .. } => {
                if let Some(before) = before {
                    nothing_lost(before, after)?;
                }
                if after.version != before.map_or(0, |before| before.version) + 1 {
                    return Err(format!(
                        "{} went from {:?} to version {}",
                        after.name(),
                        before.map(|it| it.version),
                        after.version
                    ));
                }
                if let Some(sha256) = &after.sha256 {
                    let id = MediaId::of_bytes(&after.user, sha256);
                    if id != after.id {
                        return Err(format!("{} is item {} and should be {id}", after.name(), after.id));
                    }
                }
                is_there(scene, *before, after)
            }
            Event::Stored { at, bytes, before: Some(before) } if at.bucket == VAULT && bytes != before => {
                Err(format!("{} was written again with other bytes", at.key))
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, scene: &Scene, cured: bool) -> Result<(), String> {
        for upload in scene.truth.uploads.iter().filter(|upload| cured || !scene.truth.is_forbidden(upload)) {
            if scene.lies_there(upload) {
                return Err(format!("upload {} {:?} was taken in and lies there still", upload.key, upload.version));
            }
        }
        let mut known = BTreeSet::new();
        for media in scene.items.values() {
            known.extend(media.object.clone());
            let made = media.files().map(|file| file.key.clone());
            known.extend(made);
            known.insert(derivative_key(&media.user, &media.id, &Stage::Metadata.recipe(), "metadata.json"));
        }
        let failed = |media: &Media| media.ledger.values().any(|entry| entry.state == State::Failed);
        let unfinished: Vec<&str> = scene.items.values().filter(|it| failed(it)).map(|it| it.id.as_str()).collect();
        // A stage may have been at it while its item left: clean-up finds such files.
        let let_go = scene.truth.uploads.iter().filter(|upload| scene.truth.was_let_go(upload));
        let left: Vec<&str> = let_go.map(|upload| upload.media.as_str()).chain(unfinished).collect();
        for (bucket, key) in scene.world.objects.keys() {
            let of_unfinished = left.iter().any(|id| key.contains(id));
            let stray = !known.contains(key) && !of_unfinished;
            if bucket == VAULT && stray && (cured || key.starts_with("derivatives/")) {
                return Err(format!("{key} belongs to nothing"));
            }
        }
        Ok(())
    }
}

fn nothing_lost(before: &Media, after: &Media) -> Result<(), String> {
    let name = before.name();
    if before.facts.is_some() && own_facts(after) != own_facts(before) {
        return Err(format!("the facts of {name} were lost"));
    }
    if before.derivatives.is_some() && after.derivatives != before.derivatives {
        return Err(format!("the derivatives of {name} were lost"));
    }
    if let Some(upload) = before.uploads.iter().find(|upload| !after.uploads.contains(upload)) {
        return Err(format!("{name} forgot its upload {} {}", upload.key, upload.version));
    }
    if before.sha256 != after.sha256 || before.object != after.object {
        return Err(format!("{name} is other bytes now"));
    }
    Ok(())
}

/// What its own bytes say of it.
fn own_facts(media: &Media) -> Option<Facts> {
    media.facts.as_deref().map(|facts| Facts { title: None, ..facts.clone() })
}

/// What a stage says that it did is done when it says so.
fn is_there(scene: &Scene, before: Option<&Media>, after: &Media) -> Result<(), String> {
    let Some(upload) = scene.truth.of_media(&after.id).next() else { return Ok(()) };
    let newly = |stage: Stage| {
        let done = |media: &Media| media.ledger.get(&stage).is_some_and(|entry| entry.state == State::Done);
        done(after) && !before.is_some_and(done)
    };
    let stored = |key: &str| {
        let versions = scene.world.objects.get(&(VAULT.to_owned(), key.to_owned()));
        versions.and_then(|versions| versions.last()).map(|stored| stored.bytes.clone())
    };
    let name = after.name();
    if newly(Stage::Video) && after.video.as_ref().is_none_or(|video| video.duration_ms != upload.bytes.len() as u64) {
        return Err(format!("the video stage of {name} is done, and nothing is known of it"));
    }
    if newly(after.pictured_by()) {
        let wanted = rendered(&upload.bytes).files;
        let files = after.derivatives.as_ref().map(|made| made.files.as_slice()).unwrap_or_default();
        if files.len() != wanted.len() || upload.kind == FileKind::Unshowable {
            return Err(format!("the thumbnails of {name} are done, and {} files are known", files.len()));
        }
        for (file, wanted) in files.iter().zip(wanted) {
            if stored(&file.key).is_none_or(|bytes| bytes != wanted.bytes) {
                return Err(format!("the thumbnails of {name} are done, and {} is not there", file.key));
            }
        }
    }
    if newly(Stage::Metadata) {
        let key = derivative_key(&after.user, &after.id, &Stage::Metadata.recipe(), "metadata.json");
        if own_facts(after) != Some(read(&upload.bytes).facts) || stored(&key).is_none() {
            return Err(format!("the metadata of {name} is done, and is not there"));
        }
    }
    Ok(())
}
