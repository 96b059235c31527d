//! The trash: what its owner put away, until clean-up lets it go.
//!
//! An item in the trash keeps its files and its ledger. It has no place in the timeline and stands in no list; its owner can restore it, and
//! so does the same file when it is uploaded again.

use crate::{Media, Stage, UtcMs};

impl Media {
    /// Whether it is in the trash or on its way out of the vault: in no list, no album and no memory.
    pub fn is_put_away(&self) -> bool {
        self.trashed.is_some() || self.leaving.is_some()
    }

    /// Puts it in the trash, out of the timeline. `false` if it is there, on its way out of the vault, or stands for an upload whose bytes
    /// the vault does not have.
    pub fn put_in_trash(&mut self, at: UtcMs) -> bool {
        if self.is_put_away() || self.sha256.is_none() {
            return false;
        }
        self.trashed = Some(at);
        self.placed = None;
        true
    }

    /// Takes it out of the trash, and asks for its place in the timeline. `false` if it is not there, or on its way out of the vault.
    pub fn restore(&mut self) -> bool {
        if self.leaving.is_some() || self.trashed.take().is_none() {
            return false;
        }
        if self.renew(Stage::Memories) {
            self.tell_again(Stage::Memories);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Entry, MediaId, Sha256, State, Status, next_stages};

    fn photo() -> Media {
        let (user, sha256) = ("ann".parse().unwrap(), Sha256::from_digest([1; 32]));
        let id = MediaId::of_bytes(&user, &sha256);
        let done = |stage: Stage| (stage, Entry { state: State::Done, ..Entry::pending(stage.recipe()) });
        let stages = [Stage::Validate, Stage::Thumbnail, Stage::Metadata, Stage::Memories, Stage::Notify];
        let ledger = stages.into_iter().map(done).collect::<BTreeMap<_, _>>();
        Media { sha256: Some(sha256), placed: Some(UtcMs(5)), ledger, ..Media::new(user, id, UtcMs(0)) }
    }

    #[test]
    fn what_was_put_away_comes_back_and_is_placed_anew() {
        let mut placeholder = Media { sha256: None, ..photo() };
        assert!(!placeholder.put_in_trash(UtcMs(9)), "it stands for an upload");
        let mut media = photo();
        assert!(!media.restore(), "it is not in the trash");
        assert!(media.put_in_trash(UtcMs(9)) && !media.put_in_trash(UtcMs(10)));
        assert_eq!((media.trashed, media.placed, media.status()), (Some(UtcMs(9)), None, Status::Ready));
        let trashed = media.clone();
        assert!(media.restore() && media.trashed.is_none());
        assert_eq!(next_stages(Some(&trashed), &media), [Stage::Memories]);
        assert_eq!(media.ledger[&Stage::Notify].state, State::Pending, "its new end is told");
    }

    #[test]
    fn what_is_leaving_stays_in_the_trash() {
        let mut media = Media { leaving: Some(UtcMs(9)), trashed: Some(UtcMs(1)), ..photo() };
        assert!(!media.restore() && !media.put_in_trash(UtcMs(10)));
        assert_eq!(media.trashed, Some(UtcMs(1)));
    }
}
