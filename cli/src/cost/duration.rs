//! How long a function's call takes on Lambda with some memory: a model over what was measured here.
//!
//! A call waits for its requests and works. Work takes its processor time, by the share of processors that goes with the memory. That a
//! processor there is as fast as one here is assumed. Requests wait as long as AWS's own guides say, one after another, but for the files of one message,
//! which are written at once, and messages of one batch, which are worked on at once.

use photovault_local::meter::Used;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use photovault_domain::Billed;

/// Memory sizes that are compared; 1,769 MB are one processor.
pub(super) const MEMORIES_MB: [u32; 7] = [128, 256, 512, 1024, 1769, 3008, 5307];
/// With so much memory a function has one processor (AWS Lambda developer guide, "Configure Lambda function memory").
const PROCESSOR_MB: f64 = 1769.0;
/// Of a small object: the lesser of "roughly 100–200 milliseconds" (Amazon S3 user guide, "Performance design patterns").
const S3_MS: f64 = 100.0;
/// "Single-digit millisecond" (Amazon DynamoDB developer guide).
const TABLE_MS: f64 = 5.0;
/// "Tens of milliseconds" (Amazon SQS developer guide); SNS is taken for as fast.
const QUEUE_MS: f64 = 20.0;

/// One function's calls.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PerCall {
    pub(super) function: String,
    pub(super) calls: f64,
    /// The template's.
    pub(super) memory_mb: u32,
    pub(super) peak_mb: u64,
    /// Of one call.
    pub(super) cpu_ms: f64,
    /// Of one call.
    pub(super) wait_ms: f64,
    /// Processors that it can make use of.
    processors: f64,
}

impl PerCall {
    /// Of a function that was called for items; `None` of clients, and of what a schedule calls in any case.
    pub(super) fn of(function: &str, used: &Used) -> Option<Self> {
        if used.memory_mb == 0 || used.messages == 0 || used.invocations == 0 {
            return None;
        }
        let (calls, messages) = (used.invocations as f64, used.messages.max(used.invocations) as f64);
        let each = |count: u64| count as f64 / messages;
        let wait_ms = (each(used.s3_gets + used.s3_deletes) + each(used.s3_puts).min(1.0)) * S3_MS
            + each(used.table_requests) * TABLE_MS
            + each(used.queue_requests + used.published) * QUEUE_MS;
        Some(Self {
            function: function.to_owned(),
            calls,
            memory_mb: used.memory_mb,
            peak_mb: used.peak_mb,
            cpu_ms: used.cpu_ms as f64 / calls,
            wait_ms,
            // FFmpeg's codecs work in several threads; all else in one.
            processors: if function == "video" { 6.0 } else { 1.0 },
        })
    }

    /// Of one call with that memory.
    pub(super) fn duration_ms(&self, memory_mb: u32) -> f64 {
        self.wait_ms + self.cpu_ms / (f64::from(memory_mb) / PROCESSOR_MB).min(self.processors)
    }

    /// Of all calls with that memory.
    pub(super) fn gb_seconds(&self, memory_mb: u32) -> f64 {
        self.calls * self.duration_ms(memory_mb) / 1000.0 * f64::from(memory_mb) / 1024.0
    }

    /// What all calls cost with that memory.
    pub(super) fn usd(&self, memory_mb: u32) -> f64 {
        (Billed::LambdaGbSeconds.microusd(self.gb_seconds(memory_mb)) + Billed::LambdaCalls.microusd(self.calls)) / 1e6
    }
}

impl Serialize for PerCall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_memory: Vec<_> = MEMORIES_MB
            .iter()
            .map(|&mb| serde_json::json!({ "memory_mb": mb, "ms": self.duration_ms(mb), "usd": self.usd(mb) }))
            .collect();
        let mut row = serializer.serialize_struct("function", 7)?;
        row.serialize_field("name", &self.function)?;
        row.serialize_field("calls", &self.calls)?;
        row.serialize_field("memory_mb", &self.memory_mb)?;
        row.serialize_field("peak_mb", &self.peak_mb)?;
        row.serialize_field("cpu_ms", &self.cpu_ms)?;
        row.serialize_field("wait_ms", &self.wait_ms)?;
        row.serialize_field("by_memory", &by_memory)?;
        row.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_memory_works_faster_and_waits_as_long() {
        let used = Used {
            memory_mb: 1024,
            invocations: 10,
            messages: 20,
            cpu_ms: 2_000,
            s3_gets: 20,
            s3_puts: 80,
            table_requests: 40,
            ..Used::default()
        };
        let call = PerCall::of("thumbnail", &used).expect("it was called");
        // A read, files at once, two requests to the table.
        assert!((call.wait_ms - 210.0).abs() < 1e-9, "{call:?}");
        assert!((call.duration_ms(1769) - 410.0).abs() < 1e-9 && (call.duration_ms(3008) - 410.0).abs() < 1e-9, "{call:?}");
        assert!((call.duration_ms(512) - (210.0 + 200.0 * 1769.0 / 512.0)).abs() < 1e-9);
        assert!(PerCall::of("video", &used).expect("it was called").duration_ms(3538) < 311.0, "several processors");
        assert_eq!(PerCall::of("health", &Used { messages: 0, ..used.clone() }), None);
        assert_eq!(PerCall::of("clients", &Used { memory_mb: 0, ..used }), None);
    }
}
