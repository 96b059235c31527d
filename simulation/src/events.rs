//! What happens of itself: uploads and their announcements, the end of what causes failures, and the end of the faults.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use photovault_domain::UtcMs;
use photovault_sim::UPLOADS;
use photovault_vault::seams::ObjectAt;

use crate::{
    history::{History, Note},
    stand_ins::FileKind,
    workload::{MAX_UPLOADS, Upload},
};

/// Faults that a history has before it may come to rest.
const FAULTS: u32 = 20;
/// How often it is looked whether they are there.
pub(crate) const LOOK_MS: i64 = 15_000;

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
        self.workload.uploads[at].version = Some(version);
        self.promises.truth.uploads.push(self.workload.uploads[at].clone());
        // The store announces it soon, or late, or twice.
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
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "p"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {},
            "s3": {"bucket": {"name": UPLOADS}, "object": {"key": upload.key, "versionId": upload.version}}
        }]});
        self.send(0, body.to_string(), 0);
    }

    pub(crate) fn cure(&mut self) {
        self.tell(|| "the causes of failure are gone".into());
        self.cured.store(true, Ordering::Relaxed);
        self.simulation.world().forbidden.clear();
    }

    /// Lets the faults stop once there were enough; until then, uploads go on.
    pub(crate) fn look(&mut self) {
        // Those that are left out count: a history that is made short stays the same history.
        let (now, faults) = {
            let scheduler = self.simulation.scheduler();
            (scheduler.now, scheduler.drawn)
        };
        let enough = faults >= FAULTS || self.workload.uploads.len() >= MAX_UPLOADS;
        if enough && now >= self.workload.calm {
            self.tell(|| "the faults stop".into());
            self.simulation.scheduler().faults_on = false;
            return;
        }
        if !enough {
            self.workload.more(now, LOOK_MS as u64);
            let at = self.workload.uploads.len() - 1;
            self.at(self.workload.uploads[at].at, Note::Upload(at));
        }
        self.at(now + LOOK_MS, Note::Look);
    }
}
