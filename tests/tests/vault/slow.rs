//! The slow track: a video that is too much for a function, worked on by a worker that may be killed.

use std::{path::Path, process::Command, time::Duration};

use photovault_tests::{film::Film, project};
use serde_json::Value;

use crate::engine::Engine;

/// Segments of a second; everything that must be encoded anew is for the worker.
fn template(most_s: u32) -> String {
    let text = project::read("template.yaml");
    let mut changed = text.clone();
    for (parameter, value) in [("SlowFrom", 0), ("SegmentSeconds", 1), ("MaxProcessingTime", most_s)] {
        let at = changed.find(&format!("  {parameter}:\n")).expect("the template has the parameter");
        let default = changed[at..].find("Default: ").expect("it has a default") + at + "Default: ".len();
        let end = changed[default..].find('\n').expect("a line ends") + default;
        changed.replace_range(default..end, &value.to_string());
    }
    assert_ne!(text, changed);
    changed
}

/// The worker's process: a child of the engine.
fn worker(engine: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.into_iter().find(|pid| {
        let read = |name: &str| std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join(name)).unwrap_or_default();
        let parent = read("stat").rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parent == Some(engine) && read("cmdline").contains("--worker")
    })
}

fn kill(pid: u32) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
    assert!(killed.success());
}

#[tokio::test]
async fn a_worker_that_is_killed_goes_on_where_it_was() {
    let engine = Engine::start_with(Some(&template(3600)));
    let film = Film { width: 640, height: 480, frames: 625, tone: true, ..Film::default() };
    engine.upload("users/ann/long.mov", film.bytes()).await;
    let entry = || engine.ask(&["ls", "--user", "ann"]).pop().map(|item| item["ledger"]["video"].clone());
    let progress = engine.wait_for("some segments", || {
        let progress = entry()?["progress"].clone();
        progress["done"].as_u64().is_some_and(|done| done >= 3).then_some(progress)
    });
    let (done, of) = (progress["done"].as_u64().unwrap(), progress["of"].as_u64().unwrap());
    assert!(done < of && of >= 15, "it is in the middle: {progress}");
    kill(worker(engine.pid()).expect("the worker is at work"));

    let item = engine.settled("ann", 1).remove(0);
    assert_eq!(item["status"], "ready", "{item}");
    let entry = &item["ledger"]["video"];
    assert!(entry["attempts"].as_u64().is_some_and(|attempts| attempts >= 2), "{entry}");
    let reason = entry["reason"].as_str().expect("it says how");
    assert!(reason.contains(&format!("by the worker in {of} segments: 625 frames")), "{reason}");
    let begun: Vec<u64> = log(&engine).iter().filter_map(|line| line["done"].as_u64()).collect();
    assert!(begun.len() >= 2 && begun[0] == 0 && begun[1] >= done - 1, "the second went on: {begun:?}");

    let files: Vec<_> = item["video"]["files"].as_array().into_iter().flatten().map(|file| file["name"].clone()).collect();
    assert_eq!(files, ["preview", "sprite", "index", "rendition"]);
    let fetched = engine.scratch("copy.mp4");
    engine.ask(&["get", "long.mov", "--user", "ann", "--size", "rendition", "--output", &fetched.to_string_lossy()]);
    let copy = std::fs::read(&fetched).expect("get wrote it");
    let place = |kind: &[u8]| copy.windows(4).position(|it| it == kind);
    assert!(place(b"moov") < place(b"mdat"));
    assert_eq!(checkpoints(&engine).await, 0, "what was needed on the way is gone");
    assert!(engine.ask(&["dlq", "ls"]).is_empty());
}

#[tokio::test]
async fn a_video_that_takes_too_long_is_failed_with_its_reason() {
    let engine = Engine::start_with(Some(&template(0)));
    engine.upload("users/ann/long.mov", Film { frames: 100, ..Film::default() }.bytes()).await;
    let item = engine.settled("ann", 1).remove(0);
    assert_eq!(item["status"], "failed", "{item}");
    assert!(item["reason"].as_str().is_some_and(|it| it.contains("longer than the 0 seconds that one video may")), "{item}");
    assert!(log(&engine).iter().any(|line| line["over_time"] == true), "what the alarm looks for is in the log");
    assert!(!item["derivatives"].is_null(), "its poster frame is there all the same");
}

/// What the worker logged.
fn log(engine: &Engine) -> Vec<Value> {
    let text = std::fs::read_to_string(engine.data().join("logs/video-worker.log")).expect("the worker logs");
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

async fn checkpoints(engine: &Engine) -> usize {
    let bucket = engine.object("vault_bucket", "").bucket;
    // They are removed after the end is written.
    for _ in 0..50 {
        let objects = engine.connection().await.seams.objects;
        let left = objects.versions(&bucket, "checkpoints/", None, 100).await.expect("a listing").items.len();
        if left == 0 {
            return 0;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    usize::MAX
}
