//! Claims: whatever a publisher dies of, its claim frees itself by the queue's clock alone, and what it claimed is published.

use photovault_domain::{MediaId, Sha256, Status, UtcMs};
use photovault_lambda::Message;
use photovault_sim::{Fabric, Fault, Sent};
use photovault_vault::{Digest, Lease, PUBLISH_LEASE_S, Vault};

/// The calls of a publisher, in order. The test below holds that there are no others.
const CALLS: [&str; 5] = ["send the end of the lease", "claim", "publish", "read the digest again", "mark as published"];
/// The worst that two clocks may differ.
const SKEWS_MS: [i64; 3] = [-300_000, 0, 300_000];

async fn digest(vault: &Vault) -> Digest {
    let user = "ann".parse().unwrap();
    let item = MediaId::of_bytes(&user, &Sha256::from_digest([1; 32]));
    vault.digests.tell(&user, UtcMs(0), &[(item, Status::Ready, 1)]).await.unwrap()
}

/// A digest whose publisher died at a call: before its effect or after it.
async fn died(at: usize, fault: Fault) -> (Fabric, Vault, Digest) {
    let fabric = Fabric::default();
    fabric.world().now = UtcMs(1_000_000_000);
    let vault = fabric.vault();
    let digest = digest(&vault).await;
    fabric.world().faults = std::iter::repeat_n(None, at).chain([Some(fault)]).collect();
    vault.digests.publish(&digest).await.expect_err("it died");
    assert!(fabric.world().faults.is_empty());
    (fabric, vault, digest)
}

/// The messages that end leases, as notify receives them.
async fn receive(vault: &Vault, sent: Vec<Sent>) {
    for Sent { queue, message } in sent {
        assert_eq!((queue.as_str(), message.delay_s), ("notify", PUBLISH_LEASE_S));
        assert!(serde_json::from_str::<Lease>(&message.body).is_ok());
        let received = Message {
            id: "m".into(),
            receipt: "r".into(),
            body: message.body,
            received: 1,
            sent: UtcMs(0),
            queue_arn: String::new(),
        };
        assert!(photovault_notify::on_batch(vault.clone(), vec![received]).await.is_empty());
    }
}

#[tokio::test]
async fn a_publisher_makes_these_calls_and_no_others() {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    let digest = digest(&vault).await;
    let before = fabric.world().calls;
    vault.digests.publish(&digest).await.unwrap();
    // One more is the random word of the claim.
    assert_eq!(fabric.world().calls - before, CALLS.len() as u64 + 1);
}

#[tokio::test]
async fn a_claim_frees_itself_wherever_its_holder_died_and_whatever_the_clocks_say() {
    use Fault::{After, Before};
    // When the publisher died; published by then; by another job meanwhile; when the lease is over.
    for (at, fault, by_itself, meanwhile, at_last) in [
        (0, Before, 0, 1, 1),
        (0, After, 0, 1, 1),
        (1, Before, 0, 1, 1),
        (1, After, 0, 0, 1),
        (2, Before, 0, 0, 1),
        // It was published, and nobody knows: once more is better than never.
        (2, After, 1, 1, 2),
        (3, Before, 1, 1, 2),
        (3, After, 1, 1, 2),
        (4, Before, 1, 1, 2),
        (4, After, 1, 1, 1),
    ] {
        for skew_ms in SKEWS_MS {
            let what = format!("died {fault:?} '{}', clocks {skew_ms} ms apart", CALLS[at]);
            let (fabric, vault, told) = died(at, fault).await;
            assert_eq!(fabric.world().published.len(), by_itself, "{what}");
            fabric.world().now.0 += skew_ms;
            // The same item is told of again: its job was never acknowledged.
            vault.digests.publish(&digest(&vault).await).await.unwrap();
            assert_eq!(fabric.world().published.len(), meanwhile, "{what}, before the lease is over");
            let sent = std::mem::take(&mut fabric.world().sent);
            receive(&vault, sent.clone()).await;
            assert_eq!(fabric.world().published.len(), at_last, "{what}");
            // Duplicates of those messages, and the messages of whoever took over.
            let later = std::mem::take(&mut fabric.world().sent);
            receive(&vault, [sent, later].concat()).await;
            vault.digests.publish(&told).await.ok();
            assert_eq!(fabric.world().published.len(), at_last, "{what}, at last");
        }
    }
}

#[tokio::test]
async fn who_takes_over_may_die_as_well() {
    let (fabric, vault, _) = died(2, Fault::Before).await;
    for _ in 0..3 {
        let sent = std::mem::take(&mut fabric.world().sent);
        let lease: Lease = serde_json::from_str(&sent.last().unwrap().message.body).unwrap();
        // Read, send, claim, and then its end.
        fabric.world().faults = [None, None, None, Some(Fault::Before)].into();
        vault.digests.take_over(&lease).await.expect_err("it died");
        assert!(fabric.world().published.is_empty());
    }
    let sent = std::mem::take(&mut fabric.world().sent);
    receive(&vault, sent).await;
    assert_eq!(fabric.world().published.len(), 1);
}

#[tokio::test]
async fn a_digest_that_grows_meanwhile_is_taken_over_all_the_same() {
    let (fabric, vault, told) = died(2, Fault::Before).await;
    let other = MediaId::of_bytes(&told.user, &Sha256::from_digest([2; 32]));
    let grown = vault.digests.tell(&told.user, told.window, &[(other, Status::Ready, 1)]).await.unwrap();
    vault.digests.publish(&grown).await.unwrap();
    assert!(fabric.world().published.is_empty(), "the claim still stands");
    let sent = std::mem::take(&mut fabric.world().sent);
    receive(&vault, sent).await;
    assert_eq!(fabric.world().published, ["2 of your uploads ended: 2 ready."]);
}
