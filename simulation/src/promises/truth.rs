//! What the simulation knows better than the vault: every upload, what it is, and what cannot succeed.

use std::collections::BTreeSet;

use photovault_domain::{Job, Media, MediaId, Stage};
use photovault_validate::created_uploads;

use crate::{stand_ins::FileKind, workload::Upload};

/// What is true.
#[derive(Default)]
pub(crate) struct Truth {
    /// Every upload so far, with its version.
    pub(crate) uploads: Vec<Upload>,
    /// Messages that nobody can read.
    pub(crate) garbage: BTreeSet<String>,
    /// Accounts of records of the stream whose every attempt met a fault.
    pub(crate) given_up: BTreeSet<String>,
    /// Uploads, by key and version, of items that left the vault out of the trash.
    pub(crate) let_go: BTreeSet<(String, String)>,
    /// Whether somebody's command met a fault: it may have asked again and left the letter, whose redrive finds so.
    pub(crate) interrupted: bool,
}

impl Truth {
    /// The uploads of an item's bytes.
    pub(crate) fn of_media(&self, media: &MediaId) -> impl Iterator<Item = &Upload> {
        self.uploads.iter().filter(move |upload| upload.media == *media)
    }

    /// Whether an item of these bytes left the vault: what was told and kept of it has the name of one that came later.
    pub(crate) fn has_left(&self, media: &MediaId) -> bool {
        self.of_media(media).any(|upload| self.was_let_go(upload))
    }

    /// The sidecars beside an upload.
    pub(crate) fn sidecars_of(&self, key: &str) -> impl Iterator<Item = &Upload> {
        let sidecars = self.uploads.iter().filter(|upload| upload.kind == FileKind::Sidecar);
        sidecars.filter(move |upload| upload.key.strip_suffix(".xmp") == Some(key))
    }

    /// Whether the metadata of an item may be asked for again without anybody's doing: what they are made of came later.
    pub(crate) fn is_reread(&self, item: &Media) -> bool {
        let mut uploads = self.of_media(&item.id);
        uploads.any(|upload| upload.key != item.uploads[0].key || self.sidecars_of(&upload.key).next().is_some())
    }

    /// The upload at a key's version.
    pub(crate) fn at(&self, key: &str, version: &str) -> Option<&Upload> {
        self.uploads.iter().find(|upload| upload.key == key && upload.version.as_deref() == Some(version))
    }

    /// Whether an upload became part of an item that left the vault.
    pub(crate) fn was_let_go(&self, upload: &Upload) -> bool {
        self.let_go.contains(&(upload.key.clone(), upload.version.clone().unwrap_or_default()))
    }

    /// Whether a stage cannot succeed on an item until the cause is gone.
    pub(crate) fn poisons(&self, media: &MediaId, stage: Stage) -> bool {
        self.of_media(media).any(|upload| upload.kind.poisons() == Some(stage.name()))
    }

    /// Whether an upload cannot be taken in until the cause is gone.
    pub(crate) fn is_forbidden(&self, upload: &Upload) -> bool {
        let forbids = |other: &Upload| other.kind == FileKind::Forbidden && other.key == upload.key;
        self.uploads.iter().any(forbids)
    }

    /// Whether a message of a queue cannot succeed until the cause is gone.
    pub(crate) fn is_poison(&self, queue: &str, body: &str) -> bool {
        if self.garbage.contains(body) || self.given_up.contains(body) {
            return true;
        }
        if queue == Stage::Validate.name() {
            let uploads = created_uploads(body).unwrap_or_default();
            return uploads.iter().any(|of| self.at(&of.key, &of.version).is_some_and(|upload| self.is_forbidden(upload)));
        }
        serde_json::from_str::<Job>(body).is_ok_and(|job| self.poisons(&job.media, job.stage))
    }
}
