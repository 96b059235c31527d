//! What a template says, as types: every value read, resolved and checked.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{runtime::Filter, s3::LifecycleRule};

/// Where the stack runs: what references and pseudo parameters resolve to.
#[derive(Clone, Debug)]
pub struct Place {
    /// The address of the engine's HTTP endpoint, as in `http://127.0.0.1:4455`.
    pub endpoint: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// `AWS::AccountId`.
    pub account: String,
    /// `AWS::Region`.
    pub region: String,
    /// Values for the template's parameters; what is not here takes its default.
    pub parameters: BTreeMap<String, String>,
}

impl Place {
    /// The engine's own place, with its endpoint.
    pub fn local(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            stack_name: "photovault".into(),
            account: "000000000000".into(),
            region: "us-east-1".into(),
            parameters: BTreeMap::new(),
        }
    }

    /// An ARN in this place: `service` and what follows the account.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// The URL of a queue.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.endpoint, self.account)
    }
}

/// Everything in a template that the engine runs, in the template's order.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// The buckets.
    pub buckets: Vec<BucketSpec>,
    /// The queues.
    pub queues: Vec<QueueSpec>,
    /// The tables.
    pub tables: Vec<TableSpec>,
    /// The topics.
    pub topics: Vec<TopicSpec>,
    /// The functions.
    pub functions: Vec<FunctionSpec>,
    /// What runs in containers.
    pub workers: Vec<WorkerSpec>,
    /// The template's `Outputs`, resolved to text where they are text.
    pub outputs: BTreeMap<String, String>,
}

impl Stack {
    /// A function by its folder name, its function name or its logical id.
    pub fn function(&self, name: &str) -> Option<&FunctionSpec> {
        self.functions
            .iter()
            .find(|function| [&function.name, &function.function_name, &function.logical_id].iter().any(|it| *it == name))
    }

    /// A queue by its ARN.
    pub fn queue_by_arn(&self, arn: &str) -> Option<&QueueSpec> {
        self.queues.iter().find(|queue| queue.arn == arn)
    }
}

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSpec {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// The bucket's name.
    pub name: String,
    /// Whether it keeps old versions.
    pub versioning: bool,
    /// Where its events go.
    pub notifications: Vec<BucketNotification>,
    /// What it forgets by itself.
    pub lifecycle: Vec<LifecycleRule>,
}

/// One line of a bucket's notification configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketNotification {
    /// As in `s3:ObjectCreated:*`.
    pub event: String,
    /// The ARN of the queue.
    pub queue_arn: String,
    /// Only keys that begin so.
    pub prefix: Option<String>,
    /// Only keys that end so.
    pub suffix: Option<String>,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// The queue's name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its URL at the engine's endpoint.
    pub url: String,
    /// Seconds that a received message stays hidden.
    pub visibility_timeout_s: u32,
    /// Seconds that a message is kept.
    pub retention_s: u32,
    /// Seconds that a new message stays hidden.
    pub delay_s: u32,
    /// Where a message goes that was received too often.
    pub redrive: Option<Redrive>,
}

/// A queue's redrive policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The ARN of the dead-letter queue.
    pub target_arn: String,
    /// Receives before that.
    pub max_receive_count: u32,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSpec {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// The table's name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The ARN of its stream, when it has one.
    pub stream_arn: Option<String>,
    /// The attribute that holds the time to live.
    pub time_to_live: Option<String>,
    /// The body of a `CreateTable` request.
    pub definition: Value,
}

/// A topic. The engine keeps its name only: publishing needs an endpoint of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// Its ARN.
    pub arn: String,
}

/// A function.
#[derive(Clone, Debug)]
pub struct FunctionSpec {
    /// The name of its folder under `functions/`, and what `photovault function <name>` takes.
    pub name: String,
    /// Its key under `Resources`.
    pub logical_id: String,
    /// The name that AWS shows.
    pub function_name: String,
    /// Its ARN.
    pub arn: String,
    /// Seconds that one invocation may take.
    pub timeout_s: u32,
    /// Megabytes that it may use.
    pub memory_mb: u32,
    /// Its own environment variables.
    pub environment: BTreeMap<String, String>,
    /// What calls it.
    pub events: Vec<EventSource>,
}

/// A program that runs in a container without a time limit: it empties a queue, and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerSpec {
    /// The name of its folder under `functions/`, and what `photovault function <name>` takes.
    pub name: String,
    /// Its key under `Resources`.
    pub logical_id: String,
    /// What it is called with.
    pub arguments: Vec<String>,
    /// Megabytes that it may use.
    pub memory_mb: u32,
    /// Its own environment variables.
    pub environment: BTreeMap<String, String>,
    /// The name of the queue that it empties: the one whose URL it is told.
    pub queue: String,
    /// The ARN of the queue whose messages start it.
    pub started_by: String,
}

/// What calls a function.
#[derive(Clone, Debug)]
pub enum EventSource {
    /// Messages of a queue.
    Sqs(SqsSource),
    /// Changes of a table.
    Stream(StreamSource),
    /// The clock.
    Schedule(ScheduleSource),
}

/// An event source mapping from a queue.
#[derive(Clone, Debug)]
pub struct SqsSource {
    /// The event's key under `Events`.
    pub id: String,
    /// The ARN of the queue.
    pub queue_arn: String,
    /// Messages of one invocation at most.
    pub batch_size: u32,
    /// Seconds to gather them.
    pub window_s: u32,
    /// Invocations at a time at most.
    pub maximum_concurrency: Option<u32>,
    /// Whether the function says which messages failed.
    pub report_failures: bool,
    /// Which messages it wants.
    pub filter: Filter,
    /// Whether the mapping runs.
    pub enabled: bool,
}

/// An event source mapping from a table's stream.
#[derive(Clone, Debug)]
pub struct StreamSource {
    /// The event's key under `Events`.
    pub id: String,
    /// The ARN of the stream.
    pub stream_arn: String,
    /// Where it begins when it has never run.
    pub starting_position: StartingPosition,
    /// Records of one invocation at most.
    pub batch_size: u32,
    /// Seconds to gather them.
    pub window_s: u32,
    /// Whether a failed batch is split in two.
    pub bisect: bool,
    /// Retries of a failed batch; none means without end.
    pub maximum_retries: Option<u32>,
    /// Seconds after which a record is given up; none means never.
    pub maximum_age_s: Option<u32>,
    /// Where the account of a batch that was given up goes.
    pub on_failure: Option<OnFailure>,
    /// Whether the function says which record failed.
    pub report_failures: bool,
    /// Which records it wants.
    pub filter: Filter,
    /// Whether the mapping runs.
    pub enabled: bool,
}

/// The destination of what a stream mapping gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnFailure {
    /// The ARN of the queue.
    pub queue_arn: String,
}

/// Where a new stream mapping begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartingPosition {
    /// With the oldest record there is.
    TrimHorizon,
    /// With the first record written after the mapping came to be.
    Latest,
}

/// A schedule.
#[derive(Clone, Debug)]
pub struct ScheduleSource {
    /// The event's key under `Events`.
    pub id: String,
    /// Seconds between two calls.
    pub every_s: u64,
    /// The event to send instead of the usual one.
    pub input: Option<Value>,
    /// Whether it runs.
    pub enabled: bool,
}
