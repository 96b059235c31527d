//! What a change of a timeline is decided from, and the changes that are no stage: what somebody says about moments, and removals.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use photovault_domain::{Edit, Media, MediaId, Placed, Rewrite, Taken, UserId, UtcMs, timeline_key};
use photovault_insight::{
    bases::Count,
    moments::{Edits, rearrange},
};
use photovault_vault::{Head, Item, Mutant, TimelineChange, Vault, mutated, seams::Written};

use crate::MAX_CONFLICTS;

/// The latest edits up to a place that are looked at: they are disjoint, so the last few say all that is said about it.
const EDITS: u32 = 8;

/// What lies around an item in its timeline.
pub(crate) struct Near {
    pub(crate) head: Head,
    around: Vec<Placed>,
    edits: Edits,
    /// What becomes of the counts by place and day.
    pub(crate) counts: Vec<(String, Count)>,
}

/// Reads what lies around the place that an item has and around the one that it takes. The head comes first: what is read after it and has
/// changed since is found out when the change is made.
pub(crate) async fn gather(vault: &Vault, media: &Media, new: Option<Taken>) -> anyhow::Result<Near> {
    let head = vault.timelines.head(&media.user).await?;
    let new_at = new.map(|taken| taken.at);
    let places = [new_at, media.placed.filter(|old| Some(*old) != new_at)].into_iter().flatten();
    let (mut around, mut edits) = (Vec::new(), Vec::new());
    for at in places {
        let found = vault.timelines.around(&media.user, &timeline_key(at, &media.id)).await?;
        if head.edited {
            let until = found.iter().map(|placed| placed.taken.at).fold(at, UtcMs::max);
            edits.extend(vault.timelines.said(&media.user, until, EDITS).await?);
        }
        around.extend(found);
    }
    let counts = recounted(vault, media, new).await?;
    Ok(Near { head, around, edits: Edits::of(edits), counts })
}

/// The counts that an item is in and those that it comes into, without it and with it. What it is counted for is what stands at its place.
async fn recounted(vault: &Vault, media: &Media, new: Option<Taken>) -> anyhow::Result<Vec<(String, Count)>> {
    let old = match media.placed {
        Some(at) => vault.timelines.placed(&media.user, &timeline_key(at, &media.id)).await?.map(|placed| placed.taken),
        None => None,
    };
    let mut counts = BTreeMap::new();
    if old == new {
        return Ok(Vec::new());
    }
    for name in old.iter().chain(&new).map(Count::key) {
        let count = vault.timelines.count(&media.user, &name).await?;
        counts.insert(name, count);
    }
    if let Some(old) = old.filter(|_| !mutated(Mutant::OldDayStays)) {
        counts.entry(Count::key(&old)).or_default().take_back(&old);
    }
    if let Some(new) = new {
        counts.entry(Count::key(&new)).or_default().add(&new);
    }
    Ok(counts.into_iter().collect())
}

impl Near {
    /// Decides what is to change where the item goes from one place to another.
    pub(crate) fn rearranged(&self, media: &MediaId, old: Option<UtcMs>, new: Option<Taken>) -> Vec<Rewrite> {
        let old = old.filter(|_| !mutated(Mutant::OldPlaceStays));
        let mut rewrites = rearrange(&self.around, media, old, new, &self.edits);
        if mutated(Mutant::NextIsUndecided) {
            rewrites.retain(|rewrite| rewrite.after.as_ref().is_none_or(|placed| placed.media == *media));
        }
        rewrites
    }
}

/// What somebody says about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saying {
    /// A moment begins at it.
    Begins,
    /// It continues the moment of the one before it.
    Continues,
    /// Whatever was said about it and the one before it is said no more.
    Nothing,
}

/// Writes what somebody says about where a moment begins, for good: it holds for photos that come late too.
pub async fn say(vault: &Vault, user: &UserId, id: &MediaId, saying: Saying) -> anyhow::Result<()> {
    for _ in 0..MAX_CONFLICTS {
        let media = vault.catalog.media(user, id).await?.with_context(|| format!("there is no item {id}"))?;
        let taken = media.taken();
        if media.placed != Some(taken.at) {
            bail!("{} has no place in the timeline yet; its ledger says why", media.name());
        }
        let mut near = gather(vault, &media, Some(taken)).await?;
        let key = timeline_key(taken.at, id);
        let before = near.around.iter().filter(|placed| placed.key() < key).map(|placed| placed.taken.at).max();
        let Some(before) = before.filter(|before| *before < taken.at) else {
            bail!(
                "nothing was taken before {}: a moment begins there in any case, or it is of one instant with others",
                media.name()
            )
        };
        let was: Vec<Edit> = near.edits.iter().collect();
        match saying {
            Saying::Begins => near.edits.split(before, taken.at),
            Saying::Continues => near.edits.join(before, taken.at),
            Saying::Nothing => near.edits.undo(before, taken.at),
        }
        let is: Vec<Edit> = near.edits.iter().collect();
        let change = TimelineChange {
            head: near.head,
            item: Item::Left,
            rewrites: near.rearranged(id, media.placed, Some(taken)),
            counts: near.counts,
            said: is.iter().filter(|edit| !was.contains(edit)).copied().collect(),
            unsaid: was.iter().filter(|edit| !is.contains(edit)).copied().collect(),
        };
        if vault.timelines.change(user, change).await? == Written::Yes {
            return Ok(());
        }
    }
    bail!("other changes of the timeline came first {MAX_CONFLICTS} times")
}

/// Writes again what a user had said, as a backup has it; what is said by now stays. Moments around it are decided anew when their
/// items are placed.
pub async fn say_again(vault: &Vault, user: &UserId, edits: Vec<Edit>) -> anyhow::Result<()> {
    const AT_ONCE: usize = 50;
    let known = vault.timelines.said(user, UtcMs(i64::MAX - 1), u32::MAX >> 1).await?;
    let missing: Vec<Edit> = edits.into_iter().filter(|edit| !known.iter().any(|other| other.key() == edit.key())).collect();
    for said in missing.chunks(AT_ONCE) {
        let head = vault.timelines.head(user).await?;
        let (rewrites, counts) = (vec![], vec![]);
        let change = TimelineChange { head, item: Item::Left, rewrites, counts, said: said.to_vec(), unsaid: vec![] };
        if vault.timelines.change(user, change).await? == Written::Conflict {
            bail!("another change of the timeline came first: restore again");
        }
    }
    Ok(())
}

/// Removes an item from the catalog, and with it its place in the timeline.
pub async fn remove(vault: &Vault, user: &UserId, id: &MediaId) -> anyhow::Result<()> {
    for _ in 0..MAX_CONFLICTS {
        let Some(media) = vault.catalog.media(user, id).await? else { return Ok(()) };
        let near = gather(vault, &media, None).await?;
        let rewrites = near.rearranged(id, media.placed, None);
        let (head, item, counts) = (near.head, Item::Removed(id.clone()), near.counts);
        let change = TimelineChange { head, item, rewrites, counts, said: vec![], unsaid: vec![] };
        if vault.timelines.change(user, change).await? == Written::Yes {
            return Ok(());
        }
    }
    bail!("other changes of the timeline came first {MAX_CONFLICTS} times")
}
