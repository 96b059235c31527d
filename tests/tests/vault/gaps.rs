//! Gaps: what is lost on the way is found by `health` and repaired in one pass.

use std::{collections::BTreeMap, time::Duration};

use photovault_domain::{Stage, State, Status};
use photovault_health::{Repair, Report, Request, check};
use photovault_sim::{Fault, Stored, UPLOADS, VAULT};

use crate::{chain::Chain, figures::told, fixtures};

/// Gaps of each of the six kinds: 1,002 in all.
const EACH: u32 = 167;
const FOR_EVER: Duration = Duration::MAX;
const HOUR_MS: i64 = 3_600_000;

async fn upload(chain: &mut Chain, kind: u32, count: u32) {
    for number in 0..count {
        let user = ["ann", "ben", "owner"][number as usize % 3];
        chain.upload(&format!("users/{user}/{kind}/{number}.jpg"), &fixtures::jpeg(24, 16, kind * 1_000 + number)).await;
    }
}

async fn pass(chain: &Chain) -> Report {
    chain.fabric.world().now.0 += HOUR_MS;
    check(&chain.vault, &Request { all: true, ..Request::default() }, FOR_EVER).await.unwrap()
}

/// Delivers what the pass sent, and the events of what it uploaded.
async fn deliver(chain: &mut Chain) {
    let again: Vec<(String, String)> = {
        let world = chain.fabric.world();
        let waiting = world.objects.iter().filter(|((bucket, key), _)| bucket == UPLOADS && key.contains("/recovered/"));
        waiting.map(|((_, key), versions)| (key.clone(), versions.last().unwrap().version.clone())).collect()
    };
    for (key, version) in again {
        chain.announce(&key, &version);
    }
    chain.run().await;
}

#[tokio::test]
async fn one_pass_repairs_every_one_of_a_thousand_gaps() {
    let mut chain = Chain::new(1);
    for kind in 0..3 {
        upload(&mut chain, kind, EACH).await;
    }
    chain.run().await;
    injure(&chain);
    // Validated, and their records of the stream lost.
    upload(&mut chain, 3, EACH).await;
    chain.take_in().await;
    chain.lose_what_waits();
    // Sent on, and their jobs lost.
    upload(&mut chain, 4, EACH).await;
    chain.take_in().await;
    chain.stream().await;
    chain.lose_what_waits();
    // Uploaded, and their events lost.
    upload(&mut chain, 5, EACH).await;
    chain.lose_what_waits();

    let report = pass(&chain).await;
    let each = u64::from(EACH);
    let want = BTreeMap::from([
        (Repair::UploadSent, each),
        (Repair::ItemRecovered, each),
        (Repair::OriginalMissing, each),
        (Repair::DerivativesAskedFor, each),
        (Repair::StagesSent, 2 * each),
    ]);
    assert_eq!((&report.repairs, report.complete), (&want, true));
    deliver(&mut chain).await;

    let mut ends: BTreeMap<Status, u32> = BTreeMap::new();
    let items = chain.rows();
    for item in &items {
        *ends.entry(item.status()).or_default() += 1;
        assert!(item.is_settled(), "{}: {:?}", item.name(), item.ledger);
    }
    assert_eq!(ends, BTreeMap::from([(Status::Ready, 5 * EACH), (Status::Failed, EACH)]));
    let failed = items.iter().filter(|item| item.status() == Status::Failed);
    assert!(failed.into_iter().all(|item| item.reason().is_some_and(|reason| reason.contains("is missing"))));
    let second = pass(&chain).await;
    assert_eq!(second.repairs, BTreeMap::new(), "nothing is left to repair");
    told(&format!("gaps: {} injected, {} repaired in one pass", 6 * EACH, report.repairs.values().sum::<u64>()));
}

/// Kind 0 loses its rows, kind 1 its originals, kind 2 one derivative each.
fn injure(chain: &Chain) {
    let items = chain.rows();
    let mut world = chain.fabric.world();
    for item in items {
        let kind = item.name().split('/').next().unwrap().to_owned();
        match kind.as_str() {
            "0" => drop(world.rows.remove(&(format!("U#{}", item.user), format!("M#{}", item.id)))),
            "1" => drop(world.objects.remove(&(VAULT.into(), item.object.clone().unwrap()))),
            "2" => {
                let files = item.derivatives.unwrap().files;
                world.objects.remove(&(VAULT.into(), files[files.len() - 1].key.clone()));
            }
            _ => unreachable!("three kinds"),
        }
    }
}

#[tokio::test]
async fn a_run_is_bounded_and_the_next_goes_on() {
    let mut chain = Chain::new(1);
    upload(&mut chain, 0, 250).await;
    chain.lose_what_waits();
    let mut sent = Vec::new();
    for _ in 0..4 {
        chain.fabric.world().now.0 += HOUR_MS;
        let report = check(&chain.vault, &Request::default(), FOR_EVER).await.unwrap();
        sent.push(report.repairs.get(&Repair::UploadSent).copied().unwrap_or(0));
        chain.run().await;
    }
    // What was taken in is gone from behind the place that the walk has reached.
    assert_eq!(sent, [100, 100, 50, 0]);
    assert_eq!(chain.rows().len(), 250);
}

#[tokio::test]
async fn when_its_time_is_up_a_run_stops_and_keeps_its_place() {
    let mut chain = Chain::new(1);
    upload(&mut chain, 0, 1).await;
    chain.lose_what_waits();
    chain.fabric.world().now.0 += HOUR_MS;
    let request = Request { all: true, ..Request::default() };
    let report = check(&chain.vault, &request, Duration::ZERO).await.unwrap();
    assert_eq!(report, Report::default());
    let report = check(&chain.vault, &request, Duration::from_secs(40)).await.unwrap();
    assert_eq!(report.repairs, BTreeMap::from([(Repair::UploadSent, 1)]));
}

/// A photo whose original was lost and whose owner was told so.
struct Lost {
    chain: Chain,
    photo: Vec<u8>,
    /// Where the original lay, and what lay there.
    place: (String, String),
    original: Vec<Stored>,
}

async fn lost() -> Lost {
    let mut chain = Chain::new(1);
    let photo = fixtures::jpeg(24, 16, 1);
    chain.upload("a.jpg", &photo).await;
    chain.run().await;
    let place = (VAULT.to_owned(), chain.rows()[0].object.clone().unwrap());
    let original = chain.fabric.world().objects.remove(&place).unwrap();
    pass(&chain).await;
    deliver(&mut chain).await;
    let item = chain.rows().remove(0);
    assert_eq!((item.status(), item.ledger[&Stage::Notify].state), (Status::Failed, State::Done), "its owner was told");
    Lost { chain, photo, place, original }
}

#[tokio::test]
async fn an_item_whose_original_comes_back_is_ready_again() {
    // From a backup, into the vault.
    let Lost { mut chain, place, original, .. } = lost().await;
    chain.fabric.world().objects.insert(place, original);
    assert_eq!(pass(&chain).await.repairs, BTreeMap::from([(Repair::ItemRecovered, 1)]));
    deliver(&mut chain).await;
    assert_eq!(chain.rows()[0].status(), Status::Ready);
    // From its owner, as an upload.
    let Lost { mut chain, photo, .. } = lost().await;
    chain.upload("a.jpg", &photo).await;
    chain.run().await;
    assert_eq!(chain.rows()[0].status(), Status::Ready);
}

#[tokio::test]
async fn what_a_stage_gave_up_is_not_sent_for_ever() {
    let mut chain = Chain::new(1);
    chain.upload("a.jpg", &fixtures::jpeg(24, 16, 1)).await;
    let attempts = 5;
    chain.fabric.world().faults = std::iter::repeat_n([Some(Fault::Before), None], attempts).flatten().collect();
    chain.run().await;
    let failed = chain.rows().remove(0);
    assert_eq!(failed.status(), Status::Failed, "{:?}", failed.ledger);
    assert_eq!(pass(&chain).await.repairs, BTreeMap::new(), "its message is kept for redrive");
}
