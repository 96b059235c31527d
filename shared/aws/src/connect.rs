//! From settings to seams: where AWS (or what stands in for it) is reached, and with whose credentials.

use std::{path::Path, sync::Arc};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::{config::Credentials, primitives::ByteStream};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use photovault_vault::{
    Seams,
    seams::{SeamError, SeamResult},
};

use crate::{
    SystemClock, failure,
    notifier::Ways,
    objects::S3,
    parameters::Parameters,
    queue::{Inbox, Sqs},
    recognition::Rekognition,
    table::DynamoDb,
};

/// An endpoint that is not AWS's own: the laptop engine or a peer of it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `http://127.0.0.1:4455`.
    pub url: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Region that requests are signed for.
    pub region: String,
}

/// How AWS, or what stands in for it, is reached.
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// This endpoint, with its own credentials, over plain HTTP.
    Endpoint(&'a Endpoint),
    /// As the standard `AWS_*` variables say.
    Environment,
    /// As those say, where the endpoint that they name is a `http://` one: no store of certificates is read.
    PlainEnvironment,
}

/// A connection to AWS: the seams, and what only the command needs beside them.
pub struct Connection {
    /// The six seams.
    pub seams: Seams,
    /// Secrets by name.
    pub parameters: Arc<Parameters>,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
}

/// Connects. `table` is the catalog's name; a function that uses no catalog passes an empty one.
pub async fn connect(reach: Reach<'_>, table: &str) -> Connection {
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    let mut loader = match reach {
        // rustls with ring: 9 ms from spawn to the first ClientHello, 40 ms with aws-lc.
        Reach::Environment => defaults.http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()),
        Reach::Endpoint(_) | Reach::PlainEnvironment => defaults.http_client(Builder::new().build_http()),
    };
    if let Reach::Endpoint(endpoint) = reach {
        loader = loader
            .endpoint_url(&endpoint.url)
            .region(Region::new(endpoint.region.clone()))
            .credentials_provider(Credentials::new(&endpoint.access_key, &endpoint.secret_key, None, None, "engine"));
    }
    let config = loader.load().await;
    // A bucket's name goes into the path: no resolver knows `bucket.localhost`, or how a container's host is called.
    let by_path = config.endpoint_url().is_some();
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(by_path).build());
    let sqs = aws_sdk_sqs::Client::new(&config);
    let parameters = Arc::new(Parameters::new(config.clone()));
    let seams = Seams {
        objects: Arc::new(S3(s3.clone())),
        table: Arc::new(DynamoDb { client: aws_sdk_dynamodb::Client::new(&config), table: table.to_owned() }),
        queue: Arc::new(Sqs(sqs.clone())),
        clock: Arc::new(SystemClock),
        notifier: Arc::new(Ways::new(config.clone(), Arc::clone(&parameters))),
        recognition: Arc::new(Rekognition(aws_sdk_rekognition::Client::new(&config))),
    };
    Connection { seams, parameters, s3, sqs }
}

impl Connection {
    /// A queue to be asked for messages.
    pub fn inbox(&self, url: &str) -> Inbox {
        Inbox { client: self.sqs.clone(), url: url.to_owned() }
    }

    /// Uploads a file as a stream, its CRC32 verified by the store: memory does not grow with the file. Gives its version.
    pub async fn upload_file(&self, bucket: &str, key: &str, file: &Path) -> SeamResult<String> {
        let asked = || format!("upload of {}", file.display());
        let body = ByteStream::from_path(file).await.map_err(|error| SeamError { asked: asked(), answer: error.to_string() })?;
        let put = self.s3.put_object().bucket(bucket).key(key).body(body).send().await;
        put.map(|put| put.version_id.unwrap_or_default()).map_err(|error| failure(asked(), &error))
    }
}
