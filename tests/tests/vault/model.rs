//! The model against the real thing: the same random operations on the simulation's table, objects and queue and on the
//! engine's DynamoDB, S3 and SQS, through the same seams, must give the same answers. So the two do not drift apart.

use bytes::Bytes;
use futures::TryStreamExt as _;
use photovault_aws::{Endpoint, Reach};
use photovault_domain::Sha256;
use photovault_local::{
    engine::{Engine, Options},
    sqs::Holder,
};
use photovault_sim::{Fabric, Random, SimulatedQueue};
use photovault_vault::{
    Seams,
    seams::{Expect, ObjectAt, Outgoing, Row, RowKey, Served, Write},
};
use serde_json::json;

/// Sequences of operations that are tried on each.
const CASES: u32 = 40;
/// Operations of one sequence at most.
const OPERATIONS: u64 = 40;
/// Receives before a message is dead, in both queues.
const MAX_RECEIVES: u32 = 3;

const TEMPLATE: &str = r#"
Resources:
  Uploaded: { Type: AWS::SQS::Queue, Properties: { QueueName: uploaded } }
  Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
  Jobs:
    Type: AWS::SQS::Queue
    Properties: { QueueName: jobs, VisibilityTimeout: 1000, RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3 } }
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: bucket
      VersioningConfiguration: { Status: Enabled }
      NotificationConfiguration: { QueueConfigurations: [{ Event: "s3:ObjectCreated:*", Queue: !GetAtt Uploaded.Arn }] }
  Catalog:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: photovault-catalog
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }, { AttributeName: sk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }, { AttributeName: sk, KeyType: RANGE }]
"#;

/// The engine, and the seams to it.
struct Real {
    engine: Engine,
    seams: Seams,
    _folder: tempfile::TempDir,
}

impl Real {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = Options::new(folder.path().join("data"), TEMPLATE).expect("options");
        options.address = ([127, 0, 0, 1], 0).into();
        let engine = Engine::start(options).await.expect("the engine starts");
        let credentials = engine.credentials();
        let endpoint = Endpoint {
            url: engine.endpoint().to_owned(),
            access_key: credentials.access_key.clone(),
            secret_key: credentials.secret_key.clone(),
            region: "us-east-1".into(),
        };
        let seams = photovault_aws::connect(Reach::Endpoint(&endpoint), "photovault-catalog").await.seams;
        Self { engine, seams, _folder: folder }
    }
}

fn check<T: std::fmt::Debug>(operation: impl Fn(&mut Random) -> T, run: &impl AsyncFn(&Real, u32, Vec<T>)) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let real = runtime.block_on(Real::start());
    // Each case has keys of its own: what earlier ones left is not in its way. Its number is its seed.
    for case in 0..CASES {
        let mut random = Random::new(u64::from(case));
        let count = 1 + random.below(OPERATIONS);
        let operations: Vec<T> = (0..count).map(|_| operation(&mut random)).collect();
        println!("case {case}: {operations:?}");
        runtime.block_on(run(&real, case, operations));
    }
    runtime.block_on(real.engine.shutdown()).expect("the engine ends");
}

#[derive(Clone, Debug)]
enum OnTable {
    Put { sk: u8, version: u64, expect: Expect },
    Remove { sk: u8 },
    Row { sk: u8 },
    Rows { prefix: bool, limit: u32 },
    RowsBefore { sk: u8, limit: u32 },
    PutAll(Vec<(u8, Option<Expect>)>),
}

#[test]
fn the_table_is_as_dynamodb() {
    let operation = |random: &mut Random| {
        let sk = random.below(6) as u8;
        let version = random.below(4);
        let expect =
            |random: &mut Random| random.one_of(&[Expect::Absent, Expect::Version(0), Expect::Version(1), Expect::Version(2)]);
        match random.below(11) {
            0..4 => OnTable::Put { sk, version, expect: expect(random) },
            8 => OnTable::RowsBefore { sk, limit: 1 + random.below(3) as u32 },
            // Of each row once: a condition, or none and then a removal of every second.
            9 | 10 => {
                let some = (0..6).filter(|_| random.per_mille(400)).collect::<Vec<u8>>();
                OnTable::PutAll(some.into_iter().map(|sk| (sk, random.per_mille(500).then(|| expect(random)))).collect())
            }
            4 => OnTable::Remove { sk },
            5 | 6 => OnTable::Row { sk },
            _ => OnTable::Rows { prefix: random.per_mille(500), limit: 1 + random.below(3) as u32 },
        }
    };
    check(operation, &async |real, case, operations| {
        let (model, real) = (Fabric::default().seams().table, real.seams.table.clone());
        let pk = format!("case {case}");
        let key = |sk: u8| RowKey { pk: pk.clone(), sk: format!("{}{sk}", if sk < 3 { "M#" } else { "I#" }) };
        let row = |sk: u8, version: u64| -> Row {
            let RowKey { pk, sk } = key(sk);
            [("pk", json!(pk)), ("sk", json!(sk)), ("version", json!(version)), ("deep", json!({"a": [1, "x"]}))]
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect()
        };
        for operation in operations {
            match &operation {
                OnTable::PutAll(rows) if rows.is_empty() => {}
                OnTable::PutAll(rows) => {
                    let write = |(sk, expect): &(u8, Option<Expect>)| match expect {
                        Some(expect) => Write::Put(row(*sk, 1), *expect),
                        None if sk % 2 == 0 => Write::Remove(key(*sk)),
                        None => Write::Set(row(*sk, 2)),
                    };
                    let writes: Vec<Write> = rows.iter().map(write).collect();
                    let ours = model.put_all(writes.clone()).await.unwrap();
                    assert_eq!(ours, real.put_all(writes).await.unwrap(), "{operation:?}");
                }
                OnTable::RowsBefore { sk, limit } => {
                    let RowKey { pk, sk } = key(*sk);
                    let ours = model.rows_before(&pk, &sk, *limit).await.unwrap();
                    assert_eq!(ours, real.rows_before(&pk, &sk, *limit).await.unwrap(), "{operation:?}");
                }
                OnTable::Put { sk, version, expect } => {
                    let row = row(*sk, *version);
                    let (ours, theirs) = (model.put(row.clone(), *expect).await.unwrap(), real.put(row, *expect).await.unwrap());
                    assert_eq!(ours, theirs, "{operation:?}");
                }
                OnTable::Remove { sk } => {
                    model.remove(&key(*sk)).await.unwrap();
                    real.remove(&key(*sk)).await.unwrap();
                }
                OnTable::Row { sk } => {
                    assert_eq!(model.row(&key(*sk)).await.unwrap(), real.row(&key(*sk)).await.unwrap(), "{operation:?}");
                }
                OnTable::Rows { prefix, limit } => {
                    let prefix = if *prefix { "I#" } else { "" };
                    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                    for (found, table) in [(&mut ours, &model), (&mut theirs, &real)] {
                        let mut after: Option<String> = None;
                        loop {
                            let page = table.rows(&pk, prefix, after.as_deref(), *limit).await.unwrap();
                            assert!(page.items.len() <= *limit as usize);
                            found.extend(page.items);
                            after = page.next;
                            if after.is_none() {
                                break;
                            }
                        }
                    }
                    assert_eq!(ours, theirs, "{operation:?}");
                }
            }
        }
    });
}

#[derive(Clone, Debug)]
enum OnObjects {
    Write { key: u8, bytes: Vec<u8> },
    Copy { from: usize, key: u8 },
    Open { version: usize },
    OpenNewest { key: u8 },
    Checksum { key: u8 },
    Remove { version: usize },
}

#[test]
fn objects_are_as_s3() {
    let operation = |random: &mut Random| {
        let (key, version) = (random.below(4) as u8, random.below(8) as usize);
        match random.below(12) {
            0..3 => OnObjects::Write { key, bytes: (0..random.below(40)).map(|_| random.below(256) as u8).collect() },
            3 | 4 => OnObjects::Copy { from: version, key },
            5 | 6 => OnObjects::Open { version },
            7 | 8 => OnObjects::OpenNewest { key },
            9 | 10 => OnObjects::Checksum { key },
            _ => OnObjects::Remove { version },
        }
    };
    check(operation, &async |real, case, operations| {
        let fabric = Fabric::default();
        let (model, theirs) = (fabric.seams().objects, real.seams.objects.clone());
        let served = Served { mime: "image/jpeg".into(), immutable: true };
        let at = |key: u8, version: Option<String>| ObjectAt {
            bucket: "bucket".into(),
            key: format!("case {case}/{key} +ü"),
            version,
        };
        // Every version that was written: of which key, and what each of the two calls it.
        let mut versions: Vec<(u8, String, String)> = Vec::new();
        for operation in operations {
            let picked = |index: &usize| versions.get(*index % versions.len().max(1)).cloned();
            match &operation {
                OnObjects::Write { key, bytes } => {
                    let bytes = Bytes::copy_from_slice(bytes);
                    model.write(&at(*key, None), bytes.clone(), &served).await.unwrap();
                    theirs.write(&at(*key, None), bytes, &served).await.unwrap();
                    versions.push((*key, newest(&fabric, &at(*key, None)), announced(real).await));
                }
                OnObjects::Copy { from, key } => {
                    let Some((source, ours, other)) = picked(from) else { continue };
                    let made = model.copy(&at(source, Some(ours)), &at(*key, None), &served).await.unwrap();
                    let copied = theirs.copy(&at(source, Some(other)), &at(*key, None), &served).await.unwrap();
                    assert_eq!(made, copied, "{operation:?}");
                    if made.is_some() {
                        versions.push((*key, newest(&fabric, &at(*key, None)), announced(real).await));
                    }
                }
                OnObjects::Open { version } => {
                    let Some((key, ours, other)) = picked(version) else { continue };
                    let (ours, other) = (read(&model, &at(key, Some(ours))).await, read(&theirs, &at(key, Some(other))).await);
                    assert_eq!(ours, other, "{operation:?}");
                }
                OnObjects::OpenNewest { key } => {
                    assert_eq!(read(&model, &at(*key, None)).await, read(&theirs, &at(*key, None)).await, "{operation:?}");
                }
                OnObjects::Checksum { key } => {
                    let ours: Option<Sha256> = model.checksum(&at(*key, None)).await.unwrap();
                    assert_eq!(ours, theirs.checksum(&at(*key, None)).await.unwrap(), "{operation:?}");
                }
                OnObjects::Remove { version } => {
                    let Some((key, ours, other)) = picked(version) else { continue };
                    model.remove(&at(key, Some(ours))).await.unwrap();
                    theirs.remove(&at(key, Some(other))).await.unwrap();
                }
            }
        }
    });
}

fn newest(fabric: &Fabric, at: &ObjectAt) -> String {
    fabric.world().object(at).expect("just written").version.clone()
}

/// The version of the write that the store announces next.
async fn announced(real: &Real) -> String {
    let queues = &real.engine.services().queues;
    let received = queues.receive("uploaded", 1, None, std::time::Duration::from_secs(10), Holder::Client).await.unwrap();
    queues.delete("uploaded", &[received[0].receipt.clone()]).await.unwrap();
    let event: serde_json::Value = serde_json::from_str(&received[0].body).unwrap();
    event["Records"][0]["s3"]["object"]["versionId"].as_str().expect("a version").to_owned()
}

async fn read(objects: &std::sync::Arc<dyn photovault_vault::seams::Objects>, at: &ObjectAt) -> Option<(u64, Vec<u8>)> {
    let opened = objects.open(at, None).await.unwrap()?;
    let chunks: Vec<Bytes> = opened.body.try_collect().await.unwrap();
    Some((opened.size_bytes, chunks.concat()))
}

#[derive(Clone, Debug)]
enum OnQueue {
    Send { count: u8 },
    Receive { most: usize },
    Delete { held: usize },
    Return { held: usize, seconds: u32 },
}

#[test]
fn the_queue_is_as_sqs() {
    let operation = |random: &mut Random| {
        let held = random.below(8) as usize;
        match random.below(10) {
            0 | 1 => OnQueue::Send { count: 1 + random.below(3) as u8 },
            2..6 => OnQueue::Receive { most: 1 + random.below(4) as usize },
            6 => OnQueue::Delete { held },
            _ => OnQueue::Return { held, seconds: random.one_of(&[0, 0, 500, 600]) },
        }
    };
    check(operation, &async |real, case, operations| {
        let queues = &real.engine.services().queues;
        queues.purge("jobs").await.unwrap();
        queues.purge("dead").await.unwrap();
        let url = format!("{}/000000000000/jobs", real.engine.endpoint());
        let mut model = SimulatedQueue { visibility: 1_000_000, max_receives: Some(MAX_RECEIVES), messages: Vec::new() };
        let (mut now, mut sent, mut buried) = (0, 0, Vec::new());
        // What was received: each delivery's receipts, the latest last.
        let mut held: Vec<(String, String)> = Vec::new();
        for operation in operations {
            // The model's clock goes on, so that what comes back later is later in line, as in the real one.
            now += 1;
            match &operation {
                OnQueue::Send { count } => {
                    let bodies: Vec<String> = (0..*count).map(|index| format!("{case}/{}", sent + u32::from(index))).collect();
                    sent += u32::from(*count);
                    for body in &bodies {
                        model.send(now, body.clone(), body.clone(), 0);
                    }
                    let messages = bodies.into_iter().map(|body| Outgoing { body, delay_s: 0, group: None }).collect();
                    real.seams.queue.send(&url, messages).await.unwrap();
                }
                OnQueue::Receive { most } => {
                    let theirs = queues.receive("jobs", *most, None, std::time::Duration::ZERO, Holder::Client).await.unwrap();
                    // SQS promises no order: the model takes what the real one took, and must find it visible.
                    let mut wanted: Vec<String> = theirs.iter().map(|message| message.body.clone()).collect();
                    let dead = dead(real).await;
                    let mut to_bury: Vec<String> = dead.iter().filter(|body| !buried.contains(*body)).cloned().collect();
                    while let Some(body) = to_bury.pop().or_else(|| wanted.pop()) {
                        let line: Vec<String> = visible(&model, now);
                        let at = line.iter().position(|other| *other == body);
                        let at = at.unwrap_or_else(|| panic!("{operation:?}: {body} is not among {line:?}"));
                        let received = model.receive(now, 1, |count| at.min(count - 1));
                        for message in received.buried {
                            assert!(dead.contains(&message.body), "{operation:?}: {} is not among the dead", message.body);
                            buried.push(message.body);
                        }
                        for (receipt, message) in received.taken {
                            let other = theirs.iter().find(|it| it.body == message.body);
                            if let Some(other) = other {
                                assert_eq!(message.received, other.receive_count, "{operation:?}: {}", message.body);
                                held.push((receipt, other.receipt.clone()));
                                wanted.retain(|body| *body != message.body);
                            }
                        }
                    }
                    if theirs.len() < *most {
                        let left = visible(&model, now);
                        assert!(left.is_empty(), "{operation:?}: the real queue did not give {left:?}");
                    }
                }
                OnQueue::Delete { held: index } => {
                    let Some((ours, theirs)) = held.get(*index % held.len().max(1)).cloned() else { continue };
                    model.delete(&ours);
                    queues.delete("jobs", &[theirs]).await.unwrap();
                }
                OnQueue::Return { held: index, seconds } => {
                    let Some((ours, theirs)) = held.get(*index % held.len().max(1)).cloned() else { continue };
                    model.return_after(now, &ours, *seconds);
                    // A receipt that holds nothing any more is an error in one and nothing in the other: no handler cares.
                    let _ = real.seams.queue.return_after(&url, &theirs, *seconds).await;
                }
            }
        }
        let counts = queues.counts("jobs").await.unwrap();
        assert_eq!(model.messages.len() as u64, counts.visible + counts.in_flight + counts.delayed);
    });
}

fn visible(model: &SimulatedQueue, now: i64) -> Vec<String> {
    model.messages.iter().filter(|message| message.visible <= now).map(|message| message.body.clone()).collect()
}

/// The bodies of the dead letters.
async fn dead(real: &Real) -> Vec<String> {
    let queues = &real.engine.services().queues;
    let received = queues.receive("dead", 1000, Some(0), std::time::Duration::ZERO, Holder::Client).await.unwrap();
    received.into_iter().map(|message| message.body).collect()
}
