//! What functions and clients use, in the units that AWS bills: `photovault cost` makes money of it.
//!
//! Who sends a request is told from its user agent: the engine names each function to its SDK (`AWS_SDK_UA_APP_ID`).

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use http::{HeaderMap, Method, Uri};
use serde::{Deserialize, Serialize};

use crate::clock::now_ms;

/// Everybody who is no function of this engine.
pub const CLIENTS: &str = "clients";

/// What one function used, or all clients together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Its memory by the template, in MB; 0 of clients.
    pub memory_mb: u32,
    /// Events that it answered.
    pub invocations: u64,
    /// Messages of queues and records of streams in them; none where a schedule called.
    pub messages: u64,
    /// Processor time of its children and of what these started, in milliseconds.
    pub cpu_ms: u64,
    /// What a child and what it started had in memory at most, each at its own time, in MB.
    pub peak_mb: u64,
    /// What it logged.
    pub logged_bytes: u64,
    /// PUT, COPY, POST and LIST requests to S3.
    pub s3_puts: u64,
    /// GET and HEAD requests to S3.
    pub s3_gets: u64,
    /// DELETE requests to S3, which are free.
    pub s3_deletes: u64,
    /// Requests to DynamoDB.
    pub table_requests: u64,
    /// Write units of DynamoDB.
    pub table_writes: f64,
    /// Read units of DynamoDB.
    pub table_reads: f64,
    /// Requests to SQS that it made.
    pub queue_requests: u64,
    /// Requests to SQS that Lambda makes for it: a receive and a delete, each of ten messages at most.
    pub polls: u64,
    /// Messages published to a topic.
    pub published: u64,
    /// Requests to Rekognition that look at a picture or compare faces.
    #[serde(default)]
    pub recognised: u64,
}

/// Whether Rekognition bills an action: it looks at a picture or compares faces (its price list, groups 1 and 2). What makes, parts and removes
/// is free.
pub(crate) fn is_billed(action: &str) -> bool {
    ["Detect", "Recognize", "Compare", "Index", "Search", "Associate"].iter().any(|verb| action.starts_with(verb))
}

/// What the page `/_photovault/used` shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Since when it was counted, in milliseconds since 1970.
    pub since_ms: i64,
    /// What everybody used, by the functions' names and [`CLIENTS`].
    pub used: BTreeMap<String, Used>,
}

/// The engine's meter. It begins at nothing when the engine starts.
#[derive(Debug)]
pub struct Meter {
    since_ms: i64,
    used: Mutex<BTreeMap<String, Used>>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { since_ms: now_ms(), used: Mutex::default() }
    }
}

impl Meter {
    /// Adds to what somebody used.
    pub(crate) fn note(&self, who: &str, change: impl FnOnce(&mut Used)) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = all.get_mut(who) {
            return change(used);
        }
        change(all.entry(who.to_owned()).or_default());
    }

    /// What was used so far.
    pub fn usage(&self) -> Usage {
        Usage { since_ms: self.since_ms, used: self.used.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }

    /// A request to S3, as S3 bills it: listings are as dear as writes.
    pub(crate) fn note_s3(&self, headers: &HeaderMap, method: &Method, uri: &Uri) {
        let is_of_bucket = uri.path().trim_matches('/').split_once('/').is_none_or(|(_, key)| key.is_empty());
        let removes_many = uri.query().is_some_and(|query| query.split('&').any(|part| part == "delete"));
        self.note(who(headers), |used| match *method {
            Method::DELETE => used.s3_deletes += 1,
            Method::POST if removes_many => used.s3_deletes += 1,
            Method::GET if is_of_bucket => used.s3_puts += 1,
            Method::GET | Method::HEAD => used.s3_gets += 1,
            _ => used.s3_puts += 1,
        });
    }
}

/// The function that a request comes from; else [`CLIENTS`].
pub(crate) fn who(headers: &HeaderMap) -> &str {
    let agents = ["x-amz-user-agent", "user-agent"].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    agents.flat_map(|agent| agent.split(' ')).find_map(|part| part.strip_prefix("app/")).unwrap_or(CLIENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_sorted_as_s3_bills_them() {
        let meter = Meter::default();
        let mut headers = HeaderMap::new();
        let mut ask = |agent: &'static str, method: Method, uri: &'static str| {
            headers.insert("user-agent", agent.parse().unwrap());
            meter.note_s3(&headers, &method, &Uri::from_static(uri));
        };
        ask("aws-sdk-rust/1.3 app/thumbnail", Method::PUT, "/vault/derivatives/a.jpg");
        ask("aws-sdk-rust/1.3 app/thumbnail", Method::GET, "/vault/originals/a");
        ask("aws-sdk-rust/1.3 app/thumbnail", Method::HEAD, "/vault/originals/a");
        ask("boto3", Method::GET, "/vault?list-type=2");
        ask("boto3", Method::GET, "/vault/?versions");
        ask("boto3", Method::POST, "/vault/a?uploads");
        ask("boto3", Method::POST, "/vault?delete");
        ask("boto3", Method::DELETE, "/vault/a");
        let used = meter.usage().used;
        let counts = |who: &str| (used[who].s3_puts, used[who].s3_gets, used[who].s3_deletes);
        assert_eq!((counts("thumbnail"), counts(CLIENTS)), ((1, 2, 0), (3, 0, 2)));
    }
}
