//! Backfills, killed at any call and begun again: each stale item is asked for once, and nothing else is.

use futures::executor::block_on;
use photovault_domain::{Entry, Format, Media, MediaId, Recipe, Sha256, Stage, State, UserId, UtcMs};
use photovault_sim::{Fabric, Fault, Random};
use photovault_vault::{Backfill, Change, Phase, Step, Vault, Verdict};

const STAGE: Stage = Stage::Thumbnail;
const ITEMS: u64 = 240;
const CANARY: u64 = 5;

fn ann() -> UserId {
    "ann".parse().unwrap()
}

fn old() -> Recipe {
    serde_json::from_str("\"aaaaaabbbbbb\"").unwrap()
}

/// Items whose stage stands in every way that there is, by old recipes and today's.
fn library(fabric: &Fabric) -> Vec<Media> {
    let vault = fabric.vault();
    let states = [State::Done, State::Done, State::Rejected, State::Failed, State::Pending];
    let item = |number: u64| {
        let id = MediaId::of_bytes(&ann(), &Sha256::from_digest([number as u8; 32]));
        let recipe = if number.is_multiple_of(3) { STAGE.recipe() } else { old() };
        let mut media = Media { format: Some(Format::Jpeg), ..Media::new(ann(), id, UtcMs(0)) };
        let entry = Entry { state: states[(number / 3) as usize % 5], ..Entry::pending(recipe) };
        media.ledger.insert(STAGE, entry);
        block_on(vault.catalog.change(&ann(), &media.id.clone(), |_| Change::Put(media.clone()))).unwrap().unwrap()
    };
    (0..ITEMS).map(item).collect()
}

fn item(vault: &Vault, id: &MediaId) -> Media {
    block_on(vault.catalog.media(&ann(), id)).unwrap().unwrap()
}

/// What a stage's worker does: some of the items that are asked for come to an end.
fn work(vault: &Vault, items: &[Media], random: &mut Random, state: State) {
    for before in items {
        let media = item(vault, &before.id);
        let entry = &media.ledger[&STAGE];
        if entry.asked > 0 && entry.state == State::Pending && random.per_mille(500) {
            let done = |item: Option<Media>| {
                let mut item = item.unwrap();
                item.record(STAGE, Entry { state, ..Entry::pending(STAGE.recipe()) }, None);
                Change::Put(item)
            };
            block_on(vault.catalog.change(&ann(), &before.id, done)).unwrap();
        }
    }
}

fn begun(vault: &Vault) -> Backfill {
    let mut backfill = Backfill::new(ann(), STAGE, STAGE.recipe(), CANARY, UtcMs(0));
    block_on(vault.backfills.write(&mut backfill, None)).unwrap();
    backfill
}

fn is_stale(media: &Media) -> bool {
    matches!(media.ledger[&STAGE].state, State::Done | State::Rejected) && media.ledger[&STAGE].recipe == old()
}

#[test]
fn each_stale_item_is_asked_for_once_however_often_it_is_killed() {
    let (mut kills, mut held) = (0, 0);
    for seed in 0..30 {
        let (fabric, mut random) = (Fabric::default(), Random::new(seed));
        let (items, vault) = (library(&fabric), fabric.vault());
        begun(&vault);
        let mut turns = 0;
        loop {
            turns += 1;
            assert!(turns < 2000, "it never ends");
            // Each turn is another process, which knows what is written down and nothing else.
            let mut backfill = block_on(vault.backfills.read(&ann(), STAGE)).unwrap().unwrap();
            work(&vault, &items, &mut random, State::Done);
            match backfill.phase {
                Phase::Done => break,
                Phase::Waiting => {
                    let verdict = block_on(vault.backfills.verdict(&vault.catalog, &backfill)).unwrap();
                    held += u32::from(verdict != Verdict::Good);
                    if verdict == Verdict::Good {
                        backfill.watched.clear();
                        backfill.phase = Phase::Running;
                        block_on(vault.backfills.write(&mut backfill, None)).unwrap();
                    }
                    continue;
                }
                Phase::Canary | Phase::Running => {}
            }
            // The first fault ends the process.
            let at = random.below(14) as usize;
            let fault = random.one_of(&[Fault::Before, Fault::After]);
            fabric.world().faults = (0..40).map(|call| (call == at).then_some(fault)).collect();
            let room = random.below(12);
            kills += u32::from(block_on(vault.backfills.step(&vault.catalog, &mut backfill, &|_| true, room)).is_err());
            fabric.world().faults.clear();
        }
        for before in &items {
            let asked = item(&vault, &before.id).ledger[&STAGE].asked;
            assert_eq!(asked, u32::from(is_stale(before)), "history {seed}: {before:?}");
        }
    }
    assert!(kills > 100 && held > 10, "{kills} kills, held back {held} times");
}

#[test]
fn nothing_beyond_the_canary_is_asked_for_until_it_has_ended_well() {
    let fabric = Fabric::default();
    let (items, vault) = (library(&fabric), fabric.vault());
    let mut backfill = begun(&vault);
    let step = |backfill: &mut Backfill| block_on(vault.backfills.step(&vault.catalog, backfill, &|_| true, 1000)).unwrap();
    assert_eq!((step(&mut backfill), backfill.phase), (Step::Asked(CANARY), Phase::Waiting));
    assert_eq!(step(&mut backfill), Step::Asked(0), "it waits");
    let verdict = |backfill: &Backfill| block_on(vault.backfills.verdict(&vault.catalog, backfill)).unwrap();
    assert_eq!(verdict(&backfill), Verdict::Open(CANARY));
    let mut random = Random::new(1);
    while matches!(verdict(&backfill), Verdict::Open(_)) {
        work(&vault, &items, &mut random, State::Failed);
    }
    assert!(matches!(verdict(&backfill), Verdict::Bad(1.., _)));
}

#[test]
fn two_runs_do_not_work_on_one_backfill_and_a_filter_is_heeded() {
    let fabric = Fabric::default();
    let (items, vault) = (library(&fabric), fabric.vault());
    let mut backfill = Backfill { phase: Phase::Running, ..begun(&vault) };
    let mut other = backfill.clone();
    let chosen = items.iter().find(|media| is_stale(media)).unwrap().id.clone();
    let only = |media: &Media| media.id == chosen;
    let step = |backfill: &mut Backfill| block_on(vault.backfills.step(&vault.catalog, backfill, &only, 1000)).unwrap();
    let mut asked = 0;
    while backfill.phase != Phase::Done {
        let Step::Asked(count) = step(&mut backfill) else { panic!("nobody else is there") };
        asked += count;
    }
    assert_eq!(asked, 1);
    assert_eq!(step(&mut other), Step::Overtaken);
}

#[test]
fn what_was_made_stays_until_there_is_something_new_and_nobody_is_told_unless_it_ends_badly() {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    let mut media = library(&fabric).into_iter().find(is_stale).unwrap();
    media.ledger.insert(Stage::Notify, Entry { state: State::Done, ..Entry::pending(Stage::Notify.recipe()) });
    let facet = photovault_domain::Derivatives { files: Vec::new(), thumbhash: "x".into(), gain_map: None };
    media.derivatives = Some(facet.clone());
    assert!(media.refresh(STAGE, &vault.names.recipe(STAGE)));
    assert_eq!((media.derivatives.as_ref(), media.ledger[&Stage::Notify].state), (Some(&facet), State::Done));
    assert!(!media.refresh(STAGE, &vault.names.recipe(STAGE)), "it is under way");
    for (state, told) in [(State::Done, State::Done), (State::Failed, State::Pending), (State::Rejected, State::Pending)] {
        let mut ended = media.clone();
        ended.record(STAGE, Entry { state, ..Entry::pending(STAGE.recipe()) }, None);
        assert_eq!(ended.ledger[&Stage::Notify].state, told, "{state:?}");
    }
}

#[test]
fn a_dry_run_reads_one_row() {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    let before = fabric.world().calls;
    block_on(vault.counters.now(&ann())).unwrap();
    assert_eq!(fabric.world().calls - before, 1);
}
