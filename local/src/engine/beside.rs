//! `photovault invoke`: one invocation in a child of the calling process, against an engine that runs in another.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};

use super::{Options, unknown_function};
use crate::{
    auth::Credentials,
    runtime::{Function, InvokeResult, Settings},
    template::{self, Place},
};

/// Runs `function` on `event` with the template's timeout, memory and environment. `endpoint` and `credentials` are the running engine's;
/// the child's output goes to `logs`.
pub async fn invoke_beside(
    options: &Options,
    endpoint: &str,
    credentials: &Credentials,
    logs: &Path,
    function: &str,
    event: String,
) -> Result<InvokeResult> {
    let stack = template::read(&options.template, &Place { parameters: options.parameters.clone(), ..Place::local(endpoint) })?;
    let spec = stack.function(function).with_context(|| unknown_function(function, &stack))?;
    std::fs::create_dir_all(logs).with_context(|| format!("creating {}", logs.display()))?;
    let mut settings = Settings::new(options.command.clone(), endpoint.to_owned(), 1, logs.to_owned())?;
    settings.access_key.clone_from(&credentials.access_key);
    settings.secret_key.clone_from(&credentials.secret_key);
    settings.log_filter.clone_from(&options.log_filter);
    let function = Function::new(spec.clone(), Arc::new(settings));
    let result = function.invoke(event).await;
    function.close().await;
    Ok(result)
}
