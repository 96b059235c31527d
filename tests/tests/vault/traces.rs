//! One photo's way as one trace: a collector that takes what the functions tell, and what must hold of it.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

/// Takes OTLP over HTTP as JSON, and keeps it.
pub(crate) struct Collector {
    pub(crate) endpoint: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

/// A span as it came.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    service: String,
    name: String,
    trace: String,
    id: String,
    parent: String,
}

impl Collector {
    /// Listens until the test ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let spans = Arc::new(Mutex::new(Vec::new()));
        let kept = spans.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                kept.lock().expect("no panic").extend(take(&stream));
            }
        });
        Self { endpoint, spans }
    }

    /// The spans of a trace so far, each once.
    pub(crate) fn trace(&self, trace: &str) -> BTreeMap<String, Span> {
        let spans = self.spans.lock().expect("no panic");
        spans.iter().filter(|span| span.trace == trace).map(|span| (span.id.clone(), span.clone())).collect()
    }
}

/// One request, answered.
fn take(mut stream: &TcpStream) -> Vec<Span> {
    let mut request = BufReader::new(stream);
    let (mut length, mut line, mut first) = (0, String::new(), String::new());
    while request.read_line(&mut line).expect("a request") > 2 {
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().expect("a length");
        }
        if first.is_empty() {
            first.clone_from(&line);
        }
        line.clear();
    }
    assert!(first.starts_with("POST /v1/traces "), "{first}");
    let mut body = vec![0; length];
    request.read_exact(&mut body).expect("a body");
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")
        .expect("an answer");
    let told: Value = serde_json::from_slice(&body).expect("JSON");
    let resource = &told["resourceSpans"][0];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let service = text(&resource["resource"]["attributes"][0]["value"]["stringValue"]);
    let span = |span: &Value| {
        let nanoseconds = |name: &str| text(&span[name]).parse::<u128>().expect("nanoseconds");
        assert!(nanoseconds("startTimeUnixNano") <= nanoseconds("endTimeUnixNano"), "{span}");
        let (name, trace) = (text(&span["name"]), text(&span["traceId"]));
        Span { service: service.clone(), name, trace, id: text(&span["spanId"]), parent: text(&span["parentSpanId"]) }
    };
    resource["scopeSpans"][0]["spans"].as_array().expect("spans").iter().map(span).collect()
}

/// The way of a photo: each stage behind the sending of its job, each of these behind the stage that led to it, and nothing beside.
pub(crate) fn is_whole(trace: &BTreeMap<String, Span>) -> Result<(), String> {
    let named = |name: &str| trace.values().find(|span| span.name == name).ok_or_else(|| format!("there is no {name}"));
    for span in trace.values() {
        let is_root = span.name == "validate";
        if is_root != span.parent.is_empty() || !(is_root || trace.contains_key(&span.parent)) {
            return Err(format!("{span:?} has the wrong parent"));
        }
        let function = if span.name.starts_with("send ") { "dispatch" } else { &span.name };
        if !span.service.ends_with(function) {
            return Err(format!("{span:?} is of another function"));
        }
    }
    for (stage, causes) in [
        ("thumbnail", &["validate"][..]),
        ("metadata", &["validate"]),
        ("memories", &["metadata"]),
        ("notify", &["thumbnail", "metadata", "memories"]),
    ] {
        let sending = &trace[&named(stage)?.parent];
        let cause = &trace[&sending.parent].name;
        if sending.name != format!("send {stage}") || !causes.contains(&cause.as_str()) {
            return Err(format!("{stage} stands behind {} and {cause}", sending.name));
        }
    }
    Ok(())
}

/// How often something of that name was done.
pub(crate) fn count(trace: &BTreeMap<String, Span>, name: &str) -> usize {
    trace.values().filter(|span| span.name == name).count()
}
