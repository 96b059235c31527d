//! Tests of mappings through a whole engine, with the runtime's test child as every function.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Engine, Options};
use crate::{runtime::tests::child_command, sqs::Holder};

/// A queue with a dead-letter queue, a table with a stream, a function for each.
fn template(seen: &Path) -> String {
    format!(
        r#"
Globals: {{ Function: {{ Timeout: 5, MemorySize: 512, Environment: {{ Variables: {{ SEEN: {seen} }} }} }} }}
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Properties: {{ QueueName: jobs, VisibilityTimeout: 30, RedrivePolicy: {{ deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2 }} }}
  Dead: {{ Type: AWS::SQS::Queue, Properties: {{ QueueName: dead }} }}
  GivenUp: {{ Type: AWS::SQS::Queue, Properties: {{ QueueName: given-up }} }}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/worker
      Events:
        Jobs:
          Type: SQS
          Properties:
            Queue: !GetAtt Jobs.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {{ Filters: [{{ Pattern: '{{"body":[{{"anything-but":["unwanted"]}}]}}' }}] }}
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/reader
      Events:
        Items:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {{ OnFailure: {{ Type: SQS, Destination: !GetAtt GivenUp.Arn }} }}
            FilterCriteria: {{ Filters: [{{ Pattern: '{{"dynamodb":{{"NewImage":{{"do":{{"S":[{{"anything-but":["unwanted"]}}]}}}}}}}}' }}] }}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: photovault-items
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{ AttributeName: pk, AttributeType: S }}]
      KeySchema: [{{ AttributeName: pk, KeyType: HASH }}]
      StreamSpecification: {{ StreamViewType: NEW_AND_OLD_IMAGES }}
"#,
        seen = seen.display()
    )
}

async fn engine(folder: &Path) -> Engine {
    let mut options = Options::new(folder.join("data"), template(&folder.join("seen"))).unwrap();
    options.address = ([127, 0, 0, 1], 0).into();
    options.command = child_command();
    options.retry_delay_s = Some(0);
    Engine::start(options).await.unwrap()
}

/// What the functions took so far, when it is as long as expected, or after ten seconds.
async fn seen(folder: &Path, expected: usize) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let text = std::fs::read_to_string(folder.join("seen")).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() >= expected || Instant::now() > end {
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn letters(engine: &Engine, queue: &str, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        let received = engine.services().queues.receive(queue, 10, None, Duration::from_secs(20), Holder::Client).await.unwrap();
        assert!(!received.is_empty(), "{queue} has {bodies:?} only");
        bodies.extend(received.into_iter().map(|it| it.body));
    }
    bodies
}

async fn put(engine: &Engine, key: &str, what: &str) {
    let request = json!({ "TableName": "photovault-items", "Item": { "pk": { "S": key }, "do": { "S": what } } });
    assert!(engine.services().tables.call("PutItem", &request.to_string()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_of_a_batch_returns_and_is_dead_lettered_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    for body in ["one", "fail always", "two", "unwanted", "three"] {
        engine.services().queues.send("jobs", body.into(), 0, BTreeMap::new()).await.unwrap();
    }
    assert_eq!(letters(&engine, "dead", 1).await, ["fail always"]);
    let mut taken = seen(folder.path(), 3).await;
    taken.sort();
    assert_eq!(taken, ["one", "three", "two"], "each once: what succeeded beside a failure is not repeated");
    // A child that dies takes its whole batch back to the queue, and that too ends among the dead letters.
    engine.services().queues.send("jobs", "crash".into(), 0, BTreeMap::new()).await.unwrap();
    assert_eq!(letters(&engine, "dead", 1).await, ["crash"]);
    let counts = engine.services().queues.counts("jobs").await.unwrap();
    assert_eq!(counts.visible + counts.in_flight + counts.delayed, 0);
    let health = engine.health().await;
    let worker = health["functions"].as_array().unwrap().iter().find(|it| it["name"] == "worker").unwrap();
    assert_eq!(worker["deaths"], 2, "{worker}");
    engine.shutdown().await.unwrap();
    assert!(!folder.path().join("data/engine.json").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_read_in_order_around_its_poison_and_from_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let first = engine(folder.path()).await;
    for (key, what) in [("a", "1"), ("b", "2"), ("c", "poison"), ("d", "unwanted"), ("e", "3"), ("f", "fail"), ("g", "4")] {
        put(&first, key, what).await;
    }
    let accounts = letters(&first, "given-up", 2).await;
    let account: Value = serde_json::from_str(&accounts[0]).unwrap();
    assert_eq!(account["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(account["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(account["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(account["DDBStreamBatchInfo"]["startSequenceNumber"], account["DDBStreamBatchInfo"]["endSequenceNumber"]);
    // At least once: a half that failed is tried again. In order, each of them, at last.
    let first_times = loop {
        let mut first_times: Vec<String> = Vec::new();
        for line in seen(folder.path(), 4).await {
            if !first_times.contains(&line) {
                first_times.push(line);
            }
        }
        if first_times.len() == 4 {
            break first_times;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(first_times, ["1", "2", "3", "4"]);
    first.shutdown().await.unwrap();
    std::fs::remove_file(folder.path().join("seen")).unwrap();
    let second = engine(folder.path()).await;
    put(&second, "h", "5").await;
    assert_eq!(seen(folder.path(), 1).await, ["5"], "the place is durable");
    second.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_engine_a_folder_and_one_key_pair_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let first = engine(folder.path()).await;
    let mut options = Options::new(folder.path().join("data"), template(&folder.path().join("seen"))).unwrap();
    options.address = ([127, 0, 0, 1], 0).into();
    let refused = Engine::start(options).await.err().unwrap().to_string();
    assert!(refused.contains("another engine is running"), "{refused}");
    let announced: Value = serde_json::from_slice(&std::fs::read(folder.path().join("data/engine.json")).unwrap()).unwrap();
    assert_eq!(announced["endpoint"], first.endpoint());
    assert_eq!(announced["access_key"], first.credentials().access_key.as_str());
    assert!(announced["queues"]["jobs"].as_str().unwrap().ends_with("/000000000000/jobs"));
    let result = first.invoke("worker", "{}").await.unwrap();
    assert!(result.outcome.is_ok());
    assert!(first.invoke("nobody", "{}").await.unwrap_err().to_string().contains("worker"));
    let key = first.credentials().access_key.clone();
    first.shutdown().await.unwrap();
    let second = engine(folder.path()).await;
    assert_eq!(second.credentials().access_key, key);
}
