//! One story on emulators of AWS that are not ours: buckets, queues and tables are theirs, the functions and their pollers ours.
//! Only the endpoint changes, so every item must end as it does on our own engine.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use photovault_tests::{film::Film, tools::peers_venv};
use serde_json::{Value, json};

use crate::{
    engine::{Engine, photovault, succeeded, told},
    fixtures::jpeg,
};

/// Photos of the sample library.
const PHOTOS: usize = 6;
/// Moto, as it loses nothing under requests that come at once.
const MOTO: &str = include_str!("../../moto_one_by_one.py");
/// The command of the virtual environment that is named next.
const NAMED: &str = "import os, sys; os.execv(os.path.join(sys.prefix, 'bin', sys.argv[1]), sys.argv[1:])";
/// How long an emulator may take to start: they are written in Python.
const START: Duration = Duration::from_mins(2);

#[tokio::test]
async fn moto_keeps_the_same_vault() {
    let Some(venv) = peers_venv() else { return };
    same_as_ours(&Peer::start(&venv, |command, port| {
        command.args([MOTO, "-H", "127.0.0.1", "-p", port]).env("MOTO_ACCOUNT_ID", "000000000000");
    }))
    .await;
}

#[tokio::test]
async fn ministack_keeps_the_same_vault() {
    let Some(venv) = peers_venv() else { return };
    same_as_ours(&Peer::start(&venv, |command, port| {
        // Without an endpoint of its own it would ask AWS.
        command.args([NAMED, "ministack"]).envs([("BIND_HOST", "127.0.0.1"), ("GATEWAY_PORT", port)]);
        command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
    }))
    .await;
}

async fn same_as_ours(peer: &Peer) {
    let (ours, theirs) = (Engine::start(), Engine::start_with_options(&["--peer", &peer.endpoint]));
    assert_eq!(theirs.announced()["endpoint"], peer.endpoint.as_str());
    let (ours, theirs) = (story(&ours).await, story(&theirs).await);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(seen(ours), seen(theirs));
    }
    assert_eq!(ours.len(), theirs.len());
}

/// A library, the same bytes twice, a key that is not simple, a video, a file that is no photo and one that is damaged.
async fn story(engine: &Engine) -> Vec<Value> {
    let library = engine.scratch("library");
    succeeded(photovault().arg("sample").arg(&library).args(["--photos", &PHOTOS.to_string(), "--size", "1"]));
    engine.ask(&["import", &library.join("photos").to_string_lossy(), "--user", "ann"]);
    let photo = jpeg(64, 48, 1);
    engine.upload("users/ann/ünï cödé + space%2B/../x.jpg", photo.clone()).await;
    // Which name comes first is chance where two arrive together.
    engine.settled("ann", PHOTOS + 1);
    engine.upload("users/ann/again.jpg", photo.clone()).await;
    engine.upload("users/ann/film.mov", Film { frames: 20, ..Film::default() }.bytes()).await;
    engine.upload("users/ann/note.jpg", b"not a photo".to_vec()).await;
    engine.upload("users/ann/half.jpg", photo[..photo.len() / 2].to_vec()).await;
    let mut items = engine.wait_for("the second name", || {
        let items = engine.settled("ann", PHOTOS + 4);
        items.iter().any(|item| item["uploads"].as_array().is_some_and(|uploads| uploads.len() == 2)).then_some(items)
    });
    items.sort_by_key(|item| item["id"].to_string());
    for item in &items {
        let files = item["derivatives"]["files"].as_array().into_iter().flatten();
        for file in files {
            let at = engine.object("vault_bucket", file["key"].as_str().expect("a key"));
            let stored = engine.connection().await.seams.objects.open(&at, None).await.expect("it can be asked for");
            assert_eq!(stored.map(|it| it.size_bytes), file["size_bytes"].as_u64(), "{file}");
        }
    }
    items
}

/// What must be the same: all but times, attempts and versions.
fn seen(item: &Value) -> String {
    let uploads = item["uploads"].as_array().map_or(0, Vec::len);
    let same =
        json!([item["id"], item["sha256"], item["object"], uploads, item["facts"]["camera"], item["derivatives"], item["look"]]);
    format!("{}{same:#}", told(item))
}

/// An emulator. Dropped, it is killed.
struct Peer {
    endpoint: String,
    process: Child,
}

impl Peer {
    /// Starts a Python program with the virtual environment's packages; `set` gives it that program and its port.
    fn start(venv: &Path, set: impl FnOnce(&mut Command, &str)) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let mut command = Command::new(venv.join("bin/python"));
        command.arg("-c");
        set(&mut command, &address.port().to_string());
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the emulator starts");
        let mut peer = Self { endpoint: format!("http://{address}"), process };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = peer.process.try_wait().expect("it is ours");
            assert!(ended.is_none() && began.elapsed() < START, "the emulator does not answer: {ended:?}");
            thread::sleep(Duration::from_millis(100));
        }
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A second kill of what has ended is no error that matters here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
