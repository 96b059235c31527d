//! Workers of the template: a job definition of AWS Batch, and the pipe that submits it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{
    properties::Properties,
    references,
    scope::{Scope, scalar},
    stack::{Stack, WorkerSpec},
};

/// A queue whose messages submit a job.
pub(super) struct Pipe {
    source: String,
    job_definition: String,
}

pub(super) fn pipe(properties: &Properties) -> Result<Pipe> {
    let target = properties.inner("TargetParameters")?.inner("BatchJobParameters")?;
    Ok(Pipe { source: properties.required("Source")?, job_definition: target.required("JobDefinition")? })
}

/// A job definition, still without what starts it and the queue that it empties.
pub(super) fn worker(logical_id: &str, resource: &Value, properties: &Properties) -> Result<WorkerSpec> {
    let container = properties.inner("ContainerProperties")?;
    let path = container.at("Command");
    let command = container.value("Command").and_then(Value::as_array).into_iter().flatten();
    let arguments = command.map(|it| scalar(it, &path)).collect::<Result<_>>()?;
    let mut environment = BTreeMap::new();
    for variable in container.items("Environment")? {
        environment.insert(variable.required("Name")?, variable.required("Value")?);
    }
    let mut memory_mb = None;
    for requirement in container.items("ResourceRequirements")? {
        if requirement.required("Type")? == "MEMORY" {
            memory_mb = requirement.required("Value")?.parse().ok();
        }
    }
    let name = resource.get("Metadata").and_then(|it| it.get("Function")).and_then(Value::as_str);
    Ok(WorkerSpec {
        name: name.with_context(|| format!("Resources.{logical_id}: Metadata.Function must say the name"))?.to_owned(),
        logical_id: logical_id.to_owned(),
        arguments,
        memory_mb: memory_mb.with_context(|| format!("Resources.{logical_id}: has no MEMORY among its ResourceRequirements"))?,
        environment,
        queue: String::new(),
        started_by: String::new(),
    })
}

/// Tells each worker its queues.
pub(super) fn connect(scope: &Scope<'_>, stack: &mut Stack, pipes: &[Pipe]) -> Result<()> {
    let Stack { workers, queues, .. } = stack;
    for worker in workers {
        let logical_id = &worker.logical_id;
        let own = references::of(scope, logical_id, logical_id)?;
        let pipe = pipes.iter().find(|pipe| pipe.job_definition == own);
        worker.started_by = pipe.with_context(|| format!("Resources.{logical_id}: no pipe submits it"))?.source.clone();
        let told = queues.iter().find(|queue| worker.environment.values().any(|value| *value == queue.url));
        worker.queue = told.with_context(|| format!("Resources.{logical_id}: no variable names a queue"))?.name.clone();
    }
    Ok(())
}
