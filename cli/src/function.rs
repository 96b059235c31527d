//! `photovault function NAME`: a function in this process, as a child of the engine. Not for people.

use std::{os::unix::process::CommandExt as _, process::Command};

use anyhow::{Context as _, bail};

/// Runs the function until its runtime ends it.
pub(crate) fn run(name: Option<&str>, arguments: &[String]) -> anyhow::Result<()> {
    match name {
        Some("validate") => photovault_validate::run(),
        Some("dispatch") => photovault_dispatch::run(),
        Some("thumbnail") => photovault_thumbnail::run(),
        Some("metadata") => photovault_metadata::run(),
        Some("video") => become_program("video", arguments),
        Some("memories") => photovault_memories::run(),
        Some("tag") => photovault_tag::run(),
        Some("notify") => photovault_notify::run(),
        Some("analytics") => photovault_analytics::run(),
        Some("failures") => photovault_failures::run(),
        Some("health") => photovault_health::run(),
        Some("cleanup") => photovault_cleanup::run(),
        Some("backup") => photovault_backup::run(),
        Some("verify") => photovault_verify::run(),
        Some("memories-daily") => photovault_memories_daily::run(),
        other => bail!("there is no function '{}': {}", other.unwrap_or_default(), NAMES.join(", ")),
    }
}

/// Becomes another program that lies beside this one. The one for videos loads FFmpeg with a hundred libraries behind it, which would
/// cost each start of this program 45 ms of CPU time.
fn become_program(name: &str, arguments: &[String]) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("this program has no path")?.with_file_name(name);
    Err(Command::new(&program).args(arguments).exec())
        .with_context(|| format!("{} cannot be started; `cargo build --release` makes it", program.display()))
}

/// The functions, in pipeline order.
pub(crate) const NAMES: &[&str] = &[
    "validate",
    "dispatch",
    "thumbnail",
    "metadata",
    "video",
    "memories",
    "tag",
    "notify",
    "analytics",
    "failures",
    "health",
    "cleanup",
    "backup",
    "verify",
    "memories-daily",
];
