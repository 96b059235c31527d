//! `photovault backup`: what the function `backup` does, to its end.

use std::time::Duration;

use clap::Args;
use photovault_backup::{Request, back_up};

use crate::{arguments::VaultArguments, bar::Bar, connection::reach};

/// Save what no backup has yet: originals once each, by their hash, and the catalog with a signed manifest.
///
/// The function `backup` does the same every hour.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault backup\n  photovault backup --full\n  photovault backup --json")]
pub(crate) struct BackupArguments {
    /// Every item anew: the backup stands by itself, and names no older one's files.
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    vault: VaultArguments,
}

/// `backup`.
pub(crate) async fn run(arguments: &BackupArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let bar = Bar::new("saved", None, arguments.vault.json);
    let report = back_up(&vault, &Request { full: arguments.full }, Duration::MAX, &|items| bar.at(items)).await?;
    bar.end();
    if arguments.vault.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    println!("{} items saved, {} originals copied, {} items have left.", report.items, report.copied, report.gone);
    if report.damaged > 0 {
        println!(
            "{} originals are missing or damaged in the vault: `photovault verify --all` heals what can be healed.",
            report.damaged
        );
    }
    match &report.manifest {
        Some(manifest) => println!("The newest backup is {manifest}."),
        None => println!("The newest backup has everything."),
    }
    Ok(())
}
