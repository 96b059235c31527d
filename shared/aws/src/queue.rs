//! Queues: SQS.

use async_trait::async_trait;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use photovault_vault::seams::{Outgoing, Queue, SeamError, SeamResult};

use crate::failure;

pub(crate) struct Sqs(pub(crate) aws_sdk_sqs::Client);

#[async_trait]
impl Queue for Sqs {
    async fn send(&self, queue: &str, messages: Vec<Outgoing>) -> SeamResult<()> {
        let asked = || format!("send to {queue}");
        let entry = |(index, message): (usize, Outgoing)| {
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(message.body)
                .delay_seconds(i32::try_from(message.delay_s).unwrap_or(900))
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
}
