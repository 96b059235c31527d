//! Backups over the simulated fabric: what they cost, what they have, and that they come back.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use photovault_backup::{
    Report, Request, back_up,
    restore::{Reading, bring_back},
};
use photovault_domain::{
    DAY_MS, Entry, Format, Hidden, Line, Media, MediaId, Merge, PeopleEdit, STAGES, Sha256, Shown, Stage, State, UserId, UtcMs,
    original_key,
};
use photovault_memories::{Saying, put_in_trash, say};
use photovault_sim::{BACKUP, Fabric, Fault, VAULT};
use photovault_vault::{Change, Deed, Vault, seams::ObjectAt};
use photovault_verify::{drill, verify};
use sha2::Digest as _;

use crate::{chain::Chain, figures::told, fixtures};

const FOR_EVER: Duration = Duration::MAX;

async fn backed_up(vault: &Vault) -> Report {
    back_up(vault, &Request::default(), FOR_EVER, &|_| {}).await.unwrap()
}

/// An item that has ended, with its original: what the chain makes of a photo, without the photo.
async fn keep(fabric: &Fabric, vault: &Vault, number: u32) -> Media {
    let (user, bytes): (UserId, Vec<u8>) = ("ann".parse().unwrap(), number.to_be_bytes().to_vec());
    let sha256 = Sha256::from_digest(sha2::Sha256::digest(&bytes).into());
    let (id, object) = (MediaId::of_bytes(&user, &sha256), original_key(&user, &sha256));
    let done = |stage: Stage| (stage, Entry { state: State::Done, ..Entry::pending(stage.recipe()) });
    let ledger: BTreeMap<_, _> = STAGES.iter().map(|spec| done(spec.stage)).collect();
    fabric.world().store(&ObjectAt { bucket: VAULT.into(), key: object.clone(), version: None }, Bytes::from(bytes));
    let media = Media {
        sha256: Some(sha256),
        object: Some(object),
        format: Some(Format::Jpeg),
        ledger,
        ..Media::new(user.clone(), id.clone(), UtcMs(i64::from(number)))
    };
    vault.catalog.change(&user, &id, |_| Change::Put(media.clone())).await.unwrap().unwrap()
}

/// Requests that a run makes.
async fn requests(fabric: &Fabric, vault: &Vault) -> (u64, Report) {
    let before = fabric.world().calls;
    let report = backed_up(vault).await;
    (fabric.world().calls - before, report)
}

async fn alive(vault: &Vault) -> Vec<Media> {
    let manifest = vault.backups.newest().await.unwrap().expect("a backup");
    let (mut reading, mut items) = (Reading::of(&manifest), Vec::new());
    while let Some(lines) = reading.next(vault).await.unwrap() {
        items.extend(lines.into_iter().filter_map(|line| if let Line::Item(media) = line { Some(*media) } else { None }));
    }
    items
}

#[tokio::test]
async fn a_run_costs_what_changed_and_not_what_is_there() {
    let mut costs = Vec::new();
    for count in [10, 1_200] {
        let fabric = Fabric::default();
        let vault = fabric.vault();
        for number in 0..count {
            keep(&fabric, &vault, number).await;
        }
        let (first, report) = requests(&fabric, &vault).await;
        assert_eq!((report.items, report.copied, report.complete), (u64::from(count), u64::from(count), true));
        let (idle, report) = requests(&fabric, &vault).await;
        assert_eq!((report.items, report.manifest), (0, None));
        keep(&fabric, &vault, count).await;
        let (one, report) = requests(&fabric, &vault).await;
        assert_eq!((report.items, report.copied), (1, 1));
        costs.push((count, first, idle, one));
    }
    let [(_, _, idle, one), (_, _, idle_large, one_large)] = costs[..] else { unreachable!("two vaults") };
    assert_eq!((idle, one), (idle_large, one_large), "{costs:?}");
    assert!(idle <= 5, "{idle} requests for nothing");
    for (count, first, idle, one) in costs {
        told(&format!("backup of {count} items: {first} requests; of nothing new {idle}, of one more {one}"));
    }
}

#[tokio::test]
async fn an_interrupted_backup_is_made_whole_by_the_next() {
    let whole = {
        let fabric = Fabric::default();
        let vault = fabric.vault();
        for number in 0..3 {
            keep(&fabric, &vault, number).await;
        }
        fabric.world().clone()
    };
    let mut calls = 0;
    loop {
        let fabric = Fabric::default();
        *fabric.world() = whole.clone();
        let vault = fabric.vault();
        let fault = if calls % 2 == 0 { Fault::After } else { Fault::Before };
        fabric.world().faults = std::iter::repeat_n(None, calls).chain([Some(fault)]).collect();
        let interrupted = back_up(&vault, &Request::default(), FOR_EVER, &|_| {}).await.is_err();
        fabric.world().faults.clear();
        backed_up(&vault).await;
        let saved = alive(&vault).await;
        assert_eq!(saved.len(), 3, "interrupted at call {calls}");
        assert_eq!(vault.catalog.unsaved(None, 10).await.unwrap().items.len(), 0, "interrupted at call {calls}");
        for media in saved {
            let found = vault.backups.hash(&media.object.unwrap()).await.unwrap().map(|(hash, _)| hash);
            assert_eq!(found, media.sha256, "interrupted at call {calls}");
        }
        if !interrupted {
            break;
        }
        calls += 1;
    }
    assert!(calls > 10, "{calls} calls were interrupted");
}

#[tokio::test]
async fn a_lost_vault_comes_back_with_what_people_said() {
    let mut chain = Chain::new(1);
    for number in 0..4 {
        chain.upload(&format!("users/ann/{number}.jpg"), &fixtures::jpeg(24, 16, number)).await;
    }
    chain.run().await;
    let ann: UserId = "ann".parse().unwrap();
    let places = chain.vault.timelines.items(&ann, None, 10).await.unwrap().items;
    let last = places.last().unwrap().media.clone();
    let could_say = say(&chain.vault, &ann, &last, Saying::Begins).await.is_ok();
    let gone = chain.items()["3.jpg"].id.clone();
    let who = Shown { media: last.clone(), word: "ben".to_owned() };
    let named = vec![PeopleEdit::Name { who, name: "Ben".to_owned() }];
    chain.vault.people_said.add(&ann, named.clone()).await.unwrap();
    let hidden = Hidden { days: ["07-01".to_owned()].into(), ..Hidden::default() };
    chain.vault.hiding.write(&ann, &hidden).await.unwrap();
    let merge = Merge { best: last.clone(), others: vec![gone.clone()], before: None };
    chain.vault.merges.add(&ann, merge.clone()).await.unwrap();
    assert_eq!(backed_up(&chain.vault).await.items, 4);
    put_in_trash(&chain.vault, &ann, &gone).await.unwrap();
    chain.fabric.world().now.0 += 31 * DAY_MS;
    let clean = photovault_cleanup::Request { all: true, ..photovault_cleanup::Request::default() };
    photovault_cleanup::clean(&chain.vault, &clean, FOR_EVER).await.unwrap();
    chain.fabric.world().now.0 += DAY_MS;
    assert_eq!(backed_up(&chain.vault).await.gone, 1);
    let before = chain.items();

    // Everything but the backup bucket is lost.
    {
        let mut world = chain.fabric.world();
        world.rows.clear();
        world.objects.retain(|(bucket, _), _| bucket == BACKUP);
    }
    chain.lose_what_waits();
    let manifest = chain.vault.backups.newest().await.unwrap().unwrap();
    let mut reading = Reading::of(&manifest);
    while let Some(lines) = reading.next(&chain.vault).await.unwrap() {
        for line in lines {
            match line {
                Line::Item(media) => {
                    let restored = bring_back(&chain.vault, &media).await.unwrap();
                    assert!(restored.item && restored.original);
                }
                Line::Said { user, edits } => photovault_memories::say_again(&chain.vault, &user, edits).await.unwrap(),
                Line::Told { user, people, hidden, merges } => {
                    chain.vault.tell_again(&user, people, *hidden, merges).await.unwrap();
                }
                Line::Gone { .. } => unreachable!("it tells of what is not there"),
            }
        }
    }
    chain.run().await;
    let after = chain.items();
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (name, media) in &after {
        assert_eq!((media.status(), &media.facts), (before[name].status(), &before[name].facts), "{name}");
        for key in media.object.iter().cloned().chain(media.files().map(|file| file.key.clone())) {
            assert!(chain.fabric.world().objects.contains_key(&(VAULT.into(), key.clone())), "{key} of {name}");
        }
    }
    let said = chain.vault.timelines.said(&ann, UtcMs(i64::MAX - 1), 10).await.unwrap();
    assert_eq!(!said.is_empty(), could_say);
    assert_eq!(chain.vault.people_said.lines(&ann).await.unwrap(), [named]);
    assert_eq!(chain.vault.merges.lines(&ann).await.unwrap(), [merge]);
    assert_eq!(chain.vault.hiding.of(&ann).await.unwrap().days, hidden.days);
    assert_eq!(chain.vault.timelines.items(&ann, None, 10).await.unwrap().items.len(), 3);
}

#[tokio::test]
async fn damage_is_found_and_healed_or_told() {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    let mut items = Vec::new();
    for number in 0..5 {
        items.push(keep(&fabric, &vault, number).await);
    }
    backed_up(&vault).await;
    let key = |bucket: &str, at: usize| (bucket.to_owned(), items[at].object.clone().unwrap());
    {
        let mut world = fabric.world();
        // Missing, altered, and altered in both places.
        world.objects.remove(&key(VAULT, 0));
        for place in [key(VAULT, 1), key(VAULT, 2), key(BACKUP, 2)] {
            world.objects.get_mut(&place).unwrap().last_mut().unwrap().bytes = Bytes::from_static(b"other");
        }
    }
    let drilled = drill(&vault, FOR_EVER, &|_| {}).await.unwrap().unwrap();
    assert_eq!((drilled.drill.originals, drilled.drill.matched, drilled.complete), (5, 4, true));
    let report = verify(&vault, true, FOR_EVER, &|_| {}).await.unwrap();
    assert_eq!((report.read, report.healed, report.lost), (5, 2, 1));
    let deeds: Vec<Deed> = vault.audit.latest(10).await.unwrap().into_iter().map(|entry| entry.deed).collect();
    assert_eq!(deeds.iter().filter(|deed| **deed == Deed::OriginalHealed).count(), 2);
    assert_eq!(deeds.iter().filter(|deed| **deed == Deed::OriginalLost).count(), 1);
    let again = verify(&vault, true, FOR_EVER, &|_| {}).await.unwrap();
    assert_eq!((again.healed, again.lost), (0, 1));
    assert_eq!(vault.drills.latest(5).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_drill_that_has_no_time_goes_on() {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    for number in 0..6 {
        keep(&fabric, &vault, number).await;
        backed_up(&vault).await;
    }
    let mut runs = 1;
    let drilled = loop {
        let run = drill(&vault, Duration::ZERO, &|_| {}).await.unwrap().unwrap();
        if run.complete {
            break run.drill;
        }
        runs += 1;
    };
    assert_eq!((runs, drilled.items, drilled.originals, drilled.matched), (6, 6, 6, 6));
}

#[tokio::test]
async fn a_forged_backup_is_none() {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    keep(&fabric, &vault, 1).await;
    let key = backed_up(&vault).await.manifest.unwrap();
    let change = |prefix: &str, from: &str, to: &str| {
        let mut world = fabric.world();
        let place = world.objects.keys().find(|(bucket, key)| bucket == BACKUP && key.starts_with(prefix)).cloned().unwrap();
        let stored = world.objects.get_mut(&place).unwrap().last_mut().unwrap();
        let text = String::from_utf8(stored.bytes.to_vec()).unwrap();
        assert!(text.contains(from), "{text}");
        let old = stored.bytes.clone();
        stored.bytes = Bytes::from(text.replacen(from, to, 1));
        (place, old)
    };
    let (place, old) = change("segments/", "\"size_bytes\":0", "\"size_bytes\":1");
    let manifest = vault.backups.manifest(&key).await.unwrap();
    let error = vault.backups.lines(&manifest.segments[0]).await.unwrap_err();
    assert!(error.to_string().contains("other bytes than the manifest says"), "{error}");
    fabric.world().objects.get_mut(&place).unwrap().last_mut().unwrap().bytes = old;
    change("manifests/", "\\\"lines\\\":1", "\\\"lines\\\":2");
    let error = vault.backups.manifest(&key).await.unwrap_err();
    assert!(error.to_string().contains("signature"), "{error}");
}

#[tokio::test]
async fn old_backups_go_and_what_stays_is_whole() {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    for day in 0..60 {
        fabric.world().now.0 += DAY_MS;
        keep(&fabric, &vault, day).await;
        backed_up(&vault).await;
    }
    let manifests = vault.backups.manifests().await.unwrap();
    assert!((10..=13).contains(&manifests.len()), "a week of days, a month of weeks, three months: {}", manifests.len());
    for (_, key) in &manifests {
        for segment in vault.backups.manifest(key).await.unwrap().segments {
            vault.backups.lines(&segment).await.unwrap();
        }
    }
    assert_eq!(alive(&vault).await.len(), 60);
}
