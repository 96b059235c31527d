//! Looking after a vault: counters, work that is done again, one photo's way, the machine, the page of metrics, letters that are given up.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    thread,
    time::Duration,
};

use photovault_domain::{Letter, UtcMs};
use photovault_sim::Fabric;
use photovault_tests::project;
use serde_json::Value;

use crate::{
    engine::{Engine, photovault, succeeded},
    traces::{Collector, count, is_whole},
};

/// Photos of the story.
const PHOTOS: usize = 12;

#[test]
fn who_has_seen_enough_is_no_accident() {
    let mut doctor = photovault().arg("doctor").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(doctor.stdout.take());
    let ended = doctor.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(141));
    assert!(!String::from_utf8_lossy(&ended.stderr).contains("panicked"), "{ended:?}");
}

#[test]
fn stale_work_is_done_again_once_and_all_of_it_is_counted() {
    // Counters follow within a second instead of half a minute.
    let usual =
        replaced(&project::read("template.yaml"), "MaximumBatchingWindowInSeconds: 30", "MaximumBatchingWindowInSeconds: 1");
    let collector = Collector::start();
    let usual = replaced(
        &usual,
        "Default: \"\"\n    AllowedPattern: \"^(https?",
        &format!("Default: {}\n    AllowedPattern: \"^(https?", collector.endpoint),
    );
    let chosen = replaced(&usual, "Default: jpeg,webp,full", "Default: jpeg");
    let mut engine = Engine::start_with(Some(&usual));
    let library = engine.scratch("library");
    succeeded(photovault().arg("sample").arg(&library).args(["--photos", &PHOTOS.to_string(), "--size", "0.5"]));
    engine.ask(&["import", &library.join("photos").to_string_lossy()]);
    let bytes: u64 = engine.settled("owner", PHOTOS).iter().map(|item| item["size_bytes"].as_u64().expect("a size")).sum();
    let stats = counted(&engine, "notify", PHOTOS);
    assert_eq!((&stats["kinds"][0]["kind"], &stats["kinds"][0]["items"]["ready"]), (&"photo".into(), &PHOTOS.into()));
    assert_eq!(stats["kinds"][0]["original_bytes"], bytes);
    let arrived: u64 = stats["arrived"].as_array().expect("hours").iter().map(|count| count.as_u64().expect("a count")).sum();
    assert_eq!(arrived, PHOTOS as u64);
    assert_eq!(dry_run(&engine)["items"], 0);

    let media = engine.ask(&["ls", "--limit", "1"])[0]["id"].as_str().expect("an id").to_owned();
    let trace = engine.ask(&["trace", &media]).remove(0)["trace"].as_str().expect("its id").to_owned();
    is_whole(&collector.trace(&trace)).unwrap_or_else(|wrong| panic!("{wrong}: {:#?}", collector.trace(&trace)));
    assert_eq!(count(&collector.trace(&trace), "thumbnail"), 1);

    engine.restart_with(Some(&chosen));
    let dry = dry_run(&engine);
    assert_eq!((&dry["items"], &dry["read_units"]), (&PHOTOS.into(), &1.into()), "{dry}");
    assert!(dry["usd"].as_f64().is_some_and(|usd| usd > 0.0) && dry["work_ms"].as_u64().is_some_and(|ms| ms > 0), "{dry}");
    let mut killed = engine.command(&["backfill", "--stage", "thumbnail", "--rate", "60", "--json"]);
    let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    thread::sleep(Duration::from_secs(3));
    killed.kill().expect("it can be killed");
    killed.wait().expect("it ends");
    let done = engine.ask(&["backfill", "--stage", "thumbnail"]).remove(0);
    assert_eq!(done["looked_at"], PHOTOS, "{done}");
    for item in engine.settled("owner", PHOTOS) {
        let thumbnail = &item["ledger"]["thumbnail"];
        assert_eq!((&thumbnail["state"], &thumbnail["asked"]), (&"done".into(), &1.into()), "{item}");
        let files = item["derivatives"]["files"].as_array().expect("files");
        assert!(files.iter().all(|file| file["mime"] == "image/jpeg"), "{files:?}");
        assert_eq!(item["ledger"]["notify"].get("asked"), None, "nobody is told");
    }
    let stats = counted(&engine, "thumbnail", 2 * PHOTOS);
    assert_eq!(stats["kinds"][0]["items"]["ready"], PHOTOS);
    assert_eq!(dry_run(&engine)["items"], 0);

    is_whole(&collector.trace(&trace)).unwrap_or_else(|wrong| panic!("{wrong}: {:#?}", collector.trace(&trace)));
    assert_eq!(count(&collector.trace(&trace), "thumbnail"), 2, "what is done again is of the same trace");
    let trace = engine.ask(&["trace", &media]).remove(0);
    let spans = trace["spans"].as_array().expect("spans");
    assert_eq!(spans[0]["stage"], "validate");
    assert!(spans.iter().all(|span| span["ended_ms"].as_u64() >= span["began_ms"].as_u64()), "{trace}");
    let metrics = page(&engine, "/metrics");
    for line in ["photovault_dead_letters{stage=\"thumbnail\"} 0", "# TYPE photovault_queue_messages gauge"] {
        assert!(metrics.lines().any(|it| it == line), "{line} is missing:\n{metrics}");
    }
    let checks = engine.ask(&["doctor"]);
    let bad: Vec<_> = checks.iter().filter(|check| check["state"] == "bad").collect();
    let is_good = |what: &str| checks.iter().any(|check| check["what"] == what && check["state"] == "good");
    assert!(bad.is_empty() && ["clock", "permissions"].into_iter().all(is_good), "{checks:?}");
}

#[tokio::test]
async fn a_letter_that_is_given_up_is_kept_with_its_reason() {
    let vault = Fabric::default().vault();
    let letter = Letter {
        id: "0001#m".into(),
        stage: "thumbnail".into(),
        user: None,
        media: None,
        name: "a.jpg".into(),
        reason: "torn".into(),
        body: "{}".into(),
        attempts: 5,
        died: UtcMs(1),
    };
    vault.letters.keep(&letter).await.expect("kept");
    vault.letters.drop(&letter, "a test upload", UtcMs(2)).await.expect("dropped");
    assert!(vault.letters.list("thumbnail", None, 10).await.expect("letters").items.is_empty());
    let dropped = vault.letters.dropped(None, 10).await.expect("those that were given up").items;
    assert_eq!(dropped.len(), 1);
    assert_eq!((&dropped[0].letter, &*dropped[0].because), (&letter, "a test upload"));
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the template has no {from}");
    text.replace(from, to)
}

/// The counters once a stage has run so often.
fn counted(engine: &Engine, stage: &str, runs: usize) -> Value {
    engine.wait_for(&format!("{runs} counted runs of {stage}"), || {
        let stats = engine.ask(&["stats"]).remove(0);
        let of = stats["stages"].as_array()?.iter().find(|it| it["stage"] == stage)?;
        (of["runs"] == runs).then(|| stats.clone())
    })
}

fn dry_run(engine: &Engine) -> Value {
    engine.ask(&["backfill", "--stage", "thumbnail", "--dry-run"]).remove(0)
}

fn page(engine: &Engine, path: &str) -> String {
    let endpoint = engine.announced()["endpoint"].as_str().expect("an endpoint").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(endpoint).expect("the engine answers");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
}
