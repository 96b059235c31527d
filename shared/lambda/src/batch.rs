//! SQS batches: messages are handled one by one, a failed one is reported alone, and what there is no time left for goes
//! back unbegun.
//!
//! How much time is left is told by what has passed on this sandbox's own clock since the batch came. The deadline that
//! Lambda names is another clock's: a sandbox whose clock runs ahead would give back every message until all are dead.

use std::{panic::AssertUnwindSafe, time::Duration};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture};
use lambda_runtime::{LambdaEvent, service_fn};
use photovault_domain::{Stage, UtcMs};
use photovault_vault::{Mutant, Vault, mutated};

use crate::{Served, metrics, serve, trace};

/// Messages of a batch that are under way at once: while one waits for the store, another computes.
const CONCURRENT_MESSAGES: usize = 2;
/// No message of a batch is begun later than this after it came. Every function that takes batches has a longer timeout
/// (a test holds it): what is begun has time to end.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(20);
/// The longest wait before a failed message comes back, in seconds.
const MAX_BACKOFF_S: u32 = 900;

/// One received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
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
    /// The queue that it came from.
    pub queue_arn: String,
}

/// Handles one message. An error brings it again.
pub type OnMessage = fn(Vault, Message) -> BoxFuture<'static, anyhow::Result<()>>;
/// Handles a batch and says which messages failed, by id.
pub type OnBatch = fn(Vault, Vec<Message>) -> BoxFuture<'static, Vec<String>>;

/// Runs a function whose messages are independent of each other; failed ones return to `stage`'s queue after a backoff.
pub fn serve_messages(stage: Stage, on_message: OnMessage) -> Served {
    serve(async |vault| {
        let handler = |event: LambdaEvent<SqsEvent>| {
            let vault = vault.clone();
            async move {
                let xray = event.context.xray_trace_id.clone();
                let messages = taken(event);
                let (came, count) = (vault.clock.now(), messages.len());
                let failed = run_each(vault.clone(), Some(stage), messages, on_message).await;
                tell(&vault, came, count, &failed);
                trace::flush(xray.as_deref()).await;
                Ok::<_, lambda_runtime::Error>(response(failed))
            }
        };
        lambda_runtime::run(service_fn(handler)).await
    })
}

/// Runs a function that handles its batch as a whole.
pub fn serve_batches(on_batch: OnBatch) -> Served {
    serve(async |vault| {
        let handler = |event: LambdaEvent<SqsEvent>| {
            let vault = vault.clone();
            async move {
                let xray = event.context.xray_trace_id.clone();
                let messages = taken(event);
                let (came, count) = (vault.clock.now(), messages.len());
                let failed = on_batch(vault.clone(), messages).await;
                tell(&vault, came, count, &failed);
                trace::flush(xray.as_deref()).await;
                Ok::<_, lambda_runtime::Error>(response(failed))
            }
        };
        lambda_runtime::run(service_fn(handler)).await
    })
}

/// Tells CloudWatch what became of a batch, where that is wanted.
fn tell(vault: &Vault, came: UtcMs, messages: usize, failed: &[String]) {
    let now = vault.clock.now();
    metrics::tell(metrics::Batch { messages, failed: failed.len(), took_ms: now.since(came) }, now);
}

/// Gives each message to `handle`, a few at once; returns the ids of those that failed or were not begun.
///
/// Those that came most often go first: what was given back unbegun is begun the next time. A panic is that message's
/// failure alone. With a `stage`, failed messages return to its queue after 2, 4, 8 … seconds;
/// without, when their visibility ends.
pub async fn run_each<F>(vault: Vault, stage: Option<Stage>, mut messages: Vec<Message>, handle: F) -> Vec<String>
where
    F: Fn(Vault, Message) -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync,
{
    messages.sort_by_key(|message| std::cmp::Reverse(message.received));
    let (vault, handle, came) = (&vault, &handle, vault.clock.now());
    let run = |message: Message| async move {
        let passed_ms = vault.clock.now().since(if mutated(Mutant::ForeignDeadline) { message.sent } else { came });
        if u128::from(passed_ms) > BEGIN_WITHIN.as_millis() {
            tracing::warn!(message.id, passed_ms, "too little time left: the message goes back unbegun");
            give_back(vault, stage, &message, 0).await;
            return Some(message.id);
        }
        let outcome = AssertUnwindSafe(handle(vault.clone(), message.clone())).catch_unwind().await;
        let error = match outcome {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => format!("{error:#}"),
            Err(panic) if mutated(Mutant::PanicEndsBatch) => std::panic::resume_unwind(panic),
            Err(panic) => format!("panicked: {}", panic_text(panic.as_ref())),
        };
        tracing::error!(message.id, message.received, error, "the message failed and comes again");
        give_back(vault, stage, &message, backoff_s(message.received)).await;
        Some(message.id)
    };
    // What is to be done in order would only get in its own way.
    let at_once = if stage.is_some_and(|stage| stage.spec().in_order) { 1 } else { CONCURRENT_MESSAGES };
    let failed = futures::stream::iter(messages).map(run).buffer_unordered(at_once);
    let failed: Vec<String> = failed.filter_map(|failed| async { failed }).collect().await;
    if mutated(Mutant::FailureIsAcknowledged) { Vec::new() } else { failed }
}

/// Seconds before the next attempt: 2, 4, 8 …
pub(crate) fn backoff_s(received: u32) -> u32 {
    2_u32.saturating_pow(received).min(MAX_BACKOFF_S)
}

async fn give_back(vault: &Vault, stage: Option<Stage>, message: &Message, seconds: u32) {
    let Some(stage) = stage else { return };
    if let Err(error) = vault.jobs.return_after(stage, &message.receipt, seconds).await {
        tracing::warn!(message.id, %error, "the message comes back when its visibility ends");
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".into())
}

fn taken(event: LambdaEvent<SqsEvent>) -> Vec<Message> {
    let number = |attributes: &std::collections::HashMap<String, String>, name: &str| {
        attributes.get(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0)
    };
    let messages = event.payload.records.into_iter().map(|record| Message {
        id: record.message_id.unwrap_or_default(),
        receipt: record.receipt_handle.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        received: u32::try_from(number(&record.attributes, "ApproximateReceiveCount")).unwrap_or(1).max(1),
        sent: UtcMs(number(&record.attributes, "SentTimestamp")),
        queue_arn: record.event_source_arn.unwrap_or_default(),
    });
    messages.collect()
}

fn response(failed: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed
        .into_iter()
        .map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
}
