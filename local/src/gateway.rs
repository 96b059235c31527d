//! One port for every service: the target header tells DynamoDB, SQS and Rekognition, a form body SNS, and everything else is S3.

use std::{
    convert::Infallible,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{
    Body,
    service::{S3Service, S3ServiceBuilder},
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::{
    auth::{Credentials, Unauthorized, verify},
    clock::now_ms,
    dynamodb::Tables,
    meter::{Meter, is_billed, who},
    metrics,
    rekognition::{self, Eyes, Rekognition},
    s3::Buckets,
    sns,
    sqs::{self, Queues},
    store::Store,
};

/// The region in ARNs and signatures.
pub const REGION: &str = "us-east-1";
/// The account in ARNs and queue URLs.
pub const ACCOUNT: &str = "000000000000";

/// DynamoDB's limit on a request; SQS's is smaller and checked there.
const JSON_MAX_BYTES: usize = 16 << 20;
/// How long open requests may go on after the shutdown.
const LINGER: Duration = Duration::from_secs(2);
/// How often old stream records are removed, a bounded batch each time.
const HOUSEKEEPING: Duration = Duration::from_mins(1);
/// After how many of those the retention of messages and the time to live of items are looked after, which read them all.
const EXPIRY_EVERY: u32 = 60;

/// All services over one data folder.
#[derive(Clone)]
pub struct Services {
    /// Durable state, checkpoints.
    pub store: Arc<Store>,
    /// SQS.
    pub queues: Arc<Queues>,
    /// S3.
    pub buckets: Arc<Buckets>,
    /// DynamoDB.
    pub tables: Arc<Tables>,
    /// What looks at pictures.
    pub(crate) rekognition: Arc<Rekognition>,
    /// What is used of all of them.
    pub meter: Arc<Meter>,
    /// What the health page says beyond "ok", once functions run: called with the services.
    pub health: Arc<OnceLock<Box<Health>>>,
}

/// Gives the fields of the health page.
pub type Health = dyn Fn(Services) -> futures::future::BoxFuture<'static, Value> + Send + Sync;

impl Services {
    /// Opens everything in `data`, which is created if need be.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        Self::with_eyes(data, Eyes::open(None, None)?)
    }

    /// The same, with models of the user's.
    pub(crate) fn with_eyes(data: &Path, eyes: Eyes) -> anyhow::Result<Self> {
        let store = Store::open(data)?;
        let queues = Arc::new(Queues::new(Arc::clone(&store)));
        let buckets = Arc::new(Buckets::new(Arc::clone(&store), Arc::clone(&queues)));
        let (tables, rekognition) = (Tables::open(data)?, Arc::new(Rekognition::open(data, eyes)?));
        Ok(Self { store, queues, buckets, tables, rekognition, meter: Arc::default(), health: Arc::default() })
    }
}

/// Serves until `shutdown` resolves; then open requests get a moment to end.
pub async fn serve(
    listener: TcpListener,
    services: Services,
    credentials: Credentials,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let mut s3 = S3ServiceBuilder::new((*services.buckets).clone());
    s3.set_auth(credentials.clone());
    let gateway = Arc::new(Gateway { s3: s3.build(), services, credentials });
    let (stop, stopped) = watch::channel(());
    let housekeeping = tokio::spawn(keep_house(gateway.services.clone()));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(converse(Arc::clone(&gateway), stream, stopped.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: a pause instead of a busy loop.
                    tracing::warn!(%error, "gateway: accepting a connection failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop((listener, stopped));
    let _ = stop.send(());
    // Resolves when every connection has dropped its receiver.
    let _ = tokio::time::timeout(LINGER, stop.closed()).await;
    housekeeping.abort();
    Ok(())
}

struct Gateway {
    s3: S3Service,
    services: Services,
    credentials: Credentials,
}

async fn converse(gateway: Arc<Gateway>, stream: TcpStream, mut stopped: watch::Receiver<()>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        async move { Ok::<_, Infallible>(gateway.answer(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        // hyper would close connections that SDKs keep in their pools after 30 s, at times just as one sends a request.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "gateway: a connection broke off");
    }
}

impl Gateway {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = if request.method() == Method::OPTIONS && origin.is_some() {
            preflight(request.headers())
        } else {
            self.route(request).await
        };
        if origin.is_some() {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
        }
        response
    }

    async fn route(&self, request: Request<Incoming>) -> Response<Body> {
        if request.method() == Method::GET && request.uri().path() == "/_photovault/health" {
            let mut health = match self.services.health.get() {
                Some(health) => health(self.services.clone()).await,
                None => json!({}),
            };
            health["status"] = "ok".into();
            return reply(StatusCode::OK, "application/json", health.to_string());
        }
        if request.method() == Method::GET && request.uri().path() == "/_photovault/used" {
            return reply(StatusCode::OK, "application/json", json!(self.services.meter.usage()).to_string());
        }
        if request.method() == Method::GET && request.uri().path() == "/metrics" {
            return reply(StatusCode::OK, "text/plain; version=0.0.4", metrics::page(&self.services).await);
        }
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).map(str::to_owned);
        match target.as_deref().and_then(|target| target.split_once('.')) {
            Some(("DynamoDB_20120810" | "DynamoDBStreams_20120810", action)) => self.dynamodb(request, action).await,
            Some(("AmazonSQS", action)) => self.sqs(request, action).await,
            Some(("RekognitionService", action)) => self.rekognition(request, action).await,
            None if is_form(&request) => self.sns(request).await,
            _ => self.s3(request).await,
        }
    }

    async fn dynamodb(&self, request: Request<Incoming>, action: &str) -> Response<Body> {
        const JSON: &str = "application/x-amz-json-1.0";
        let refusal = |kind: &str, message: &str| {
            json!({"__type": format!("com.amazon.coral.service#{kind}"), "message": message}).to_string()
        };
        let (parts, body) = match self.admit(request).await {
            Ok(admitted) => admitted,
            Err(Refused::TooLarge) => {
                return reply(StatusCode::PAYLOAD_TOO_LARGE, JSON, refusal("SerializationException", TOO_LARGE));
            }
            Err(Refused::Unauthorized(error)) => {
                let kind = match error {
                    Unauthorized::Missing => "MissingAuthenticationTokenException",
                    Unauthorized::Incomplete(_) => "IncompleteSignatureException",
                    Unauthorized::UnknownKey => "UnrecognizedClientException",
                    Unauthorized::Skewed | Unauthorized::Mismatch => "InvalidSignatureException",
                };
                return reply(StatusCode::BAD_REQUEST, JSON, refusal(kind, &error.to_string()));
            }
        };
        let Ok(text) = std::str::from_utf8(&body) else {
            return reply(StatusCode::BAD_REQUEST, JSON, refusal("SerializationException", "the body is not UTF-8"));
        };
        let (answer, (written, read)) = self.services.tables.metered_call(action, text).await;
        self.services.meter.note(who(&parts.headers), |used| {
            used.table_requests += 1;
            used.table_writes += written;
            used.table_reads += read;
        });
        match answer {
            Ok(answer) => reply(StatusCode::OK, JSON, answer),
            Err(failure) => reply(status(failure.status), JSON, failure.body),
        }
    }

    async fn sqs(&self, request: Request<Incoming>, action: &str) -> Response<Body> {
        let refused = |status: StatusCode, code: &str, query_code: &str, message: &str| {
            let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message}).to_string();
            let mut response = reply(status, "application/x-amz-json-1.0", body);
            let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
            if let Ok(value) = HeaderValue::from_str(&format!("{query_code};{fault}")) {
                response.headers_mut().insert("x-amzn-query-error", value);
            }
            response
        };
        let (parts, body) = match self.admit(request).await {
            Ok(admitted) => admitted,
            Err(Refused::TooLarge) => {
                return refused(StatusCode::PAYLOAD_TOO_LARGE, "BatchRequestTooLong", "BatchRequestTooLong", TOO_LARGE);
            }
            Err(Refused::Unauthorized(error)) => {
                let code = query_error(&error);
                return refused(StatusCode::FORBIDDEN, code, code, &error.to_string());
            }
        };
        let Ok(input) = serde_json::from_slice::<Value>(&body) else {
            return refused(StatusCode::BAD_REQUEST, "SerializationException", "MalformedInput", "the body is not JSON");
        };
        self.services.meter.note(who(&parts.headers), |used| used.queue_requests += 1);
        match sqs::call(&self.services.queues, action, &input, &base_url(&parts)).await {
            Ok(answer) => reply(StatusCode::OK, "application/x-amz-json-1.0", answer.to_string()),
            Err(refusal) => refused(status(refusal.status), refusal.code, refusal.query_code, &refusal.message),
        }
    }

    async fn rekognition(&self, request: Request<Incoming>, action: &str) -> Response<Body> {
        const JSON: &str = "application/x-amz-json-1.1";
        let refused = |code: &str, message: &str| {
            let body = json!({"__type": code, "Message": message}).to_string();
            reply(
                if code == "InternalServerError" { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST },
                JSON,
                body,
            )
        };
        let (parts, body) = match self.admit(request).await {
            Ok(admitted) => admitted,
            Err(Refused::TooLarge) => return refused("ImageTooLargeException", TOO_LARGE),
            Err(Refused::Unauthorized(error)) => return refused("UnrecognizedClientException", &error.to_string()),
        };
        let Ok(input) = serde_json::from_slice::<Value>(&body) else {
            return refused("SerializationException", "the body is not JSON");
        };
        if is_billed(action) {
            self.services.meter.note(who(&parts.headers), |used| used.recognised += 1);
        }
        match rekognition::call(&self.services.buckets, &self.services.rekognition, action, input).await {
            Ok(answer) => reply(StatusCode::OK, JSON, answer.to_string()),
            Err(refusal) => refused(refusal.code, &refusal.message),
        }
    }

    async fn sns(&self, request: Request<Incoming>) -> Response<Body> {
        let answer = match self.admit(request).await {
            Ok((parts, body)) => {
                self.services.meter.note(who(&parts.headers), |used| used.published += 1);
                sns::call(&self.services.store, &body).await
            }
            Err(Refused::TooLarge) => Err(sns::Refusal { status: 413, code: "InvalidParameter", message: TOO_LARGE.to_owned() }),
            Err(Refused::Unauthorized(error)) => {
                Err(sns::Refusal { status: 403, code: query_error(&error), message: error.to_string() })
            }
        };
        match answer {
            Ok(xml) => reply(StatusCode::OK, "text/xml", xml),
            Err(refusal) => reply(status(refusal.status), "text/xml", refusal.xml()),
        }
    }

    async fn s3(&self, request: Request<Incoming>) -> Response<Body> {
        self.services.meter.note_s3(request.headers(), request.method(), request.uri());
        match self.s3.call(request.map(Body::from)).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(?error, "s3: no answer could be made");
                reply(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "s3: no answer could be made".to_owned())
            }
        }
    }

    /// The whole body of a request whose signature holds.
    async fn admit(&self, request: Request<Incoming>) -> Result<(Parts, Bytes), Refused> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, JSON_MAX_BYTES).collect().await.map_err(|_| Refused::TooLarge)?.to_bytes();
        verify(&parts, &body, &self.credentials, now_ms() / 1000).map_err(Refused::Unauthorized)?;
        Ok((parts, body))
    }
}

enum Refused {
    TooLarge,
    Unauthorized(Unauthorized),
}

const TOO_LARGE: &str = "the body broke off or is larger than 16 MiB";

/// Error codes of the services that share the query protocol's names.
fn query_error(error: &Unauthorized) -> &'static str {
    match error {
        Unauthorized::Missing => "MissingAuthenticationToken",
        Unauthorized::Incomplete(_) => "IncompleteSignature",
        Unauthorized::UnknownKey => "InvalidClientTokenId",
        Unauthorized::Skewed => "RequestExpired",
        Unauthorized::Mismatch => "SignatureDoesNotMatch",
    }
}

/// A page of another origin may use presigned URLs; a signature is still needed.
fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = reply(StatusCode::OK, "text/plain", String::new());
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE"));
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(HeaderValue::from_static("*")));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

fn is_form(request: &Request<Incoming>) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    request.method() == Method::POST && request.uri().path() == "/" && kind.starts_with("application/x-www-form-urlencoded")
}

/// What the caller reached us by: queue URLs must lead back here.
fn base_url(parts: &Parts) -> String {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}")
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn reply(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn keep_house(services: Services) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick is at once: skip it, the start has enough to do.
    ticks.tick().await;
    for tick in 1_u32.. {
        ticks.tick().await;
        let mut outcomes = vec![services.tables.trim_streams().await];
        if tick.is_multiple_of(EXPIRY_EVERY) {
            outcomes.extend([services.queues.expire().await, services.tables.expire_items().await]);
        }
        for outcome in outcomes {
            if let Err(error) = outcome {
                tracing::warn!(error = format!("{error:#}"), "housekeeping: retention was not applied, it is tried again");
            }
        }
    }
}
