//! Real files and hard endings: the whole corpus through the engine, and imports whose engine is killed again and again.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use photovault_tests::tools;
use serde_json::Value;

use crate::engine::{Engine, is_end, json_lines, photovault, states, succeeded};

/// How often the engine is killed during one import.
const KILLS: u64 = 10;

#[test]
fn every_file_of_the_corpus_reaches_an_end_with_a_reason() {
    let Some(corpus) = tools::corpus() else { return };
    let engine = Engine::start();
    let outcomes = engine.ask(&["import", &corpus.to_string_lossy()]);
    let (summary, files) = outcomes.split_last().expect("an import ends with its summary");
    println!("{summary}");
    assert!(files.len() > 100, "only {} files in {}", files.len(), corpus.display());
    for file in files {
        let (status, reason) = (file["status"].as_str().unwrap_or_default(), file["reason"].as_str());
        assert!(is_end(status), "{file}");
        assert!(
            status == "ready" || reason.is_some_and(|reason| reason.len() > 10),
            "no reason that a person understands: {file}"
        );
        assert_ne!(status, "failed", "a limit should have caught it: {file}");
    }
    assert!(engine.ask(&["dlq", "ls"]).is_empty(), "nothing died unobserved");
}

#[test]
fn an_engine_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let photos = match tools::corpus() {
        Some(corpus) => corpus,
        None => sample(scratch.path()),
    };
    let undisturbed = Engine::start();
    let started = Instant::now();
    undisturbed.ask(&["import", &photos.to_string_lossy()]);
    let took = started.elapsed();
    let want = ends(&undisturbed);
    drop(undisturbed);

    let mut engine = Engine::start();
    let mut import = engine.command(&["import", &photos.to_string_lossy(), "--json"]);
    let import = import.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the import starts");
    // Read beside the kills: a pipe that is full would stop the import.
    let import = thread::spawn(move || import.wait_with_output().expect("the import ends"));
    // An import that begins while no engine runs says so and ends.
    engine.wait_for("the import's first item", || Some(engine.ask(&["ls", "--limit", "1"])).filter(|items| !items.is_empty()));
    for round in 0..KILLS {
        // Moments without a pattern, within the time that an import takes: a prime's multiples, so that a failure can be repeated.
        let moment_ms = 50 + (round * 7_919) % (took.as_millis() as u64 * 2 / KILLS).max(100);
        thread::sleep(Duration::from_millis(moment_ms));
        engine.kill_and_restart();
    }
    let import = import.join().expect("nothing panics while it waits");
    let unended = json_lines(&import)
        .into_iter()
        .filter(|line| line["status"] == "processing" || line["status"] == "failed")
        .collect::<Vec<_>>();
    assert!(import.status.success(), "the import outlives its engine: {unended:?} {}", String::from_utf8_lossy(&import.stderr));
    assert_eq!(ends(&engine), want, "the end state is that of an undisturbed import");
    // Once more: there is nothing left to send.
    let again = engine.ask(&["import", &photos.to_string_lossy()]);
    assert_eq!(again.last().expect("a summary")["summary"]["sent"], 0);
}

/// A small library, where there is no corpus.
fn sample(folder: &Path) -> std::path::PathBuf {
    succeeded(photovault().args(["sample", "--photos", "40", "--json"]).arg(folder));
    assert!(fs::metadata(folder.join("truth.json")).is_ok());
    folder.join("photos")
}

/// Every item by id, as far as it does not depend on when and how often it was tried.
fn ends(engine: &Engine) -> BTreeMap<String, Value> {
    let listed = |engine: &Engine| json_lines(&succeeded(engine.command(&["ls", "--limit", "100000"]).arg("--json")));
    let told = |item: &Value| states(item).iter().all(|(_, state)| !["pending", "running"].contains(&state.as_str()));
    let items = engine.wait_for("every item's end", || Some(listed(engine)).filter(|items| items.iter().all(told)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items
        .into_iter()
        .map(|item| {
            let derivatives = item["derivatives"].clone();
            let end = serde_json::json!({
                "status": item["status"], "reason": item["reason"], "states": states(&item), "object": item["object"],
                "derivatives": derivatives, "facts": of_file(&item["facts"]), "format": item["format"], "size_bytes": item["size_bytes"],
            });
            (text(&item["id"]), end)
        })
        .collect()
}

/// Facts without those that also come from when and under which names a file was uploaded.
fn of_file(facts: &Value) -> Value {
    let mut facts = facts.clone();
    if let Some(facts) = facts.as_object_mut() {
        facts.retain(|name, _| !["captured", "times", "screenshot"].contains(&name.as_str()));
    }
    facts
}
