//! Claims: whatever a sender dies of, its mailing ends, and no channel gets twice what its receiver cannot tell apart.

use photovault_domain::{Channel, MediaId, Medium, Preferences, Sha256, Status, UserId, UtcMs};
use photovault_sim::{Fabric, Fault};
use photovault_vault::{ANNOUNCED_BEFORE_S, Delivered, Delivery, Mailing, MailingEnd, Vault, seams::Answer};

/// The calls of a sender, in order. A test below holds that there are no others.
const CALLS: [&str; 4] = ["read the mailing", "claim it", "send it", "write down how it ended"];
/// The worst that two clocks may differ.
const SKEWS_MS: [i64; 3] = [-300_000, 0, 300_000];

fn ann() -> UserId {
    "ann".parse().unwrap()
}

fn item(number: u8) -> (MediaId, Status, u64) {
    (MediaId::of_bytes(&ann(), &Sha256::from_digest([number; 32])), Status::Ready, 1)
}

/// A digest was told, and the time of its mailing by the topic has come.
async fn due() -> (Fabric, Vault, Delivery) {
    let fabric = Fabric::default();
    fabric.world().now = UtcMs(1_000_000_000);
    let vault = fabric.vault();
    vault.digests.tell(&ann(), UtcMs(0), &[item(1)], &[]).await.unwrap();
    let sent = std::mem::take(&mut fabric.world().sent);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].message.delay_s >= ANNOUNCED_BEFORE_S);
    let delivery: Delivery = serde_json::from_str(&sent[0].message.body).unwrap();
    fabric.world().now = delivery.due;
    (fabric, vault, delivery)
}

async fn latest(vault: &Vault) -> Mailing {
    vault.mailings.latest(&ann(), 1).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_sender_makes_these_calls_and_no_others() {
    let (fabric, vault, delivery) = due().await;
    let before = fabric.world().calls;
    assert_eq!(vault.mailings.deliver(&delivery, "message").await.unwrap(), Delivered::Done);
    assert_eq!(fabric.world().calls - before, CALLS.len() as u64);
    assert_eq!(fabric.world().published[0].1.text, "1 of your uploads ended: 1 ready.");
    assert!(matches!(latest(&vault).await.ended, Some((MailingEnd::Sent, _))));
}

#[tokio::test]
async fn a_topic_gets_a_mailing_once_at_most_wherever_its_sender_died_and_whatever_the_clocks_say() {
    use Fault::{After, Before};
    // Where the sender died; what the topic has in the end; whether it is known.
    for (at, fault, came, known) in [
        (0, Before, 1, true),
        (0, After, 1, true),
        (1, Before, 1, true),
        // Of these nobody knows whether it was sent: never is better than twice, and the inbox has it.
        (1, After, 0, false),
        (2, Before, 0, false),
        (2, After, 1, false),
        (3, Before, 1, false),
        (3, After, 1, true),
    ] {
        for skew_ms in SKEWS_MS {
            let what = format!("died {fault:?} '{}', clocks {skew_ms} ms apart", CALLS[at]);
            let (fabric, vault, delivery) = due().await;
            fabric.world().faults = std::iter::repeat_n(None, at).chain([Some(fault)]).collect();
            let _ = vault.mailings.deliver(&delivery, "message").await;
            assert!(fabric.world().faults.is_empty(), "{what}");
            fabric.world().now.0 += skew_ms;
            // Another message of the same mailing does not touch what is claimed; the sender's own comes when its visibility is over.
            let before = fabric.world().published.len();
            if latest(&vault).await.claim.is_some() {
                vault.mailings.deliver(&delivery, "another").await.unwrap();
                assert_eq!(fabric.world().published.len(), before, "{what}");
            }
            for _ in 0..2 {
                vault.mailings.deliver(&delivery, "message").await.unwrap();
                // Where its clock is behind, the message was sent again to come when the mailing is due.
                let now = fabric.world().now.max(delivery.due);
                fabric.world().now = now;
            }
            let ended = latest(&vault).await.ended.expect("it has ended").0;
            assert_eq!(fabric.world().published.len(), came, "{what}: {ended:?}");
            assert_eq!(matches!(ended, MailingEnd::Sent), known, "{what}: {ended:?}");
        }
    }
}

#[tokio::test]
async fn a_webhook_gets_a_mailing_once_at_least_and_can_tell() {
    for at in 2..5 {
        for fault in [Fault::Before, Fault::After] {
            let (fabric, vault, _) = due().await;
            let url = "https://example.org".to_owned();
            let channels = vec![Channel::Webhook { url, secret: "s".into() }];
            vault.mailings.prefer(&ann(), &Preferences { channels, ..Preferences::default() }).await.unwrap();
            vault.digests.tell(&ann(), UtcMs(0), &[item(2)], &[]).await.unwrap();
            let deliveries = fabric.world().sent.clone();
            let delivery = deliveries.iter().find_map(|sent| {
                let delivery: Delivery = serde_json::from_str(&sent.message.body).ok()?;
                (delivery.medium == Medium::Webhook).then_some(delivery)
            });
            let delivery = delivery.expect("it was announced");
            fabric.world().now = delivery.due;
            // Reads the mailing, claims it, reads where it goes, sends it, writes it down.
            fabric.world().faults = std::iter::repeat_n(None, at).chain([Some(fault)]).collect();
            let _ = vault.mailings.deliver(&delivery, "message").await;
            vault.mailings.deliver(&delivery, "message").await.unwrap();
            let mailing = latest(&vault).await;
            assert!(matches!(mailing.ended, Some((MailingEnd::Sent, _))), "{at} {fault:?}: {mailing:?}");
            let world = fabric.world();
            let ids: Vec<&String> = world.published.iter().map(|(_, notice)| &notice.id).collect();
            assert!((1..=2).contains(&ids.len()) && ids.iter().all(|id| **id == mailing.id()), "{at} {fault:?}: {ids:?}");
        }
    }
}

#[tokio::test]
async fn what_a_channel_did_not_take_is_sent_again_and_given_up_in_the_end() {
    let (fabric, vault, delivery) = due().await;
    let busy = || Answer::NotTaken("busy".into());
    fabric.world().answers = std::iter::repeat_with(busy).take(9).collect();
    for _ in 0..4 {
        assert_eq!(vault.mailings.deliver(&delivery, "message").await.unwrap(), Delivered::Again("busy".into()));
    }
    assert_eq!(vault.mailings.deliver(&delivery, "message").await.unwrap(), Delivered::Done);
    assert_eq!(latest(&vault).await.ended.unwrap().0, MailingEnd::Refused("busy".into()));
    let world = fabric.world();
    assert_eq!((world.answers.len(), world.published.len()), (4, 0));
}

#[tokio::test]
async fn what_happens_while_a_mailing_is_sent_goes_into_the_next() {
    let (fabric, vault, delivery) = due().await;
    fabric.world().answers = [Answer::NotTaken("busy".into())].into();
    vault.mailings.deliver(&delivery, "message").await.unwrap();
    // Within the same batch, by a clock that is behind.
    fabric.world().now = UtcMs(delivery.due.0 - 1_000);
    vault.digests.tell(&ann(), UtcMs(0), &[item(1), item(2)], &[]).await.unwrap();
    let next = latest(&vault).await;
    assert!(next.delivery.due > delivery.due);
    assert_eq!(next.ends.values().sum::<u64>(), 1);
    assert_eq!(fabric.world().sent.len(), 1, "its own message");
}
