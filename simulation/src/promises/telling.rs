//! Nothing is told before it is true, nor twice in the inbox; every end is told.

use std::collections::BTreeMap;

use photovault_domain::{Media, Stage, State, Status, UtcMs};
use photovault_vault::{Digest, window_of};

use super::{Event, Key, Promise, Scene};

/// An item's end, as it can be told.
type End = (Status, UtcMs);

#[derive(Default)]
pub(super) struct Telling {
    /// Every end that items have come to, by user and item.
    ends: BTreeMap<Key, Vec<End>>,
}

impl Promise for Telling {
    fn name(&self) -> &'static str {
        "telling"
    }

    fn step(&mut self, event: &Event, scene: &Scene) -> Result<(), String> {
        match event {
            Event::Item { before, after, .. } => {
                if let Some(end) = end_of(after).filter(|end| before.and_then(end_of) != Some(*end)) {
                    self.ends.entry(key_of(after)).or_default().push(end);
                }
                if tells(after) && !before.is_some_and(tells) {
                    told(after, scene)?;
                }
                Ok(())
            }
            Event::Digest { before, after } => {
                for (id, status) in &after.items {
                    if before.is_some_and(|before| before.items.get(id) == Some(status)) {
                        continue;
                    }
                    let key = (after.user.to_string(), id.to_string());
                    let true_once = self.ends.get(&key).is_some_and(|ends| ends.contains(&(*status, after.window)));
                    if !true_once {
                        return Err(format!(
                            "{id} is told as {status:?} in the digest of {}, and never ended so: {:?}",
                            after.window.0,
                            self.ends.get(&key)
                        ));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn at_rest(&mut self, scene: &Scene, _cured: bool) -> Result<(), String> {
        for media in scene.items.values() {
            told(media, scene)?;
            let ends = self.ends.get(&key_of(media)).map_or(0, Vec::len);
            let tellings = scene.digests.values().filter(|it| it.user == media.user && it.items.contains_key(&media.id)).count();
            if tellings > ends {
                return Err(format!("{} came to {ends} ends and was told of {tellings} times", media.name()));
            }
        }
        Ok(())
    }
}

fn key_of(media: &Media) -> Key {
    (media.user.to_string(), media.id.to_string())
}

fn end_of(media: &Media) -> Option<End> {
    let status = media.status();
    (status != Status::Processing).then(|| (status, window_of(media.ended().unwrap_or(media.updated))))
}

fn tells(media: &Media) -> bool {
    media.ledger.get(&Stage::Notify).is_some_and(|entry| entry.state == State::Done)
}

/// The item's end stands in the digest of its window.
fn told(media: &Media, scene: &Scene) -> Result<(), String> {
    // What came late is read without a word to anybody: the end that was told before it holds.
    let is_told_earlier = |as_status: Option<Status>| {
        let mut digests = scene.digests.values().filter(|digest| digest.user == media.user);
        let says =
            |digest: &Digest| digest.items.get(&media.id).is_some_and(|said| as_status.is_none_or(|status| *said == status));
        scene.truth.is_reread(media) && digests.any(says)
    };
    let Some((status, window)) = end_of(media) else {
        let well = is_told_earlier(None);
        return if well { Ok(()) } else { Err(format!("{} was told of before it ended", media.name())) };
    };
    let digest = scene.digests.values().find(|digest| digest.user == media.user && digest.window == window);
    let said = digest.and_then(|digest| digest.items.get(&media.id));
    // Of an item that left and came again within one window, the digest may have the earlier end.
    let earlier = said.is_some() && scene.truth.has_left(&media.id);
    if said == Some(&status) || earlier || is_told_earlier(Some(status)) {
        return Ok(());
    }
    Err(format!("{} ended as {status:?}, and its digest says {said:?}", media.name()))
}
