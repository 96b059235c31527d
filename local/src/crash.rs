//! `kill -9` under load: whatever was acknowledged is there afterwards, whole, and nothing is there by half.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use s3s::{
    S3 as _, S3Request,
    dto::{GetObjectInput, PutObjectInput, StreamingBlob},
};
use serde_json::{Value, json};

use crate::{
    dynamodb::StreamRecord,
    gateway::Services,
    s3::{BucketSpec, Notification},
    sqs::{Holder, QueueSpec},
};

const TABLE: &str = "photovault-catalog";
const ROUNDS: u64 = 4;

#[test]
fn acknowledged_writes_survive_kill_nine() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::writer", "--ignored", "--nocapture", "--test-threads", "1"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut dies = None;
        for line in lines.map_while(Result::ok) {
            if let Some(told) = line.strip_prefix("ack ") {
                acknowledged.insert(told.to_owned());
                // Another moment in each round, counted from the first write.
                if *dies.get_or_insert_with(|| Instant::now() + Duration::from_millis(150 + 170 * round)) < Instant::now() {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
    }
    let kinds: BTreeSet<_> = acknowledged.iter().filter_map(|told| told.split(' ').next()).collect();
    assert_eq!(kinds, ["item", "message", "object"].into(), "{} writes", acknowledged.len());
    tokio::runtime::Runtime::new().unwrap().block_on(audit(folder.path(), &acknowledged));
}

async fn audit(folder: &Path, acknowledged: &BTreeSet<String>) {
    let services = Services::open(folder).unwrap();
    services.queues.release_mapping_holds().await.unwrap();
    let mut bodies = Vec::new();
    let mut keys = Vec::new();
    for (queue, found) in [("work", &mut bodies), ("events", &mut keys)] {
        loop {
            let held = services.queues.receive(queue, 1000, Some(600), Duration::ZERO, Holder::Mapping).await.unwrap();
            if held.is_empty() {
                break;
            }
            found.extend(held.into_iter().map(|message| message.body));
        }
    }
    let keys: Vec<String> = keys
        .iter()
        .map(|body| {
            let event: Value = serde_json::from_str(body).unwrap();
            event["Records"][0]["s3"]["object"]["key"].as_str().unwrap().to_owned()
        })
        .collect();
    // An event means a whole object, acknowledged or not.
    for key in &keys {
        assert_eq!(object(&services, key).await, content(key), "{key}");
    }
    let (bodies, keys): (BTreeSet<_>, BTreeSet<_>) = (bodies.into_iter().collect(), keys.into_iter().collect());
    let records = services.tables.stream_records(TABLE, None, 100_000).await.unwrap();
    let name = |record: &StreamRecord| record.value()["dynamodb"]["Keys"]["pk"]["S"].as_str().map(str::to_owned);
    let streamed: BTreeSet<String> = records.iter().filter_map(name).collect();
    for told in acknowledged {
        let (kind, name) = told.split_once(' ').unwrap();
        match kind {
            "message" => assert!(bodies.contains(name), "message {name} is lost"),
            "object" => assert!(keys.contains(name), "the event of object {name} is lost"),
            _ => {
                let get = json!({"TableName": TABLE, "Key": {"pk": {"S": name}}}).to_string();
                assert!(services.tables.call("GetItem", &get).await.unwrap().contains(name), "item {name} is lost");
                assert!(streamed.contains(name), "the stream record of item {name} is lost");
            }
        }
    }
}

/// The victim: writes of all kinds as fast as it can, each told once it is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above, as a process to kill"]
async fn writer() {
    let services = Services::open(Path::new(".")).unwrap();
    for queue in ["work", "events"] {
        services.queues.create(QueueSpec::named(queue)).await.unwrap();
    }
    let notification = Notification {
        id: "n".to_owned(),
        events: vec!["s3:ObjectCreated:*".to_owned()],
        prefix: None,
        suffix: None,
        queue: "events".to_owned(),
    };
    let bucket = BucketSpec { name: "uploads".to_owned(), versioned: false, notifications: vec![notification] };
    services.buckets.create(bucket).await.unwrap();
    let table = json!({"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}});
    services.tables.create_table(table).await.unwrap();
    let writers = (0..3).map(|writer| {
        let services = services.clone();
        tokio::spawn(async move {
            // A process that the parent failed to kill ends by itself.
            for number in 0..5_000 {
                write(&services, &format!("{}-{writer}-{number}", std::process::id())).await;
            }
        })
    });
    futures::future::join_all(writers).await;
}

async fn write(services: &Services, name: &str) {
    let body = StreamingBlob::from(s3s::Body::from(bytes::Bytes::from(content(name))));
    let put =
        PutObjectInput { bucket: "uploads".to_owned(), key: name.to_owned(), body: Some(body), ..PutObjectInput::default() };
    services.buckets.put_object(request(put)).await.unwrap();
    tell("object", name);
    services.queues.send("work", name.to_owned(), 0, std::collections::BTreeMap::new()).await.unwrap();
    tell("message", name);
    let put = json!({"TableName": TABLE, "Item": {"pk": {"S": name}}}).to_string();
    services.tables.call("PutItem", &put).await.unwrap();
    tell("item", name);
}

fn tell(kind: &str, name: &str) {
    let mut out = std::io::stdout().lock();
    // On a line of its own, whatever the test harness printed before.
    write!(out, "\nack {kind} {name}\n").and_then(|()| out.flush()).unwrap();
}

/// 20 kB that only this key has.
fn content(key: &str) -> Vec<u8> {
    key.bytes().cycle().take(20_000).collect()
}

async fn object(services: &Services, key: &str) -> Vec<u8> {
    use futures::TryStreamExt as _;
    let get = GetObjectInput { bucket: "uploads".to_owned(), key: key.to_owned(), ..GetObjectInput::default() };
    let body = services.buckets.get_object(request(get)).await.unwrap().output.body.unwrap();
    body.try_collect::<Vec<_>>().await.unwrap().concat()
}

fn request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::GET,
        uri: http::Uri::default(),
        headers: http::HeaderMap::new(),
        extensions: http::Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}
