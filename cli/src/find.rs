//! From what a person types to a media item: an id, the beginning of one, or an upload's name.

use anyhow::bail;
use photovault_domain::{Media, UserId};
use photovault_vault::Vault;

use crate::bar::waiting;

/// Items that one page of a listing has.
pub(crate) const PAGE: u32 = 200;

/// The one item that `text` means.
pub(crate) async fn find(vault: &Vault, user: &UserId, text: &str) -> anyhow::Result<Media> {
    let mut found = Vec::new();
    let prefix = text.to_ascii_lowercase();
    if !prefix.is_empty() && prefix.len() <= 32 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        found = vault.catalog.list(user, &prefix, None, 5).await?.items;
    }
    if found.is_empty() {
        found = by_name(vault, user, text).await?;
    }
    match found.len() {
        0 => bail!("{user} has no item whose id begins with, or whose name is, '{text}': `photovault ls` lists what there is"),
        1 => Ok(found.remove(0)),
        _ => {
            let lines: Vec<String> = found.iter().take(5).map(|media| format!("  {}  {}", media.id, media.name())).collect();
            bail!("'{text}' could be several items; write more of the id:\n{}", lines.join("\n"))
        }
    }
}

/// Every item of a user that `keep` wants and that is not in the trash, by id.
pub(crate) async fn all(vault: &Vault, user: &UserId, keep: impl Fn(&Media) -> bool) -> anyhow::Result<Vec<Media>> {
    every(vault, user, |media| !media.is_put_away() && keep(media)).await
}

/// The same of all items, in the trash or not.
async fn every(vault: &Vault, user: &UserId, keep: impl Fn(&Media) -> bool) -> anyhow::Result<Vec<Media>> {
    let mut kept = Vec::new();
    waiting(vault.each_item(user, |media| kept.extend(Some(media).filter(&keep)))).await?;
    kept.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(kept)
}

/// The first items of a user by id that `keep` wants and that are not in the trash, so many.
pub(crate) async fn some(
    vault: &Vault,
    user: &UserId,
    limit: usize,
    keep: impl Fn(&Media) -> bool,
) -> anyhow::Result<Vec<Media>> {
    let mut kept = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = vault.catalog.list(user, "", after.as_deref(), PAGE).await?;
        kept.extend(page.items.into_iter().filter(|media| !media.is_put_away() && keep(media)));
        after = page.next;
        if kept.len() >= limit || after.is_none() {
            kept.truncate(limit);
            return Ok(kept);
        }
    }
}

/// A command may look through a library; a function never does.
async fn by_name(vault: &Vault, user: &UserId, name: &str) -> anyhow::Result<Vec<Media>> {
    let ending = format!("/{name}");
    let is_called = |media: &Media| media.uploads.iter().any(|upload| upload.name == name);
    let ends_so = |media: &Media| media.uploads.iter().any(|upload| upload.name.ends_with(&ending));
    let (exact, others): (Vec<_>, Vec<_>) =
        every(vault, user, |media| is_called(media) || ends_so(media)).await?.into_iter().partition(is_called);
    Ok(if exact.is_empty() { others } else { exact })
}
