//! Spans of photos' ways, to whoever collects OpenTelemetry traces: OTLP over HTTP, as JSON.
//!
//! Off unless `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector. Ids follow from the photo (`photovault_vault::spans`) and stand in the
//! spans' fields, so all that is done here is to take what has ended and to send it before the invocation ends: a sandbox may be frozen after that.
//! What the collector does not take is lost, and no photo waits for it longer than [`PATIENCE`].
//!
//! Source: OpenTelemetry Protocol 1.x, "OTLP/HTTP" and "JSON Protobuf Encoding".

use std::{
    collections::BTreeMap,
    fmt::{Debug, Write as _},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use photovault_aws::SystemClock;
use photovault_channels::http::Target;
use photovault_domain::UtcMs;
use photovault_vault::{seams::Clock as _, spans::SPANS};
use serde_json::{Value, json};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, filter::Targets, layer::Context, registry::LookupSpan};

/// What a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Spans that are kept until the invocation ends; a batch of the stream makes some thousands.
const MOST_SPANS: usize = 10_000;
/// OTLP's kinds: who sends a message, and who works on one.
const PRODUCER: u8 = 4;
const CONSUMER: u8 = 5;
/// OTLP's status of what failed.
const ERROR: u8 = 2;

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

struct Exporter {
    function: String,
    /// The address that takes spans.
    collector: String,
    ended: Mutex<Vec<Value>>,
}

/// Turns it on for this process, where a collector is named.
pub(crate) fn start(function: &str, endpoint: &str) {
    if !endpoint.is_empty() {
        let collector = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let _ = EXPORTER.set(Exporter { function: function.to_owned(), collector, ended: Mutex::default() });
    }
}

/// What of a subscriber takes the spans; `None` where it is off.
pub(crate) fn layer<S>() -> Option<impl Layer<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let spans = Targets::new().with_target(SPANS, tracing::Level::TRACE);
    EXPORTER.get().map(|exporter| Ways { exporter }.with_filter(spans))
}

/// Sends what has ended. `xray` is the invocation's own trace at X-Ray, which the spans are linked to.
pub(crate) async fn flush(xray: Option<&str>) {
    let Some(exporter) = EXPORTER.get() else { return };
    let mut spans = std::mem::take(&mut *exporter.ended.lock().unwrap_or_else(PoisonError::into_inner));
    if spans.is_empty() {
        return;
    }
    if let Some(link) = xray.and_then(link) {
        for span in &mut spans {
            span["links"] = json!([link]);
        }
    }
    let body = serde_json::to_vec(&request(&exporter.function, &spans)).expect("JSON");
    let collector = &exporter.collector;
    if let Err(error) = post(collector, body).await {
        tracing::warn!(spans = spans.len(), collector, error, "spans are lost: the collector did not take them");
    }
}

async fn post(collector: &str, body: Vec<u8>) -> Result<(), String> {
    let target = Target::parse(collector, true)?;
    let json = [("content-type", "application/json".to_owned())];
    let answer = tokio::time::timeout(PATIENCE, target.post(&json, body)).await;
    match answer.map_err(|_| format!("no answer within {} ms", PATIENCE.as_millis()))? {
        Ok((status, _)) if status.is_success() => Ok(()),
        Ok((status, _)) => Err(format!("it answered {status}")),
        Err(not_sent) => Err(not_sent.why()),
    }
}

struct Ways {
    exporter: &'static Exporter,
}

/// A span that has not ended.
struct Open {
    began: UtcMs,
    since: Instant,
    fields: Fields,
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").expect("writing to a string");
        self.0.insert(field.name(), text);
    }
}

impl<S> Layer<S> for Ways
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut open = Open { began: SystemClock.now(), since: Instant::now(), fields: Fields::default() };
        attributes.record(&mut open.fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(open);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions_mut().get_mut::<Open>()
        {
            values.record(&mut open.fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        let mut ended = self.exporter.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() < MOST_SPANS {
            ended.extend(told(open));
        }
    }
}

/// A span as OTLP has it; `None` where it is of no photo.
fn told(Open { began, since, fields: Fields(mut fields) }: Open) -> Option<Value> {
    let (trace, id, name) = (fields.remove("trace.id")?, fields.remove("span.id")?, fields.remove("name")?);
    let parent = fields.remove("parent.id").unwrap_or_default();
    let error = fields.remove("error");
    let began_ns = u128::from(began.0.unsigned_abs()) * 1_000_000;
    let attribute = |(key, value): (&'static str, String)| json!({"key": key, "value": {"stringValue": value}});
    let mut span = json!({
        "traceId": trace, "spanId": id, "parentSpanId": parent,
        "kind": if name.starts_with("send ") { PRODUCER } else { CONSUMER },
        "startTimeUnixNano": began_ns.to_string(), "endTimeUnixNano": (began_ns + since.elapsed().as_nanos()).to_string(),
        "attributes": fields.into_iter().map(attribute).collect::<Vec<_>>(),
        "name": name,
    });
    if let Some(error) = error {
        span["status"] = json!({"code": ERROR, "message": error});
    }
    Some(span)
}

fn request(function: &str, spans: &[Value]) -> Value {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let resource =
        [attribute("service.name", function), attribute("service.namespace", "photovault"), attribute("faas.name", function)];
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{"scope": {"name": "photovault", "version": env!("CARGO_PKG_VERSION")}, "spans": spans}],
    }]})
}

/// The trace and segment of an `X-Amzn-Trace-Id` header as a link: `Root=1-<8>-<24>;Parent=<16>;Sampled=1`.
fn link(header: &str) -> Option<Value> {
    let part = |name: &str| header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let trace: String = part("Root")?.strip_prefix("1-")?.chars().filter(|digit| *digit != '-').collect();
    let span = part("Parent")?;
    let is_hex = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex(&trace, 32) && is_hex(span, 16)).then(|| json!({"traceId": trace, "spanId": span}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invocation_at_xray_is_a_link() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert_eq!(link(header), Some(json!({"traceId": "5759e988bd862e3fe1be46a994272793", "spanId": "53995c3f42cd8ad8"})));
        for none in ["", "Root=1-5759e988;Parent=53995c3f42cd8ad8", "Root=1-5759e988-bd862e3fe1be46a994272793"] {
            assert_eq!(link(none), None, "{none}");
        }
    }

    #[test]
    fn a_span_of_no_photo_is_not_told() {
        let open = |fields: &[(&'static str, &str)]| Open {
            began: UtcMs(1_800_000_000_000),
            since: Instant::now(),
            fields: Fields(fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()),
        };
        assert_eq!(told(open(&[("name", "thumbnail"), ("attempt", "1")])), None);
        let of_photo = [("name", "thumbnail"), ("attempt", "2"), ("trace.id", "aa"), ("span.id", "bb"), ("error", "torn")];
        let span = told(open(&of_photo)).unwrap();
        assert_eq!((&span["traceId"], &span["spanId"], &span["kind"]), (&json!("aa"), &json!("bb"), &json!(CONSUMER)));
        assert_eq!(span["startTimeUnixNano"], "1800000000000000000");
        assert_eq!(span["attributes"], json!([{"key": "attempt", "value": {"stringValue": "2"}}]));
        assert_eq!(span["status"], json!({"code": ERROR, "message": "torn"}));
    }
}
