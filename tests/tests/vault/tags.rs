//! The stage `tag` through the running engine: by the SDK, with the engine's own Rekognition, which is honest about what it does not know.

use crate::{engine::Engine, fixtures};

#[tokio::test]
async fn an_engine_without_a_classifier_says_so_and_holds_nothing_up() {
    let engine = Engine::start_with_options(&["--recognition", "people"]);
    engine.upload("users/ann/a.jpg", fixtures::jpeg(1600, 1200, 1)).await;
    let item = engine.settled("ann", 1).remove(0);
    assert_eq!((&item["status"], &item["ledger"]["tag"]["state"]), (&"ready".into(), &"done".into()), "{item}");
    assert_eq!(item["tags"], serde_json::json!({"model": "local-1"}), "no label is invented, and nobody looked for faces");
    let reason = item["ledger"]["tag"]["reason"].as_str().unwrap_or_default();
    assert!(
        reason.starts_with("deferred: the recogniser refuses this account") && reason.contains("no face detector"),
        "{reason}"
    );
    assert!(engine.ask(&["find", "dog", "--user", "ann"]).is_empty());
    let used = engine.announced();
    assert!(used["queues"]["tag"].is_string(), "{used}");
}
