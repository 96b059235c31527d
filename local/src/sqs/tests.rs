//! The queue model against a clock that really runs, so delays are short and margins wide.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tempfile::TempDir;
use tokio::time::Instant;

use super::{Counts, Holder, Letter, Message, QueueSpec, Queues};
use crate::store::Store;

const NOW: Duration = Duration::ZERO;

async fn queues(folder: &TempDir) -> Queues {
    let queues = Queues::new(Store::open(folder.path()).unwrap());
    let spec = QueueSpec { redrive: Some(("work-dlq".to_owned(), 2)), ..QueueSpec::named("work") };
    queues.create(QueueSpec::named("work-dlq")).await.unwrap();
    queues.create(spec).await.unwrap();
    queues
}

async fn send(queues: &Queues, body: &str, delay_s: u32) -> String {
    queues.send("work", body.to_owned(), delay_s, BTreeMap::new()).await.unwrap()
}

async fn receive(queues: &Queues, queue: &str, visibility_s: u32, holder: Holder) -> Vec<Message> {
    queues.receive(queue, 10, Some(visibility_s), NOW, holder).await.unwrap()
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

#[tokio::test]
async fn a_message_is_held_given_back_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(&folder).await;
    let id = send(&queues, "a", 0).await;
    send(&queues, "b", 0).await;
    assert_eq!(queues.counts("work").await.unwrap(), Counts { visible: 2, in_flight: 0, delayed: 0 });
    let first = receive(&queues, "work", 60, Holder::Client).await;
    assert_eq!(bodies(&first), ["a", "b"]);
    assert_eq!((first[0].id.as_str(), first[0].receive_count), (id.as_str(), 1));
    assert!(receive(&queues, "work", 60, Holder::Client).await.is_empty());
    assert_eq!(queues.counts("work").await.unwrap(), Counts { visible: 0, in_flight: 2, delayed: 0 });

    assert!(queues.change_visibility("work", &first[0].receipt, 0).await.unwrap());
    let again = receive(&queues, "work", 60, Holder::Client).await;
    assert_eq!((bodies(&again), again[0].receive_count), (vec!["a"], 2));
    assert_eq!(again[0].first_received_ms, first[0].first_received_ms);
    // The first receipt no longer deletes it, the second does; a stranger's is no error.
    queues.delete("work", &[first[0].receipt.clone(), "stranger".to_owned()]).await.unwrap();
    assert_eq!(queues.counts("work").await.unwrap().in_flight, 2);
    queues.delete("work", &[again[0].receipt.clone(), first[1].receipt.clone()]).await.unwrap();
    assert_eq!(queues.counts("work").await.unwrap(), Counts::default());
}

#[tokio::test]
async fn a_long_poll_wakes_for_a_send_a_delay_and_an_expired_hold() {
    let folder = tempfile::tempdir().unwrap();
    let queues = Arc::new(queues(&folder).await);
    let started = Instant::now();
    let waiting = tokio::spawn({
        let queues = Arc::clone(&queues);
        async move { queues.receive("work", 1, Some(1), Duration::from_secs(20), Holder::Client).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    send(&queues, "sent", 0).await;
    assert_eq!(bodies(&waiting.await.unwrap()), ["sent"]);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());

    send(&queues, "delayed", 2).await;
    assert_eq!(queues.counts("work").await.unwrap(), Counts { visible: 0, in_flight: 1, delayed: 1 });
    let held = queues.receive("work", 1, Some(60), Duration::from_secs(20), Holder::Client).await.unwrap();
    assert_eq!((bodies(&held), held[0].receive_count), (vec!["sent"], 2));
    let delayed = queues.receive("work", 1, Some(60), Duration::from_secs(20), Holder::Client).await.unwrap();
    assert_eq!(bodies(&delayed), ["delayed"]);
    assert!((Duration::from_millis(1900)..Duration::from_secs(10)).contains(&started.elapsed()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letters_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(&folder).await;
    send(&queues, "poison", 0).await;
    send(&queues, "fine", 0).await;
    let mut sent_ms = 0;
    for count in 1..=2 {
        let held = receive(&queues, "work", 60, Holder::Client).await;
        assert_eq!((held[0].body.as_str(), held[0].receive_count), ("poison", count));
        sent_ms = held[0].sent_ms;
        queues.change_visibility("work", &held[0].receipt, 0).await.unwrap();
        if let Some(fine) = held.get(1) {
            queues.delete("work", std::slice::from_ref(&fine.receipt)).await.unwrap();
        }
    }
    send(&queues, "next", 0).await;
    // The dead letter does not take the next one's place in the batch.
    let held = queues.receive("work", 1, Some(60), NOW, Holder::Client).await.unwrap();
    assert_eq!(bodies(&held), ["next"]);
    let dead = receive(&queues, "work-dlq", 0, Holder::Client).await;
    assert_eq!((bodies(&dead), dead[0].sent_ms), (vec!["poison"], sent_ms));
    assert_eq!(dead[0].dead_letter_source.as_deref(), Some("arn:aws:sqs:us-east-1:000000000000:work"));

    assert_eq!(queues.redrive("work-dlq", None).await.unwrap(), 1);
    let back = receive(&queues, "work", 60, Holder::Client).await;
    assert_eq!((bodies(&back), back[0].receive_count, &back[0].dead_letter_source), (vec!["poison"], 1, &None));
    assert_eq!(queues.counts("work-dlq").await.unwrap(), Counts::default());
}

#[tokio::test]
async fn what_mappings_held_when_the_engine_died_comes_back_uncounted() {
    let folder = tempfile::tempdir().unwrap();
    {
        let queues = queues(&folder).await;
        for body in ["a", "b", "c"] {
            send(&queues, body, 0).await;
        }
        let held = queues.receive("work", 2, Some(600), NOW, Holder::Mapping).await.unwrap();
        assert_eq!(bodies(&held), ["a", "b"]);
        let client = queues.receive("work", 1, Some(600), NOW, Holder::Client).await.unwrap();
        assert_eq!(bodies(&client), ["c"]);
        // `b` failed and was given back: that receive counts.
        queues.change_visibility("work", &held[1].receipt, 0).await.unwrap();
    }
    let queues = queues(&folder).await;
    queues.release_mapping_holds().await.unwrap();
    let mut back = receive(&queues, "work", 60, Holder::Mapping).await;
    back.sort_by(|one, other| one.body.cmp(&other.body));
    let counts: Vec<_> = back.iter().map(|message| (message.body.as_str(), message.receive_count)).collect();
    assert_eq!(counts, [("a", 1), ("b", 2)]);
}

#[tokio::test]
async fn a_fifo_queue_keeps_the_order_of_a_group_and_forgets_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(&folder).await;
    queues.create(QueueSpec::named("orders.fifo")).await.unwrap();
    let letter = |body: &str, group: &str| Letter {
        body: body.to_owned(),
        group: Some(group.to_owned()),
        deduplication: Some(body.to_owned()),
        ..Letter::default()
    };
    let letters = vec![letter("a1", "a"), letter("a2", "a"), letter("b1", "b"), letter("a1", "a")];
    let ids = queues.send_all("orders.fifo", letters).await.unwrap();
    assert_eq!(ids[0], ids[3]);
    let held = receive(&queues, "orders.fifo", 60, Holder::Client).await;
    assert_eq!(bodies(&held), ["a1", "b1"]);
    assert!(receive(&queues, "orders.fifo", 60, Holder::Client).await.is_empty());
    queues.delete("orders.fifo", &[held[0].receipt.clone()]).await.unwrap();
    assert_eq!(bodies(&receive(&queues, "orders.fifo", 60, Holder::Client).await), ["a2"]);
}

#[tokio::test]
async fn many_receivers_share_without_doubles() {
    let folder = tempfile::tempdir().unwrap();
    let queues = Arc::new(queues(&folder).await);
    let letters = (0..300).map(|number| Letter { body: number.to_string(), ..Letter::default() }).collect();
    queues.send_all("work", letters).await.unwrap();
    let workers = (0..8).map(|_| {
        let queues = Arc::clone(&queues);
        tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let held = queues.receive("work", 7, Some(60), NOW, Holder::Mapping).await.unwrap();
                if held.is_empty() {
                    return seen;
                }
                seen.extend(held.into_iter().map(|message| message.body.parse::<u32>().unwrap()));
            }
        })
    });
    let mut all: Vec<_> = futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    all.sort_unstable();
    assert_eq!(all, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_queue_that_is_not_there_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(&folder).await;
    for error in [
        queues.send("none", "x".to_owned(), 0, BTreeMap::new()).await.unwrap_err(),
        queues.receive("none", 1, None, Duration::from_secs(9), Holder::Client).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "there is no queue none");
    }
}
