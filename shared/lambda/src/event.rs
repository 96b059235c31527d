//! Events of other kinds than batches and streams: schedules, and whatever `invoke` is given.

use futures::future::BoxFuture;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use photovault_vault::Vault;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Served, serve, trace};

/// Handles an event, and says what came of it.
pub type OnEvent = fn(Vault, Value) -> BoxFuture<'static, anyhow::Result<Value>>;

/// What an [`OnEvent`] does: reads the event as a request, works on it, and gives the report.
pub fn answered<Request, Report, Work>(
    event: Value,
    work: impl FnOnce(Request) -> Work + Send + 'static,
) -> BoxFuture<'static, anyhow::Result<Value>>
where
    Request: DeserializeOwned + Send + 'static,
    Report: Serialize,
    Work: Future<Output = anyhow::Result<Report>> + Send,
{
    Box::pin(async move { Ok(serde_json::to_value(work(serde_json::from_value(event)?).await?)?) })
}

/// Runs a function that takes any event, one at a time.
pub fn serve_events(on_event: OnEvent) -> Served {
    serve(async |vault| {
        let handler = |event: LambdaEvent<Value>| {
            let vault = vault.clone();
            async move {
                let worked = on_event(vault, event.payload).await;
                trace::flush(event.context.xray_trace_id.as_deref()).await;
                worked.map_err(|error| Diagnostic { error_type: "Failed".into(), error_message: format!("{error:#}") })
            }
        };
        lambda_runtime::run(service_fn(handler)).await
    })
}
