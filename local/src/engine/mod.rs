//! `photovault up`: the services, the functions and what connects them, over one data folder.

mod announce;
mod beside;
mod credentials;
mod provision;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

pub use self::beside::invoke_beside;
use self::{
    announce::Lock,
    credentials::{BACKUP_KEY, backup_key, credentials},
};
use crate::{
    auth::Credentials,
    clock::now_ms,
    gateway::{self, Services},
    peer::Peer,
    rekognition::Eyes,
    runtime::{Feed, Function, InvokeResult, Own, Schedule, Settings, SqsMapping, StreamMapping, Worker},
    s3::Buckets,
    template::{self, BucketSpec, EventSource, FunctionSpec, Place, Stack},
};

/// How long a shutdown waits for invocations at work.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);
/// How often the buckets' lifecycle rules are applied.
const FORGET: Duration = Duration::from_hours(1);
/// How often idle children are counted.
const SWEEP: Duration = Duration::from_secs(15);

/// What an engine is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is kept; created if need be.
    pub data: PathBuf,
    /// The text of `template.yaml`.
    pub template: String,
    /// What to listen on; port 0 takes a free one.
    pub address: SocketAddr,
    /// The program and arguments that run a function; its name is added.
    pub command: Vec<String>,
    /// Children of each function at most.
    pub workers: usize,
    /// `RUST_LOG` of the functions instead of the template's.
    pub log_filter: Option<String>,
    /// Hide failed messages for so many seconds instead of for the rest of their visibility, as AWS does.
    pub retry_delay_s: Option<u32>,
    /// How long a child without work is kept.
    pub idle: Duration,
    /// Values for the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Another emulator of AWS that keeps the buckets, queues and tables, as in `http://127.0.0.1:5000`; the functions run here.
    pub peer: Option<String>,
    /// An ONNX classifier that names what is on pictures, with its names beside it.
    pub labels: Option<PathBuf>,
    /// An ONNX model that tells faces apart.
    pub embeddings: Option<PathBuf>,
}

impl Options {
    /// Port 4455, as many workers as cores, functions by this very program.
    pub fn new(data: impl Into<PathBuf>, template: impl Into<String>) -> Result<Self> {
        let program = std::env::current_exe().context("the path of this program")?;
        Ok(Self {
            data: data.into(),
            template: template.into(),
            address: (Ipv4Addr::LOCALHOST, 4455).into(),
            command: vec![program.to_string_lossy().into_owned(), "function".into()],
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            log_filter: None,
            retry_delay_s: None,
            idle: Duration::from_mins(5),
            parameters: BTreeMap::new(),
            peer: None,
            labels: None,
            embeddings: None,
        })
    }
}

/// A running engine.
pub struct Engine {
    endpoint: String,
    stack: Stack,
    services: Services,
    credentials: Credentials,
    functions: BTreeMap<String, Arc<Function>>,
    stopping: watch::Sender<bool>,
    mappings: JoinSet<()>,
    gateway: JoinHandle<Result<()>>,
    gateway_stop: watch::Sender<bool>,
    /// Held until the engine is gone.
    lock: Lock,
}

impl Engine {
    /// Starts everything; when this returns, the endpoint answers.
    pub async fn start(options: Options) -> Result<Self> {
        let eyes = Eyes::open(options.labels.as_deref(), options.embeddings.as_deref())?;
        let lock = Lock::take(&options.data)?;
        let credentials = credentials(&options.data)?;
        let listener = TcpListener::bind(options.address).await;
        let listener =
            listener.with_context(|| format!("listening on {}: is it taken? Give another --address", options.address))?;
        let peer = options.peer.as_deref().map(Peer::new).transpose()?.map(Arc::new);
        let own = endpoint(listener.local_addr()?);
        let endpoint = peer.as_ref().map_or(own, |peer| peer.endpoint().to_owned());
        let mut parameters = options.parameters.clone();
        if template::declares(&options.template, BACKUP_KEY)? {
            parameters.entry(BACKUP_KEY.to_owned()).or_insert(backup_key(&options.data)?);
        }
        let stack = template::read(&options.template, &Place { parameters, ..Place::local(&endpoint) })?;
        let services = Services::with_eyes(&options.data, eyes)?;
        let feed: Arc<dyn Feed> = if let Some(peer) = peer {
            peer.provision(&stack).await?;
            peer
        } else {
            provision::provision(&services, &stack).await?;
            services.queues.release_mapping_holds().await?;
            Arc::new(Own { queues: Arc::clone(&services.queues), tables: Arc::clone(&services.tables) })
        };

        let (gateway_stop, mut gateway_stopping) = watch::channel(false);
        let gateway = tokio::spawn(gateway::serve(listener, services.clone(), credentials.clone(), async move {
            let _ = gateway_stopping.wait_for(|it| *it).await;
        }));
        let logs = options.data.join("logs");
        std::fs::create_dir_all(&logs).with_context(|| format!("creating {}", logs.display()))?;
        let mut settings = Settings::new(options.command, endpoint.clone(), options.workers, logs)?;
        settings.access_key.clone_from(&credentials.access_key);
        settings.secret_key.clone_from(&credentials.secret_key);
        settings.log_filter = options.log_filter;
        settings.idle = options.idle;
        settings.meter = Arc::clone(&services.meter);
        let settings = Arc::new(settings);
        let function = |spec: &FunctionSpec| (spec.name.clone(), Arc::new(Function::new(spec.clone(), Arc::clone(&settings))));
        let functions: BTreeMap<_, _> = stack.functions.iter().map(function).collect();
        let (stopping, _) = watch::channel(false);
        let mut mappings = JoinSet::new();
        for spec in &stack.workers {
            let started_by = provision::queue_name(&spec.started_by);
            let (settings, queues) = (Arc::clone(&settings), Arc::clone(&services.queues));
            mappings.spawn(Worker { spec: spec.clone(), settings, queues, started_by }.run(stopping.subscribe()));
        }
        let mut engine =
            Self { endpoint, stack, services, credentials, functions, stopping, mappings, gateway, gateway_stop, lock };
        engine.connect(&feed, options.retry_delay_s);
        let _ = engine.services.health.set(engine.health_page());
        engine.lock.announce(&engine)?;
        tracing::info!(endpoint = engine.endpoint, functions = engine.functions.len(), "engine started");
        Ok(engine)
    }

    /// Starts what calls the functions.
    fn connect(&mut self, feed: &Arc<dyn Feed>, retry_delay_s: Option<u32>) {
        for function in self.functions.values() {
            for event in &function.spec.events {
                let (function, stopping) = (Arc::clone(function), self.stopping.subscribe());
                match event {
                    EventSource::Sqs(source) if source.enabled => {
                        let (feed, queue) = (Arc::clone(feed), provision::queue_name(&source.queue_arn));
                        self.mappings
                            .spawn(SqsMapping { function, feed, queue, source: source.clone(), retry_delay_s }.run(stopping));
                    }
                    EventSource::Stream(source) if source.enabled => {
                        let table = self.stack.tables.iter().find(|it| it.stream_arn.as_deref() == Some(&source.stream_arn));
                        let Some(table) = table.map(|it| it.name.clone()) else { continue };
                        let mapping = StreamMapping {
                            function,
                            feed: Arc::clone(feed),
                            store: Arc::clone(&self.services.store),
                            table,
                            source: source.clone(),
                            on_failure: source.on_failure.as_ref().map(|it| provision::queue_name(&it.queue_arn)),
                        };
                        self.mappings.spawn(mapping.run(stopping));
                    }
                    EventSource::Schedule(source) if source.enabled => {
                        let store = Arc::clone(&self.services.store);
                        self.mappings.spawn(Schedule { function, store, source: source.clone() }.run(stopping));
                    }
                    _ => {}
                }
            }
        }
        self.mappings.spawn(forget(self.services.buckets.clone(), self.stack.buckets.clone(), self.stopping.subscribe()));
        let (functions, mut stopping): (Vec<_>, _) = (self.functions.values().cloned().collect(), self.stopping.subscribe());
        self.mappings.spawn(async move {
            while tokio::time::timeout(SWEEP, stopping.wait_for(|it| *it)).await.is_err() {
                for function in &functions {
                    function.sweep();
                }
            }
        });
    }

    /// Where the services answer, as in `http://127.0.0.1:4455`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What the template says.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The key pair that clients sign with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The services, for tests and for commands in the same process.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Invokes a function by its name, as `aws lambda invoke` would.
    pub async fn invoke(&self, function: &str, event: &str) -> Result<InvokeResult> {
        let spec = self.stack.function(function).with_context(|| unknown_function(function, &self.stack))?;
        Ok(self.functions[&spec.name].invoke(event.to_owned()).await)
    }

    /// Queues and functions at a glance, as `GET /_photovault/health` shows them.
    pub async fn health(&self) -> Value {
        self.health_page()(self.services.clone()).await
    }

    fn health_page(&self) -> Box<gateway::Health> {
        let queues: Arc<[String]> = self.stack.queues.iter().map(|it| it.name.clone()).collect();
        let functions: Arc<[_]> = self.functions.values().cloned().collect();
        let table = self.stack.tables.iter().find(|it| it.logical_id == "Catalog").map(|it| it.name.clone());
        Box::new(move |services| {
            let (queues, functions, table) = (Arc::clone(&queues), Arc::clone(&functions), table.clone());
            Box::pin(async move {
                let mut page = health(&services, &queues, &functions).await;
                page["table"] = json!(table);
                page
            })
        })
    }

    /// Ends in order: no new work, what is at work comes to its end (for ten seconds), children, endpoint.
    pub async fn shutdown(mut self) -> Result<()> {
        self.stopping.send_replace(true);
        let wait = async { while self.mappings.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_MAX, wait).await.is_err() {
            tracing::warn!("invocations at work were cut off; their messages come back at the next start");
            self.mappings.shutdown().await;
        }
        for function in self.functions.values() {
            function.close().await;
        }
        self.gateway_stop.send_replace(true);
        (&mut self.gateway).await.context("the gateway")??;
        self.lock.retract();
        tracing::info!("engine ended");
        Ok(())
    }
}

/// Applies the buckets' lifecycle rules, now and every hour.
async fn forget(buckets: Arc<Buckets>, specs: Vec<BucketSpec>, mut stopping: watch::Receiver<bool>) {
    loop {
        for spec in &specs {
            match buckets.forget(&spec.name, &spec.lifecycle, now_ms()).await {
                Ok(0) => {}
                Ok(forgotten) => tracing::info!(bucket = spec.name, forgotten, "the bucket's rules were applied"),
                Err(error) => {
                    tracing::warn!(bucket = spec.name, error = format!("{error:#}"), "the bucket's rules could not be applied");
                }
            }
        }
        if tokio::time::timeout(FORGET, stopping.wait_for(|it| *it)).await.is_ok() {
            return;
        }
    }
}

async fn health(services: &Services, queues: &[String], functions: &[Arc<Function>]) -> Value {
    let mut depths = serde_json::Map::new();
    for queue in queues {
        let depth = match services.queues.counts(queue).await {
            Ok(counts) => json!({ "visible": counts.visible, "in_flight": counts.in_flight, "delayed": counts.delayed }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        depths.insert(queue.clone(), depth);
    }
    let functions: Vec<_> = functions.iter().map(|it| it.health()).collect();
    json!({ "queues": depths, "functions": functions, "hash_cpu_ns": services.store.blobs().hash_ns() })
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.gateway.abort();
    }
}

fn unknown_function(name: &str, stack: &Stack) -> String {
    let names: Vec<_> = stack.functions.iter().map(|it| it.name.as_str()).collect();
    format!("there is no function {name}; there are {}", names.join(", "))
}

/// A wildcard address is no place to send a request to.
fn endpoint(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}
