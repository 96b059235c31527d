//! A peer: another emulator of AWS that keeps the buckets, queues and tables, while the engine hosts the functions and polls for them.
//! It shows that only the endpoint changes.
//!
//! Requests name their service and region as a signature would; they are not signed, for emulators do not look.

mod feed;
mod provision;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::gateway::{ACCOUNT, REGION};

/// The largest answer that is read: a page of the stream with both images of its items.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// An emulator at an `http://` endpoint.
pub struct Peer {
    endpoint: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Peer {
    /// Nothing is asked yet.
    pub fn new(endpoint: &str) -> Result<Self> {
        ensure!(endpoint.starts_with("http://"), "{endpoint}: a peer is reached over http://");
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { endpoint: endpoint.trim_end_matches('/').to_owned(), client })
    }

    /// As functions and clients are to use it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn queue_url(&self, queue: &str) -> String {
        format!("{}/{ACCOUNT}/{queue}", self.endpoint)
    }

    /// One action of a service that speaks JSON; `target` as in `AmazonSQS.ReceiveMessage`.
    async fn act(&self, service: &str, target: &str, request: &Value) -> Result<Value> {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.0")];
        let (status, answer) = self.send(service, Method::POST, "/", &headers, request.to_string()).await?;
        if status != StatusCode::OK {
            bail!("{target}: {status}: {}", String::from_utf8_lossy(&answer));
        }
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).with_context(|| format!("{target}: the answer is not JSON"))
    }

    async fn send(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(StatusCode, Bytes)> {
        let url = format!("{}{path}", self.endpoint);
        let scope = format!("Credential=peer/20260101/{REGION}/{service}/aws4_request");
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .header(header::AUTHORIZATION, format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={:064}", 0));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        let answer = self.client.request(request).await.with_context(|| format!("the peer at {url} does not answer"))?;
        let status = answer.status();
        let body = http_body_util::Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{url}: {error}"))?.to_bytes();
        Ok((status, body))
    }
}
