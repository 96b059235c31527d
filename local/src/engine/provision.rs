//! Creates what the template declares; what is there already is brought up to date.

use anyhow::Result;

use crate::{gateway::Services, s3, sqs, template::Stack};

/// Queues first: buckets notify them.
pub(super) async fn provision(services: &Services, stack: &Stack) -> Result<()> {
    for queue in &stack.queues {
        let spec = sqs::QueueSpec {
            visibility_timeout_s: queue.visibility_timeout_s,
            retention_s: queue.retention_s,
            delay_s: queue.delay_s,
            redrive: queue.redrive.as_ref().map(|it| (queue_name(&it.target_arn), it.max_receive_count)),
            ..sqs::QueueSpec::named(&queue.name)
        };
        services.queues.create(spec).await?;
    }
    for bucket in &stack.buckets {
        let notifications = bucket.notifications.iter().enumerate().map(|(index, it)| s3::Notification {
            id: format!("{}-{index}", bucket.logical_id),
            events: vec![it.event.clone()],
            prefix: it.prefix.clone(),
            suffix: it.suffix.clone(),
            queue: queue_name(&it.queue_arn),
        });
        let spec =
            s3::BucketSpec { name: bucket.name.clone(), versioned: bucket.versioning, notifications: notifications.collect() };
        services.buckets.create(spec).await?;
    }
    for table in &stack.tables {
        services.tables.create_table(table.definition.clone()).await?;
        if let Some(attribute) = &table.time_to_live {
            services.tables.set_time_to_live(&table.name, attribute).await?;
        }
    }
    Ok(())
}

/// The last part of a queue's ARN.
pub(super) fn queue_name(arn: &str) -> String {
    arn.rsplit(':').next().unwrap_or_default().to_owned()
}
