//! Figures of a function for CloudWatch, in its embedded metric format: a line of the log that becomes metrics, without a request.
//!
//! Off unless `METRICS` says `emf`: each metric of each function costs $0.30 a month, and Lambda counts calls, errors and time by itself. What it
//! cannot know is what became of the messages within a call.
//!
//! Source: Amazon CloudWatch user guide, "Specification: Embedded metric format".

use std::sync::OnceLock;

use photovault_domain::UtcMs;
use serde_json::{Value, json};

/// The namespace of the metrics.
const NAMESPACE: &str = "PhotoVault";

/// The function's name, once they are on.
static FUNCTION: OnceLock<String> = OnceLock::new();

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) messages: usize,
    pub(crate) failed: usize,
    pub(crate) took_ms: u64,
}

/// Turns them on for this process.
pub(crate) fn start(function: &str) {
    let _ = FUNCTION.set(function.to_owned());
}

/// Tells of a batch, if they are on.
pub(crate) fn tell(batch: Batch, now: UtcMs) {
    if let Some(function) = FUNCTION.get() {
        println!("{}", line(function, batch, now));
    }
}

fn line(function: &str, batch: Batch, now: UtcMs) -> Value {
    let Batch { messages, failed, took_ms } = batch;
    json!({
        "_aws": {
            "Timestamp": now,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Function"]],
                "Metrics": [
                    { "Name": "Messages", "Unit": "Count" },
                    { "Name": "FailedMessages", "Unit": "Count" },
                    { "Name": "BatchTime", "Unit": "Milliseconds" },
                ],
            }],
        },
        "Function": function, "Messages": messages, "FailedMessages": failed, "BatchTime": took_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_and_dimension_that_is_named_has_its_value() {
        let line = line("photovault-thumbnail", Batch { messages: 5, failed: 1, took_ms: 700 }, UtcMs(1_800_000_000_000));
        assert_eq!(line["_aws"]["Timestamp"], 1_800_000_000_000_i64);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_u64(), "{metric}");
        }
        assert_eq!(line[directive["Dimensions"][0][0].as_str().unwrap()], "photovault-thumbnail");
    }
}
