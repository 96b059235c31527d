//! From what a person types to a media item: an id, the beginning of one, or an upload's name.

use anyhow::bail;
use photovault_domain::{Media, UserId};
use photovault_vault::Vault;

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

/// Every item of a user that is not in the trash, or as many as `keep` wants: `false` passes one over, `limit` ends it.
pub(crate) async fn all(vault: &Vault, user: &UserId, limit: usize, keep: impl Fn(&Media) -> bool) -> anyhow::Result<Vec<Media>> {
    every(vault, user, limit, |media| !media.is_put_away() && keep(media)).await
}

/// Comes past every item of a user that is not in the trash, and keeps none.
pub(crate) async fn each(vault: &Vault, user: &UserId, mut visit: impl FnMut(&Media)) -> anyhow::Result<()> {
    let mut after: Option<String> = None;
    loop {
        let page = vault.catalog.list(user, "", after.as_deref(), PAGE).await?;
        page.items.iter().filter(|media| !media.is_put_away()).for_each(&mut visit);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The same of all items, in the trash or not.
pub(crate) async fn every(
    vault: &Vault,
    user: &UserId,
    limit: usize,
    keep: impl Fn(&Media) -> bool,
) -> anyhow::Result<Vec<Media>> {
    let mut kept = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = vault.catalog.list(user, "", after.as_deref(), PAGE).await?;
        kept.extend(page.items.into_iter().filter(|media| keep(media)));
        after = page.next;
        if kept.len() >= limit || after.is_none() {
            kept.truncate(limit);
            return Ok(kept);
        }
    }
}

/// A command may look through a library; a function never does.
async fn by_name(vault: &Vault, user: &UserId, name: &str) -> anyhow::Result<Vec<Media>> {
    let exact = every(vault, user, 5, |media| media.uploads.iter().any(|upload| upload.name == name)).await?;
    if !exact.is_empty() || name.is_empty() {
        return Ok(exact);
    }
    let ending = format!("/{name}");
    every(vault, user, 5, |media| media.uploads.iter().any(|upload| upload.name.ends_with(&ending))).await
}
