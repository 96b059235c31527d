//! When a stage's turn comes: over tables of items as they were and as they are.

use super::*;
use crate::{Entry, Format, MediaId, Refusal, Sha256, Status, UtcMs};

pub(crate) fn media(format: Format, states: &[(Stage, State)]) -> Media {
    let user: crate::UserId = "owner".parse().unwrap();
    let sha256 = Sha256::from_digest([1; 32]);
    let id = MediaId::of_bytes(&user, &sha256);
    Media {
        sha256: Some(sha256),
        format: Some(format),
        size_bytes: 1,
        ledger: states.iter().map(|(stage, state)| (*stage, Entry { state: *state, ..Entry::pending(stage.recipe()) })).collect(),
        version: 1,
        ..Media::new(user, id, UtcMs(0))
    }
}

fn photo(validate: State, thumbnail: State, metadata: State, notify: State) -> Media {
    let mut states =
        vec![(Stage::Validate, validate), (Stage::Thumbnail, thumbnail), (Stage::Metadata, metadata), (Stage::Notify, notify)];
    // It has its place once it is described.
    states.extend((metadata == State::Done).then_some((Stage::Memories, State::Done)));
    media(Format::Jpeg, &states)
}

#[test]
fn every_stage_has_one_line_in_pipeline_order() {
    let stages: Vec<_> = STAGES.iter().map(|spec| spec.stage).collect();
    assert_eq!(
        stages,
        [Stage::Validate, Stage::Thumbnail, Stage::Metadata, Stage::Video, Stage::Memories, Stage::Tag, Stage::Notify]
    );
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
    assert_eq!(next_stages(Some(&before), &after), [Stage::Video, Stage::Memories]);
    let mut shown = after.clone();
    let done = Entry { state: State::Done, ..Entry::pending(Stage::Memories.recipe()) };
    shown.record(Stage::Memories, done, Some(crate::Facet::Placed(UtcMs(0))));
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
    ready.created.0 += 1;
    assert!(new.is_outdated(&ready), "the item left, and came again with the same name");
}

#[test]
fn another_time_asks_for_another_place() {
    use State::{Done, Pending};
    let facts = |local: &str| {
        let captured = Some(crate::Captured { local: local.into(), ..crate::Captured::default() });
        Some(crate::Facet::Facts(Box::new(crate::Facts { captured, ..crate::Facts::default() })))
    };
    let done = || Entry { state: Done, ..Entry::pending(Stage::Metadata.recipe()) };
    let mut first = photo(Done, Done, Pending, Pending);
    first.record(Stage::Metadata, done(), facts("2024-05-01T12:00:00"));
    assert_eq!(first.ledger[&Stage::Memories].asked, 0, "its first place is asked for once");
    let placed = Entry { state: Done, ..Entry::pending(Stage::Memories.recipe()) };
    first.record(Stage::Memories, placed, Some(crate::Facet::Placed(first.taken().at)));
    let mut same = first.clone();
    same.record(Stage::Metadata, done(), facts("2024-05-01T12:00:00"));
    assert_eq!(next_stages(Some(&first), &same), []);
    let mut other = first.clone();
    other.record(Stage::Metadata, done(), facts("2024-05-01T13:00:00"));
    assert_eq!(next_stages(Some(&first), &other), [Stage::Memories]);
    let mut moved = first.clone();
    assert!(moved.move_to(Some(other.taken())) && !moved.move_to(Some(other.taken())));
    assert_eq!(next_stages(Some(&first), &moved), [Stage::Memories]);
    assert_eq!((moved.taken(), moved.status()), (other.taken(), Status::Processing));
    assert!(moved.move_to(None) && moved.taken() == first.taken());
}

#[test]
fn a_stage_that_is_renewed_is_sent_whatever_became_of_it_unless_it_failed() {
    use State::{Done, Failed, Pending, Rejected, Running};
    for state in [Pending, Running, Done, Rejected] {
        let before = photo(Done, Done, state, Done);
        let mut after = before.clone();
        assert!(after.renew(Stage::Metadata));
        assert_eq!(next_stages(Some(&before), &after), [Stage::Metadata], "{state:?}");
        assert!(crate::Job::of(&before, Stage::Metadata).is_outdated(&after), "what is under way does not count");
    }
    assert!(!photo(Done, Done, Failed, Done).renew(Stage::Metadata));
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
    assert_eq!(item.ledger.values().map(|entry| entry.state).collect::<Vec<_>>(), [Done, Pending, Done, Done, Pending]);
    assert!(!item.retry(Stage::Thumbnail), "it is already asked for");
}
