//! HTTP for what is no AWS API: a body to an address.

use std::time::Duration;

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use photovault_vault::seams::{SeamError, SeamResult};

/// An address that takes bodies.
#[derive(Clone, Debug)]
pub struct Poster {
    connector: SharedHttpConnector,
    url: String,
}

impl Poster {
    /// For this `http://` or `https://` address.
    pub fn new(url: String) -> Self {
        let connector = if url.starts_with("http://") {
            // No store of certificates is read.
            Connector::builder().build_http()
        } else {
            Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
        };
        Self { connector: SharedHttpConnector::new(connector), url }
    }

    /// Posts JSON. An error where no answer comes within `patience`, or another than that it was taken.
    pub async fn post_json(&self, body: Vec<u8>, patience: Duration) -> SeamResult<()> {
        let failed = |answer: String| SeamError { asked: format!("post to {}", self.url), answer };
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_uri(self.url.as_str()).map_err(|error| failed(error.to_string()))?;
        request.set_method("POST").map_err(|error| failed(error.to_string()))?;
        request.headers_mut().insert("content-type", "application/json");
        let answer = tokio::time::timeout(patience, self.connector.call(request)).await;
        let answer = answer.map_err(|_| failed(format!("none within {} ms", patience.as_millis())))?;
        let status = answer.map_err(|error| failed(error.to_string()))?.status();
        if status.is_success() { Ok(()) } else { Err(failed(status.to_string())) }
    }
}
