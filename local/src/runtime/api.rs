//! The Lambda Runtime API, one loopback port for each child.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet},
};

use crate::clock::now_ms;

/// What Lambda takes as an answer at most.
const RESPONSE_MAX_BYTES: usize = 6 * 1024 * 1024;
const PREFIX: &str = "/2018-06-01/runtime/";

/// An invocation on its way to the child.
pub(super) struct Invocation {
    pub(super) id: String,
    pub(super) payload: Bytes,
    /// Told when the child has taken it.
    pub(super) taken: oneshot::Sender<()>,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What the child said.
#[derive(Debug)]
pub(super) enum Answer {
    Response(Bytes),
    /// The error document, `{"errorType": …, "errorMessage": …}`.
    Error(Bytes),
}

/// One child's side of the API.
pub(super) struct Api {
    pub(super) address: SocketAddr,
    pub(super) invocations: mpsc::Sender<Invocation>,
    /// Whether the child has asked for its first event.
    pub(super) ready: watch::Receiver<bool>,
    /// What the child said when it could not start.
    pub(super) init_error: Arc<Mutex<Option<Bytes>>>,
    server: JoinHandle<()>,
}

struct Host {
    arn: String,
    timeout: Duration,
    waiting: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    ready: watch::Sender<bool>,
    init_error: Arc<Mutex<Option<Bytes>>>,
}

impl Api {
    /// Listens on a port of its own.
    pub(super) async fn start(arn: String, timeout: Duration) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("a port for the Lambda Runtime API")?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel(1);
        let (ready_sender, ready) = watch::channel(false);
        let init_error = Arc::default();
        let host = Arc::new(Host {
            arn,
            timeout,
            waiting: tokio::sync::Mutex::new(receiver),
            current: Mutex::default(),
            ready: ready_sender,
            init_error: Arc::clone(&init_error),
        });
        let server = tokio::spawn(accept(listener, host));
        Ok(Self { address, invocations: sender, ready, init_error, server })
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, host: Arc<Host>) {
    // The set ends its connections when this task is aborted.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let host = Arc::clone(&host);
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        let host = Arc::clone(&host);
                        async move { Ok::<_, Infallible>(host.handle(request).await) }
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Host {
    async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let Some(call) = path.strip_prefix(PREFIX) else { return status(StatusCode::NOT_FOUND) };
        if (request.method(), call) == (&Method::GET, "invocation/next") {
            return self.next().await;
        }
        if request.method() != Method::POST {
            return status(StatusCode::METHOD_NOT_ALLOWED);
        }
        let body = Limited::new(request.into_body(), RESPONSE_MAX_BYTES).collect().await;
        if call == "init/error" {
            *self.init_error.lock().unwrap_or_else(PoisonError::into_inner) = body.ok().map(http_body_util::Collected::to_bytes);
            return status(StatusCode::ACCEPTED);
        }
        let Some((id, what)) = call.strip_prefix("invocation/").and_then(|it| it.split_once('/')) else {
            return status(StatusCode::NOT_FOUND);
        };
        let (answer, code) = match (what, body) {
            ("response", Ok(body)) => (Answer::Response(body.to_bytes()), StatusCode::ACCEPTED),
            ("error", Ok(body)) => (Answer::Error(body.to_bytes()), StatusCode::ACCEPTED),
            ("response" | "error", Err(error)) => {
                let message = format!("the response could not be read or is larger than {RESPONSE_MAX_BYTES} bytes: {error}");
                let document = serde_json::json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": message });
                (Answer::Error(document.to_string().into()), StatusCode::PAYLOAD_TOO_LARGE)
            }
            _ => return status(StatusCode::NOT_FOUND),
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match current.take_if(|(it, _)| it == id) {
            Some((_, sender)) => {
                let _ = sender.send(answer);
                status(code)
            }
            None => status(StatusCode::BAD_REQUEST),
        }
    }

    /// Waits for the next invocation, however long.
    async fn next(&self) -> Response<Full<Bytes>> {
        self.ready.send_replace(true);
        let Some(invocation) = self.waiting.lock().await.recv().await else { return status(StatusCode::GONE) };
        let deadline_ms = now_ms() + self.timeout.as_millis() as i64;
        let response = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &invocation.id)
            .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
            .header("lambda-runtime-invoked-function-arn", &self.arn)
            .header("lambda-runtime-trace-id", trace_id(&invocation.id))
            .body(Full::new(invocation.payload));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((invocation.id, invocation.answer));
        let _ = invocation.taken.send(());
        response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

/// A trace id in X-Ray's shape, made of the request id; not sampled.
fn trace_id(request_id: &str) -> String {
    let digits: String = request_id.chars().filter(char::is_ascii_hexdigit).take(24).collect();
    format!("Root=1-{:08x}-{digits};Sampled=0", now_ms() / 1000)
}

fn status(code: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    *response.status_mut() = code;
    response
}
