//! `photovault duplicates merge` and `undo`: of each group the best is kept, the others go to the trash.

use photovault_domain::{Media, MediaId, UserId};
use photovault_insight::duplicates::{Tier, groups};
use photovault_memories::{merge, undo_merge};
use photovault_vault::Vault;
use serde_json::json;

use super::find::{Found, alike};
use crate::{
    list::short,
    table::{Table, bytes, counted},
};

/// What is merged: of a burst each picture is another one, so somebody must ask for it.
const USUAL: [Tier; 2] = [Tier::SamePixels, Tier::SamePicture];

/// Which groups, and whether anything is done.
pub(super) struct Wanted<'a> {
    pub(super) tier: Option<Tier>,
    /// Only groups of which one of these is.
    pub(super) media: &'a [MediaId],
    pub(super) is_preview: bool,
    pub(super) json: bool,
}

pub(super) async fn run(vault: &Vault, user: &UserId, wanted: &Wanted<'_>) -> anyhow::Result<()> {
    let Found { items, alike } = alike(vault, user).await?;
    let is_wanted = |tier: Tier| wanted.tier.map_or(USUAL.contains(&tier), |wanted| wanted == tier);
    let mut table = Table::new(&["group", "tier", "", "media", "size", "name", "what it gives"]);
    let (mut count, mut freed, mut gone) = (0, 0, 0);
    for group in groups(&items, &alike).iter().filter(|group| is_wanted(group.tier)) {
        let (best, others) = (&items[group.best], group.others.iter().map(|other| &items[*other]).collect::<Vec<_>>());
        if !(wanted.media.is_empty() || [best].into_iter().chain(others.iter().copied()).any(|it| wanted.media.contains(&it.id)))
        {
            continue;
        }
        let ids: Vec<MediaId> = others.iter().map(|media| media.id.clone()).collect();
        let names = group.tier != Tier::Burst;
        if !wanted.is_preview {
            merge(vault, user, &best.id, &ids, names).await?;
        }
        (count, gone) = (count + 1, gone + ids.len());
        freed += others.iter().map(|media| media.size_bytes).sum::<u64>();
        if wanted.json {
            let (done, gains) = (!wanted.is_preview, gains(best, &others, names));
            println!("{}", json!({"tier": group.tier, "kept": best.id, "trashed": ids, "gains": gains, "done": done}));
            continue;
        }
        let mut row = |what: &str, media: &Media, gives: String| {
            let (size, name) = (bytes(media.size_bytes), media.name().to_owned());
            table.row(vec![count.to_string(), group.tier.as_str().into(), what.into(), short(media), size, name, gives]);
        };
        row("keep", best, String::new());
        for other in &others {
            row("trash", other, gains(best, &[*other], names).join(", "));
        }
    }
    if wanted.json {
        return Ok(());
    }
    table.print();
    let (groups, gone) = (counted(count, "group"), format!("{} ({})", counted(gone, "item"), bytes(freed)));
    if wanted.is_preview {
        eprintln!("{groups}: {gone} would go to the trash. Nothing was changed; do it with --yes.");
    } else {
        eprintln!("{groups}: {gone} went to the trash. `photovault duplicates undo` takes the last group back.");
    }
    Ok(())
}

/// What the kept one has from the others, in words.
fn gains(best: &Media, others: &[&Media], names: bool) -> Vec<String> {
    let mut joined = best.clone();
    joined.join(others, names);
    let (Some(own), Some(joined)) = (best.facts.as_deref().cloned().or(Some(photovault_domain::Facts::default())), joined.facts)
    else {
        return Vec::new();
    };
    let mut gains = Vec::new();
    let mut add = |is_new: bool, what: String| gains.extend(is_new.then_some(what));
    add(joined.rating != own.rating, format!("{} stars", joined.rating.unwrap_or(0)));
    add(joined.title != own.title, "a title".to_owned());
    add(joined.description != own.description, "a caption".to_owned());
    let count = |new: usize, old: usize, what: &str| (new > old, counted(new.saturating_sub(old), what));
    let (is_new, what) = count(joined.keywords.len(), own.keywords.len(), "keyword");
    add(is_new, what);
    let (is_new, what) = count(joined.regions.len(), own.regions.len(), "name");
    add(is_new, what);
    add(joined.captured != own.captured, "a time".to_owned());
    add(joined.position != own.position, "a position".to_owned());
    gains
}

pub(super) async fn undo(vault: &Vault, user: &UserId, json: bool) -> anyhow::Result<()> {
    let undone = undo_merge(vault, user).await?;
    let Some(undone) = undone else { anyhow::bail!("no merge is left that could be undone") };
    let lost: Vec<&MediaId> = undone.merge.others.iter().filter(|other| !undone.back.contains(other)).collect();
    if json {
        println!("{}", json!({"kept": undone.merge.best, "back": undone.back, "lost": lost}));
        return Ok(());
    }
    println!("Back again: {}.", counted(undone.back.len(), "item"));
    if !lost.is_empty() {
        println!("{} have left the vault meanwhile: a backup may have them.", lost.len());
    }
    Ok(())
}
