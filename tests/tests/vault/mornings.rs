//! memories-daily: each user is told once a day, in the morning where it lives, however often the function runs and wherever it dies.

use std::time::Duration;

use bytes::Bytes;
use photovault_domain::{MediaId, Placed, Preferences, Sha256, Taken, UserId, UtcMs, local_seconds};
use photovault_lambda::Message;
use photovault_memories_daily::{BEGIN_WITHIN, tell_all};
use photovault_sim::{Fabric, Fault, VAULT};
use photovault_vault::{Vault, seams::ObjectAt};

fn at(local: &str) -> UtcMs {
    UtcMs(local_seconds(local).unwrap() * 1000)
}

/// Three users with a photo of this day in 2023 and two of 2025, and one with none; Bob lives in Auckland.
async fn vault() -> (Fabric, Vault) {
    let fabric = Fabric::default();
    let vault = fabric.vault();
    for user in ["ann", "bob", "cem", "dan"] {
        let key = format!("originals/{user}/{}", Sha256::from_digest([1; 32]));
        fabric.world().store(&ObjectAt { bucket: VAULT.into(), key, version: None }, Bytes::new());
        let times = ["2023-07-04T12:00:00", "2025-07-04T09:00:00", "2025-07-04T10:00:00", "2025-08-01T10:00:00"];
        for (number, time) in times.into_iter().enumerate().filter(|(number, _)| user != "dan" || *number == 3) {
            place(&fabric, user, number as u8, at(time));
        }
    }
    let bob = Preferences { zone: "Pacific/Auckland".parse().unwrap(), ..Preferences::default() };
    vault.mailings.prefer(&"bob".parse().unwrap(), &bob).await.unwrap();
    (fabric, vault)
}

fn place(fabric: &Fabric, user: &str, number: u8, at: UtcMs) {
    let owner: UserId = user.parse().unwrap();
    let media = MediaId::of_bytes(&owner, &Sha256::from_digest([number; 32]));
    let placed = Placed { media, taken: Taken { at, ..Taken::default() }, begins: None };
    let mut row = serde_json::to_value(&placed).unwrap().as_object().unwrap().clone();
    row.extend([("pk".into(), format!("U#{user}#T").into()), ("sk".into(), placed.key().into())]);
    fabric.world().put(row, photovault_vault::seams::Expect::Absent);
}

/// What notify makes of what was sent to it; messages of mailings wait.
async fn told(fabric: &Fabric, vault: &Vault, user: &str) -> Vec<String> {
    let sent = std::mem::take(&mut fabric.world().sent);
    let messages = sent.into_iter().enumerate().map(|(number, sent)| Message {
        id: format!("m{number}"),
        receipt: String::new(),
        body: sent.message.body,
        received: 1,
        sent: UtcMs(0),
        queue_arn: String::new(),
    });
    let failed = photovault_notify::on_batch(vault.clone(), messages.collect()).await;
    assert!(failed.is_empty());
    let digests = vault.digests.list(&user.parse().unwrap(), None, 100).await.unwrap().items;
    digests.iter().map(|digest| format!("{} {}", digest.window.0, digest.text())).collect()
}

#[tokio::test]
async fn each_user_is_told_once_a_day_in_the_morning_where_it_lives() {
    let (fabric, vault) = vault().await;
    // When; how many it is time for; of them with something to tell. In Auckland it is the 4th of July from noon UTC of the 3rd.
    for (now, prepared, with) in [
        ("2026-07-03T20:30:00", 4, 1),
        ("2026-07-03T21:30:00", 0, 0),
        ("2026-07-04T07:59:00", 0, 0),
        ("2026-07-04T08:00:30", 3, 2),
        ("2026-07-04T09:00:00", 0, 0),
        ("2026-07-04T19:00:00", 0, 0),
        ("2026-07-04T20:00:30", 1, 0),
    ] {
        fabric.world().now = at(now);
        let report = tell_all(&vault, BEGIN_WITHIN).await.unwrap();
        assert_eq!((report.users, report.prepared, report.told, report.complete), (4, prepared, with, true), "{now}");
    }
    let text = "Memories of the day: 1 year ago today, 2 photos; 3 years ago today, 1 photo.";
    let morning = at("2026-07-04T08:00:00").0;
    assert_eq!(told(&fabric, &vault, "ann").await, [format!("{morning} {text}")]);
    assert_eq!(told(&fabric, &vault, "bob").await, [format!("{} {text}", at("2026-07-03T20:00:00").0)]);
    assert!(told(&fabric, &vault, "dan").await.is_empty());
    let kept = vault.day_memories(&"cem".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((kept.day.as_str(), kept.memories.len()), ("2026-07-04", 2));
}

#[tokio::test]
async fn a_run_that_dies_anywhere_is_made_up_for_and_tells_nobody_twice() {
    let (fabric, vault) = vault().await;
    fabric.world().now = at("2026-07-04T08:00:30");
    let before = fabric.world().calls;
    tell_all(&vault, BEGIN_WITHIN).await.unwrap();
    let calls = (fabric.world().calls - before) as usize;
    for number in 0..calls {
        for fault in [Fault::Before, Fault::After] {
            let (fabric, vault) = self::vault().await;
            fabric.world().now = at("2026-07-04T08:00:30");
            fabric.world().faults = std::iter::repeat_n(None, number).chain([Some(fault)]).collect();
            let _ = tell_all(&vault, BEGIN_WITHIN).await;
            fabric.world().faults.clear();
            fabric.world().now = at("2026-07-04T09:00:30");
            tell_all(&vault, BEGIN_WITHIN).await.unwrap();
            for user in ["ann", "cem"] {
                assert_eq!(told(&fabric, &vault, user).await.len(), 1, "{fault:?} at call {number}, {user}");
            }
        }
    }
}

#[tokio::test]
async fn a_run_without_time_is_gone_on_with_by_the_next() {
    let (fabric, vault) = vault().await;
    fabric.world().now = at("2026-07-04T08:00:30");
    // Each call takes a millisecond here.
    let mut users = Vec::new();
    loop {
        let report = tell_all(&vault, Duration::from_millis(8)).await.unwrap();
        users.push(report.users);
        assert!(report.users > 0 || report.complete, "no run without progress");
        if report.complete {
            break;
        }
    }
    assert!(users.len() > 1, "{users:?}");
    assert_eq!(users.iter().sum::<u64>(), 4);
}
