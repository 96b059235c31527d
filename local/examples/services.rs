//! The services alone, without functions: `services DATA PORT`. For trying a client against them and for the crash test.

use photovault_local::{
    auth::Credentials,
    gateway::{Services, serve},
    s3::{BucketSpec, Notification},
    sqs::QueueSpec,
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let data = arguments.next().unwrap_or_else(|| "data".to_owned());
    let port: u16 = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let services = Services::open(data.as_ref())?;
    services.queues.create(QueueSpec::named("uploaded")).await?;
    let events = vec!["s3:ObjectCreated:*".to_owned()];
    let notification =
        Notification { id: "uploaded".to_owned(), events, prefix: None, suffix: None, queue: "uploaded".to_owned() };
    services
        .buckets
        .create(BucketSpec { name: "uploads".to_owned(), versioned: false, notifications: vec![notification] })
        .await?;
    services.buckets.create(BucketSpec { name: "vault".to_owned(), versioned: true, notifications: vec![] }).await?;
    services.queues.release_mapping_holds().await?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    let credentials = Credentials { access_key: "photovault".to_owned(), secret_key: "photovault-secret".to_owned() };
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    serve(listener, services, credentials, interrupted).await
}
