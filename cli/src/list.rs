//! `photovault ls` and `photovault failures`: items as a table, or as JSON lines.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use photovault_domain::{Media, Placed, Status, UserId};
use photovault_vault::Vault;
use serde_json::{Value, json};

use crate::{
    arguments::{FailuresArguments, ListArguments},
    connection::reach,
    find::{PAGE, all, some},
    places::is_taken_at,
    table::{Table, bytes},
};

/// Items that are read at once.
const AT_ONCE: usize = 16;

/// `ls`.
pub(crate) async fn run(arguments: &ListArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let wanted = |media: &Media| {
        arguments.status.is_none_or(|status| media.status() == status)
            && arguments.place.as_deref().is_none_or(|name| is_taken_at(media, name))
    };
    let items = if arguments.latest {
        latest(&vault, &arguments.vault.user, arguments.limit, wanted).await?
    } else {
        let mut items = some(&vault, &arguments.vault.user, arguments.limit, wanted).await?;
        items.sort_by(|a, b| a.name().cmp(b.name()));
        items
    };
    if arguments.vault.json {
        print_json(&items);
        return Ok(());
    }
    let mut table = Table::new(&["media", "status", "kind", "pixels", "size", "captured", "name"]);
    for media in &items {
        let captured = media.facts.as_ref().and_then(|facts| facts.captured.as_ref());
        table.row(vec![
            short(media),
            media.status().as_str().to_owned(),
            media.format.map(kind).unwrap_or_default(),
            pixels(media),
            bytes(media.size_bytes),
            captured.map(|captured| captured.local.replace('T', " ")).unwrap_or_default(),
            media.name().to_owned(),
        ]);
    }
    table.print();
    if items.len() == arguments.limit {
        eprintln!("There may be more: --limit {} shows further ones.", arguments.limit * 10);
    }
    Ok(())
}

/// Items that have their place in the timeline, the latest first, until there are enough.
async fn latest(vault: &Vault, user: &UserId, limit: usize, keep: impl Fn(&Media) -> bool) -> anyhow::Result<Vec<Media>> {
    let (mut found, mut before) = (Vec::new(), None::<String>);
    let page = PAGE.min(u32::try_from(limit).unwrap_or(PAGE)).max(1);
    while found.len() < limit {
        let places = vault.timelines.latest(user, before.as_deref(), page).await?;
        let Some(last) = places.last() else { break };
        before = Some(last.key());
        let read = |placed: Placed| async move { vault.catalog.media(user, &placed.media).await };
        let items: Vec<Option<Media>> = stream::iter(places).map(read).buffered(AT_ONCE).try_collect().await?;
        found.extend(items.into_iter().flatten().filter(|media| !media.is_put_away() && keep(media)));
    }
    found.truncate(limit);
    Ok(found)
}

/// `failures`: all that is not a photo in the vault and will not become one by itself.
pub(crate) async fn failures(arguments: &FailuresArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let ended_badly = |media: &Media| !matches!(media.status(), Status::Ready | Status::Processing);
    let mut items = all(&vault, &arguments.vault.user, ended_badly).await?;
    items.sort_by(|a, b| (b.status(), a.name()).cmp(&(a.status(), b.name())));
    if arguments.vault.json {
        print_json(&items);
        return Ok(());
    }
    let mut table = Table::new(&["media", "status", "name", "why"]);
    for media in &items {
        let why = media.reason().unwrap_or("no reason was written").to_owned();
        table.row(vec![short(media), media.status().as_str().to_owned(), media.name().to_owned(), why]);
    }
    table.print();
    let failed = items.iter().filter(|media| media.status() == Status::Failed).count();
    if failed > 0 {
        eprintln!("{failed} failed: `photovault retry MEDIA` or `photovault retry --all` tries them again.");
    }
    Ok(())
}

/// An item as JSON, with what is derived from it.
pub(crate) fn item_json(media: &Media) -> Value {
    let mut value = serde_json::to_value(media).expect("an item is plain data");
    value["status"] = json!(media.status());
    value["name"] = json!(media.name());
    value["reason"] = json!(media.reason());
    value
}

pub(crate) fn print_json(items: &[Media]) {
    for media in items {
        println!("{}", item_json(media));
    }
}

/// Enough of the id to type.
pub(crate) fn short(media: &Media) -> String {
    media.id.as_str()[..10].to_owned()
}

/// `4000×3000`.
pub(crate) fn pixels(media: &Media) -> String {
    media.width.zip(media.height).map(|(width, height)| format!("{width}×{height}")).unwrap_or_default()
}

fn kind(format: photovault_domain::Format) -> String {
    format.mime().rsplit('/').next().unwrap_or_default().to_owned()
}
