//! Creates at a peer what the template declares; what is there already stays.

use anyhow::{Result, bail};
use http::{Method, StatusCode};
use serde_json::json;

use super::Peer;
use crate::{
    sqs::has_fifo_suffix,
    template::{BucketSpec, QueueSpec, Stack},
};

impl Peer {
    /// Queues first: buckets notify them, and dead-letter queues come before those that they serve.
    pub async fn provision(&self, stack: &Stack) -> Result<()> {
        let (with, without): (Vec<_>, Vec<_>) = stack.queues.iter().partition(|it| it.redrive.is_some());
        for queue in without.into_iter().chain(with) {
            self.create_queue(queue).await?;
        }
        for bucket in &stack.buckets {
            self.create_bucket(bucket).await?;
        }
        for table in &stack.tables {
            let created = self.act("dynamodb", "DynamoDB_20120810.CreateTable", &table.definition).await;
            unless_there(created, "ResourceInUseException")?;
        }
        Ok(())
    }

    async fn create_queue(&self, queue: &QueueSpec) -> Result<()> {
        let mut attributes = json!({
            "VisibilityTimeout": queue.visibility_timeout_s.to_string(),
            "MessageRetentionPeriod": queue.retention_s.to_string(),
            "DelaySeconds": queue.delay_s.to_string(),
        });
        if has_fifo_suffix(&queue.name) {
            attributes["FifoQueue"] = "true".into();
            attributes["ContentBasedDeduplication"] = "true".into();
        }
        if let Some(redrive) = &queue.redrive {
            let policy = json!({ "deadLetterTargetArn": redrive.target_arn, "maxReceiveCount": redrive.max_receive_count });
            attributes["RedrivePolicy"] = policy.to_string().into();
        }
        let request = json!({ "QueueName": queue.name, "Attributes": attributes });
        unless_there(self.act("sqs", "AmazonSQS.CreateQueue", &request).await, "QueueAlreadyExists")
    }

    async fn create_bucket(&self, bucket: &BucketSpec) -> Result<()> {
        self.bucket(&bucket.name, "", String::new()).await?;
        if bucket.versioning {
            let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
            self.bucket(&bucket.name, "?versioning", body.to_owned()).await?;
        }
        if !bucket.notifications.is_empty() {
            let lines = bucket.notifications.iter().map(|it| {
                let rules = [("prefix", &it.prefix), ("suffix", &it.suffix)];
                let rules = rules.into_iter().filter_map(|(name, value)| {
                    Some(format!("<FilterRule><Name>{name}</Name><Value>{}</Value></FilterRule>", value.as_ref()?))
                });
                let rules: String = rules.collect();
                let filter = if rules.is_empty() { rules } else { format!("<Filter><S3Key>{rules}</S3Key></Filter>") };
                format!(
                    "<QueueConfiguration><Queue>{}</Queue><Event>{}</Event>{filter}</QueueConfiguration>",
                    it.queue_arn, it.event
                )
            });
            let body = format!("<NotificationConfiguration>{}</NotificationConfiguration>", lines.collect::<String>());
            self.bucket(&bucket.name, "?notification", body).await?;
        }
        Ok(())
    }

    async fn bucket(&self, name: &str, what: &str, body: String) -> Result<()> {
        let (status, answer) = self.send("s3", Method::PUT, &format!("/{name}{what}"), &[], body).await?;
        if status.is_success() || (status == StatusCode::CONFLICT && what.is_empty()) {
            return Ok(());
        }
        bail!("bucket {name}{what}: {status}: {}", String::from_utf8_lossy(&answer))
    }
}

fn unless_there(created: Result<serde_json::Value>, code: &str) -> Result<()> {
    match created {
        Err(error) if !error.to_string().contains(code) => Err(error),
        _ => Ok(()),
    }
}
