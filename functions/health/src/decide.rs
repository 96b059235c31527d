//! What is wrong with what a walk came past, if anything. Pure and total.

use photovault_domain::{Media, Stage, State, UtcMs, open_stages};
use photovault_vault::DEFERRAL;
use serde::Serialize;

/// What was found and done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// An upload that nobody took in was sent to validate again.
    UploadSent,
    /// Bytes in the vault without an item were uploaded again.
    ItemRecovered,
    /// A removed original was brought back from an older version.
    OriginalBroughtBack,
    /// An item whose original is gone is failed now, with that reason.
    OriginalMissing,
    /// A derivative is gone: its stage is asked for again.
    DerivativesAskedFor,
    /// An item made no progress: its due stages were sent again.
    StagesSent,
    /// Another month has come: what waited for it is looked at.
    TagsAskedFor,
}

impl Repair {
    /// In plain words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::UploadSent => "uploads that nobody had taken in, sent to validate again",
            Self::ItemRecovered => "originals without an item, uploaded again",
            Self::OriginalBroughtBack => "removed originals, brought back from an older version",
            Self::OriginalMissing => "items whose original is gone: failed now",
            Self::DerivativesAskedFor => "items without their derivatives: asked for again",
            Self::StagesSent => "items without progress, their stages sent again",
            Self::TagsAskedFor => "items that waited for another month to be looked at",
        }
    }
}

/// How many times as long as another stage a video may take: its queue hides a message for 90 minutes.
pub const VIDEO_PATIENCE: u64 = 7;
/// The same of what waits for the worker, behind a video that may take six hours. What it has begun on shows progress.
const WORKER_PATIENCE: u64 = 28;

/// When the walk is made, and what counts as no progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Now.
    pub now: UtcMs,
    /// What has not changed for so long makes no progress, in milliseconds.
    pub stalled_ms: u64,
}

impl Moment {
    fn is_stalled(&self, since: UtcMs) -> bool {
        self.is_stalled_by(since, 1)
    }

    fn is_stalled_by(&self, since: UtcMs, patience: u64) -> bool {
        self.now.since(since) >= self.stalled_ms * patience
    }
}

/// What is there of an item's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Files {
    /// The original, or the refused bytes.
    pub original: bool,
    /// Every derivative that the item names.
    pub derivatives: bool,
}

/// What is to be done about an item that waited to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deferred {
    /// Nothing: it was looked at, or has gone.
    Over,
    /// Nothing yet: it is being looked at.
    UnderWay,
    /// It was asked for, and this month had no picture for it either.
    WaitsOn,
    /// It is asked for again.
    Due,
}

/// An item that waited; with `is_due`, another month has come since.
pub fn of_deferred(item: Option<&Media>, is_due: bool) -> Deferred {
    let entry = item.filter(|item| !item.is_put_away()).and_then(|item| item.ledger.get(&Stage::Tag));
    let Some(entry) = entry else { return Deferred::Over };
    let is_deferred = entry.reason.as_ref().is_some_and(|reason| reason.starts_with(DEFERRAL));
    match (entry.state.is_final(), is_deferred) {
        (false, _) => Deferred::UnderWay,
        (true, false) => Deferred::Over,
        (true, true) if is_due => Deferred::Due,
        (true, true) => Deferred::WaitsOn,
    }
}

/// An upload that waits since `uploaded`; with `given_up`, its failure is written down and its message kept for redrive.
pub fn of_upload(moment: Moment, uploaded: UtcMs, given_up: bool) -> Option<Repair> {
    (moment.is_stalled(uploaded) && !given_up).then_some(Repair::UploadSent)
}

/// Bytes that lie in the vault since `kept`. An item that was failed since they were missing is none.
pub fn of_bytes(moment: Moment, kept: UtcMs, item: Option<&Media>) -> Option<Repair> {
    let known = item.is_some_and(|item| validated(item) != Some(State::Failed));
    (moment.is_stalled(kept) && !known).then_some(Repair::ItemRecovered)
}

/// An item and its files; one that is still worked on is left to its stages, and one that is leaving to clean-up.
pub fn of_item(media: &Media, files: Files) -> Option<Repair> {
    if !media.is_settled() || media.leaving.is_some() || validated(media) == Some(State::Failed) {
        return None;
    }
    let pictured = media.ledger.get(&media.pictured_by()).is_some_and(|entry| entry.state == State::Done);
    match files {
        Files { original: false, .. } => Some(Repair::OriginalMissing),
        Files { derivatives: false, .. } if pictured => Some(Repair::DerivativesAskedFor),
        _ => None,
    }
}

/// An item on which work is left.
pub fn of_unsettled(moment: Moment, media: &Media) -> Option<Repair> {
    let open = open_stages(media);
    let patience = match &media.video {
        _ if !open.contains(&Stage::Video) => 1,
        Some(video) if video.work_s > 0 => WORKER_PATIENCE,
        _ => VIDEO_PATIENCE,
    };
    (moment.is_stalled_by(media.updated, patience) && !open.is_empty()).then_some(Repair::StagesSent)
}

fn validated(media: &Media) -> Option<State> {
    media.ledger.get(&Stage::Validate).map(|entry| entry.state)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use photovault_domain::{Entry, Format, MediaId, Sha256};

    use super::*;

    const MOMENT: Moment = Moment { now: UtcMs(1_000_000), stalled_ms: 900_000 };
    const STAGES: [Stage; 4] = [Stage::Validate, Stage::Thumbnail, Stage::Metadata, Stage::Notify];

    fn photo(states: [State; 4], updated: i64) -> Media {
        let (user, sha256) = ("ann".parse().unwrap(), Sha256::from_digest([1; 32]));
        let entry = |(stage, state): (Stage, State)| (stage, Entry { state, ..Entry::pending(stage.recipe()) });
        let id = MediaId::of_bytes(&user, &sha256);
        Media {
            sha256: Some(sha256),
            object: Some("originals/ann/…".into()),
            format: Some(Format::Jpeg),
            size_bytes: 1,
            updated: UtcMs(updated),
            ledger: STAGES.into_iter().zip(states).map(entry).collect::<BTreeMap<_, _>>(),
            version: 1,
            ..Media::new(user, id, UtcMs(0))
        }
    }

    #[test]
    fn what_is_young_is_under_way() {
        use State::{Done, Pending};
        for (at, stalled) in [(100_000, true), (100_001, false), (2_000_000, false)] {
            let (at, item) = (UtcMs(at), photo([Done, Pending, Done, Pending], at));
            assert_eq!(of_upload(MOMENT, at, false), stalled.then_some(Repair::UploadSent));
            assert_eq!(of_bytes(MOMENT, at, None), stalled.then_some(Repair::ItemRecovered));
            assert_eq!(of_unsettled(MOMENT, &item), stalled.then_some(Repair::StagesSent));
        }
    }

    #[test]
    fn what_is_told_of_is_left_alone() {
        use State::{Done, Failed, Rejected};
        let (ready, lost) = (photo([Done; 4], 0), photo([Failed, Done, Done, Done], 0));
        assert_eq!(of_upload(MOMENT, UtcMs(0), true), None);
        assert_eq!(of_bytes(MOMENT, UtcMs(0), Some(&ready)), None);
        assert_eq!(of_bytes(MOMENT, UtcMs(0), Some(&lost)), Some(Repair::ItemRecovered), "its bytes are back");
        assert_eq!(of_unsettled(MOMENT, &ready), None);
        assert_eq!(of_item(&lost, Files { original: false, derivatives: false }), None);
        let rejected = photo([Done, Rejected, Done, Done], 0);
        assert_eq!(of_item(&rejected, Files { original: true, derivatives: false }), None);
    }

    #[test]
    fn an_item_has_its_files() {
        use State::{Done, Pending};
        let (ready, busy) = (photo([Done; 4], 0), photo([Done, Pending, Done, Done], 0));
        for (item, original, derivatives, want) in [
            (&ready, true, true, None),
            (&ready, true, false, Some(Repair::DerivativesAskedFor)),
            (&ready, false, true, Some(Repair::OriginalMissing)),
            (&ready, false, false, Some(Repair::OriginalMissing)),
            (&busy, false, false, None),
        ] {
            assert_eq!(of_item(item, Files { original, derivatives }), want);
        }
    }
}
