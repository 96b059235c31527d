//! `photovault function NAME`: a function in this process, as a child of the engine. Not for people.

use anyhow::bail;

/// Runs the function until its runtime ends it.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    match name {
        Some("validate") => photovault_validate::run(),
        Some("dispatch") => photovault_dispatch::run(),
        Some("thumbnail") => photovault_thumbnail::run(),
        Some("metadata") => photovault_metadata::run(),
        Some("notify") => photovault_notify::run(),
        Some("failures") => photovault_failures::run(),
        Some("health") => photovault_health::run(),
        other => bail!("there is no function '{}': {}", other.unwrap_or_default(), NAMES.join(", ")),
    }
}

/// The functions, in pipeline order.
pub(crate) const NAMES: &[&str] = &["validate", "dispatch", "thumbnail", "metadata", "notify", "failures", "health"];
