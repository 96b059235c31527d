//! SQS over the wire: AWS JSON 1.0, as the SDKs speak it since 2023.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use super::{Holder, Letter, Message, NoSuchQueue, QueueSpec, Queues};

/// SQS's own limits.
const BATCH_MAX: usize = 10;
const BODY_MAX_BYTES: usize = 1 << 20;
const WAIT_MAX_S: u64 = 20;

/// A refusal in SQS's shape.
pub(crate) struct Refusal {
    /// Error type of the JSON protocol.
    pub(crate) code: &'static str,
    /// Error code of the older query protocol, which SDKs still read from a header.
    pub(crate) query_code: &'static str,
    pub(crate) message: String,
    pub(crate) status: u16,
}

type Answer = Result<Value, Refusal>;

/// Answers one action; `base_url` is what the caller reached us by.
pub(crate) async fn call(queues: &Queues, action: &str, input: &Value, base_url: &str) -> Answer {
    match action {
        "CreateQueue" => create(queues, input, base_url).await,
        "GetQueueUrl" => {
            let name = text(input, "QueueName")?;
            existing(queues, name).await?;
            Ok(json!({"QueueUrl": url(base_url, name)}))
        }
        "ListQueues" => {
            let prefix = input["QueueNamePrefix"].as_str().unwrap_or_default();
            let names = queues.list().await?;
            let urls: Vec<_> = names.iter().filter(|name| name.starts_with(prefix)).map(|name| url(base_url, name)).collect();
            Ok(json!({"QueueUrls": urls}))
        }
        "DeleteQueue" => {
            queues.remove(queue(input)?).await?;
            Ok(json!({}))
        }
        "GetQueueAttributes" => attributes(queues, input).await,
        "SetQueueAttributes" => {
            let spec = existing(queues, queue(input)?).await?;
            queues.create(with_attributes(spec, &input["Attributes"])?).await?;
            Ok(json!({}))
        }
        "SendMessage" => {
            let letter = letter(input, queue(input)?)?;
            let md5 = md5_hex(&letter.body);
            let ids = queues.send_all(queue(input)?, vec![letter]).await?;
            Ok(json!({"MessageId": ids[0], "MD5OfMessageBody": md5}))
        }
        "SendMessageBatch" => send_batch(queues, input).await,
        "ReceiveMessage" => receive(queues, input).await,
        "DeleteMessage" => {
            queues.delete(queue(input)?, &[text(input, "ReceiptHandle")?.to_owned()]).await?;
            Ok(json!({}))
        }
        "DeleteMessageBatch" => {
            let entries = entries(input)?;
            let receipts =
                entries.iter().map(|entry| text(entry, "ReceiptHandle").map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
            queues.delete(queue(input)?, &receipts).await?;
            Ok(json!({"Successful": entries.iter().map(|entry| json!({"Id": entry["Id"]})).collect::<Vec<_>>(), "Failed": []}))
        }
        "ChangeMessageVisibility" => {
            change_visibility(queues, queue(input)?, input).await?;
            Ok(json!({}))
        }
        "ChangeMessageVisibilityBatch" => change_visibility_batch(queues, input).await,
        "PurgeQueue" => {
            existing(queues, queue(input)?).await?;
            queues.purge(queue(input)?).await?;
            Ok(json!({}))
        }
        "StartMessageMoveTask" => {
            let name = |key| input[key].as_str().and_then(|arn| arn.rsplit(':').next());
            let source = name("SourceArn").ok_or_else(|| missing("SourceArn"))?;
            existing(queues, source).await?;
            let moved = queues.redrive(source, name("DestinationArn")).await?;
            Ok(json!({"TaskHandle": format!("moved-{moved}")}))
        }
        "ListQueueTags" => Ok(json!({"Tags": {}})),
        "TagQueue" | "UntagQueue" => Ok(json!({})),
        _ => Err(refuse(
            "UnsupportedOperation",
            "AWS.SimpleQueueService.UnsupportedOperation",
            format!("this engine has no SQS action {action}"),
        )),
    }
}

async fn create(queues: &Queues, input: &Value, base_url: &str) -> Answer {
    let name = text(input, "QueueName")?;
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    if stem.is_empty() || name.len() > 80 || !stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Err(invalid(format!("{name:?} is no queue name: 1 to 80 letters, digits, hyphens and underscores")));
    }
    if queues.spec(name).await?.is_none() {
        queues.create(with_attributes(QueueSpec::named(name), &input["Attributes"])?).await?;
    }
    Ok(json!({"QueueUrl": url(base_url, name)}))
}

fn with_attributes(mut spec: QueueSpec, attributes: &Value) -> Result<QueueSpec, Refusal> {
    let Some(attributes) = attributes.as_object() else { return Ok(spec) };
    for (name, value) in attributes {
        let value = value.as_str().ok_or_else(|| invalid(format!("attribute {name}: not a string")))?;
        let seconds = || value.parse().map_err(|_| invalid(format!("attribute {name}: {value:?} is not a number of seconds")));
        match name.as_str() {
            "VisibilityTimeout" => spec.visibility_timeout_s = seconds()?,
            "MessageRetentionPeriod" => spec.retention_s = seconds()?,
            "DelaySeconds" => spec.delay_s = seconds()?,
            "RedrivePolicy" if value.is_empty() => spec.redrive = None,
            "RedrivePolicy" => spec.redrive = Some(redrive_policy(value)?),
            // Accepted and without effect here: one account, no encryption, messages of any size up to SQS's own limit.
            _ => {}
        }
    }
    Ok(spec)
}

fn redrive_policy(value: &str) -> Result<(String, u32), Refusal> {
    let policy: Value = serde_json::from_str(value).map_err(|error| invalid(format!("RedrivePolicy: {error}")))?;
    let target = policy["deadLetterTargetArn"].as_str().and_then(|arn| arn.rsplit(':').next());
    let count = &policy["maxReceiveCount"];
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok());
    let pair = target.map(str::to_owned).zip(count.and_then(|count| u32::try_from(count).ok()));
    pair.ok_or_else(|| invalid("RedrivePolicy: needs deadLetterTargetArn and maxReceiveCount".to_owned()))
}

async fn attributes(queues: &Queues, input: &Value) -> Answer {
    let spec = existing(queues, queue(input)?).await?;
    let counts = queues.counts(&spec.name).await?;
    let mut all = BTreeMap::from([
        ("QueueArn", Queues::arn(&spec.name)),
        ("VisibilityTimeout", spec.visibility_timeout_s.to_string()),
        ("MessageRetentionPeriod", spec.retention_s.to_string()),
        ("DelaySeconds", spec.delay_s.to_string()),
        ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
        ("MaximumMessageSize", BODY_MAX_BYTES.to_string()),
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
    ]);
    if let Some((target, count)) = &spec.redrive {
        all.insert("RedrivePolicy", json!({"deadLetterTargetArn": Queues::arn(target), "maxReceiveCount": count}).to_string());
    }
    if spec.fifo {
        all.insert("FifoQueue", "true".to_owned());
        all.insert("ContentBasedDeduplication", "true".to_owned());
    }
    let wanted = names(&input["AttributeNames"]);
    all.retain(|name, _| wanted.iter().any(|wanted| wanted == "All" || wanted == name));
    Ok(if all.is_empty() { json!({}) } else { json!({"Attributes": all}) })
}

fn letter(input: &Value, queue: &str) -> Result<Letter, Refusal> {
    let body = text(input, "MessageBody")?;
    if body.is_empty() || body.len() > BODY_MAX_BYTES {
        return Err(invalid(format!("MessageBody: {} bytes; 1 to {BODY_MAX_BYTES} are allowed", body.len())));
    }
    let attributes = input["MessageAttributes"].as_object().cloned().unwrap_or_default();
    let group = input["MessageGroupId"].as_str().map(str::to_owned);
    let deduplication = input["MessageDeduplicationId"].as_str().map(str::to_owned);
    let fifo = super::has_fifo_suffix(queue);
    if fifo && group.is_none() {
        return Err(missing("MessageGroupId"));
    }
    Ok(Letter {
        body: body.to_owned(),
        delay_s: input["DelaySeconds"].as_u64().and_then(|seconds| u32::try_from(seconds).ok()),
        attributes: attributes.into_iter().collect(),
        group,
        deduplication: if fifo { deduplication.or_else(|| Some(md5_hex(body))) } else { None },
    })
}

async fn send_batch(queues: &Queues, input: &Value) -> Answer {
    let (name, entries) = (queue(input)?, entries(input)?);
    let letters = entries.iter().map(|entry| letter(entry, name)).collect::<Result<Vec<_>, _>>()?;
    let digests: Vec<_> = letters.iter().map(|letter| md5_hex(&letter.body)).collect();
    let ids = queues.send_all(name, letters).await?;
    let sent = entries.iter().zip(ids).zip(digests);
    let sent: Vec<_> =
        sent.map(|((entry, id), md5)| json!({"Id": entry["Id"], "MessageId": id, "MD5OfMessageBody": md5})).collect();
    Ok(json!({"Successful": sent, "Failed": []}))
}

async fn receive(queues: &Queues, input: &Value) -> Answer {
    let max = input["MaxNumberOfMessages"].as_u64().unwrap_or(1).clamp(1, BATCH_MAX as u64) as usize;
    let visibility = input["VisibilityTimeout"].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    let wait = Duration::from_secs(input["WaitTimeSeconds"].as_u64().unwrap_or(0).min(WAIT_MAX_S));
    let messages = queues.receive(queue(input)?, max, visibility, wait, Holder::Client).await?;
    let mut system = names(&input["AttributeNames"]);
    system.extend(names(&input["MessageSystemAttributeNames"]));
    let user = names(&input["MessageAttributeNames"]);
    let messages: Vec<_> = messages.iter().map(|message| shown(message, &system, &user)).collect();
    Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
}

fn shown(message: &Message, system: &[String], user: &[String]) -> Value {
    let mut shown = json!({
        "MessageId": message.id, "ReceiptHandle": message.receipt, "Body": message.body, "MD5OfBody": md5_hex(&message.body),
    });
    let mut attributes = message.system_attributes();
    attributes.retain(|name, _| system.iter().any(|wanted| wanted == "All" || wanted == name));
    if !attributes.is_empty() {
        shown["Attributes"] = Value::Object(attributes);
    }
    let matches = |name: &str| {
        user.iter()
            .any(|wanted| wanted == "All" || wanted.strip_suffix(".*").map_or(wanted == name, |prefix| name.starts_with(prefix)))
    };
    let given: Map<_, _> = message.attributes.clone().into_iter().filter(|(name, _)| matches(name)).collect();
    if !given.is_empty() {
        shown["MessageAttributes"] = Value::Object(given);
    }
    shown
}

impl Message {
    /// System attributes by name, all strings, as `ReceiveMessage` and a Lambda event's record show them.
    pub fn system_attributes(&self) -> Map<String, Value> {
        let mut all = Map::new();
        all.insert("SenderId".to_owned(), crate::gateway::ACCOUNT.into());
        all.insert("SentTimestamp".to_owned(), self.sent_ms.to_string().into());
        all.insert("ApproximateReceiveCount".to_owned(), self.receive_count.to_string().into());
        all.insert("ApproximateFirstReceiveTimestamp".to_owned(), self.first_received_ms.to_string().into());
        if let Some(group) = &self.group {
            all.insert("MessageGroupId".to_owned(), group.clone().into());
        }
        if let Some(source) = &self.dead_letter_source {
            all.insert("DeadLetterQueueSourceArn".to_owned(), source.clone().into());
        }
        all
    }
}

async fn change_visibility(queues: &Queues, queue: &str, input: &Value) -> Result<(), Refusal> {
    let seconds = input["VisibilityTimeout"].as_u64().filter(|seconds| *seconds <= 43_200);
    let seconds = seconds.ok_or_else(|| invalid("VisibilityTimeout: 0 to 43200 seconds".to_owned()))? as u32;
    if queues.change_visibility(queue, text(input, "ReceiptHandle")?, seconds).await? {
        return Ok(());
    }
    let message = "the message is not in flight under this receipt handle";
    Err(refuse("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", message.to_owned()))
}

async fn change_visibility_batch(queues: &Queues, input: &Value) -> Answer {
    let (mut changed, mut failed) = (Vec::new(), Vec::new());
    for entry in entries(input)? {
        match change_visibility(queues, queue(input)?, entry).await {
            Ok(()) => changed.push(json!({"Id": entry["Id"]})),
            Err(refusal) => {
                failed.push(json!({"Id": entry["Id"], "SenderFault": true, "Code": refusal.code, "Message": refusal.message}));
            }
        }
    }
    Ok(json!({"Successful": changed, "Failed": failed}))
}

async fn existing(queues: &Queues, name: &str) -> Result<QueueSpec, Refusal> {
    queues.spec(name).await?.ok_or_else(|| anyhow::Error::from(NoSuchQueue(name.to_owned())).into())
}

fn queue(input: &Value) -> Result<&str, Refusal> {
    let url = text(input, "QueueUrl")?;
    Ok(url.trim_end_matches('/').rsplit('/').next().unwrap_or(url))
}

fn entries(input: &Value) -> Result<&Vec<Value>, Refusal> {
    let entries = input["Entries"].as_array().filter(|entries| !entries.is_empty());
    let entries = entries
        .ok_or_else(|| refuse("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", "no Entries".to_owned()))?;
    if entries.len() > BATCH_MAX {
        let message = format!("{} entries; at most {BATCH_MAX} are allowed", entries.len());
        return Err(refuse("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message));
    }
    Ok(entries)
}

fn text<'a>(input: &'a Value, key: &str) -> Result<&'a str, Refusal> {
    input[key].as_str().ok_or_else(|| missing(key))
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn url(base_url: &str, name: &str) -> String {
    format!("{base_url}/{}/{name}", crate::gateway::ACCOUNT)
}

fn md5_hex(text: &str) -> String {
    hex::encode(<s3s::crypto::Md5 as s3s::crypto::Checksum>::checksum(text.as_bytes()))
}

fn missing(key: &str) -> Refusal {
    refuse("MissingParameter", "MissingParameter", format!("the request must contain {key}"))
}

fn invalid(message: String) -> Refusal {
    refuse("InvalidParameterValue", "InvalidParameterValue", message)
}

fn refuse(code: &'static str, query_code: &'static str, message: String) -> Refusal {
    Refusal { code, query_code, message, status: 400 }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        if let Some(missing) = error.downcast_ref::<NoSuchQueue>() {
            return refuse("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", missing.to_string());
        }
        tracing::error!(error = format!("{error:#}"), "sqs: internal error");
        Self { code: "InternalError", query_code: "InternalError", message: format!("{error:#}"), status: 500 }
    }
}
