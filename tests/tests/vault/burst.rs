//! A burst: thousands of small uploads at once, every fifth event twice; nothing is lost or doubled, and memory stays bounded.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use photovault_vault::{UploadRef, Vault};

use crate::{
    audit::{Acknowledged, audit, come_to_rest, sha256_of, vault},
    engine::Engine,
    figures::{children, pss_kb, told},
    fixtures,
};

/// Uploads of `make test`; `make torture` asks for 10,000.
const UPLOADS: u32 = 500;
/// Uploads at once.
const CONCURRENT: usize = 16;
/// One event of so many comes twice.
const TWICE_EVERY: u32 = 5;
/// What the engine may have in memory, whatever waits in its queues.
const ENGINE_MAX_MB: u64 = 160;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_with_duplicate_events_arrives_once_each() {
    burst(UPLOADS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "make torture"]
async fn a_burst_of_ten_thousand() {
    burst(10_000).await;
}

async fn burst(uploads: u32) {
    let engine = Engine::start();
    let folder = engine.scratch("photos");
    fs::create_dir(&folder).expect("a folder");
    let mut acknowledged = Acknowledged::new();
    for number in 0..uploads {
        let bytes = fixtures::jpeg(32, 24, number);
        fs::write(folder.join(number.to_string()), &bytes).expect("a fixture");
        acknowledged.insert(sha256_of(&bytes));
    }
    assert_eq!(acknowledged.len(), uploads as usize, "every picture is another one");

    let watch = Watch::start(engine.pid());
    let (vault, connection) = (vault(&engine, "ann").await, engine.connection().await);
    let began = Instant::now();
    let sent = futures::stream::iter(0..uploads).map(|number| {
        let (vault, connection, file) = (&vault, &connection, folder.join(number.to_string()));
        async move {
            let key = format!("users/ann/{number}.jpg");
            let bucket = &vault.names.uploads_bucket;
            let version = connection.upload_file(bucket, &key, &file).await.expect("the upload is taken");
            if number.is_multiple_of(TWICE_EVERY) {
                again(vault, UploadRef { bucket: bucket.clone(), key, version }).await;
            }
        }
    });
    sent.buffer_unordered(CONCURRENT).collect::<Vec<()>>().await;
    let uploaded = began.elapsed();
    for tenth in (0..10).rev() {
        let left = u64::from(uploads) * tenth / 10;
        engine.wait_for(&format!("the backlog to drain to {left}"), || (engine.backlog() <= left).then_some(()));
    }
    let drained = began.elapsed();
    let (engine_mb, functions_mb) = watch.end();
    assert_eq!(come_to_rest(&engine, "ann"), 0, "no message was given up");
    audit(&engine, "ann", &acknowledged, &Acknowledged::new()).await;
    told(&format!(
        "burst: {uploads} uploads and {} duplicate events, taken at {:.0}/s, drained after {:.0} s; engine {engine_mb} MB, \
         functions {functions_mb} MB at most (PSS); 0 lost, 0 doubled, no dead letters",
        uploads.div_ceil(TWICE_EVERY),
        f64::from(uploads) / uploaded.as_secs_f64(),
        drained.as_secs_f64(),
    ));
    assert!(engine_mb < ENGINE_MAX_MB, "{engine_mb} MB");
}

/// The same event once more, as S3 may send it.
async fn again(vault: &Vault, upload: UploadRef) {
    vault.jobs.send_upload(&upload, 0).await.expect("the event is sent");
}

/// Watches how much memory the engine and its functions take at most.
struct Watch {
    ended: Arc<AtomicBool>,
    most_kb: Arc<[AtomicU64; 2]>,
    thread: thread::JoinHandle<()>,
}

impl Watch {
    fn start(engine: u32) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let most_kb = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let (until, most) = (Arc::clone(&ended), Arc::clone(&most_kb));
        let thread = thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                most[0].fetch_max(pss_kb(engine), Ordering::Relaxed);
                most[1].fetch_max(children(engine).iter().map(|(pid, _)| pss_kb(*pid)).sum(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(250));
            }
        });
        Self { ended, most_kb, thread }
    }

    /// Megabytes of the engine, and of its functions together.
    fn end(self) -> (u64, u64) {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch does not panic");
        let mb = |index: usize| self.most_kb[index].load(Ordering::Relaxed) / 1024;
        (mb(0), mb(1))
    }
}
