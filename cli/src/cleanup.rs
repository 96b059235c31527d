//! `photovault cleanup`: what the function `cleanup` does, on the whole vault and without its time limit.

use std::time::Duration;

use clap::Args;
use photovault_cleanup::{KEPT_DAYS, Request, clean};

use crate::{arguments::VaultArguments, connection::reach};

/// Remove what nobody needs any more: old trash, old refused uploads, derivatives of old recipes or of no item.
///
/// The function `cleanup` does the same every hour, a part of the vault at a time. `photovault audit` lists what went.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault cleanup --dry-run\n  photovault cleanup\n  photovault cleanup --trash-days 7 --json"
)]
pub(crate) struct CleanupArguments {
    /// Only say what would go.
    #[arg(long)]
    dry_run: bool,
    /// Days in the trash.
    #[arg(long, value_name = "DAYS", default_value_t = KEPT_DAYS)]
    trash_days: u32,
    /// Days that refused uploads are held.
    #[arg(long, value_name = "DAYS", default_value_t = KEPT_DAYS)]
    quarantine_days: u32,
    /// Days that derivatives of old recipes, and of no item, are left alone.
    #[arg(long, value_name = "DAYS", default_value_t = 1)]
    leftover_days: u32,
    #[command(flatten)]
    vault: VaultArguments,
}

/// `cleanup`.
pub(crate) async fn run(arguments: &CleanupArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let CleanupArguments { dry_run, trash_days, quarantine_days, leftover_days, .. } = *arguments;
    let request = Request { all: true, dry_run, trash_days, quarantine_days, leftover_days };
    let report = clean(&vault, &request, Duration::MAX).await?;
    if arguments.vault.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    let (removed, verb) = (report.removed.values().sum::<u64>(), if dry_run { "would go" } else { "went" });
    println!("{} looked at, {removed} {verb}, {} suspected for the first time.", report.looked_at, report.suspected);
    for (deed, count) in &report.removed {
        println!("  {count:>6}  {}", deed.meaning());
    }
    Ok(())
}
