//! Poison: a deployment with a mistake in it fails every job and every record of the stream; with the mistake mended, a
//! redrive brings all of it to its end, and no effect happens twice.

use photovault_tests::project;

use crate::{
    audit::{Acknowledged, audit, come_to_rest, sha256_of},
    engine::Engine,
    figures::{short_visibility, told},
    fixtures,
};

/// Jobs and stream records of `make test`; `make torture` asks for 400 and 100.
const JOBS: u32 = 40;
const RECORDS: u32 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_mistaken_deployment_gave_up_is_redriven_whole() {
    mistaken(JOBS, RECORDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "make torture"]
async fn five_hundred_poison_jobs_are_redriven() {
    mistaken(400, 100).await;
}

async fn mistaken(jobs: u32, records: u32) {
    let sound = short_visibility(&project::read("template.yaml"));
    let mut acknowledged = Acknowledged::new();
    // The first mistake: thumbnail reads another bucket than the one that is there.
    let mut engine = Engine::start_with(Some(&within(&sound, "ThumbnailFunction:", "VAULT_BUCKET: !Sub", "VAULT_BUCKET: gone-")));
    upload(&engine, 0..jobs, &mut acknowledged).await;
    let died = |engine: &Engine, stage: &str, count: u32| {
        let stage = stage.to_owned();
        engine.wait_for(&format!("{count} dead letters of {stage}"), || {
            (engine.ask(&["dlq", "ls", "--stage", &stage]).len() as u32 >= count).then_some(())
        });
    };
    died(&engine, "thumbnail", jobs);
    let failed = engine.ask(&["ls", "--user", "ann", "--status", "failed", "--limit", "1000"]);
    assert_eq!(failed.len() as u32, jobs, "their owner sees that they failed");
    assert!(failed.iter().all(|item| item["ledger"]["thumbnail"]["reason"].as_str().is_some_and(|it| it.contains("gave up"))));

    // The second: dispatch sends to a queue that is not there. Fewer retries, so that the test need not wait for hours.
    let template =
        within(&sound, "DispatchFunction:", "QUEUE_THUMBNAIL: !Ref ThumbnailQueue", "QUEUE_THUMBNAIL: http://127.0.0.1:9/0/gone");
    engine.restart_with(Some(&template.replace("MaximumRetryAttempts: 5", "MaximumRetryAttempts: 0")));
    upload(&engine, jobs..jobs + records, &mut acknowledged).await;
    died(&engine, "dispatch", records);

    // Both are mended.
    engine.restart_with(Some(&sound));
    let letters = engine.ask(&["dlq", "redrive", "--all"]).len();
    assert!(letters as u32 >= jobs + records, "{letters}");
    assert_eq!(come_to_rest(&engine, "ann"), 0, "nothing is given up a second time");
    audit(&engine, "ann", &acknowledged, &Acknowledged::new()).await;
    told(&format!(
        "poison: {jobs} jobs and {records} stream records given up, {letters} letters redriven, {} done, none twice",
        jobs + records
    ));
}

/// The template with a mistake in one resource.
fn within(template: &str, resource: &str, right: &str, wrong: &str) -> String {
    let (before, after) = template.split_once(resource).expect("the resource is there");
    assert!(after.contains(right));
    format!("{before}{resource}{}", after.replacen(right, wrong, 1))
}

async fn upload(engine: &Engine, seeds: std::ops::Range<u32>, acknowledged: &mut Acknowledged) {
    for seed in seeds {
        let bytes = fixtures::jpeg(48, 36, seed);
        acknowledged.insert(sha256_of(&bytes));
        engine.upload(&format!("users/ann/{seed}.jpg"), bytes).await;
    }
}
