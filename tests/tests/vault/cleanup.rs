//! The trash and clean-up over the simulated fabric: what goes, when, and that nothing else does.

use std::{collections::BTreeSet, time::Duration};

use photovault_cleanup::{Report, Request, clean};
use photovault_domain::{DAY_MS, Media, Status, UserId, derivative_prefix, kept_bytes};
use photovault_memories::{put_in_trash, restore};
use photovault_sim::{Fault, Random, UPLOADS, VAULT};
use photovault_vault::{Deed, seams::ObjectAt};

use crate::{chain::Chain, figures::told, fixtures};

const FOR_EVER: Duration = Duration::MAX;
/// Random libraries, and what happens to each.
const LIBRARIES: u64 = 60;
const EVENTS: u32 = 40;
/// Different photos of a library: few, so that the same ones come again.
const PHOTOS: u64 = 8;

fn ann() -> UserId {
    "ann".parse().unwrap()
}

fn days_later(chain: &Chain, days: i64) {
    chain.fabric.world().now.0 += days * DAY_MS;
}

async fn cleaned(chain: &Chain) -> Report {
    clean(&chain.vault, &Request { all: true, ..Request::default() }, FOR_EVER).await.unwrap()
}

async fn upload(chain: &mut Chain, name: &str, number: u32) {
    chain.upload(&format!("users/ann/{name}"), &fixtures::jpeg(24, 16, number)).await;
    chain.run().await;
}

async fn timeline(chain: &Chain) -> Vec<String> {
    let places = chain.vault.timelines.items(&ann(), None, 1000).await.unwrap().items;
    places.into_iter().map(|placed| placed.media.to_string()).collect()
}

#[tokio::test]
async fn what_is_in_the_trash_leaves_the_timeline_and_comes_back() {
    let mut chain = Chain::new(1);
    for number in 0..3 {
        upload(&mut chain, &format!("{number}.jpg"), number).await;
    }
    let whole = timeline(&chain).await;
    let id = chain.items()["1.jpg"].id.clone();
    assert!(put_in_trash(&chain.vault, &ann(), &id).await.unwrap());
    assert!(!put_in_trash(&chain.vault, &ann(), &id).await.unwrap(), "it is there already");
    assert_eq!(timeline(&chain).await.len(), 2);
    assert!(restore(&chain.vault, &ann(), &id).await.unwrap());
    chain.run().await;
    assert_eq!(timeline(&chain).await, whole);

    // Uploaded again under another name, and delivered again under the old one.
    put_in_trash(&chain.vault, &ann(), &id).await.unwrap();
    let first = chain.items()["1.jpg"].uploads[0].clone();
    chain.announce(&first.key, &first.version);
    chain.run().await;
    assert!(chain.items()["1.jpg"].trashed.is_some(), "an old event is no new upload");
    upload(&mut chain, "again.jpg", 1).await;
    let item = chain.items().remove("again.jpg").unwrap();
    assert_eq!((item.trashed, item.status(), item.uploads.len()), (None, Status::Ready, 2));
    assert_eq!(timeline(&chain).await, whole);
}

#[tokio::test]
async fn trash_goes_past_its_time_with_everything_of_it_and_nothing_else() {
    let mut chain = Chain::new(1);
    for number in 0..3 {
        upload(&mut chain, &format!("{number}.jpg"), number).await;
    }
    chain.upload("users/ann/words.txt", b"words").await;
    chain.run().await;
    let item = chain.items().remove("1.jpg").unwrap();
    put_in_trash(&chain.vault, &ann(), &item.id).await.unwrap();
    days_later(&chain, 29);
    assert_eq!(cleaned(&chain).await.removed.len(), 0, "a day too early");
    days_later(&chain, 2);
    let before = chain.fabric.world().snapshot();
    let dry = clean(&chain.vault, &Request { all: true, dry_run: true, ..Request::default() }, FOR_EVER).await.unwrap();
    assert_eq!(chain.fabric.world().snapshot(), before, "a dry run removes nothing");
    let report = cleaned(&chain).await;
    assert_eq!((&report.removed, report.complete), (&dry.removed, dry.complete));
    assert_eq!(Vec::from_iter(report.removed), [(Deed::TrashEmptied, 1), (Deed::QuarantineEmptied, 1)]);
    let gone: BTreeSet<String> =
        before.keys().filter(|key| !chain.fabric.world().snapshot().contains_key(*key)).cloned().collect();
    let original = item.object.clone().unwrap();
    let of_item = |key: &String| key.ends_with(&original) || key.contains(&derivative_prefix(&item.user, &item.id));
    let (own, other): (Vec<&String>, Vec<&String>) = gone.iter().partition(|key| of_item(key));
    assert_eq!((own.len(), other.len()), (1 + item.files().count(), 1), "its original, its pictures, and the words: {gone:?}");
    assert_eq!(chain.items().into_keys().collect::<Vec<_>>(), ["0.jpg", "2.jpg"]);

    let log = chain.vault.audit.latest(10).await.unwrap();
    let lines: Vec<_> = log.iter().map(|entry| (entry.deed, entry.name.as_str(), entry.by.as_str())).collect();
    assert_eq!(lines, [(Deed::QuarantineEmptied, "words.txt", "cleanup"), (Deed::TrashEmptied, "1.jpg", "cleanup")]);
    assert_eq!(cleaned(&chain).await.removed.len(), 0, "what is gone is gone once");
    // The same photo again is a new one.
    upload(&mut chain, "1.jpg", 1).await;
    assert_eq!(chain.items()["1.jpg"].status(), Status::Ready);
}

#[tokio::test]
async fn derivatives_of_old_recipes_go_and_orphans_at_second_sight() {
    let mut chain = Chain::new(1);
    upload(&mut chain, "0.jpg", 0).await;
    let item = chain.rows().remove(0);
    let keys = [
        format!("derivatives/ann/{}/000000000000/small.jpg", item.id),
        format!("derivatives/ann/{}/000000000000/small.jpg", "0".repeat(32)),
    ];
    for key in &keys {
        let at = ObjectAt { bucket: VAULT.into(), key: key.clone(), version: None };
        chain.fabric.world().store(&at, "old".into());
    }
    assert_eq!(cleaned(&chain).await.suspected, 0, "too young");
    days_later(&chain, 1);
    let report = cleaned(&chain).await;
    assert_eq!((report.removed.into_iter().collect::<Vec<_>>(), report.suspected), (vec![(Deed::StaleDerivativesRemoved, 1)], 1));
    assert_eq!((cleaned(&chain).await.removed.len(), cleaned(&chain).await.suspected), (0, 1), "the same day");
    days_later(&chain, 1);
    assert_eq!(Vec::from_iter(cleaned(&chain).await.removed), [(Deed::OrphansRemoved, 1)]);
    let there = chain.fabric.world().snapshot();
    assert!(keys.iter().all(|key| !there.contains_key(&format!("{VAULT}/{key}"))));
    assert_eq!(chain.vault.audit.latest(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_left_of_an_upload_goes_when_its_bytes_are_kept() {
    let mut chain = Chain::new(1);
    upload(&mut chain, "0.jpg", 0).await;
    // Its removal failed, and so did every redelivery.
    let arrival = chain.rows()[0].uploads[0].clone();
    let at = ObjectAt { bucket: UPLOADS.into(), key: arrival.key.clone(), version: None };
    chain.fabric.world().store(&at, fixtures::jpeg(24, 16, 0).into());
    chain.fabric.world().objects.get_mut(&(UPLOADS.into(), arrival.key.clone())).unwrap()[0].version = arrival.version;
    // And one that nobody took in.
    chain.vault.originals.upload("users/ann/1.jpg", fixtures::jpeg(24, 16, 1).into()).await.unwrap();
    days_later(&chain, 2);
    assert_eq!(Vec::from_iter(cleaned(&chain).await.removed), [(Deed::UploadRemoved, 1)]);
    let left: Vec<String> =
        chain.fabric.world().objects.keys().filter(|(bucket, _)| bucket == UPLOADS).map(|(_, key)| key.clone()).collect();
    assert_eq!(left, ["users/ann/1.jpg"]);
}

#[tokio::test]
async fn an_interrupted_removal_is_ended_by_the_next_run() {
    let mut chain = Chain::new(1);
    upload(&mut chain, "0.jpg", 0).await;
    let whole = chain.fabric.world().clone();
    let mut calls = 0;
    loop {
        *chain.fabric.world() = whole.clone();
        let id = chain.rows()[0].id.clone();
        put_in_trash(&chain.vault, &ann(), &id).await.unwrap();
        days_later(&chain, 31);
        let well = std::iter::repeat_n(None, calls);
        chain.fabric.world().faults = well.chain([Some(if calls % 2 == 0 { Fault::After } else { Fault::Before })]).collect();
        let interrupted = clean(&chain.vault, &Request { all: true, ..Request::default() }, FOR_EVER).await.is_err();
        chain.fabric.world().faults.clear();
        cleaned(&chain).await;
        assert!(chain.rows().is_empty(), "interrupted at call {calls}");
        assert!(!chain.fabric.world().objects.keys().any(|(_, key)| kept_bytes(key).is_some()), "interrupted at call {calls}");
        assert_eq!(chain.vault.audit.latest(10).await.unwrap().len(), 1, "interrupted at call {calls}");
        if !interrupted {
            break;
        }
        calls += 1;
    }
    assert!(calls > 10, "{calls} calls were interrupted");
}

/// Everything that an item names is there; and no item that is not past its time in the trash has gone.
fn nothing_is_missing(chain: &Chain, seed: u64) {
    let items = chain.rows();
    let world = chain.fabric.world();
    for media in &items {
        let named = media.object.iter().cloned().chain(media.files().map(|file| file.key.clone()));
        for key in named {
            assert!(world.objects.contains_key(&(VAULT.to_owned(), key.clone())), "library {seed}: {key} of {}", media.name());
        }
    }
}

#[tokio::test]
async fn clean_up_never_removes_what_is_referenced() {
    let (mut removed, mut runs) = (0, 0);
    for seed in 0..LIBRARIES {
        let mut random = Random::new(seed);
        let mut chain = Chain::new(1);
        for _ in 0..EVENTS {
            let items = chain.rows();
            let pick = |random: &mut Random| items.get(random.below(items.len().max(1) as u64) as usize).cloned();
            match random.below(7) {
                0 | 1 => {
                    let number = random.below(PHOTOS) as u32;
                    let name = format!("users/ann/{}-{number}.jpg", random.below(3));
                    chain.upload(&name, &fixtures::jpeg(24, 16, number)).await;
                    // Some are still on their way when clean-up comes.
                    if random.per_mille(700) {
                        chain.run().await;
                    }
                }
                2 => {
                    if let Some(media) = pick(&mut random) {
                        put_in_trash(&chain.vault, &media.user, &media.id).await.unwrap();
                    }
                }
                3 => {
                    if let Some(media) = pick(&mut random) {
                        restore(&chain.vault, &media.user, &media.id).await.unwrap();
                    }
                }
                4 => chain.run().await,
                5 => days_later(&chain, random.below(40) as i64),
                _ => {
                    let now = chain.fabric.world().now;
                    let may_go = |media: &Media| media.trashed.is_some_and(|at| now.since(at) >= 30 * DAY_MS as u64);
                    let stay: Vec<_> = items.iter().filter(|media| !may_go(media)).map(|media| media.id.clone()).collect();
                    removed += cleaned(&chain).await.removed.values().sum::<u64>();
                    runs += 1;
                    let left: BTreeSet<_> = chain.rows().into_iter().map(|media| media.id).collect();
                    assert!(stay.iter().all(|id| left.contains(id)), "library {seed}: an item went that was to stay");
                    nothing_is_missing(&chain, seed);
                }
            }
        }
        chain.run().await;
        nothing_is_missing(&chain, seed);
    }
    assert!(removed > 40, "{removed} removals prove too little");
    told(&format!("clean-up: {LIBRARIES} random libraries, {runs} runs, {removed} removals, 0 of what was referenced"));
}
