//! Functions of the template, with the `Globals` that they share.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::events;
use super::properties::Properties;
use super::references;
use super::scope::{Scope, scalar, section};
use super::stack::FunctionSpec;

pub(super) fn function(scope: &Scope<'_>, logical_id: &str, resource: &Value, properties: &Properties) -> Result<FunctionSpec> {
    let globals = section(scope.template, "Globals").and_then(|it| it.get("Function"));
    let path = "Globals.Function";
    let globals = Properties::new(globals.map(|it| scope.resolve(it, path)).transpose()?.flatten(), path)?;
    // As SAM merges them: a function's own value wins, maps are merged.
    let number = |name: &str, bounds: std::ops::RangeInclusive<u32>, default: u32| -> Result<u32> {
        properties.count(name, bounds.clone(), globals.count(name, bounds, default)?)
    };
    let mut environment = BTreeMap::new();
    for source in [&globals, properties] {
        let variables = source.inner("Environment")?.inner("Variables")?;
        for (name, value) in variables.entries() {
            environment.insert(name.clone(), scalar(value, &variables.at(name))?);
        }
    }
    let mut found = Vec::new();
    let declared = properties.inner("Events")?;
    for (id, _) in declared.entries() {
        found.push(events::event(id, &declared.inner(id)?)?);
    }
    let function_name = references::name(scope, logical_id)?;
    Ok(FunctionSpec {
        name: folder(logical_id, resource, properties)?,
        logical_id: logical_id.into(),
        arn: scope.place.arn("lambda", &format!("function:{function_name}")),
        function_name,
        timeout_s: number("Timeout", 1..=900, 3)?,
        memory_mb: number("MemorySize", 128..=10_240, 128)?,
        environment,
        events: found,
    })
}

/// The function's name in this project: the folder in `CodeUri: functions/<name>`, or `Metadata.Function`, or
/// `Metadata.BuildProperties.Binary` when everything is built from the root.
fn folder(logical_id: &str, resource: &Value, properties: &Properties) -> Result<String> {
    let metadata = resource.get("Metadata");
    let named =
        metadata.and_then(|it| it.get("Function").or_else(|| it.get("BuildProperties")?.get("Binary"))).and_then(Value::as_str);
    let code = properties.text("CodeUri")?;
    let from_code = code.as_deref().and_then(|it| {
        let path = it.trim_start_matches("./").trim_end_matches('/');
        path.strip_prefix("functions/")
    });
    let name = from_code.or(named);
    let name = name.with_context(|| {
        format!("Resources.{logical_id}: CodeUri must be functions/<name>, or Metadata.Function must say the name")
    })?;
    let name = name.strip_prefix("photovault-").unwrap_or(name);
    let plain = !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_');
    ensure!(plain, "Resources.{logical_id}: {name:?} is no name of a function");
    Ok(name.to_owned())
}
