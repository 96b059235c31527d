//! `photovault duplicates`: groups of photos that are there more than once, with the best of each, and one of them instead of several.

mod find;
mod merge;

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use photovault_domain::Media;
use photovault_insight::duplicates::{Tier, groups};
use serde_json::json;

use crate::{
    arguments::VaultArguments,
    connection::reach,
    find::{all, find},
    list::{pixels, short},
    table::{Table, bytes, counted},
};
use find::Found;
use merge::Wanted;

/// Show photos that are there more than once, in four tiers that are never mixed, with the best of each group and why it is the best.
///
/// Nothing is changed but by `merge --yes`. `same-bytes` looks through the whole library; the other tiers do not.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  photovault duplicates\n  photovault duplicates --tier burst\n  photovault duplicates --json | jq .best.name\n  \
    photovault duplicates merge\n  photovault duplicates merge 3f2a --yes\n  photovault duplicates undo"
)]
pub(crate) struct DuplicatesArguments {
    #[command(subcommand)]
    action: Option<DuplicatesAction>,
    /// Only this tier: same-bytes, same-pixels, same-picture or burst.
    #[arg(long, value_parser = tier, global = true)]
    tier: Option<Tier>,
    #[command(flatten)]
    vault: VaultArguments,
}

#[derive(Debug, Subcommand)]
enum DuplicatesAction {
    /// Keep the best of each group: the others go to the trash, and what was said of them is joined to it. Shows what it would do.
    ///
    /// Stars, titles, captions, keywords, names, and a time or position that the best lacks are joined. Bursts are only merged where
    /// `--tier burst` asks for it.
    Merge {
        /// Only groups of which one of these is [default: all].
        media: Vec<String>,
        /// Do it.
        #[arg(long)]
        yes: bool,
    },
    /// Take the latest merge back.
    Undo,
}

/// `duplicates`.
pub(crate) async fn run(arguments: &DuplicatesArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let (user, json) = (&arguments.vault.user, arguments.vault.json);
    match &arguments.action {
        None => {}
        Some(DuplicatesAction::Undo) => return merge::undo(&vault, user, json).await,
        Some(DuplicatesAction::Merge { media, yes }) => {
            let mut meant = Vec::new();
            for text in media {
                meant.push(find(&vault, user, text).await?.id);
            }
            let wanted = Wanted { tier: arguments.tier, media: &meant, is_preview: !yes, json };
            return merge::run(&vault, user, &wanted).await;
        }
    }
    let wanted = |tier: Tier| arguments.tier.is_none_or(|wanted| wanted == tier);
    let mut shown = 0;
    let mut table = Table::new(&["tier", "group", "keep", "media", "pixels", "size", "name", "why"]);
    if wanted(Tier::SameBytes) {
        for media in all(&vault, user, came_more_than_once).await? {
            shown += 1;
            if arguments.vault.json {
                println!("{}", json!({"tier": Tier::SameBytes, "best": line(&media), "names": names(&media)}));
            }
            let why = format!("stored once; it came as {}", names(&media).join(", "));
            table.row(row(Tier::SameBytes, shown, true, &media, why));
        }
    }
    if arguments.tier != Some(Tier::SameBytes) {
        let Found { items, alike } = find::alike(&vault, user).await?;
        for group in groups(&items, &alike).iter().filter(|group| wanted(group.tier)) {
            shown += 1;
            let others = || group.others.iter().map(|other| &items[*other]);
            if arguments.vault.json {
                let others: Vec<_> = others().map(line).collect();
                println!("{}", json!({"tier": group.tier, "best": line(&items[group.best]), "why": group.why, "others": others}));
            }
            table.row(row(group.tier, shown, true, &items[group.best], group.why.clone()));
            others().for_each(|media| table.row(row(group.tier, shown, false, media, String::new())));
        }
    }
    if !arguments.vault.json {
        table.print();
        eprintln!("{}. Nothing was changed.", counted(shown, "group"));
    }
    Ok(())
}

/// Under different names: the same name again is another try of an import.
fn came_more_than_once(media: &Media) -> bool {
    media.refusal.is_none() && names(media).len() > 1
}

fn names(media: &Media) -> Vec<&str> {
    let names: BTreeSet<&str> = media.uploads.iter().map(|upload| upload.name.as_str()).collect();
    names.into_iter().collect()
}

fn line(media: &Media) -> serde_json::Value {
    json!({"media": media.id, "name": media.name(), "width": media.width, "height": media.height, "size_bytes": media.size_bytes})
}

fn row(tier: Tier, group: usize, is_best: bool, media: &Media, why: String) -> Vec<String> {
    let keep = if is_best { "best" } else { "" };
    let name = media.name().to_owned();
    vec![tier.as_str().into(), group.to_string(), keep.into(), short(media), pixels(media), bytes(media.size_bytes), name, why]
}

fn tier(text: &str) -> Result<Tier, String> {
    let name = |tier: Tier| tier.as_str().replace(' ', "-");
    let names = || Tier::ALL.map(name).join(", ");
    Tier::ALL.into_iter().find(|tier| name(*tier) == text).ok_or_else(|| format!("'{text}' is none of {}", names()))
}
