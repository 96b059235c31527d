//! The stage `tag` through the running engine: by the SDK, with the engine's own Rekognition, which is honest about what it does not know;
//! and what becomes of photos that waited for another month.

use std::{collections::BTreeMap, time::Duration};

use photovault_domain::{DAY_MS, Entry, Media, MediaId, Recognise, Recognising, Sha256, Stage, State, UserId, UtcMs};
use photovault_eyes::specimens::{by_colour, painted_face};
use photovault_health::{Repair, Request, check};
use photovault_sim::Fabric;
use photovault_tests::project;
use photovault_vault::{Change, Vault};

use crate::{
    engine::{Engine, photovault},
    fixtures,
};

#[tokio::test]
async fn an_engine_finds_faces_and_names_what_its_model_knows() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("colours.onnx");
    std::fs::write(&model, by_colour(&[1, 3, 16, 16])).expect("it is written");
    std::fs::write(folder.path().join("colours.txt"), "fire\nsea\n").expect("it is written");
    let engine = Engine::start_with_options(&["--recognition", "faces", "--labels", &model.to_string_lossy()]);
    let mut photo = Vec::new();
    let face = painted_face(1_600, 1_200, [800.0, 600.0], 160.0);
    face.write_to(&mut std::io::Cursor::new(&mut photo), image::ImageFormat::Jpeg).expect("it is written");
    engine.upload("users/ann/a.jpg", photo).await;
    let item = engine.settled("ann", 1).remove(0);
    assert_eq!((&item["status"], &item["ledger"]["tag"]["state"]), (&"ready".into(), &"done".into()), "{item}");
    // A grey wall is bluer than ImageNet's mean.
    assert_eq!((&item["tags"]["labels"][0]["name"], &item["ledger"]["tag"]["reason"]), (&"sea".into(), &().into()), "{item}");
    let faces = item["tags"]["faces"].as_array().map(Vec::len);
    assert!(faces == Some(1) && item["tags"]["faces"][0]["id"].is_null(), "found, and nobody's: {item}");
    assert_eq!(engine.ask(&["find", "sea", "--user", "ann"]).len(), 1);
    let people = engine.ask(&["people", "--user", "ann"]);
    assert_eq!(people, [serde_json::json!({"name": null, "faces": 1, "photos": 1, "lapsed": 0})], "nobody is recognised");
}

#[tokio::test]
async fn an_engine_without_models_says_so_and_holds_nothing_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = ["up", "--address", "127.0.0.1:0", "--recognition", "people", "--data"];
    let refused = photovault().args(up).arg(folder.path()).output().expect("it is run");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("--embeddings arcface.onnx"), "{said}");
    // A template may ask for people all the same.
    let template = project::read("template.yaml").replace(
        "    Default: \"off\"\n    AllowedValues: [\"off\", labels, faces, people]",
        "    Default: people\n    AllowedValues: [\"off\", labels, faces, people]",
    );
    let engine = Engine::start_with(Some(&template));
    engine.upload("users/ann/a.jpg", fixtures::jpeg(1600, 1200, 1)).await;
    let item = engine.settled("ann", 1).remove(0);
    assert_eq!((&item["status"], &item["ledger"]["tag"]["state"]), (&"ready".into(), &"done".into()), "{item}");
    assert_eq!(item["tags"], serde_json::json!({"model": "local-1"}), "no label is invented, and nobody looked for faces");
    let reason = item["ledger"]["tag"]["reason"].as_str().unwrap_or_default();
    assert!(
        reason.starts_with("deferred: the recogniser refuses this account") && reason.contains("cannot tell whose they are"),
        "{reason}"
    );
    assert!(engine.ask(&["find", "dog", "--user", "ann"]).is_empty());
    let used = engine.announced();
    assert!(used["queues"]["tag"].is_string(), "{used}");
}

#[tokio::test]
async fn an_engine_has_no_model_for_text_and_says_so() {
    let template = project::read("template.yaml");
    let (before, after) = template.split_once("  RecognitionText:").expect("it has the parameter");
    let after = after.replacen("Default: \"off\"", "Default: \"on\"", 1);
    let engine = Engine::start_with(Some(&format!("{before}  RecognitionText:{after}")));
    engine.upload("users/ann/a.jpg", fixtures::jpeg(1600, 1200, 1)).await;
    let item = engine.settled("ann", 1).remove(0);
    assert_eq!((&item["status"], &item["tags"]), (&"ready".into(), &().into()), "{item}");
    let reason = item["ledger"]["tag"]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("deferred") && reason.contains("no model that reads text"), "{reason}");
    assert!(engine.ask(&["find", "--text", "exit", "--user", "ann"]).is_empty());
}

/// Writes the tag entry of the one item.
async fn tagged(vault: &Vault, state: State, reason: Option<&str>) -> Media {
    let user: UserId = "ann".parse().expect("a user");
    let id = MediaId::of_bytes(&user, &Sha256::from_digest([1; 32]));
    let entry = Entry { state, reason: reason.map(str::to_owned), ..Entry::pending(Stage::Tag.recipe()) };
    let write = |item: Option<Media>| {
        let mut media = item.unwrap_or_else(|| Media::new(user.clone(), id.clone(), UtcMs(0)));
        media.ledger.insert(Stage::Tag, entry.clone());
        Change::Put(media)
    };
    vault.catalog.change(&user, &id, write).await.expect("nothing fails").expect("it is written")
}

#[tokio::test]
async fn what_waited_for_another_month_is_looked_at_in_it_and_waits_no_more() {
    let fabric = Fabric::default();
    let vault = fabric.recognising(Recognising { sought: Recognise::Labels.into(), monthly_images: 1 });
    let deferred = Some("deferred: the month's 1 pictures have been looked at");
    let media = tagged(&vault, State::Done, deferred).await;
    vault.recogniser.defer(&media.user, &media.id).await.expect("nothing fails");
    let pass = async || {
        let report = check(&vault, &Request::default(), Duration::MAX).await.expect("nothing fails");
        report.repairs.get(&Repair::TagsAskedFor).copied().unwrap_or(0)
    };
    let waiting = async || vault.recogniser.deferred(None, 10).await.expect("nothing fails").items.len();
    let state = async || {
        let item = vault.catalog.media(&media.user, &media.id).await.expect("nothing fails");
        item.map(|item| item.ledger[&Stage::Tag].state)
    };
    assert_eq!((pass().await, state().await), (0, Some(State::Done)), "it is the same month");
    for month in 1..3 {
        fabric.world().now = UtcMs(month * 31 * DAY_MS);
        assert_eq!((pass().await, pass().await), (1, 0), "once in a month");
        assert_eq!(state().await, Some(State::Pending));
        // That month has no picture for it either.
        tagged(&vault, State::Done, deferred).await;
        assert_eq!((pass().await, waiting().await), (0, 1));
    }
    fabric.world().now = UtcMs(3 * 31 * DAY_MS);
    assert_eq!(pass().await, 1);
    tagged(&vault, State::Done, None).await;
    assert_eq!((pass().await, waiting().await), (0, 0));
    let left: BTreeMap<_, _> = fabric.world().rows.clone().into_iter().filter(|((pk, _), _)| pk == "R#deferred").collect();
    assert!(left.is_empty());
}
