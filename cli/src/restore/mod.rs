//! `photovault restore`: the newest backup into the vault, or as files and folders that need no PhotoVault.

mod files;
mod xmp;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use photovault_backup::restore::{Reading, bring_back};
use photovault_domain::{Line, Manifest, Media};
use photovault_memories::say_again;
use photovault_vault::Vault;
use serde_json::json;

use crate::{
    arguments::VaultArguments,
    bar::Bar,
    connection::reach,
    table::{bytes, duration},
};

use files::Folder;

/// Restore the newest backup: into the vault what it does not have, or with --to as files in folders.
///
/// The files are originals under their names with what the vault knows of each beside it as XMP, and library.json with all of it.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault restore\n  photovault restore --to ~/photos\n  photovault restore --to /mnt/disk --json"
)]
pub(crate) struct RestoreArguments {
    /// Write files into this folder and leave the vault alone.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    #[command(flatten)]
    vault: VaultArguments,
}

/// `restore`.
pub(crate) async fn run(arguments: &RestoreArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let manifest = vault.backups.newest().await?.context("there is no backup: `photovault backup` makes one")?;
    match &arguments.to {
        Some(folder) => to_files(&vault, &manifest, Folder::create(folder)?, arguments.vault.json).await,
        None => to_vault(&vault, &manifest, arguments.vault.json).await,
    }
}

async fn to_files(vault: &Vault, manifest: &Manifest, mut folder: Folder, json: bool) -> anyhow::Result<()> {
    let began = vault.clock.now();
    let mut reading = Reading::of(manifest);
    let bar = Bar::new("restored", Some(reading.lines()), json);
    while let Some(lines) = reading.next(vault).await? {
        for media in lines.into_iter().filter_map(item) {
            folder.write(vault, &media).await?;
            bar.at(folder.written);
        }
    }
    bar.end();
    folder.finish()?;
    let took_ms = vault.clock.now().since(began);
    let Folder { written, size_bytes, damaged, .. } = folder;
    if json {
        println!("{}", json!({"originals": written, "bytes": size_bytes, "damaged": damaged, "took_ms": took_ms}));
    } else {
        println!("{written} originals ({}) in {}, each with the SHA-256 that it had.", bytes(size_bytes), duration(took_ms));
    }
    anyhow::ensure!(damaged == 0, "{damaged} originals are not in the backup as they were");
    Ok(())
}

async fn to_vault(vault: &Vault, manifest: &Manifest, json: bool) -> anyhow::Result<()> {
    let mut reading = Reading::of(manifest);
    let bar = Bar::new("looked at", Some(reading.lines()), json);
    let (mut looked_at, mut items, mut originals) = (0, 0, 0);
    while let Some(lines) = reading.next(vault).await? {
        for line in lines {
            match line {
                Line::Item(media) => {
                    let restored = bring_back(vault, &media).await?;
                    items += u64::from(restored.item);
                    originals += u64::from(restored.original);
                }
                Line::Said { user, edits } => say_again(vault, &user, edits).await?,
                Line::Told { user, people, hidden, merges } => vault.tell_again(&user, people, *hidden, merges).await?,
                Line::Gone { .. } => {}
            }
            looked_at += 1;
            bar.at(looked_at);
        }
    }
    bar.end();
    if json {
        println!("{}", json!({"looked_at": looked_at, "items": items, "originals": originals}));
    } else {
        println!("{items} items and {originals} originals came back; their pictures are being made again.");
    }
    Ok(())
}

fn item(line: Line) -> Option<Box<Media>> {
    if let Line::Item(media) = line { Some(media) } else { None }
}
