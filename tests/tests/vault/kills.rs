//! Kills: the engine and its children die at random moments under load, and nothing is lost or doubled.

use std::{collections::BTreeMap, process::Command, time::Duration};

use photovault_domain::Sha256;
use photovault_tests::project;
use photovault_vault::seams::{ObjectAt, Served};

use crate::{
    audit::{Acknowledged, audit, come_to_rest, sha256_of},
    engine::Engine,
    figures::{children, random, short_visibility, told},
    fixtures,
};

/// Kills of `make test`; `make torture` asks for 1,000.
const KILLS: u64 = 200;
/// Uploads that are under way at each kill.
const WAVE: u64 = 4;
/// The longest wait before a kill: a wave is worked off in about as long.
const MOMENT_MS: u64 = 150;
/// Of so many kills one hits the engine, the others a function at work.
const ENGINE_EVERY: u64 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine_at_random_moments_loses_and_doubles_nothing() {
    storm(KILLS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "make torture"]
async fn kill_nine_a_thousand_times() {
    storm(1_000).await;
}

struct Killed {
    engine: u64,
    starting: u64,
    functions: BTreeMap<String, u64>,
}

async fn storm(kills: u64) {
    let template = short_visibility(&project::read("template.yaml"));
    let mut engine = Engine::start_with(Some(&template));
    let (mut acknowledged, mut possible) = (Acknowledged::new(), Acknowledged::new());
    let mut killed = Killed { engine: 0, starting: 0, functions: BTreeMap::new() };
    for kill in 0..kills {
        let connection = engine.connection().await;
        let bucket = engine.object("uploads_bucket", "");
        let uploads = (0..WAVE).map(|number| {
            let seed = kill * WAVE + number;
            let bytes = fixtures::jpeg(40, 30, u32::try_from(seed).expect("few"));
            let (objects, at) = (connection.seams.objects.clone(), bucket.clone());
            let at = ObjectAt { key: format!("users/ann/{seed}.jpg"), ..at };
            tokio::spawn(async move {
                let served = Served { mime: "image/jpeg".into(), immutable: false };
                let sha256 = sha256_of(&bytes);
                (sha256, objects.write(&at, bytes.into(), &served).await.is_ok())
            })
        });
        let uploads: Vec<_> = uploads.collect();
        tokio::time::sleep(Duration::from_millis(random(MOMENT_MS))).await;
        strike(&mut engine, kill, &mut killed);
        for upload in uploads {
            let (sha256, arrived): (Sha256, bool) = upload.await.expect("an upload does not panic");
            if arrived {
                acknowledged.insert(sha256)
            } else {
                possible.insert(sha256)
            };
        }
    }
    // What the dead children held comes back at once.
    engine.kill_and_restart();
    let redriven = come_to_rest(&engine, "ann");
    audit(&engine, "ann", &acknowledged, &possible).await;
    let functions: u64 = killed.functions.values().sum();
    told(&format!(
        "kills: {kills} ({} of the engine, {} of them while it started; {functions} of functions: {:?}); {} uploads \
         acknowledged, {redriven} letters redriven, 0 lost, 0 doubled",
        killed.engine,
        killed.starting,
        killed.functions,
        acknowledged.len(),
    ));
    assert!(killed.engine > 0 && functions > 0, "both kinds were killed");
}

/// Kills the engine, or a function that is there to be killed.
fn strike(engine: &mut Engine, kill: u64, killed: &mut Killed) {
    let functions = children(engine.pid());
    if kill.is_multiple_of(ENGINE_EVERY) || functions.is_empty() {
        killed.engine += 1;
        if random(4) == 0 {
            killed.starting += 1;
            engine.kill_while_starting(Duration::from_millis(random(60)));
        } else {
            engine.kill_and_restart();
        }
        return;
    }
    let (pid, name) = &functions[usize::try_from(random(functions.len() as u64)).expect("few")];
    // It may have ended by itself meanwhile.
    if Command::new("kill").args(["-9", &pid.to_string()]).status().is_ok_and(|status| status.success()) {
        // Before it is the function, a child is a copy of the engine.
        let name = if name.contains('/') { "one that was starting" } else { name };
        *killed.functions.entry(name.to_owned()).or_default() += 1;
    }
}
