//! Logs: one JSON object a line on standard output, as Lambda's JSON log format has it; and spans, where somebody collects them.

use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::trace;

pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_filter(filter);
    // A second start is a function that runs within a test: the first subscriber stays.
    let _ = tracing_subscriber::registry().with(lines).with(trace::layer()).try_init();
}
