//! The whole pipeline on one page: which stages there are, what each applies to, what it needs, and what its recipe is.
//!
//! `dispatch` runs [`next_stages`] over it, `validate` plans an item's ledger from it, and a test compares it with
//! `template.yaml` in both directions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Kind, Media, State, derivatives::table};

/// A stage of the pipeline, in pipeline order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Takes an upload in or refuses it.
    Validate,
    /// Makes the derivatives that screens show.
    Thumbnail,
    /// Reads what the file says of itself.
    Metadata,
    /// Looks into a video and makes what shows it.
    Video,
    /// Places it in its user's timeline.
    Memories,
    /// Asks a recogniser what is to be seen.
    Tag,
    /// Tells the owner.
    Notify,
}

/// When a stage's turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// An upload: the object store's event starts it, not the dispatcher.
    Upload,
    /// These stages done.
    Done(&'static [Stage]),
    /// Every other stage ended, well or not.
    Settled,
}

/// One line of the pipeline table.
#[derive(Debug)]
pub struct StageSpec {
    /// Which stage.
    pub stage: Stage,
    /// Which items it works on.
    pub applies: fn(&Media) -> bool,
    /// What must have happened before.
    pub needs: Needs,
    /// Whether jobs of one user are worked on one after the other.
    pub in_order: bool,
    /// Raised when the stage's output changes for the same input and settings.
    pub algorithm: u32,
    /// The settings that its output depends on.
    pub settings: fn() -> String,
}

/// The pipeline.
pub const STAGES: &[StageSpec] = &[
    StageSpec {
        stage: Stage::Validate,
        applies: |_| true,
        needs: Needs::Upload,
        in_order: false,
        algorithm: 1,
        settings: String::new,
    },
    StageSpec {
        stage: Stage::Thumbnail,
        applies: is_accepted_photo,
        needs: Needs::Done(&[Stage::Validate]),
        in_order: false,
        algorithm: 4,
        settings: table,
    },
    StageSpec {
        stage: Stage::Metadata,
        applies: is_accepted_photo,
        needs: Needs::Done(&[Stage::Validate]),
        in_order: false,
        algorithm: 3,
        settings: String::new,
    },
    StageSpec {
        stage: Stage::Video,
        applies: moves,
        needs: Needs::Done(&[Stage::Validate]),
        in_order: false,
        algorithm: 3,
        settings: table,
    },
    StageSpec {
        stage: Stage::Memories,
        applies: is_described,
        needs: Needs::Done(&[Stage::Validate]),
        in_order: true,
        algorithm: 1,
        settings: String::new,
    },
    StageSpec {
        stage: Stage::Tag,
        // Asked for on the item by who completes it, and only in a vault that has a recogniser: `Media::wish_for_tags`.
        applies: |_| false,
        needs: Needs::Done(&[Stage::Validate]),
        in_order: true,
        algorithm: 1,
        settings: String::new,
    },
    StageSpec {
        stage: Stage::Notify,
        applies: |_| true,
        needs: Needs::Settled,
        in_order: false,
        algorithm: 1,
        settings: String::new,
    },
];

/// The stages whose needs are met now and were not before: what to send when an item went from `before` to `after`.
///
/// Both images come from the same change. Reading the item again instead would see a later version, find its needs
/// met in both, and lose the stage.
pub fn next_stages(before: Option<&Media>, after: &Media) -> Vec<Stage> {
    let newly = |spec: &&StageSpec| {
        let asking = due(spec, after);
        asking.is_some() && asking != before.and_then(|before| due(spec, before))
    };
    STAGES.iter().filter(newly).map(|spec| spec.stage).collect()
}

/// The stages whose turn has come and that have not ended: what to send again where nobody knows what became of the jobs.
pub fn open_stages(media: &Media) -> Vec<Stage> {
    let open = |spec: &&StageSpec| needs_met(spec, media) && state(media, spec.stage).is_some_and(|state| !state.is_final());
    STAGES.iter().filter(open).map(|spec| spec.stage).collect()
}

/// Which asking of the stage is due, if its turn has come.
fn due(spec: &StageSpec, media: &Media) -> Option<u32> {
    let entry = media.ledger.get(&spec.stage).filter(|entry| entry.state == State::Pending)?;
    needs_met(spec, media).then_some(entry.asked)
}

fn needs_met(spec: &StageSpec, media: &Media) -> bool {
    match spec.needs {
        Needs::Upload => false,
        Needs::Done(stages) => stages.iter().all(|stage| state(media, *stage) == Some(State::Done)),
        Needs::Settled => media.status() != crate::Status::Processing,
    }
}

fn state(media: &Media, stage: Stage) -> Option<State> {
    media.ledger.get(&stage).map(|entry| entry.state)
}

fn is_accepted_photo(media: &Media) -> bool {
    media.refusal.is_none() && media.kind() == Some(Kind::Photo)
}

/// What was read: before that nobody knows when and where it was taken.
fn is_described(media: &Media) -> bool {
    media.refusal.is_none() && state(media, media.described_by()) == Some(State::Done)
}

/// A video, or a photo in which `metadata` found one.
fn moves(media: &Media) -> bool {
    let is_motion_photo = media.facts.as_ref().is_some_and(|facts| facts.motion.is_some());
    media.refusal.is_none() && (media.kind() == Some(Kind::Video) || is_motion_photo)
}

impl Stage {
    /// The stage's name: of its folder, its queue and its ledger entry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Thumbnail => "thumbnail",
            Self::Metadata => "metadata",
            Self::Video => "video",
            Self::Memories => "memories",
            Self::Tag => "tag",
            Self::Notify => "notify",
        }
    }

    /// The stage of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        STAGES.iter().map(|spec| spec.stage).find(|stage| stage.name() == name)
    }

    /// Its line in the table.
    pub fn spec(self) -> &'static StageSpec {
        STAGES.iter().find(|spec| spec.stage == self).expect("every stage has a line; a test holds it")
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
pub(crate) mod tests;
