//! What may go of what a walk came past. Pure and total; when in doubt, it stays.

use std::collections::BTreeSet;

use photovault_domain::{Media, Status, UtcMs};
use photovault_vault::{Mutant, mutated};

/// A day, in milliseconds.
pub const DAY_MS: u64 = 86_400_000;
/// A sighting that is older says nothing: what it told of may have belonged to an item in between.
const SIGHTING_ENDS_DAYS: u64 = 180;

/// When the walk is made, and how long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Now.
    pub now: UtcMs,
    /// Days in the trash.
    pub trash_days: u32,
    /// Days that refused bytes are held.
    pub quarantine_days: u32,
    /// What is younger, in days, is never removed as a leftover, and orphans are seen twice so far apart.
    pub leftover_days: u32,
}

impl Terms {
    fn is_past(&self, since: UtcMs, days: u32) -> bool {
        self.now.since(since) >= u64::from(days) * DAY_MS
    }
}

/// Whether an item in the trash goes; one that goes already goes on.
pub fn of_trash(terms: Terms, media: &Media) -> bool {
    media.leaving.is_some() || (media.is_settled() && media.trashed.is_some_and(|at| terms.is_past(at, terms.trash_days)))
}

/// Whether a refused item goes, with its bytes: as long after the last time that it was uploaded.
pub fn of_refused(terms: Terms, media: &Media) -> bool {
    let last = media.uploads.iter().map(|upload| upload.at).max().unwrap_or(media.created);
    media.refusal.is_some() && media.is_settled() && terms.is_past(last.max(media.created), terms.quarantine_days)
}

/// Whether an upload is looked at: a young one is on its way, and of one that was given up its owner has been told.
pub fn of_upload(terms: Terms, uploaded: UtcMs, given_up: bool) -> bool {
    terms.is_past(uploaded, terms.leftover_days) && !given_up
}

/// What becomes of a derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Stays,
    /// Another recipe has replaced it: it goes.
    Stale,
    /// It belongs to nothing: it goes when it is seen so for the second time.
    Orphan,
}

/// The fate of a file among an item's derivatives; `recipe` is what its key says. Only where every stage has ended well the new
/// files are there, and they have been for a while: somebody may just look at the old ones.
pub fn of_derivative(terms: Terms, item: Option<&Media>, key: &str, recipe: &str, modified: UtcMs) -> Fate {
    let young = !terms.is_past(modified, terms.leftover_days);
    match item {
        _ if young => Fate::Stays,
        None => Fate::Orphan,
        Some(item) if mutated(Mutant::ReferencedIsStale) && item.is_settled() => Fate::Stale,
        Some(item) if is_referenced(item, key, recipe) => Fate::Stays,
        Some(item) => {
            let is_replaced =
                item.is_settled() && item.status() == Status::Ready && terms.is_past(item.updated, terms.leftover_days);
            if is_replaced { Fate::Stale } else { Fate::Stays }
        }
    }
}

/// Whether an item names a file, or one of its stages made it: not every file is named.
fn is_referenced(item: &Media, key: &str, recipe: &str) -> bool {
    let recipes: BTreeSet<String> = item.ledger.values().map(|entry| entry.recipe.to_string()).collect();
    recipes.contains(recipe) || item.files().any(|file| file.key == key)
}

/// Whether an orphan was seen before, long enough ago and not too long.
pub fn of_orphan(terms: Terms, first_seen: Option<UtcMs>) -> Sighting {
    match first_seen.map(|at| terms.now.since(at)) {
        Some(since_ms) if since_ms >= SIGHTING_ENDS_DAYS * DAY_MS => Sighting::First,
        Some(since_ms) if since_ms >= u64::from(terms.leftover_days) * DAY_MS => Sighting::Second,
        Some(_) => Sighting::TooSoon,
        None => Sighting::First,
    }
}

/// How often an orphan was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// For the first time.
    First,
    /// Again, and too soon to tell.
    TooSoon,
    /// For the second time: it goes.
    Second,
}

#[cfg(test)]
mod tests;
