//! One port for every service.

use std::{path::Path, sync::Arc};

use tokio::net::TcpListener;

use crate::{auth::Credentials, dynamodb::Tables, s3::Buckets, sqs::Queues, store::Store};

/// The region in ARNs and signatures.
pub const REGION: &str = "us-east-1";
/// The account in ARNs and queue URLs.
pub const ACCOUNT: &str = "000000000000";

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
}

impl Services {
    /// Opens everything in `data`, which is created if need be.
    pub fn open(_data: &Path) -> anyhow::Result<Self> {
        todo!()
    }
}

/// Serves until `shutdown` resolves; then open requests get a moment to end.
pub async fn serve(
    _listener: TcpListener,
    _services: Services,
    _credentials: Credentials,
    _shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    todo!()
}
