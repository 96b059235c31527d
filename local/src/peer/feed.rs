//! A peer's queues and streams as mappings take them: what Lambda's own pollers do on AWS.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use futures::{FutureExt as _, future::BoxFuture};
use serde_json::{Value, json};

use super::Peer;
use crate::{dynamodb::StreamRecord, runtime::Feed, sqs::Message};

/// Most messages of one receive.
const MAX_RECEIVE: usize = 10;
/// The longest long poll, seconds.
const MAX_WAIT_S: u64 = 20;
/// A stream is looked at this often: Lambda does so four times a second.
const STREAM_POLL: Duration = Duration::from_millis(250);

#[async_trait]
impl Feed for Peer {
    async fn receive(&self, queue: &str, most: usize, wait: Duration) -> Result<Vec<Message>> {
        let request = json!({
            "QueueUrl": self.queue_url(queue),
            "MaxNumberOfMessages": most.min(MAX_RECEIVE),
            "WaitTimeSeconds": wait.as_secs().min(MAX_WAIT_S),
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let mut answer = self.act("sqs", "AmazonSQS.ReceiveMessage", &request).await?;
        let messages = answer["Messages"].take();
        messages.as_array().into_iter().flatten().map(message).collect()
    }

    async fn delete(&self, queue: &str, receipts: &[String]) -> Result<()> {
        for receipt in receipts {
            let request = json!({ "QueueUrl": self.queue_url(queue), "ReceiptHandle": receipt });
            self.act("sqs", "AmazonSQS.DeleteMessage", &request).await?;
        }
        Ok(())
    }

    async fn change_visibility(&self, queue: &str, receipt: &str, seconds: u32) -> Result<()> {
        let request = json!({ "QueueUrl": self.queue_url(queue), "ReceiptHandle": receipt, "VisibilityTimeout": seconds });
        self.act("sqs", "AmazonSQS.ChangeMessageVisibility", &request).await.map(drop)
    }

    async fn send(&self, queue: &str, body: String) -> Result<()> {
        let request = json!({ "QueueUrl": self.queue_url(queue), "MessageBody": body });
        self.act("sqs", "AmazonSQS.SendMessage", &request).await.map(drop)
    }

    /// Follows the first shard: emulators have one.
    async fn records(&self, table: &str, after: Option<&str>, most: usize) -> Result<Vec<StreamRecord>> {
        let described = self.act("dynamodb", "DynamoDB_20120810.DescribeTable", &json!({ "TableName": table })).await?;
        let arn = described["Table"]["LatestStreamArn"].as_str().with_context(|| format!("{table} has no stream"))?;
        let stream = self.stream("DescribeStream", &json!({ "StreamArn": arn })).await?;
        let Some(shard) = stream["StreamDescription"]["Shards"][0]["ShardId"].as_str() else { return Ok(Vec::new()) };
        let mut place = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        // `0` is the place before the first record.
        if let Some(after) = after.filter(|after| *after != "0") {
            place["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
            place["SequenceNumber"] = after.into();
        }
        let iterator = self.stream("GetShardIterator", &place).await?;
        let page = json!({ "ShardIterator": iterator["ShardIterator"], "Limit": most.min(1000) });
        let mut page = self.stream("GetRecords", &page).await?;
        let mut records: Vec<Value> = serde_json::from_value(page["Records"].take()).context("records of the stream")?;
        for record in &mut records {
            record["eventSourceARN"] = arn.into();
        }
        Ok(records.iter().map(StreamRecord::new).collect())
    }

    fn written(&self) -> BoxFuture<'_, ()> {
        tokio::time::sleep(STREAM_POLL).boxed()
    }

    fn consumed(&self, _reader: &str, _table: &str, _sequence_number: &str) {}
}

impl Peer {
    async fn stream(&self, action: &str, request: &Value) -> Result<Value> {
        self.act("dynamodb", &format!("DynamoDBStreams_20120810.{action}"), request).await
    }
}

fn message(received: &Value) -> Result<Message> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let number = |name: &str| received["Attributes"][name].as_str().and_then(|it| it.parse::<i64>().ok());
    let attributes: BTreeMap<String, Value> =
        received["MessageAttributes"].as_object().into_iter().flatten().map(|(name, it)| (name.clone(), it.clone())).collect();
    Ok(Message {
        id: text(&received["MessageId"]).context("a message without an id")?,
        receipt: text(&received["ReceiptHandle"]).context("a message without a receipt")?,
        body: text(&received["Body"]).unwrap_or_default(),
        attributes,
        sent_ms: number("SentTimestamp").unwrap_or_default(),
        first_received_ms: number("ApproximateFirstReceiveTimestamp").unwrap_or_default(),
        receive_count: number("ApproximateReceiveCount").and_then(|it| u32::try_from(it).ok()).unwrap_or(1),
        group: None,
        dead_letter_source: text(&received["Attributes"]["DeadLetterQueueSourceArn"]),
    })
}
