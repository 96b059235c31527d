//! Not more pictures are paid for than was agreed, each is counted before it is paid for, and none once it was seen; what was seen is what
//! the item says.

use std::collections::BTreeMap;

use photovault_domain::{Media, Recognise, Recognising, Sought, Stage, State, Tags};
use photovault_sim::{MODEL, faces_in, labels_in, moderation_in, text_in};

use super::{Event, Promise, Scene};
use crate::stand_ins::rendered;

/// How long an attempt may go on that began before somebody else kept what was seen: the function's time-out, and a slow call.
const ATTEMPT_MS: i64 = 90_000;

pub(super) struct Recognition {
    recognising: Recognising,
    looked: u64,
    /// When it was kept what a look saw in bytes, by their hash.
    kept: BTreeMap<(String, &'static str), i64>,
}

impl Recognition {
    pub(super) fn new(recognising: Recognising) -> Self {
        Self { recognising, looked: 0, kept: BTreeMap::new() }
    }

    fn is_counted(&mut self, key: &str, look: &str, scene: &Scene) -> Result<(), String> {
        self.looked += 1;
        if self.looked > u64::from(self.recognising.monthly_images) {
            return Err(format!("{} pictures were paid for of {}", self.looked, self.recognising.monthly_images));
        }
        let counts = scene.world.rows.iter().filter(|((pk, _), _)| pk == "R#count");
        let counted: u64 = counts.filter_map(|(_, row)| row.get("images")?.as_u64()).sum();
        if counted < self.looked {
            return Err(format!("{} pictures were paid for and {counted} are counted", self.looked));
        }
        let of_key = scene.truth.uploads.iter().find(|upload| key.contains(upload.media.as_str()));
        let is_it =
            |(sha256, seen): &(String, &str)| of_key.is_some_and(|upload| upload.sha256.as_str() == sha256) && *seen == look;
        match self.kept.iter().find(|(kept, _)| is_it(kept)) {
            Some((_, kept)) if scene.world.now.0 - kept > ATTEMPT_MS => Err(format!("{look} of {key} were paid for again")),
            _ => Ok(()),
        }
    }

    fn is_kept(&mut self, sha256: &str, tags: &Tags, scene: &Scene) {
        let looks = [
            ("labels", !tags.model.is_empty()),
            ("faces", tags.faces.is_some()),
            ("text", tags.text.is_some()),
            ("moderation", tags.moderation.is_some()),
        ];
        for (look, _) in looks.into_iter().filter(|(_, is_known)| *is_known) {
            self.kept.entry((sha256.to_owned(), look)).or_insert(scene.world.now.0);
        }
    }

    /// What all looks together see in a picture.
    fn seen_in(&self, bytes: &[u8]) -> Tags {
        let Sought { what, text, moderation } = self.recognising.sought;
        let mut seen = Tags::default();
        if what != Recognise::Off {
            (seen.labels, seen.model) = (labels_in(bytes), MODEL.to_owned());
        }
        seen.faces = (what.finds_faces() && seen.labels.len() > 1).then(|| faces_in(bytes));
        seen.moderation = moderation.then(|| moderation_in(bytes));
        seen.text = text.then(|| text_in(bytes));
        seen
    }

    /// An item that is done says what is to be seen, or why not.
    fn is_seen(&self, media: &Media, scene: &Scene) -> Result<(), String> {
        let Some(upload) = scene.truth.of_media(&media.id).next() else { return Ok(()) };
        let files = rendered(&upload.bytes).files;
        let Some(largest) = files.last() else { return Err(format!("{} has no picture", media.name())) };
        let bytes = &largest.bytes;
        let reason = media.ledger[&Stage::Tag].reason.as_deref();
        let is_deferred = reason.is_some_and(|reason| reason.starts_with("deferred"));
        let want = self.seen_in(bytes);
        let said = media.tags.as_ref().map_or(is_deferred, |tags| {
            let mut tags = unmarked(tags);
            if is_deferred {
                // What one look saw may wait for another, or faces for being told whose they are.
                tags.learn(want.clone());
            }
            tags == want
        });
        let kept = format!("R#{}", upload.sha256);
        if media.tags.is_some() && !scene.world.rows.keys().any(|(pk, _)| *pk == kept) {
            return Err(format!("what was paid for of {} is not kept", media.name()));
        }
        if said { Ok(()) } else { Err(format!("the tags of {} are {:?} ({reason:?})", media.name(), media.tags)) }
    }
}

/// Without the marks that a recogniser gave the faces.
fn unmarked(tags: &Tags) -> Tags {
    let mut tags = tags.clone();
    tags.faces.iter_mut().flatten().for_each(|face| face.id = None);
    tags
}

impl Promise for Recognition {
    fn name(&self) -> &'static str {
        "recognition"
    }

    fn step(&mut self, event: &Event, scene: &Scene) -> Result<(), String> {
        match event {
            Event::Recognised { key, look } => self.is_counted(key, look, scene),
            Event::Kept { sha256, tags } => {
                self.is_kept(sha256, tags, scene);
                Ok(())
            }
            Event::Item { before, after, .. } => {
                let done = |media: &Media| media.ledger.get(&Stage::Tag).is_some_and(|entry| entry.state == State::Done);
                if before.is_some_and(|before| before.tags.is_some() && before.tags != after.tags) {
                    return Err(format!("the tags of {} were lost", after.name()));
                }
                if done(after) && !before.is_some_and(done) { self.is_seen(after, scene) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, scene: &Scene, _cured: bool) -> Result<(), String> {
        let is_on = self.recognising.sought.is_anything();
        for media in scene.items.values() {
            let is_whole = media.derivatives.is_some() && media.placed.is_some();
            let is_asked = media.ledger.contains_key(&Stage::Tag);
            // What was put in the trash has no place any more.
            if is_asked != (is_on && (is_whole || is_asked)) {
                return Err(format!("{} is whole: {is_whole}, and is asked about: {is_asked}", media.name()));
            }
        }
        Ok(())
    }
}
