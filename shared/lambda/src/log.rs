//! Logs: one JSON object a line on standard output, as Lambda's JSON log format has it.

use tracing_subscriber::EnvFilter;

pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start is a function that runs within a test: the first subscriber stays.
    let _ = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_env_filter(filter).try_init();
}
