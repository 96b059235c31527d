//! A bootstrap whose handler panics when its event says so: what becomes of a panic in a released build.
//!
//! Event `{"panic": "text"}`; any other event is given back.

use photovault_lambda::{OnEvent, Served, serve_events};
use serde_json::Value;

const ON_EVENT: OnEvent = |_, event| {
    Box::pin(async move {
        match event["panic"].as_str() {
            Some(text) => panic!("{text}"),
            None => Ok::<Value, anyhow::Error>(event),
        }
    })
};

fn main() -> Served {
    serve_events(ON_EVENT)
}
