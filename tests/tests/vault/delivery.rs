//! Delivery: every handler gives the same end when its event comes twice, and when any one call fails before or after
//! its effect.

use photovault_domain::{Stage, State, Status};
use photovault_sim::Fault;

use crate::{chain::Chain, fixtures};

async fn run(copies: u32, faults: impl IntoIterator<Item = Option<Fault>>) -> Chain {
    let mut chain = Chain::new(copies);
    chain.upload("users/ann/holiday/a.jpg", &fixtures::jpeg(64, 48, 1)).await;
    chain.upload("notes.txt", b"these are words, not a picture").await;
    chain.upload("users/ann/broken.jpg", &fixtures::jpeg(64, 48, 2)[..300]).await;
    chain.fabric.world().faults = faults.into_iter().collect();
    chain.run().await;
    chain
}

#[tokio::test]
async fn uploads_reach_the_end_that_they_should() {
    let chain = run(1, []).await;
    let items = chain.items();
    let end = |name: &str| (items[name].status(), items[name].reason().map(str::to_owned));
    assert_eq!(end("holiday/a.jpg"), (Status::Ready, None));
    assert_eq!(end("notes.txt").0, Status::Rejected);
    assert!(matches!(end("broken.jpg").0, Status::Quarantined | Status::Rejected), "{:?}", end("broken.jpg"));
    assert!(end("notes.txt").1.is_some() && end("broken.jpg").1.is_some(), "a refusal says why");
    assert!(items.values().all(photovault_domain::Media::is_settled), "every owner was told");
    assert!(chain.fabric.world().snapshot().keys().all(|key| !key.starts_with("uploads/")), "uploads are gone once kept");
}

#[tokio::test]
async fn every_handler_twice_is_as_once() {
    assert_eq!(run(1, []).await.end_state(), run(2, []).await.end_state());
}

#[tokio::test]
async fn the_same_bytes_again_are_the_same_item() {
    let mut chain = Chain::new(1);
    let bytes = fixtures::jpeg(64, 48, 1);
    chain.upload("users/ann/a.jpg", &bytes).await;
    chain.run().await;
    chain.upload("users/ann/copy.jpg", &bytes).await;
    chain.upload("users/bob/a.jpg", &bytes).await;
    chain.run().await;
    let items = chain.items();
    assert_eq!(items.len(), 2, "one of Ann's, one of Bob's");
    assert_eq!(items["copy.jpg"].uploads.iter().map(|upload| upload.name.as_str()).collect::<Vec<_>>(), ["a.jpg", "copy.jpg"]);
}

#[tokio::test]
async fn any_single_fault_changes_nothing_in_the_end() {
    let undisturbed = run(1, []).await;
    let calls = usize::try_from(undisturbed.fabric.world().calls).unwrap();
    let want = undisturbed.end_state();
    let mut tried = 0;
    for at in 0..calls {
        for fault in [Fault::Before, Fault::After] {
            let script = std::iter::repeat_n(None, at).chain([Some(fault)]);
            let got = run(1, script).await.end_state();
            assert_eq!(got, want, "{fault:?} at call {at}");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried} faults are too few to mean anything");
}

#[tokio::test]
async fn what_never_works_is_dead_lettered_and_a_redrive_mends_it() {
    let mut chain = Chain::new(1);
    chain.upload("a.jpg", &fixtures::jpeg(64, 48, 1)).await;
    // Validate runs, then its original is taken away before the other stages come to it.
    let original = {
        chain.run().await;
        let key = chain.items()["a.jpg"].object.clone().unwrap();
        let place = ("vault".to_owned(), key);
        let taken = chain.fabric.world().objects.remove(&place).unwrap();
        (place, taken)
    };
    let item = chain.items()["a.jpg"].clone();
    let again = |media: Option<photovault_domain::Media>| {
        let mut media = media.unwrap();
        assert!(media.retry(Stage::Thumbnail));
        photovault_vault::Change::Put(media)
    };
    chain.vault.catalog.change(&item.user, &item.id, again).await.unwrap();
    chain.run().await;
    let failed = &chain.items()["a.jpg"];
    assert_eq!(failed.status(), Status::Failed);
    assert!(failed.reason().unwrap().contains("missing"), "{:?}", failed.reason());
    assert_eq!(failed.ledger[&Stage::Notify].state, State::Done, "the owner was told of the failure");

    chain.fabric.world().objects.insert(original.0, original.1);
    let letters = chain.vault.letters.list("thumbnail", None, 10).await.unwrap().items;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].name, "a.jpg");
    chain.vault.letters.redrive(&letters[0]).await.unwrap();
    chain.run().await;
    assert_eq!(chain.items()["a.jpg"].status(), Status::Ready);
    assert_eq!(chain.vault.letters.list("thumbnail", None, 10).await.unwrap().items, []);
    assert_eq!(chain.items()["a.jpg"].ledger[&Stage::Notify].state, State::Done, "and of the recovery");
}
