//! Queues: SQS.

use async_trait::async_trait;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};
use photovault_domain::UtcMs;
use photovault_vault::seams::{Clock as _, Outgoing, Queue, SeamError, SeamResult};

use crate::{SystemClock, failure};

/// How long a receive waits for a message: as long as SQS lets it.
const LONG_POLL_S: i32 = 20;

/// A message that was received by asking for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The queue's id of it.
    pub id: String,
    /// What deletes or returns this delivery of it.
    pub receipt: String,
    /// What it says.
    pub body: String,
    /// How often it was received, this time included.
    pub received: u32,
    /// When it was first sent.
    pub sent: UtcMs,
}

/// A queue for who is not called by Lambda but asks.
#[derive(Clone, Debug)]
pub struct Inbox {
    pub(crate) client: aws_sdk_sqs::Client,
    pub(crate) url: String,
}

impl Inbox {
    /// The next message, if one comes within 20 seconds.
    pub async fn receive(&self) -> SeamResult<Option<Received>> {
        let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(1).wait_time_seconds(LONG_POLL_S);
        let names = [MessageSystemAttributeName::ApproximateReceiveCount, MessageSystemAttributeName::SentTimestamp];
        let received = receive.set_message_system_attribute_names(Some(names.to_vec())).send().await;
        let received = received.map_err(|error| failure(format!("receive from {}", self.url), &error))?;
        let Some(message) = received.messages.unwrap_or_default().pop() else { return Ok(None) };
        let attributes = message.attributes.unwrap_or_default();
        let number = |name| attributes.get(&name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        Ok(Some(Received {
            received: u32::try_from(number(MessageSystemAttributeName::ApproximateReceiveCount)).unwrap_or(1).max(1),
            sent: UtcMs(number(MessageSystemAttributeName::SentTimestamp)),
            id: message.message_id.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
        }))
    }

    /// The queue's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Removes a message that is dealt with.
    pub async fn delete(&self, receipt: &str) -> SeamResult<()> {
        let deleted = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt).send().await;
        deleted.map(|_| ()).map_err(|error| failure(format!("delete from {}", self.url), &error))
    }
}

pub(crate) struct Sqs(pub(crate) aws_sdk_sqs::Client);

#[async_trait]
impl Queue for Sqs {
    async fn send(&self, queue: &str, messages: Vec<Outgoing>) -> SeamResult<()> {
        let asked = || format!("send to {queue}");
        // No two sends are one: a FIFO queue would drop what is asked for again within five minutes by the same words.
        let unique = SystemClock.random();
        let entry = |(index, message): (usize, Outgoing)| {
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(message.body)
                // A FIFO queue has no delay for a single message.
                .set_delay_seconds(message.group.is_none().then(|| i32::try_from(message.delay_s).unwrap_or(900)))
                .set_message_deduplication_id(message.group.as_ref().map(|_| format!("{unique:016x}-{index}")))
                .set_message_group_id(message.group)
                .build()
                .map_err(|error| SeamError { asked: asked(), answer: error.to_string() })
        };
        let entries = messages.into_iter().enumerate().map(entry).collect::<SeamResult<Vec<_>>>()?;
        let sent = self.0.send_message_batch().queue_url(queue).set_entries(Some(entries)).send().await;
        let sent = sent.map_err(|error| failure(asked(), &error))?;
        match sent.failed().first() {
            None => Ok(()),
            Some(failed) => Err(SeamError {
                asked: asked(),
                answer: format!(
                    "{} of the messages were refused: {}",
                    sent.failed().len(),
                    failed.message().unwrap_or(failed.code())
                ),
            }),
        }
    }

    async fn return_after(&self, queue: &str, receipt: &str, seconds: u32) -> SeamResult<()> {
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        let changed =
            self.0.change_message_visibility().queue_url(queue).receipt_handle(receipt).visibility_timeout(seconds).send().await;
        changed.map(|_| ()).map_err(|error| failure(format!("return of a message to {queue}"), &error))
    }

    async fn waiting(&self, queue: &str) -> SeamResult<u64> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let asked = self.0.get_queue_attributes().queue_url(queue).attribute_names(name.clone()).send().await;
        let answer = asked.map_err(|error| failure(format!("length of {queue}"), &error))?;
        Ok(answer.attributes().and_then(|all| all.get(&name)?.parse().ok()).unwrap_or(0))
    }
}
