//! Topics: SNS.

use async_trait::async_trait;
use photovault_vault::seams::{Notifier, SeamResult};

use crate::failure;

pub(crate) struct Sns(pub(crate) aws_sdk_sns::Client);

#[async_trait]
impl Notifier for Sns {
    async fn publish(&self, topic: &str, subject: &str, text: &str) -> SeamResult<()> {
        let sent = self.0.publish().topic_arn(topic).subject(subject).message(text).send().await;
        sent.map(|_| ()).map_err(|error| failure(format!("publish to {topic}"), &error))
    }
}
