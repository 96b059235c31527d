//! `photovault duplicates`: groups of photos that are there more than once, with the best of each.

mod find;

use std::collections::BTreeSet;

use photovault_domain::Media;
use photovault_insight::duplicates::{Tier, groups};
use serde_json::json;

use crate::{
    arguments::DuplicatesArguments,
    connection::reach,
    find::all,
    list::{pixels, short},
    table::{Table, bytes},
};
use find::Found;

/// `duplicates`.
pub(crate) async fn run(arguments: &DuplicatesArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let user = &arguments.vault.user;
    let wanted = |tier: Tier| arguments.tier.is_none_or(|wanted| wanted == tier);
    let mut shown = 0;
    let mut table = Table::new(&["tier", "group", "keep", "media", "pixels", "size", "name", "why"]);
    if wanted(Tier::SameBytes) {
        for media in all(&vault, user, usize::MAX, came_more_than_once).await? {
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
        eprintln!("{shown} groups. Nothing was changed.");
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
