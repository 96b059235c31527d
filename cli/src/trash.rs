//! `photovault trash`: put items away, bring them back, and let them go.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use photovault_cleanup::{KEPT_DAYS, let_go};
use photovault_domain::{DAY_MS, Media, UserId, UtcMs};
use photovault_memories::{put_in_trash, restore};
use photovault_vault::{Deed, Vault, seams::SeamResult};
use serde_json::json;

use crate::{
    arguments::VaultArguments,
    connection::reach,
    find::{PAGE, find},
    list::{item_json, short},
    table::{Table, bytes, when},
};

/// Put items in the trash, bring them back, or let them go for good.
///
/// An item in the trash is in no list, and keeps its files until its time is over. The same file, uploaded again, brings it back.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault trash put 3f2a\n  photovault trash ls\n  photovault trash restore 3f2a\n  \
    photovault trash empty")]
pub(crate) struct TrashArguments {
    #[command(subcommand)]
    action: TrashAction,
    #[command(flatten)]
    vault: VaultArguments,
}

#[derive(Debug, Subcommand)]
enum TrashAction {
    /// List what is in the trash, and until when.
    Ls,
    /// Put items in the trash.
    Put {
        /// Ids, beginnings of ids, or uploads' names.
        #[arg(required = true)]
        media: Vec<String>,
    },
    /// Bring items back.
    Restore {
        /// Ids, beginnings of ids, or uploads' names.
        #[arg(required = true)]
        media: Vec<String>,
    },
    /// Let everything in the trash go now.
    Empty,
}

/// `trash`.
pub(crate) async fn run(arguments: &TrashArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let (user, json) = (&arguments.vault.user, arguments.vault.json);
    match &arguments.action {
        TrashAction::Ls => list(&vault, user, json).await?,
        TrashAction::Put { media } => {
            for text in media {
                let item = find(&vault, user, text).await?;
                let put = put_in_trash(&vault, user, &item.id).await?;
                report(&item, put, json, "is in the trash now", "is in the trash already");
            }
        }
        TrashAction::Restore { media } => {
            for text in media {
                let item = find(&vault, user, text).await?;
                let restored = restore(&vault, user, &item.id).await?;
                report(&item, restored, json, "is back", "is not in the trash, or on its way out of the vault");
            }
        }
        TrashAction::Empty => {
            for item in in_trash(&vault, user).await? {
                let name = item.clone();
                let gone = let_go(&vault, item, Deed::TrashEmptied, user.as_str()).await?;
                report(&name, gone, json, "is gone", "has changed meanwhile, and stays");
            }
        }
    }
    Ok(())
}

async fn list(vault: &Vault, user: &UserId, json: bool) -> anyhow::Result<()> {
    let mut items = in_trash(vault, user).await?;
    items.sort_by_key(|media| media.trashed);
    let mut table = Table::new(&["media", "put away", "goes", "size", "name"]);
    for media in &items {
        if json {
            println!("{}", item_json(media));
            continue;
        }
        let at = media.trashed.unwrap_or(media.updated);
        let goes = if media.leaving.is_some() { "now".to_owned() } else { when(UtcMs(at.0 + i64::from(KEPT_DAYS) * DAY_MS)) };
        table.row(vec![short(media), when(at), goes, bytes(media.size_bytes), media.name().to_owned()]);
    }
    if !json {
        table.print();
    }
    Ok(())
}

/// What is in the trash, by the sparse index: what is still worked on stands in another part of that.
async fn in_trash(vault: &Vault, user: &UserId) -> SeamResult<Vec<Media>> {
    let mut found = BTreeMap::new();
    let mut keep = |items: Vec<Media>| {
        let mine = items.into_iter().filter(|media| media.user == *user && media.is_put_away());
        found.extend(mine.map(|media| (media.id.clone(), media)));
    };
    let (mut after, mut under_way) = (None, None);
    loop {
        let page = vault.catalog.trash(after.as_deref(), PAGE).await?;
        keep(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    loop {
        let page = vault.catalog.unsettled(under_way.as_deref(), PAGE).await?;
        keep(page.items);
        under_way = page.next;
        if under_way.is_none() {
            break;
        }
    }
    Ok(found.into_values().collect())
}

fn report(media: &Media, done: bool, json: bool, well: &str, ill: &str) {
    if json {
        println!("{}", json!({"media": media.id, "name": media.name(), "done": done}));
    } else {
        println!("{} {} {}", short(media), media.name(), if done { well } else { ill });
    }
}
