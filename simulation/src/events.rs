//! What happens of itself: uploads and their announcements, the end of what causes failures, and the end of the faults.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use photovault_domain::UtcMs;
use photovault_sim::UPLOADS;
use photovault_vault::seams::ObjectAt;

use crate::{
    history::{History, Note},
    stand_ins::FileKind,
    workload::Upload,
};

/// Faults that happen in a history before it may come to rest.
pub(crate) const FAULTS: u32 = 20;
/// How often somebody uploads another file while there were fewer: about as often as messages come back, so that most
/// faults are met on their further ways, and histories stay small.
pub(crate) const MORE_MS: i64 = 240_000;

impl History {
    pub(crate) fn upload(&mut self, at: usize) {
        let Upload { key, kind, bytes, .. } = self.workload.uploads[at].clone();
        self.tell(|| format!("upload of {key}: {kind:?}"));
        let place = ObjectAt { bucket: UPLOADS.into(), key: key.clone(), version: None };
        let now = self.now();
        let version = {
            let mut world = self.simulation.world();
            world.now = UtcMs(now);
            if kind == FileKind::Forbidden && !self.cured.load(Ordering::Relaxed) {
                world.forbidden.insert((UPLOADS.into(), key.clone()));
            }
            world.store(&place, Bytes::from(bytes))
        };
        self.stored(at, version);
    }

    /// Somebody uploads again, under another name, what is in the trash.
    pub(crate) fn upload_again(&mut self) {
        let Some(media) = self.promises.items().find(|media| media.trashed.is_some()).cloned() else { return };
        let same = self.workload.uploads.iter().find(|upload| (&upload.media, &upload.user) == (&media.id, &media.user));
        let Some(Upload { key, kind, bytes, .. }) = same.cloned() else { return };
        let key = format!("{}.again.gif", key.trim_end_matches(".gif"));
        self.workload.uploads.push(Upload::new(self.now(), key, kind, bytes));
        self.upload(self.workload.uploads.len() - 1);
    }

    /// A function has uploaded: bytes that are in the vault already and have no item.
    pub(crate) fn recovered(&mut self, at: &ObjectAt, version: String, bytes: &Bytes) {
        if self.promises.truth.at(&at.key, &version).is_some() {
            return;
        }
        let same = self.workload.uploads.iter().find(|upload| upload.bytes == *bytes);
        let kind = same.map_or(FileKind::Good, |same| same.kind);
        self.workload.uploads.push(Upload::new(self.now(), at.key.clone(), kind, bytes.to_vec()));
        self.stored(self.workload.uploads.len() - 1, version);
    }

    /// The store announces an upload soon, or late, or twice.
    fn stored(&mut self, at: usize, version: String) {
        let upload = &mut self.workload.uploads[at];
        upload.version = Some(version);
        let (upload, now) = (upload.clone(), self.now());
        let key = upload.key.clone();
        self.promises.truth.uploads.push(upload);
        let late = self.random.per_mille(100);
        let twice = self.random.per_mille(100);
        let wait = self.random.below(if late { 60_000 } else { 500 }) as i64;
        self.at(now + wait, Note::Event(at));
        if self.simulation.scheduler().fault(twice, || format!("{key} is announced twice")) {
            let wait = self.random.below(60_000) as i64;
            self.at(now + wait, Note::Event(at));
        }
    }

    pub(crate) fn announce(&mut self, at: usize) {
        let upload = &self.workload.uploads[at];
        let body = serde_json::json!({"Records": [{
            "eventSource": "aws:s3", "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": UPLOADS}, "object": {"key": upload.key, "versionId": upload.version}}
        }]});
        self.send(0, body.to_string(), 0);
    }

    pub(crate) fn cure(&mut self) {
        self.tell(|| "the causes of failure are gone".into());
        self.cured.store(true, Ordering::Relaxed);
        self.simulation.world().forbidden.clear();
    }

    /// Lets the faults stop once there were enough.
    pub(crate) fn calm_down(&mut self) {
        let mut scheduler = self.simulation.scheduler();
        // Those that are left out count: a history that is made short stays the same history.
        if scheduler.faults_on && scheduler.met >= FAULTS && scheduler.now >= self.workload.calm {
            scheduler.tell(|| "the faults stop".into());
            scheduler.faults_on = false;
        }
    }

    /// Another upload, for as long as there were too few faults.
    pub(crate) fn more(&mut self) {
        let (now, met, faults_on) = {
            let scheduler = self.simulation.scheduler();
            (scheduler.now, scheduler.met, scheduler.faults_on)
        };
        if met < FAULTS {
            self.workload.more(now, MORE_MS as u64);
            let at = self.workload.uploads.len() - 1;
            self.at(self.workload.uploads[at].at, Note::Upload(at));
        }
        if faults_on {
            self.at(now + MORE_MS, Note::More);
        }
    }
}
