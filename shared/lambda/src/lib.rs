//! What every bootstrap shares: the environment read once, JSON logs, and the loop that gives a handler its messages.
//!
//! Nothing here is generic: a handler is a function pointer, so the Lambda runtime is compiled once and not per function.

mod batch;
mod environment;
mod event;
mod log;
mod metrics;
mod stage;
mod stream;
mod trace;
mod worker;

pub use batch::{BEGIN_WITHIN, Message, OnBatch, OnMessage, run_each, serve_batches, serve_messages};
pub use environment::{VARIABLES, Variable};
pub use event::{OnEvent, answered, serve_events};
pub use stage::{attempt_on, work_on};
pub use stream::{Changed, Images, OnChanges, OnImages, serve_changes, serve_images};
pub use worker::serve_worker;

use photovault_aws::{Connection, Reach};
use photovault_vault::{Names, Secret, Vault};

/// What a bootstrap's `main` returns: an error ends the process with the reason on standard error.
pub type Served = anyhow::Result<()>;

/// Connects and runs the loop.
fn serve<F, Fut>(service: F) -> Served
where
    F: FnOnce(Vault) -> Fut,
    Fut: Future<Output = Result<(), lambda_runtime::Error>>,
{
    connected(async |connection, names| {
        service(Vault::new(connection.seams, names)).await.map_err(|error| anyhow::anyhow!("{error}"))
    })
}

/// Reads the environment, connects, and runs on one thread: a sandbox serves one event at a time.
fn connected(run: impl AsyncFnOnce(Connection, Names) -> Served) -> Served {
    let environment = environment::read()?;
    trace::start(&environment.function, &environment.collector);
    log::start(&environment.log);
    if environment.metrics {
        metrics::start(&environment.function);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let reach = if environment.plain_http { Reach::PlainEnvironment } else { Reach::Environment };
        let connection = photovault_aws::connect(reach, &environment.table).await;
        let mut names = environment.names;
        names.backup_key = Secret(connection.parameters.resolve(&names.backup_key.0).await?);
        run(connection, names).await
    })
}
