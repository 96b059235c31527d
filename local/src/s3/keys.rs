//! Keys are data: ten thousand hostile ones go in, come back in events and in reads exactly as they were, and never become a path.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _};
use photovault_sim::Random;

use super::tests::Bench;
use crate::sqs::Holder;

const KEYS: usize = 10_000;
/// What S3 allows for one key (UTF-8).
const MAX_KEY_BYTES: usize = 1024;
/// Uploads under way at once.
const AT_ONCE: usize = 32;

/// Parts that have meant something to some program: paths, escapes, both normal forms, controls, ends of names.
const PARTS: &[&str] = &[
    "../",
    "..\\",
    "/",
    "//",
    ".",
    "..",
    "~",
    "+",
    "%2B",
    "%2F",
    "%252F",
    "%00",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u{1}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{feff}",
    "é",
    "e\u{301}",
    "Å",
    "A\u{30a}",
    "한",
    "\u{1112}\u{1161}\u{11ab}",
    "\u{202e}gpj.exe",
    "😀",
    "\u{10ffff}",
    "?a=b",
    "#frag",
    "&x=1",
    "=",
    ":",
    "*",
    "|",
    "\"",
    "'",
    "`id`",
    "$(id)",
    "${HOME}",
    ";",
    "CON",
    "C:\\",
    "file://",
    "users/bob/",
    ".jpg",
    ".tmp",
    "-rf",
    "'; DROP TABLE objects; --",
    "<script>",
    "&amp;",
    "blobs/",
    "photovault.sqlite",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hostile_keys_round_trip_and_never_become_a_path() {
    let bench = Arc::new(Bench::new().await);
    let keys: Vec<String> = (0..KEYS).map(key).collect();
    assert!(keys.iter().all(|key| key.len() <= MAX_KEY_BYTES) && keys.iter().any(|key| key.len() == MAX_KEY_BYTES));
    assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), KEYS, "every key is another one");
    let before = files_outside_of_blobs(bench.folder());

    let put = |key: &String| {
        let (bench, key) = (Arc::clone(&bench), key.clone());
        async move { bench.put("plain", &key, key.as_bytes()).await }
    };
    let written: Vec<_> =
        futures::stream::iter(&keys).map(put).buffer_unordered(AT_ONCE).try_collect().await.expect("every key is taken");
    assert_eq!(written.len(), KEYS);

    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    loop {
        let messages = bench.queues.receive("events", 10, None, Duration::ZERO, Holder::Client).await.expect("events are there");
        if messages.is_empty() {
            break;
        }
        for message in messages {
            for upload in photovault_validate::created_uploads(&message.body).expect("an event can be read") {
                *told.entry(upload.key).or_default() += 1;
            }
        }
    }
    for key in &keys {
        assert_eq!(told.remove(key), Some(1), "{key:?} is told of once, exactly as it is");
    }
    assert!(told.is_empty(), "events of keys that nobody wrote: {told:?}");

    let get = |key: &String| {
        let (bench, key) = (Arc::clone(&bench), key.clone());
        async move { (bench.get("plain", &key, None).await.expect("it is there"), key) }
    };
    let mut read = futures::stream::iter(&keys).map(get).buffer_unordered(AT_ONCE);
    while let Some((body, key)) = read.next().await {
        assert_eq!(body, key.as_bytes(), "{key:?}");
    }
    assert_eq!(bench.files(), KEYS, "one blob a key, under names of our own");
    assert_eq!(files_outside_of_blobs(bench.folder()), before, "nothing was written elsewhere");
}

/// A key of three to nine parts, in front of its number; every hundredth is filled up to the longest that is allowed.
fn key(number: usize) -> String {
    let mut random = Random::new(number as u64);
    let count = 3 + random.below(7);
    let parts: String = (0..count).map(|_| random.one_of(PARTS)).collect();
    let mut key = format!("in/{parts}{number}");
    if number.is_multiple_of(100) {
        key.push_str(&"x".repeat(MAX_KEY_BYTES - key.len()));
    }
    key
}

/// Every file and folder beside the blobs, in the engine's folder and in the one around it.
fn files_outside_of_blobs(folder: &Path) -> Vec<String> {
    let names = |at: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(at).expect("a folder can be listed").map(|entry| entry.expect("an entry").file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).collect()
    };
    let mut all: Vec<String> =
        names(folder).into_iter().filter(|name| !name.contains("sqlite") && !name.contains(".db")).collect();
    let blobs = folder.join("blobs");
    all.extend(names(&blobs).iter().filter(|name| !name.bytes().all(|byte| byte.is_ascii_hexdigit())).cloned());
    all.sort();
    all
}
