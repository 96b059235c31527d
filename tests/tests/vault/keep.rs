//! Keeping, on the running engine: a library is backed up and hurt in every way, every schedule runs once, and all of it is found, healed
//! or told.

use std::collections::BTreeSet;

use photovault_domain::{Stage, State};
use photovault_vault::{
    Change,
    seams::{ObjectAt, Served},
};
use serde_json::{Value, json};

use crate::{
    audit::{come_to_rest, sha256_of, vault},
    engine::{Engine, succeeded},
    figures::told,
    fixtures,
};

const PHOTOS: usize = 12;

/// Calls a function of the engine as its schedule does.
fn called(engine: &Engine, function: &str, event: &Value) -> Value {
    let file = engine.scratch("event.json");
    std::fs::write(&file, event.to_string()).expect("an event");
    let answer = succeeded(&mut engine.command(&["invoke", function, "-e", &file.to_string_lossy()]));
    serde_json::from_slice(&answer.stdout).expect("JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_hurt_library_is_found_healed_and_told() {
    let engine = Engine::start();
    for seed in 0..PHOTOS as u32 {
        engine.upload(&format!("users/ann/{seed:02}.jpg"), fixtures::jpeg(64, 48, seed)).await;
    }
    let items = engine.settled("ann", PHOTOS);
    let item = |name: &str| items.iter().find(|item| item["name"] == name).expect("an item").clone();
    let saved = called(&engine, "backup", &json!({}));
    assert_eq!(
        (&saved["items"], &saved["copied"], &saved["complete"]),
        (&json!(PHOTOS), &json!(PHOTOS), &json!(true)),
        "{saved}"
    );
    let idle = called(&engine, "backup", &json!({}));
    assert_eq!((&idle["items"], &idle["manifest"]), (&json!(0), &Value::Null), "{idle}");

    // 00 is missing, 01 has another byte, 02 is stuck, 03 is in the trash; and a derivative belongs to nothing.
    let (vault, seams) = (vault(&engine, "ann").await, engine.connection().await.seams);
    let user = "ann".parse().expect("a user");
    let object = |name: &str| engine.object("vault_bucket", &text(&item(name)["object"]));
    let served = Served { mime: "image/jpeg".into(), immutable: true };
    let missing = object("00.jpg");
    for version in seams.objects.versions(&missing.bucket, &missing.key, None, 10).await.expect("a listing").items {
        seams.objects.remove(&ObjectAt { version: Some(version.version), ..missing.clone() }).await.expect("a removal");
    }
    let mut altered = fixtures::jpeg(64, 48, 1);
    let last = altered.len() - 1;
    altered[last] ^= 1;
    seams.objects.write(&object("01.jpg"), altered.into(), &served).await.expect("a write");
    let orphan = engine.object("vault_bucket", &format!("derivatives/ann/{}/000000000000/small.jpg", "0".repeat(32)));
    seams.objects.write(&orphan, b"orphan".to_vec().into(), &served).await.expect("a write");
    let stick = |item: Option<photovault_domain::Media>| {
        let mut item = item.expect("an item");
        item.ledger.get_mut(&Stage::Thumbnail).expect("a line").state = State::Running;
        Change::Put(item)
    };
    vault.catalog.change(&user, &text(&item("02.jpg")["id"]).parse().expect("an id"), stick).await.expect("a change");
    engine.ask(&["trash", "put", "03.jpg", "--user", "ann"]);
    assert_eq!(engine.ask(&["ls", "--user", "ann"]).len(), PHOTOS - 1, "what is in the trash is in no list");
    assert_eq!(engine.ask(&["trash", "ls", "--user", "ann"])[0]["name"], "03.jpg");

    let verified = called(&engine, "verify", &json!({"all": true}));
    assert_eq!((&verified["read"], &verified["healed"], &verified["lost"]), (&json!(PHOTOS), &json!(2), &json!(0)), "{verified}");
    let health = called(&engine, "health", &json!({"all": true, "stalled_s": 0}));
    assert!(health["repairs"]["stages_sent"].as_u64().is_some_and(|sent| sent >= 1), "{health}");
    come_to_rest(&engine, "ann");
    let at_once = json!({"all": true, "trash_days": 0, "leftover_days": 0});
    let (first, second) = (called(&engine, "cleanup", &at_once), called(&engine, "cleanup", &at_once));
    assert_eq!((&first["removed"], &first["suspected"]), (&json!({"trash_emptied": 1}), &json!(1)), "{first}");
    assert_eq!(second["removed"], json!({"orphans_removed": 1}), "{second}");
    let log: BTreeSet<String> = engine.ask(&["audit"]).iter().map(|line| text(&line["deed"])).collect();
    assert_eq!(log, ["original_healed", "orphans_removed", "trash_emptied"].map(str::to_owned).into());

    engine.ask(&["backup"]);
    let drill = engine.ask(&["verify", "--drill"]).remove(0);
    assert_eq!((&drill["originals"], &drill["matched"]), (&json!(PHOTOS), &json!(PHOTOS)), "{drill}");
    restored_files_are_whole(&engine);
    nothing_is_lost_to_who_deletes_all(&engine, &vault).await;
    told("keep: missing, altered, stuck, orphaned and trashed: all found; 2 healed, 1 revived, 2 removed");
}

/// The backup as files: each original under its name, with its XMP, and the library.
fn restored_files_are_whole(engine: &Engine) {
    let folder = engine.scratch("restored");
    let report = engine.ask(&["restore", "--to", &folder.to_string_lossy()]).remove(0);
    let library: Vec<Value> =
        serde_json::from_slice(&std::fs::read(folder.join("library.json")).expect("a library")).expect("JSON");
    // The one in the trash left a moment ago: backups learn of it ten minutes later.
    assert_eq!((&report["originals"], library.len()), (&json!(PHOTOS), PHOTOS));
    for entry in library {
        let path = folder.join(text(&entry["file"]));
        let bytes = std::fs::read(&path).expect("a file");
        assert_eq!(sha256_of(&bytes).to_string(), text(&entry["sha256"]));
        assert!(path.with_added_extension("xmp").exists());
    }
}

/// Whoever may delete objects, and no versions, deletes every original: a pass of `health` brings all of them back.
async fn nothing_is_lost_to_who_deletes_all(engine: &Engine, vault: &photovault_vault::Vault) {
    let kept = vault.originals.kept_after("originals/", None, 1000).await.expect("a listing").items;
    let mut deleted = 0;
    for listed in kept.iter().filter(|listed| listed.is_latest) {
        vault.originals.remove(&listed.key).await.expect("a removal");
        deleted += 1;
    }
    assert_eq!(deleted, PHOTOS - 1);
    let health = called(engine, "health", &json!({"all": true, "stalled_s": 0}));
    assert_eq!(health["repairs"]["original_brought_back"], json!(deleted), "{health}");
    let verified = called(engine, "verify", &json!({"all": true}));
    assert_eq!((&verified["read"], &verified["healed"]), (&json!(deleted), &json!(0)), "{verified}");
}
