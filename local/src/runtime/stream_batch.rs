//! What becomes of a stream's batch: invoked, resumed from its first failure, split in two, retried, given up.

use std::{collections::VecDeque, time::Duration};

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::watch;

use super::{function::InvokeResult, sqs_event, stream::StreamMapping};
use crate::{
    clock::now_ms,
    dynamodb::{StreamRecord, Tables},
};

/// The pause after a first failed attempt; each further one doubles it.
const BACKOFF_FIRST: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// The work on one batch of a mapping.
pub(super) struct Batches<'a> {
    pub(super) mapping: &'a StreamMapping,
    pub(super) stopping: watch::Receiver<bool>,
    /// The last record that is settled.
    pub(super) reached: Option<String>,
}

/// A part of the batch with its attempts so far.
struct Part {
    records: Vec<StreamRecord>,
    attempts: u32,
}

impl Batches<'_> {
    /// Settles the records in order; false when the engine is ending before that.
    pub(super) async fn process(&mut self, records: Vec<StreamRecord>) -> bool {
        let mut parts = VecDeque::from([Part { records, attempts: 0 }]);
        while let Some(part) = parts.pop_front() {
            let Some(first) = part.records.first() else { continue };
            if self.is_too_old(first) {
                let (old, young): (Vec<_>, Vec<_>) = part.records.into_iter().partition(|it| self.is_too_old(it));
                self.give_up(&old, "RecordAgeExceeded", part.attempts, None).await;
                parts.push_front(Part { records: young, attempts: part.attempts });
                continue;
            }
            self.mapping.function.meter_batch(part.records.len(), 0);
            let result = self.mapping.function.invoke(event(&part.records)).await;
            let Some(failed_from) = self.first_failure(&part.records, &result) else {
                self.settle(&part.records);
                continue;
            };
            let mut records = part.records;
            let rest = records.split_off(failed_from);
            self.settle(&records);
            let attempts = part.attempts + 1;
            // Only a batch that failed as a whole is halved: a partial response has already said where to go on.
            if self.mapping.source.bisect && rest.len() > 1 && failed_from == 0 {
                let mut left = rest;
                let right = left.split_off(left.len() / 2);
                // A split does not count against the retries.
                parts.push_front(Part { records: right, attempts: part.attempts });
                parts.push_front(Part { records: left, attempts: part.attempts });
            } else if self.mapping.source.maximum_retries.is_some_and(|most| attempts > most) {
                let given_up = if self.mapping.source.bisect { 1 } else { rest.len() };
                let (poison, rest) = rest.split_at(given_up.min(rest.len()));
                self.give_up(poison, "RetryAttemptsExhausted", attempts, Some(&result)).await;
                parts.push_front(Part { records: rest.to_vec(), attempts: 0 });
            } else {
                // Progress within the batch begins the count anew.
                parts.push_front(Part { records: rest, attempts: if failed_from == 0 { attempts } else { 1 } });
            }
            if !self.back_off(attempts).await {
                return false;
            }
        }
        true
    }

    /// Where the batch has to go on, if anywhere.
    fn first_failure(&self, records: &[StreamRecord], result: &InvokeResult) -> Option<usize> {
        let why = match &result.outcome {
            Err(error) => error.to_string(),
            Ok(_) if !self.mapping.source.report_failures => return None,
            Ok(response) => {
                let items: Vec<&str> = records.iter().map(|it| it.sequence_number.as_str()).collect();
                match sqs_event::failed_items(response, &items) {
                    // Lambda resumes from the lowest number, whatever the order in the response.
                    Ok(failed) => return items.iter().position(|it| failed.contains(*it)),
                    Err(why) => why,
                }
            }
        };
        let (function, request) = (&self.mapping.function.spec.name, &result.request_id);
        tracing::warn!(function, request.id = request, records = records.len(), error = why, "a batch of the stream failed");
        Some(0)
    }

    fn settle(&mut self, records: &[StreamRecord]) {
        if let Some(last) = records.last() {
            self.reached = Some(last.sequence_number.clone());
        }
    }

    fn is_too_old(&self, record: &StreamRecord) -> bool {
        let Some(maximum_s) = self.mapping.source.maximum_age_s else { return false };
        record.created_s < (now_ms() / 1000 - i64::from(maximum_s)) as f64
    }

    /// Sends the account of the batch to the on-failure queue and goes on behind it.
    async fn give_up(&mut self, records: &[StreamRecord], condition: &str, attempts: u32, result: Option<&InvokeResult>) {
        let mapping = self.mapping;
        let (function, count) = (&mapping.function.spec.name, records.len());
        let account = failure_record(mapping, records, condition, attempts, result);
        tracing::error!(function, records = count, condition, "records of the stream were given up");
        if let Some(queue) = &mapping.on_failure {
            while let Err(error) = mapping.feed.send(queue, account.to_string()).await {
                tracing::error!(queue, error = format!("{error:#}"), "the account of a failure could not be sent; trying again");
                if !self.back_off(BACKOFF_MAX.as_secs() as u32).await {
                    return;
                }
            }
        }
        self.settle(records);
    }

    /// Waits before the next attempt; false when the engine is ending.
    async fn back_off(&mut self, attempts: u32) -> bool {
        let pause = BACKOFF_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(BACKOFF_MAX);
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|it| *it) => false,
            () = tokio::time::sleep(pause) => true,
        }
    }
}

/// The event of a batch: its records are JSON already.
fn event(records: &[StreamRecord]) -> String {
    let records: Vec<&str> = records.iter().map(|it| &*it.json).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// What Lambda tells an on-failure destination of a stream: which records, not what was in them.
fn failure_record(
    mapping: &StreamMapping,
    records: &[StreamRecord],
    condition: &str,
    attempts: u32,
    result: Option<&InvokeResult>,
) -> Value {
    let edge = |record: Option<&StreamRecord>| {
        let (place, created_s) = record.map_or(("", 0.0), |it| (it.sequence_number.as_str(), it.created_s));
        (place.to_owned(), timestamp(created_s as i64 * 1000))
    };
    let ((start, first_at), (end, last_at)) = (edge(records.first()), edge(records.last()));
    let mut account = json!({
        "requestContext": {
            "requestId": result.map_or("", |it| it.request_id.as_str()),
            "functionArn": mapping.function.spec.arn,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "version": "1.0",
        "timestamp": timestamp(now_ms()),
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000000000000000000-00000000",
            "startSequenceNumber": start,
            "endSequenceNumber": end,
            "approximateArrivalOfFirstRecord": first_at,
            "approximateArrivalOfLastRecord": last_at,
            "batchSize": records.len(),
            "streamArn": Tables::stream_arn(&mapping.table),
        },
    });
    if let Some(result) = result {
        account["responseContext"] = json!({ "statusCode": 200, "executedVersion": "$LATEST" });
        if result.outcome.is_err() {
            account["responseContext"]["functionError"] = "Unhandled".into();
        }
    }
    account
}

fn timestamp(at_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}
