//! health on the running engine: the seams that it alone uses, and repairs that need a store with versions.

use photovault_sim::Fabric;
use photovault_vault::seams::{Expect, ObjectAt, Row, Table};
use serde_json::{Value, json};

use crate::{
    audit::{come_to_rest, vault},
    engine::{Engine, succeeded},
    fixtures,
};

/// Rows of the index, and of a page.
const ROWS: i64 = 25;
const PAGE: u32 = 10;

/// The pages of the index `work`, by the sort keys of their rows.
async fn pages(table: &dyn Table) -> Vec<Vec<String>> {
    for number in 0..ROWS {
        // Against the order of writing, and two of each age.
        let fields =
            json!({"pk": "TEST", "sk": format!("{number:02}"), "work_pk": "work", "work_at": (ROWS - number) / 2, "version": 1});
        let row: Row = serde_json::from_value(fields).expect("a row");
        table.put(row, Expect::Absent).await.expect("a write");
    }
    let unindexed: Row = serde_json::from_value(json!({"pk": "TEST", "sk": "settled", "version": 1})).expect("a row");
    table.put(unindexed, Expect::Absent).await.expect("a write");
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = table.work("work", after.as_deref(), PAGE).await.expect("a page");
        pages.push(page.items.into_iter().map(|key| key.sk).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn the_index_of_work_has_every_row_once_oldest_first() {
    let engine = Engine::start();
    let on_engine = pages(engine.connection().await.seams.table.as_ref()).await;
    let on_fabric = pages(Fabric::default().seams().table.as_ref()).await;
    for pages in [on_engine, on_fabric] {
        assert!(pages.iter().all(|page| page.len() <= PAGE as usize));
        let keys = pages.concat();
        let ages: Vec<i64> = keys.iter().map(|sk| (ROWS - sk.parse::<i64>().expect("a number")) / 2).collect();
        assert!(ages.is_sorted(), "{keys:?}");
        let mut every = keys.clone();
        every.sort();
        assert_eq!(every, (0..ROWS).map(|number| format!("{number:02}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_was_damaged_is_repaired_by_the_command_and_by_the_function() {
    let engine = Engine::start();
    for seed in 0..4 {
        engine.upload(&format!("users/ann/{seed}.jpg"), fixtures::jpeg(64, 48, seed)).await;
    }
    let items = engine.settled("ann", 4);
    let item = |name: &str| items.iter().find(|item| item["name"] == name).expect("an item").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let (vault, seams) = (vault(&engine, "ann").await, engine.connection().await.seams);
    // 0: no item. 1: its original deleted. 2: and every version of it. 3: a derivative deleted.
    let user = "ann".parse().expect("a user");
    vault.catalog.remove(&user, &text(&item("0.jpg")["id"]).parse().expect("an id")).await.expect("a removal");
    let object = |name: &str| engine.object("vault_bucket", &text(&item(name)["object"]));
    seams.objects.remove(&object("1.jpg")).await.expect("a removal");
    let whole = object("2.jpg");
    for version in seams.objects.versions(&whole.bucket, &whole.key, None, 10).await.expect("a listing").items {
        let at = ObjectAt { version: Some(version.version), ..whole.clone() };
        seams.objects.remove(&at).await.expect("a removal");
    }
    let derivative = text(&item("3.jpg")["derivatives"]["files"][0]["key"]);
    seams.objects.remove(&engine.object("vault_bucket", &derivative)).await.expect("a removal");

    let mut report = engine.ask(&["health", "--all", "--stalled", "0"]).remove(0);
    // With no patience at all, what the pass has just mended is without progress at its end: not always, so not compared.
    report["repairs"].as_object_mut().expect("repairs").remove("stages_sent");
    let repairs = json!({"item_recovered": 1, "original_brought_back": 1, "original_missing": 1, "derivatives_asked_for": 1});
    assert_eq!((&report["repairs"], &report["complete"]), (&repairs, &json!(true)), "{report}");
    come_to_rest(&engine, "ann");
    let mut ends: Vec<String> = engine.ask(&["ls", "--user", "ann"]).iter().map(|item| text(&item["status"])).collect();
    ends.sort();
    assert_eq!(ends, ["failed", "ready", "ready", "ready"]);

    // The function, on the same vault: nothing is left to do.
    let event = engine.scratch("event.json");
    std::fs::write(&event, r#"{"all": true, "stalled_s": 0}"#).expect("an event");
    let answer = succeeded(&mut engine.command(&["invoke", "health", "-e", &event.to_string_lossy()]));
    let answer: Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    assert_eq!((&answer["repairs"], &answer["complete"]), (&json!({}), &json!(true)), "{answer}");
}
