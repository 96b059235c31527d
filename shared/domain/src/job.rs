//! What queues carry and what dead-letter queues leave behind.

use serde::{Deserialize, Serialize};

use crate::{Media, MediaId, Stage, UserId, UtcMs, ledger::is_zero};

/// One stage's work on one item: the body of a message in the stage's queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Whose item.
    pub user: UserId,
    /// Which item.
    pub media: MediaId,
    /// Which stage.
    pub stage: Stage,
    /// When the item was created: one that left the vault and came again has its old name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<UtcMs>,
    /// Which asking it answers: the ledger entry's `asked` when it was sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u32,
    /// Seconds of work that are reckoned, where something is known of it: which queue it goes through.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub work_s: u32,
}

impl Job {
    /// The work that `media` asks of `stage` now.
    pub fn of(media: &Media, stage: Stage) -> Self {
        let asked = media.ledger.get(&stage).map_or(0, |entry| entry.asked);
        let work_s = media.video.as_ref().filter(|_| stage == Stage::Video).map_or(0, |video| video.work_s);
        Self { user: media.user.clone(), media: media.id.clone(), stage, created: Some(media.created), asked, work_s }
    }

    /// Whether the stage was asked for again since this job was sent, or the item left and came again: another job is on its way.
    pub fn is_outdated(&self, media: &Media) -> bool {
        let of_an_earlier_item = self.created.is_some_and(|created| created != media.created);
        of_an_earlier_item || media.ledger.get(&self.stage).is_some_and(|entry| entry.asked > self.asked)
    }
}

/// Names a letter within its stage: derived from the message, so that a letter that comes twice is one.
pub type LetterId = String;

/// A message that ended in a stage's dead-letter queue, kept in the catalog until it is redriven or dropped.
///
/// A queue forgets after 14 days at most; the catalog does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// `<died in ms, 13 digits>#<message id>`.
    pub id: LetterId,
    /// The queue's stage: `validate`, `thumbnail`, … or `dispatch`.
    pub stage: String,
    /// Whose item, where it is known.
    pub user: Option<UserId>,
    /// Which item, where it is known.
    pub media: Option<MediaId>,
    /// What to call it: the upload's name or the item's.
    pub name: String,
    /// Why it died, in plain words.
    pub reason: String,
    /// The message as it was, to be sent again.
    pub body: String,
    /// How often it had been received.
    pub attempts: u32,
    /// When it was found in the dead-letter queue.
    pub died: UtcMs,
}
