//! Timelines over the simulated fabric: what they come to in any order of changes, and what a change costs in a large library.

use std::collections::BTreeMap;

use photovault_domain::{
    Boundary, Captured, Edit, Entry, Facet, Facts, Format, Job, Media, MediaId, Placed, Point, Position, Sha256, Stage, State,
    Taken, UserId, UtcMs, local_of_seconds,
};
use photovault_insight::{
    bases::Presence,
    moments::{Edits, Shot, boundaries},
};
use photovault_lambda::Message;
use photovault_sim::{Fabric, Fault, Random};
use photovault_vault::{Change, Vault};

use super::{Saying, on_message, remove, say};

pub(crate) fn user() -> UserId {
    "ann".parse().unwrap()
}

pub(crate) fn id(number: u32) -> MediaId {
    MediaId::of_bytes(&user(), &sha256(number))
}

fn sha256(number: u32) -> Sha256 {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    Sha256::from_digest(digest)
}

fn facts(minutes: i64, place: Option<Point>) -> Facet {
    let captured = Captured { local: local_of_seconds(minutes * 60), ..Captured::default() };
    let position = place.map(|at| Position { latitude: at.latitude, longitude: at.longitude, ..Position::default() });
    Facet::Facts(Box::new(Facts { captured: Some(captured), position, ..Facts::default() }))
}

/// The stage `metadata` is done with the item, for the first time or again.
pub(crate) async fn describe(vault: &Vault, number: u32, minutes: i64, place: Option<Point>) {
    let done = |stage: Stage| Entry { state: State::Done, ..Entry::pending(stage.recipe()) };
    let new = || Media {
        sha256: Some(sha256(number)),
        format: Some(Format::Jpeg),
        size_bytes: 1,
        ledger: BTreeMap::from([(Stage::Validate, done(Stage::Validate)), (Stage::Thumbnail, done(Stage::Thumbnail))]),
        ..Media::new(user(), id(number), UtcMs(0))
    };
    let describe = |item: Option<Media>| {
        let mut media = item.unwrap_or_else(new);
        media.record(Stage::Metadata, done(Stage::Metadata), Some(facts(minutes, place)));
        Change::Put(media)
    };
    vault.catalog.change(&user(), &id(number), describe).await.unwrap();
}

/// Gives the stage the job that the item asks for, so many times.
pub(crate) async fn place(vault: &Vault, number: u32, times: u32) {
    let Some(media) = vault.catalog.media(&user(), &id(number)).await.unwrap() else { return };
    let body = serde_json::to_string(&Job::of(&media, Stage::Memories)).unwrap();
    for received in 1..=times {
        let message = Message {
            id: "m".into(),
            receipt: "r".into(),
            body: body.clone(),
            received,
            sent: UtcMs(0),
            queue_arn: "arn:aws:sqs:us-east-1:000000000000:photovault-memories.fifo".into(),
        };
        on_message(vault.clone(), message).await.unwrap();
    }
}

/// The timeline, which must be what a batch over all of it says.
async fn checked(vault: &Vault) -> Vec<Placed> {
    let (user, all) = (user(), u32::MAX >> 1);
    let items = vault.timelines.items(&user, None, all).await.unwrap().items;
    let shots: Vec<Shot> = items.iter().map(|placed| Shot::from(&placed.taken)).collect();
    let edits = Edits::of(vault.timelines.said(&user, UtcMs(i64::MAX - 1), all).await.unwrap());
    let stored: Vec<Option<Boundary>> = items.iter().map(|placed| placed.begins).collect();
    assert_eq!(stored, boundaries(&shots, &edits));
    let listed = vault.timelines.beginnings(&user, None, all).await.unwrap().items;
    let listed: Vec<_> = listed.into_iter().map(|beginning| (beginning.key(), beginning.why)).collect();
    let want: Vec<_> = items.iter().filter_map(|placed| Some((placed.key(), placed.begins?))).collect();
    assert_eq!(listed, want);
    assert_eq!(vault.timelines.presence(&user).await.unwrap(), Presence::of(&items));
    let media = vault.catalog.list(&user, "", None, all).await.unwrap().items;
    assert_eq!(media.len(), items.len());
    for item in media {
        assert!(items.iter().any(|placed| placed.media == item.id && Some(placed.taken.at) == item.placed), "{item:?}");
    }
    items
}

#[tokio::test]
async fn any_order_of_changes_comes_to_what_a_batch_finds() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let vault = Fabric::default().vault();
        for _ in 0..60 {
            let number = random.below(14) as u32;
            match random.below(10) {
                0 => remove(&vault, &user(), &id(number)).await.unwrap(),
                1 | 2 => {
                    let saying = random.one_of(&[Saying::Begins, Saying::Continues, Saying::Nothing]);
                    // Not of what is not there, and not of what nothing was taken before.
                    let _ = say(&vault, &user(), &id(number), saying).await;
                }
                _ => {
                    let far = random.per_mille(500);
                    let minutes = random.below(if far { 20_000 } else { 300 }) as i64 - 100;
                    let here = Point { latitude: 48.0, longitude: 8.0 };
                    let place_of = random.per_mille(700).then(|| here.moved_km(random.below(30) as f64, 0.0));
                    describe(&vault, number, minutes, place_of).await;
                    place(&vault, number, 1 + random.below(2) as u32).await;
                }
            }
            checked(&vault).await;
        }
    }
}

#[tokio::test]
async fn a_job_twice_is_as_once() {
    let run = async |times: u32| {
        let fabric = Fabric::default();
        let vault = fabric.vault();
        for number in 0..6 {
            describe(&vault, number, i64::from(number * 7 % 6) * 50, None).await;
            place(&vault, number, times).await;
        }
        checked(&vault).await
    };
    assert_eq!(run(1).await, run(3).await);
}

#[tokio::test]
async fn a_fault_at_any_call_leaves_a_whole_timeline() {
    for at in 0..12 {
        for fault in [Fault::Before, Fault::After] {
            let fabric = Fabric::default();
            let vault = fabric.vault();
            for number in 0..3 {
                describe(&vault, number, i64::from(number) * 60, None).await;
                place(&vault, number, 1).await;
            }
            describe(&vault, 1, 500, None).await;
            let media = vault.catalog.media(&user(), &id(1)).await.unwrap().unwrap();
            let body = serde_json::to_string(&Job::of(&media, Stage::Memories)).unwrap();
            let message = |received| Message {
                id: "m".into(),
                receipt: "r".into(),
                body: body.clone(),
                received,
                sent: UtcMs(0),
                queue_arn: String::new(),
            };
            fabric.world().faults = std::iter::repeat_n(None, at).chain([Some(fault)]).collect();
            let first = on_message(vault.clone(), message(1)).await;
            fabric.world().faults.clear();
            if first.is_err() {
                on_message(vault.clone(), message(2)).await.unwrap();
            }
            let items = checked(&vault).await;
            assert_eq!(
                items.iter().map(|placed| placed.taken.at.0 / 60_000).collect::<Vec<_>>(),
                [0, 120, 500],
                "{fault:?} at {at}"
            );
        }
    }
}

#[tokio::test]
async fn what_somebody_says_holds_for_those_who_come_late() {
    let vault = Fabric::default().vault();
    for (number, minutes) in [(0, 0), (1, 1000)] {
        describe(&vault, number, minutes, None).await;
        place(&vault, number, 1).await;
    }
    assert!(say(&vault, &user(), &id(0), Saying::Begins).await.is_err(), "nothing was taken before it");
    say(&vault, &user(), &id(1), Saying::Continues).await.unwrap();
    describe(&vault, 2, 500, None).await;
    place(&vault, 2, 1).await;
    let begins = |items: Vec<Placed>| items.into_iter().map(|placed| placed.begins).collect::<Vec<_>>();
    assert_eq!(begins(checked(&vault).await), [Some(Boundary::First), None, None]);
    say(&vault, &user(), &id(2), Saying::Begins).await.unwrap();
    assert_eq!(begins(checked(&vault).await), [Some(Boundary::First), Some(Boundary::Split), None]);
    let said = vault.timelines.said(&user(), UtcMs(i64::MAX - 1), 10).await.unwrap();
    assert_eq!(said.iter().filter(|edit| matches!(edit, Edit::Split(_))).count(), 1);
    say(&vault, &user(), &id(2), Saying::Nothing).await.unwrap();
    assert_eq!(begins(checked(&vault).await), [Some(Boundary::First), Some(Boundary::Time), None]);
}

#[tokio::test]
async fn a_user_can_say_when_something_was_taken() {
    let vault = Fabric::default().vault();
    for (number, minutes) in [(0, 0), (1, 1000)] {
        describe(&vault, number, minutes, None).await;
        place(&vault, number, 1).await;
    }
    let said = Taken { at: UtcMs(60_000), ..Taken::default() };
    let move_it = |item: Option<Media>| {
        let mut media = item.unwrap();
        assert!(media.move_to(Some(said)));
        Change::Put(media)
    };
    vault.catalog.change(&user(), &id(1), move_it).await.unwrap();
    place(&vault, 1, 1).await;
    let items = checked(&vault).await;
    assert_eq!(items.iter().map(|placed| placed.taken.at.0).collect::<Vec<_>>(), [0, 60_000]);
}

#[tokio::test]
async fn a_photo_costs_the_same_in_every_library() {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    let mut costs = Vec::new();
    for number in 0..10_000_u32 {
        // Any order: in between others, and behind them.
        describe(&vault, number, i64::from(number * 7919 % 10_007) * 20, None).await;
        let calls = fabric.world().calls;
        place(&vault, number, 1).await;
        // Without this test's own read of the item.
        costs.push(fabric.world().calls - calls - 1);
    }
    assert_eq!(costs[9], costs[9_999], "requests at 10 and at 10,000 photos");
    assert!(costs.iter().all(|cost| *cost == costs[0] && *cost <= 6), "{:?}", costs.iter().max());
}
