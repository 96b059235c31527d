//! Events of other kinds than batches and streams: schedules, and whatever `invoke` is given.

use futures::future::BoxFuture;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use photovault_domain::UtcMs;
use photovault_vault::Vault;
use serde_json::Value;

use crate::{Served, serve};

/// Handles an event until its deadline, and says what came of it.
pub type OnEvent = fn(Vault, Value, UtcMs) -> BoxFuture<'static, anyhow::Result<Value>>;

/// Runs a function that takes any event, one at a time.
pub fn serve_events(on_event: OnEvent) -> Served {
    serve(async |vault| {
        let handler = |event: LambdaEvent<Value>| {
            let vault = vault.clone();
            async move {
                let deadline = deadline_of(&event.context);
                on_event(vault, event.payload, deadline)
                    .await
                    .map_err(|error| Diagnostic { error_type: "Failed".into(), error_message: format!("{error:#}") })
            }
        };
        lambda_runtime::run(service_fn(handler)).await
    })
}

fn deadline_of(context: &Context) -> UtcMs {
    UtcMs(i64::try_from(context.deadline).unwrap_or(i64::MAX))
}
