//! A batch of messages as Lambda's SQS event, and which of them a response calls failed.

use std::collections::HashSet;

use s3s::crypto::{Checksum, Md5};
use serde_json::{Map, Value, json};

use crate::{gateway::REGION, sqs::Message};

/// The event.
pub(super) fn event(messages: &[Message], queue_arn: &str) -> Value {
    json!({ "Records": messages.iter().map(|it| record(it, queue_arn)).collect::<Vec<_>>() })
}

fn record(message: &Message, queue_arn: &str) -> Value {
    let mut attributes = json!({
        "ApproximateReceiveCount": message.receive_count.to_string(),
        "SentTimestamp": message.sent_ms.to_string(),
        "SenderId": "AIDALOCALPHOTOVAULT00",
        "ApproximateFirstReceiveTimestamp": message.first_received_ms.to_string(),
    });
    if let Some(source) = &message.dead_letter_source {
        attributes["DeadLetterQueueSourceArn"] = source.as_str().into();
    }
    if let Some(group) = &message.group {
        attributes["MessageGroupId"] = group.as_str().into();
    }
    let own: Map<String, Value> = message.attributes.iter().map(|(name, it)| (name.clone(), attribute(it))).collect();
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": own,
        "md5OfBody": hex::encode(<Md5 as Checksum>::checksum(message.body.as_bytes())),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    })
}

fn attribute(sent: &Value) -> Value {
    let mut shown = json!({ "stringListValues": [], "binaryListValues": [], "dataType": sent["DataType"] });
    for (from, to) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
        if let Some(value) = sent.get(from).filter(|it| !it.is_null()) {
            shown[to] = value.clone();
        }
    }
    shown
}

/// The items of a batch that a response names in `batchItemFailures`; `Err` when all count as failed because the response is unreadable
/// or names none of them properly, as on AWS.
pub(super) fn failed_items(response: &[u8], items: &[&str]) -> Result<HashSet<String>, String> {
    if response.iter().all(u8::is_ascii_whitespace) {
        return Ok(HashSet::new());
    }
    let response: Value = serde_json::from_slice(response).map_err(|error| format!("the response is not JSON: {error}"))?;
    let failures = match &response {
        Value::Null => return Ok(HashSet::new()),
        Value::Object(map) => match map.get("batchItemFailures") {
            None | Some(Value::Null) => return Ok(HashSet::new()),
            Some(Value::Array(failures)) => failures,
            Some(other) => return Err(format!("batchItemFailures is not a list: {other}")),
        },
        // AWS takes any other JSON for a success only when it is an object or null.
        other => return Err(format!("the response is not a map: {other}")),
    };
    let mut failed = HashSet::new();
    for failure in failures {
        match failure.get("itemIdentifier").and_then(Value::as_str) {
            Some(id) if items.contains(&id) => failed.insert(id.to_owned()),
            _ => return Err(format!("batchItemFailures names no item of the batch: {failure}")),
        };
    }
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::failed_items;

    #[test]
    fn responses_say_what_failed() {
        for (response, expected) in [
            ("", Some(vec![])),
            ("null", Some(vec![])),
            ("{}", Some(vec![])),
            (r#"{"batchItemFailures":[]}"#, Some(vec![])),
            (r#"{"batchItemFailures":null}"#, Some(vec![])),
            (r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, Some(vec!["b"])),
            (r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}"#, Some(vec!["a", "b"])),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, None),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, None),
            (r#"{"batchItemFailures":[{"id":"a"}]}"#, None),
            (r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#, None),
            (r#"{"batchItemFailures":{}}"#, None),
            ("{", None),
            ("[]", None),
        ] {
            let found = failed_items(response.as_bytes(), &["a", "b"]).ok().map(|it| {
                let mut it: Vec<_> = it.into_iter().collect();
                it.sort();
                it
            });
            assert_eq!(found, expected.map(|it| it.into_iter().map(str::to_owned).collect()), "{response}");
        }
    }
}
