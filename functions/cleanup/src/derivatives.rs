//! The walk over derivatives: files that another recipe replaced, and files of no item.

use std::collections::BTreeMap;

use photovault_domain::{Media, MediaId, UserId};
use photovault_vault::{AuditEntry, Deed, Vault, seams::Listed};

use crate::{
    NAME,
    decide::{Fate, Sighting, Terms, of_derivative, of_orphan},
    walk::Step,
};

const PREFIX: &str = "derivatives/";
/// Files of a page; each item's cost one read.
const FILES: u32 = 500;

/// One page. An item's files may lie on two pages: each is judged by itself.
pub(crate) async fn step(vault: &Vault, terms: Terms, dry_run: bool, place: Option<&str>) -> anyhow::Result<Step> {
    let page = vault.originals.kept_after(PREFIX, place, FILES).await?;
    let mut step = Step { looked_at: page.items.len() as u64, next: page.next, ..Step::default() };
    let mut by_item: BTreeMap<(UserId, MediaId), Vec<(Listed, String)>> = BTreeMap::new();
    for listed in page.items.into_iter().filter(|listed| listed.is_latest) {
        if let Some((user, media, recipe)) = taken_apart(&listed.key) {
            by_item.entry((user, media)).or_default().push((listed, recipe));
        }
    }
    for ((user, id), files) in by_item {
        let item = vault.catalog.media(&user, &id).await?;
        let fate =
            |(listed, recipe): &(Listed, String)| of_derivative(terms, item.as_ref(), &listed.key, recipe, listed.modified);
        let of = |wanted: Fate| -> Vec<Listed> {
            files.iter().filter(|file| fate(file) == wanted).map(|(listed, _)| listed.clone()).collect()
        };
        let (stale, mut orphans) = (of(Fate::Stale), Vec::new());
        for listed in of(Fate::Orphan) {
            let seen = of_orphan(terms, vault.sightings.first(&listed.key).await?);
            if seen == Sighting::Second {
                orphans.push(listed);
                continue;
            }
            step.suspected += 1;
            if seen == Sighting::First && !dry_run {
                vault.sightings.begin(&listed.key).await?;
            }
        }
        for (deed, files) in [(Deed::StaleDerivativesRemoved, stale), (Deed::OrphansRemoved, orphans)] {
            step.removed.extend((!files.is_empty()).then_some((deed, files.len() as u64)));
            if !files.is_empty() && !dry_run {
                remove(vault, deed, (&user, &id, item.as_ref()), files).await?;
            }
        }
    }
    Ok(step)
}

/// Removes the versions that were judged, and no newer ones: a stage may be writing the same file again.
async fn remove(
    vault: &Vault,
    deed: Deed,
    (user, id, item): (&UserId, &MediaId, Option<&Media>),
    files: Vec<Listed>,
) -> anyhow::Result<()> {
    let entry = AuditEntry {
        at: vault.clock.now(),
        deed,
        by: NAME.to_owned(),
        user: user.clone(),
        media: Some(id.clone()),
        name: item.map(|item| item.name().to_owned()).unwrap_or_default(),
        keys: files.iter().map(|listed| listed.key.clone()).collect(),
    };
    vault.audit.add(&entry).await?;
    for listed in files {
        vault.originals.remove_version(&listed).await?;
        if deed == Deed::OrphansRemoved {
            vault.sightings.end(&listed.key).await?;
        }
    }
    Ok(())
}

/// Whose derivative lies under a key, and by which recipe; `None` for keys that are none.
fn taken_apart(key: &str) -> Option<(UserId, MediaId, String)> {
    let mut parts = key.strip_prefix(PREFIX)?.split('/');
    let (user, media, recipe) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next()?;
    Some((user.parse().ok()?, media.parse().ok()?, recipe.to_owned()))
}
