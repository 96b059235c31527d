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
    /// Raised when the stage's output changes for the same input and settings.
    pub algorithm: u32,
    /// The settings that its output depends on.
    pub settings: fn() -> String,
}

/// The pipeline.
pub const STAGES: &[StageSpec] = &[
    StageSpec { stage: Stage::Validate, applies: |_| true, needs: Needs::Upload, algorithm: 1, settings: String::new },
    StageSpec {
        stage: Stage::Thumbnail,
        applies: is_accepted_photo,
        needs: Needs::Done(&[Stage::Validate]),
        algorithm: 4,
        settings: table,
    },
    StageSpec {
        stage: Stage::Metadata,
        applies: is_accepted_photo,
        needs: Needs::Done(&[Stage::Validate]),
        algorithm: 3,
        settings: String::new,
    },
    StageSpec { stage: Stage::Video, applies: moves, needs: Needs::Done(&[Stage::Validate]), algorithm: 2, settings: table },
    StageSpec { stage: Stage::Notify, applies: |_| true, needs: Needs::Settled, algorithm: 1, settings: String::new },
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
mod tests {
    use super::*;
    use crate::{Entry, Format, MediaId, Refusal, Sha256, Status, UtcMs};

    fn media(format: Format, states: &[(Stage, State)]) -> Media {
        let user: crate::UserId = "owner".parse().unwrap();
        let sha256 = Sha256::from_digest([1; 32]);
        Media {
            id: MediaId::of_bytes(&user, &sha256),
            user,
            sha256: Some(sha256),
            object: None,
            format: Some(format),
            size_bytes: 1,
            width: None,
            height: None,
            uploads: vec![],
            refusal: None,
            scan: crate::Scan::Unscanned,
            created: UtcMs(0),
            updated: UtcMs(0),
            ledger: states
                .iter()
                .map(|(stage, state)| (*stage, Entry { state: *state, ..Entry::pending(stage.recipe()) }))
                .collect(),
            derivatives: None,
            look: None,
            facts: None,
            video: None,
            version: 1,
        }
    }

    fn photo(validate: State, thumbnail: State, metadata: State, notify: State) -> Media {
        media(
            Format::Jpeg,
            &[(Stage::Validate, validate), (Stage::Thumbnail, thumbnail), (Stage::Metadata, metadata), (Stage::Notify, notify)],
        )
    }

    #[test]
    fn every_stage_has_one_line_in_pipeline_order() {
        let stages: Vec<_> = STAGES.iter().map(|spec| spec.stage).collect();
        assert_eq!(stages, [Stage::Validate, Stage::Thumbnail, Stage::Metadata, Stage::Video, Stage::Notify]);
        for stage in stages {
            assert_eq!(Stage::from_name(stage.name()), Some(stage));
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.name());
        }
    }

    #[test]
    fn a_stage_is_sent_when_its_needs_become_met() {
        use State::{Done, Failed, Pending, Rejected, Running};
        let new = photo(Done, Pending, Pending, Pending);
        let one = photo(Done, Done, Pending, Pending);
        let both = photo(Done, Done, Done, Pending);
        let told = photo(Done, Done, Done, Done);
        let failed = photo(Done, Failed, Done, Done);
        let again = photo(Done, Pending, Done, Pending);
        let trying = photo(Done, Running, Done, Pending);
        let refused = media(Format::Jpeg, &[(Stage::Validate, Rejected), (Stage::Notify, Pending)]);
        let video = media(Format::Mp4, &[(Stage::Validate, Done), (Stage::Video, Pending), (Stage::Notify, Pending)]);
        let shown = media(Format::Mp4, &[(Stage::Validate, Done), (Stage::Video, Done), (Stage::Notify, Pending)]);
        for (before, after, want) in [
            (None, &new, vec![Stage::Thumbnail, Stage::Metadata]),
            (Some(&new), &new, vec![]),
            (Some(&new), &one, vec![]),
            (Some(&one), &both, vec![Stage::Notify]),
            (None, &both, vec![Stage::Notify]),
            (Some(&both), &told, vec![]),
            (Some(&failed), &again, vec![Stage::Thumbnail]),
            (Some(&again), &trying, vec![]),
            (Some(&trying), &both, vec![Stage::Notify]),
            (None, &refused, vec![Stage::Notify]),
            (None, &video, vec![Stage::Video]),
            (Some(&video), &shown, vec![Stage::Notify]),
        ] {
            assert_eq!(next_stages(before, after), want, "{:?} -> {:?}", before.map(|b| &b.ledger), after.ledger);
        }
    }

    #[test]
    fn a_photo_that_moves_is_for_video_once_that_is_known() {
        let before = photo(State::Done, State::Done, State::Pending, State::Pending);
        let mut after = before.clone();
        let motion = crate::Motion { at: 9, length: 99, source: "XMP MicroVideo".into(), still_at_us: None };
        let facts = crate::Facts { motion: Some(motion), ..crate::Facts::default() };
        let done = Entry { state: State::Done, ..Entry::pending(Stage::Metadata.recipe()) };
        after.record(Stage::Metadata, done, Some(crate::Facet::Facts(Box::new(facts))));
        assert_eq!(next_stages(Some(&before), &after), [Stage::Video]);
        let mut shown = after.clone();
        let done = Entry { state: State::Done, ..Entry::pending(Stage::Video.recipe()) };
        shown.record(Stage::Video, done, Some(crate::Facet::Video(Box::default())));
        assert_eq!((&shown.facts, &shown.derivatives), (&after.facts, &after.derivatives), "they are the still's");
        assert!(shown.video.is_some() && shown.status() == Status::Ready);
        assert_eq!(next_stages(Some(&after), &shown), [Stage::Notify]);
    }

    #[test]
    fn what_is_handed_on_is_another_job() {
        let states = [(Stage::Validate, State::Done), (Stage::Video, State::Pending), (Stage::Notify, State::Pending)];
        let before = media(Format::Mp4, &states);
        let mut after = before.clone();
        let facet =
            crate::VideoFacet { video: crate::Video { work_s: 700, ..crate::Video::default() }, ..crate::VideoFacet::default() };
        after.hand_on(Stage::Video, Some(crate::Facet::Video(Box::new(facet))), "it is long".into());
        assert_eq!(next_stages(Some(&before), &after), [Stage::Video]);
        let (old, new) = (crate::Job::of(&before, Stage::Video), crate::Job::of(&after, Stage::Video));
        assert!(old.is_outdated(&after) && !new.is_outdated(&after));
        assert_eq!((old.work_s, new.work_s), (0, 700));
        assert_eq!(after.ledger[&Stage::Video].reason.as_deref(), Some("it is long"));
    }

    #[test]
    fn another_asking_is_due_although_the_earlier_one_was() {
        use State::{Done, Failed, Pending};
        let failed = photo(Done, Failed, Done, Pending);
        let mut again = failed.clone();
        assert!(again.retry(Stage::Thumbnail));
        assert_eq!(next_stages(Some(&failed), &again), [Stage::Thumbnail]);
        let mut ready = again.clone();
        ready.record(Stage::Thumbnail, Entry { state: Done, ..Entry::pending(Stage::Thumbnail.recipe()) }, None);
        assert_eq!(ready.ledger[&Stage::Thumbnail].asked, 1, "a record does not answer for another asking");
        assert_eq!(next_stages(Some(&failed), &ready), [Stage::Notify], "even where the records between were folded into one");
        let (old, new) = (crate::Job::of(&failed, Stage::Notify), crate::Job::of(&ready, Stage::Notify));
        assert!(old.is_outdated(&ready) && !new.is_outdated(&ready) && !old.is_outdated(&failed));
    }

    #[test]
    fn a_stage_that_is_renewed_is_sent_whatever_became_of_it() {
        use State::{Done, Failed, Pending, Rejected, Running};
        for state in [Pending, Running, Done, Rejected, Failed] {
            let before = photo(Done, Done, state, Done);
            let mut after = before.clone();
            assert!(after.renew(Stage::Metadata));
            assert_eq!(next_stages(Some(&before), &after), [Stage::Metadata], "{state:?}");
            assert!(crate::Job::of(&before, Stage::Metadata).is_outdated(&after), "what is under way does not count");
        }
        let mut refused = media(Format::Jpeg, &[(Stage::Validate, Rejected), (Stage::Notify, Pending)]);
        assert!(!refused.renew(Stage::Metadata));
    }

    #[test]
    fn what_is_open_is_what_is_due_or_was_begun() {
        use State::{Done, Failed, Pending, Rejected, Running};
        for (item, want) in [
            (photo(Done, Pending, Pending, Pending), vec![Stage::Thumbnail, Stage::Metadata]),
            (photo(Done, Running, Done, Pending), vec![Stage::Thumbnail]),
            (photo(Done, Done, Done, Running), vec![Stage::Notify]),
            (photo(Done, Failed, Rejected, Pending), vec![Stage::Notify]),
            (photo(Done, Done, Done, Done), vec![]),
            (photo(Failed, Pending, Pending, Pending), vec![]),
        ] {
            assert_eq!(open_stages(&item), want, "{:?}", item.ledger);
        }
    }

    #[test]
    fn a_plan_holds_what_applies_and_keeps_what_is_there() {
        for (format, refusal, want) in [
            (Format::Heic, None, vec![Stage::Validate, Stage::Thumbnail, Stage::Metadata, Stage::Notify]),
            (Format::Mov, None, vec![Stage::Validate, Stage::Video, Stage::Notify]),
            (Format::Jpeg, Some(Refusal::Quarantined), vec![Stage::Validate, Stage::Notify]),
        ] {
            let mut item = media(format, &[(Stage::Validate, State::Done)]);
            item.refusal = refusal;
            item.plan();
            assert_eq!(item.ledger.keys().copied().collect::<Vec<_>>(), want);
            assert_eq!(item.ledger[&Stage::Validate].state, State::Done);
        }
    }

    #[test]
    fn an_item_has_one_end() {
        use State::{Done, Failed, Pending, Rejected, Running};
        for (item, want) in [
            (photo(Done, Pending, Done, Pending), Status::Processing),
            (photo(Done, Running, Done, Pending), Status::Processing),
            (photo(Done, Done, Done, Pending), Status::Ready),
            (photo(Done, Done, Done, Failed), Status::Ready),
            (photo(Done, Rejected, Done, Done), Status::Rejected),
            (photo(Done, Failed, Rejected, Pending), Status::Failed),
            (photo(Done, Failed, Pending, Pending), Status::Processing),
        ] {
            assert_eq!(item.status(), want, "{:?}", item.ledger);
        }
    }

    #[test]
    fn a_retry_asks_for_the_stage_and_for_the_telling() {
        use State::{Done, Failed, Pending};
        let mut item = photo(Done, Failed, Done, Done);
        assert_eq!(item.failed_stages(), [Stage::Thumbnail]);
        assert!(item.retry(Stage::Thumbnail));
        assert_eq!(item.ledger.values().map(|entry| entry.state).collect::<Vec<_>>(), [Done, Pending, Done, Pending]);
        assert!(!item.retry(Stage::Thumbnail), "it is already asked for");
    }
}
