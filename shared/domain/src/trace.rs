//! One photo's way as one trace: ids that follow from the photo, so that neither items nor messages have to carry them.
//!
//! Who sends a job, who works on it and who reads about it in the catalog know the item, and so come to the same ids, in whatever order things
//! happen. A job that is delivered twice is the same span twice.

use std::fmt;

use sha2::Digest as _;

use crate::{Media, MediaId, Stage};

/// The trace of an item: 16 bytes, as W3C Trace Context has them.
///
/// The first four are seconds since 1970, which X-Ray asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

/// A piece of work in a trace: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// The whole way of an item, from its upload on: when it came, and its id.
    pub fn of(media: &Media) -> Self {
        let seconds = u32::try_from(media.created.0 / 1000).unwrap_or(0);
        let mut id = [0; 16];
        id[..4].copy_from_slice(&seconds.to_be_bytes());
        id[4..].copy_from_slice(&digest(&["trace", media.id.as_str()])[..12]);
        Self(id)
    }
}

impl SpanId {
    /// What a stage did for one asking, as it ended.
    pub fn of_work(media: &MediaId, stage: Stage, asked: u32) -> Self {
        Self::derive(&["work", media.as_str(), stage.name(), &asked.to_string()])
    }

    /// An attempt at it that failed.
    pub fn of_failure(media: &MediaId, stage: Stage, asked: u32, attempt: u32) -> Self {
        Self::derive(&["failure", media.as_str(), stage.name(), &asked.to_string(), &attempt.to_string()])
    }

    /// The sending of the job that asks for it.
    pub fn of_sending(media: &MediaId, stage: Stage, asked: u32) -> Self {
        Self::derive(&["sending", media.as_str(), stage.name(), &asked.to_string()])
    }

    /// The arrival of bytes that the vault had: the item's first upload is its trace's root.
    pub fn of_arrival(media: &MediaId, version: &str) -> Self {
        Self::derive(&["arrival", media.as_str(), version])
    }

    fn derive(parts: &[&str]) -> Self {
        let mut id = [0; 8];
        id.copy_from_slice(&digest(parts)[..8]);
        Self(id)
    }
}

/// Which work led to the change from `before` to `after`: the last that ended in it, with its asking.
pub fn cause(before: Option<&Media>, after: &Media) -> Option<(Stage, u32)> {
    let was = |stage: &Stage| before.and_then(|before| before.ledger.get(stage));
    let ended = after.ledger.iter().filter(|(stage, entry)| entry.state.is_final() && was(stage) != Some(*entry));
    ended.max_by_key(|(_, entry)| entry.finished).map(|(stage, entry)| (*stage, entry.asked))
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Sha256, State, UtcMs};

    fn item() -> Media {
        let user = "ann".parse().unwrap();
        let id = MediaId::of_bytes(&user, &Sha256::from_digest([1; 32]));
        Media::new(user, id, UtcMs(1_800_000_000_000))
    }

    #[test]
    fn ids_follow_from_the_item_and_begin_with_when_it_came() {
        let (trace, id) = (TraceId::of(&item()).to_string(), item().id);
        assert_eq!((trace.len(), &trace[..8]), (32, "6b49d200"));
        let spans = [
            SpanId::of_work(&id, Stage::Thumbnail, 0),
            SpanId::of_work(&id, Stage::Thumbnail, 1),
            SpanId::of_work(&id, Stage::Metadata, 0),
            SpanId::of_sending(&id, Stage::Thumbnail, 0),
            SpanId::of_failure(&id, Stage::Thumbnail, 0, 1),
            SpanId::of_arrival(&id, "v2"),
        ];
        for (number, span) in spans.iter().enumerate() {
            assert_eq!(spans.iter().position(|other| other == span), Some(number));
        }
        assert_eq!(spans[0].to_string().len(), 16);
    }

    #[test]
    fn what_ended_last_in_a_change_is_its_cause() {
        let ended = |at: i64, asked: u32| Entry {
            state: State::Done,
            finished: Some(UtcMs(at)),
            asked,
            ..Entry::pending(Stage::Thumbnail.recipe())
        };
        let mut before = item();
        before.ledger = [(Stage::Validate, ended(1, 0)), (Stage::Thumbnail, ended(9, 0))].into();
        assert_eq!(cause(Some(&before), &before), None);
        assert_eq!(cause(None, &before), Some((Stage::Thumbnail, 0)));
        let mut after = before.clone();
        after.ledger.insert(Stage::Metadata, ended(5, 2));
        after.ledger.insert(Stage::Memories, Entry::pending(Stage::Memories.recipe()));
        assert_eq!(cause(Some(&before), &after), Some((Stage::Metadata, 2)));
    }
}
