//! From resolved properties to the typed [`Stack`]: one function for each type of resource that the engine runs.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::document;
use super::functions;
use super::properties::Properties;
use super::references;
use super::scope::{Scope, scalar, section};
use super::stack::{BucketNotification, BucketSpec, Place, QueueSpec, Redrive, Stack, TableSpec, TopicSpec};
use super::workers;
use crate::{dynamodb::Tables, s3::LifecycleRule, sqs::has_fifo_suffix};

/// Days of a lifecycle rule at most: ten years.
const MAX_DAYS: u32 = 3650;

/// Types that mean nothing on one machine. `AWS::IAM::` and the like stand for all types of a service.
const PASSED_OVER: &[&str] = &[
    "AWS::IAM::",
    "AWS::CloudWatch::",
    "AWS::Logs::",
    "AWS::KMS::",
    "AWS::SSM::",
    "AWS::Budgets::",
    "AWS::XRay::",
    "AWS::ApplicationAutoScaling::",
    "AWS::ResourceGroups::",
    "AWS::ApplicationInsights::",
    "AWS::EC2::",
    "AWS::Batch::ComputeEnvironment",
    "AWS::Batch::JobQueue",
    "AWS::Serverless::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SNS::Subscription",
    "AWS::S3::BucketPolicy",
];

pub(super) fn is_passed_over(kind: &str) -> bool {
    PASSED_OVER.iter().any(|it| *it == kind || (it.ends_with("::") && kind.starts_with(it)))
}

/// Reads a template's text for one place. Errors name the value and where it stands, as in `Resources.Queue.Properties.RedrivePolicy`.
pub fn read(text: &str, place: &Place) -> Result<Stack> {
    let template = document::parse(text)?;
    let scope = Scope::new(&template, place)?;
    let (mut stack, mut pipes) = (Stack::default(), Vec::new());
    for (logical_id, resource) in section(&template, "Resources").context("the template has no Resources")? {
        let path = format!("Resources.{logical_id}");
        if let Some(condition) = resource.get("Condition")
            && !scope.condition(&scalar(condition, &path)?, &format!("{path}.Condition"))?
        {
            continue;
        }
        let kind = resource.get("Type").and_then(Value::as_str).with_context(|| format!("{path}: has no Type"))?;
        // What is passed over is resolved all the same: a reference to nothing would fail on AWS, so it fails here.
        let path = format!("{path}.Properties");
        let properties = resource.get("Properties").map(|it| scope.resolve(it, &path)).transpose()?.flatten();
        if is_passed_over(kind) {
            continue;
        }
        let properties = Properties::new(properties, path)?;
        match kind {
            "AWS::S3::Bucket" => stack.buckets.push(bucket(&scope, logical_id, &properties)?),
            "AWS::SQS::Queue" => stack.queues.push(queue(&scope, logical_id, &properties)?),
            "AWS::DynamoDB::Table" => stack.tables.push(table(&scope, logical_id, &properties)?),
            "AWS::SNS::Topic" => {
                stack
                    .topics
                    .push(TopicSpec { logical_id: logical_id.clone(), arn: references::of(&scope, logical_id, logical_id)? });
            }
            "AWS::Serverless::Function" => stack.functions.push(functions::function(&scope, logical_id, resource, &properties)?),
            "AWS::Batch::JobDefinition" => stack.workers.push(workers::worker(logical_id, resource, &properties)?),
            "AWS::Pipes::Pipe" => pipes.push(workers::pipe(&properties)?),
            unknown => bail!("Resources.{logical_id}: the laptop engine does not know the type {unknown}"),
        }
    }
    for (name, output) in section(&template, "Outputs").into_iter().flatten() {
        let path = format!("Outputs.{name}");
        let value = output.get("Value").map(|it| scope.resolve(it, &path)).transpose()?.flatten();
        stack.outputs.extend(value.and_then(|it| scalar(&it, &path).ok()).map(|it| (name.clone(), it)));
    }
    workers::connect(&scope, &mut stack, &pipes)?;
    connect(&stack)?;
    Ok(stack)
}

/// Whether a template declares a parameter.
pub fn declares(text: &str, parameter: &str) -> Result<bool> {
    Ok(section(&document::parse(text)?, "Parameters").is_some_and(|it| it.contains_key(parameter)))
}

fn bucket(scope: &Scope<'_>, logical_id: &str, properties: &Properties) -> Result<BucketSpec> {
    let configuration = properties.inner("NotificationConfiguration")?;
    for unknown in ["LambdaConfigurations", "TopicConfigurations", "EventBridgeConfiguration"] {
        ensure!(
            configuration.value(unknown).is_none(),
            "{}: the laptop engine sends a bucket's events to queues only",
            configuration.at(unknown)
        );
    }
    let mut notifications = Vec::new();
    for line in configuration.items("QueueConfigurations")? {
        let (mut prefix, mut suffix) = (None, None);
        for rule in line.inner("Filter")?.inner("S3Key")?.items("Rules")? {
            let name = rule.required("Name")?;
            match name.to_lowercase().as_str() {
                "prefix" => prefix = Some(rule.required("Value")?),
                "suffix" => suffix = Some(rule.required("Value")?),
                _ => bail!("{}: {name:?} is neither prefix nor suffix", rule.at("Name")),
            }
        }
        notifications.push(BucketNotification {
            event: line.required("Event")?,
            queue_arn: line.required("Queue")?,
            prefix,
            suffix,
        });
    }
    let versioning = properties.inner("VersioningConfiguration")?.text("Status")?.as_deref() == Some("Enabled");
    let lifecycle = lifecycle(properties)?;
    Ok(BucketSpec {
        logical_id: logical_id.into(),
        name: references::name(scope, logical_id)?,
        versioning,
        notifications,
        lifecycle,
    })
}

/// What of a lifecycle rule the engine knows.
const RULE_PROPERTIES: &[&str] = &[
    "Id",
    "Status",
    "Prefix",
    "ExpirationInDays",
    "ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
];

fn lifecycle(properties: &Properties) -> Result<Vec<LifecycleRule>> {
    let mut rules = Vec::new();
    for rule in properties.inner("LifecycleConfiguration")?.items("Rules")? {
        let unknown = rule.entries().find(|(name, _)| !RULE_PROPERTIES.contains(&name.as_str())).map(|(name, _)| rule.at(name));
        ensure!(unknown.is_none(), "{}: the laptop engine does not know this of a rule", unknown.unwrap_or_default());
        if rule.required("Status")? == "Enabled" {
            rules.push(LifecycleRule {
                prefix: rule.text("Prefix")?.unwrap_or_default(),
                expire_days: rule.limit("ExpirationInDays", MAX_DAYS)?,
                noncurrent_days: rule.inner("NoncurrentVersionExpiration")?.limit("NoncurrentDays", MAX_DAYS)?,
                abort_days: rule.inner("AbortIncompleteMultipartUpload")?.limit("DaysAfterInitiation", MAX_DAYS)?,
                lone_markers: rule.flag("ExpiredObjectDeleteMarker", false)?,
            });
        }
    }
    Ok(rules)
}

fn queue(scope: &Scope<'_>, logical_id: &str, properties: &Properties) -> Result<QueueSpec> {
    let policy = properties.inner("RedrivePolicy")?;
    let redrive = match policy.text("deadLetterTargetArn")? {
        None => None,
        Some(target_arn) => {
            let count = policy.number("maxReceiveCount", 1..=1000)?;
            let max_receive_count = count.with_context(|| format!("{}: is missing", policy.at("maxReceiveCount")))? as u32;
            Some(Redrive { target_arn, max_receive_count })
        }
    };
    let name = references::name(scope, logical_id)?;
    let fifo = properties.flag("FifoQueue", false)?;
    ensure!(
        fifo == has_fifo_suffix(&name),
        "{}: the name of a FIFO queue, and of no other, ends in .fifo",
        properties.at("QueueName")
    );
    if fifo {
        let by_content = properties.flag("ContentBasedDeduplication", false)?;
        ensure!(by_content, "{}: the laptop engine tells repeats by their content", properties.at("ContentBasedDeduplication"));
    }
    Ok(QueueSpec {
        logical_id: logical_id.into(),
        arn: scope.place.arn("sqs", &name),
        url: scope.place.queue_url(&name),
        name,
        visibility_timeout_s: properties.count("VisibilityTimeout", 0..=43_200, 30)?,
        retention_s: properties.count("MessageRetentionPeriod", 60..=1_209_600, 345_600)?,
        delay_s: properties.count("DelaySeconds", 0..=900, 0)?,
        redrive,
    })
}

/// What of a table's properties a `CreateTable` request takes as it is.
const TABLE_PROPERTIES: &[&str] = &[
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
];

fn table(scope: &Scope<'_>, logical_id: &str, properties: &Properties) -> Result<TableSpec> {
    let name = references::name(scope, logical_id)?;
    let mut definition = json!({ "TableName": name });
    for property in TABLE_PROPERTIES {
        if let Some(value) = properties.value(property) {
            definition[*property] = value.clone();
        }
    }
    let view = properties.inner("StreamSpecification")?.text("StreamViewType")?;
    if let Some(view) = &view {
        definition["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": view });
    }
    let expiry = properties.inner("TimeToLiveSpecification")?;
    let time_to_live = if expiry.flag("Enabled", false)? { Some(expiry.required("AttributeName")?) } else { None };
    Ok(TableSpec {
        logical_id: logical_id.into(),
        arn: scope.place.arn("dynamodb", &format!("table/{name}")),
        stream_arn: view.map(|_| Tables::stream_arn(&name)),
        name,
        time_to_live,
        definition,
    })
}

/// What refers to a queue or a stream must refer to one of this stack.
fn connect(stack: &Stack) -> Result<()> {
    use super::stack::EventSource;
    let known = |arn: &str, who: &str| ensure_queue(stack, arn, who);
    for queue in &stack.queues {
        queue
            .redrive
            .iter()
            .try_for_each(|it| known(&it.target_arn, &format!("Resources.{}: the dead-letter queue", queue.logical_id)))?;
    }
    for bucket in &stack.buckets {
        let who = format!("Resources.{}: the notified queue", bucket.logical_id);
        bucket.notifications.iter().try_for_each(|it| known(&it.queue_arn, &who))?;
    }
    for worker in &stack.workers {
        known(&worker.started_by, &format!("Resources.{}: the queue that starts it", worker.logical_id))?;
    }
    for function in &stack.functions {
        for event in &function.events {
            match event {
                EventSource::Sqs(source) => known(
                    &source.queue_arn,
                    &format!("Resources.{}.Properties.Events.{}: the queue", function.logical_id, source.id),
                )?,
                EventSource::Stream(source) => {
                    let who = format!("Resources.{}.Properties.Events.{}", function.logical_id, source.id);
                    source.on_failure.iter().try_for_each(|it| known(&it.queue_arn, &format!("{who}: the on-failure queue")))?;
                    let found = stack.tables.iter().any(|it| it.stream_arn.as_deref() == Some(&source.stream_arn));
                    ensure!(found, "{who}: no table of this template has the stream {}", source.stream_arn);
                }
                EventSource::Schedule(_) => {}
            }
        }
    }
    Ok(())
}

fn ensure_queue(stack: &Stack, arn: &str, who: &str) -> Result<()> {
    ensure!(stack.queue_by_arn(arn).is_some(), "{who} {arn} is not a queue of this template");
    Ok(())
}
