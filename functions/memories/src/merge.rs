//! Duplicates become one item, and several again. The others go to the trash; what was said of them is joined to the one that is kept.

use anyhow::{Context as _, ensure};
use photovault_domain::{Media, MediaId, Merge, UserId};
use photovault_vault::{Change, Vault};

use crate::{put_in_trash, restore};

/// Keeps one of several items of a user. `names` says whether the others show the same people in the same places. What ends half way is
/// ended by the same call, or undone.
pub async fn merge(vault: &Vault, user: &UserId, best: &MediaId, others: &[MediaId], names: bool) -> anyhow::Result<()> {
    let kept = vault.catalog.media(user, best).await?.with_context(|| format!("there is no item {best}"))?;
    ensure!(!kept.is_put_away(), "{} is in the trash", kept.name());
    let mut known = Vec::new();
    for other in others {
        known.push(vault.catalog.media(user, other).await?.with_context(|| format!("there is no item {other}"))?);
    }
    // Before anything else: what is done can be undone from here on.
    let line = Merge { best: best.clone(), others: others.to_vec(), before: kept.joined.clone() };
    vault.merges.add(user, line).await?;
    let known: Vec<&Media> = known.iter().collect();
    let join = |item: Option<Media>| match item {
        Some(mut item) => {
            item.join(&known, names);
            Change::Put(item)
        }
        None => Change::Leave,
    };
    vault.catalog.change_seen(user, best, Some(kept), join).await?;
    for other in others {
        put_in_trash(vault, user, other).await?;
    }
    Ok(())
}

/// What came of undoing.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// What is undone.
    pub merge: Merge,
    /// Those that came back; who has left the vault does not.
    pub back: Vec<MediaId>,
}

/// Undoes the latest merge of a user that is not undone; `None` where there is none.
pub async fn undo_merge(vault: &Vault, user: &UserId) -> anyhow::Result<Option<Undone>> {
    let Some((key, merge)) = vault.merges.last(user).await? else { return Ok(None) };
    let mut back = Vec::new();
    for other in &merge.others {
        restore(vault, user, other).await?;
        let item = vault.catalog.media(user, other).await?;
        back.extend(item.filter(|item| !item.is_put_away()).map(|item| item.id));
    }
    let unjoin = |item: Option<Media>| match item {
        Some(mut item) if item.joined != merge.before => {
            item.unjoin(merge.before.clone());
            Change::Put(item)
        }
        _ => Change::Leave,
    };
    vault.catalog.change(user, &merge.best, unjoin).await?;
    vault.merges.take_back(user, &key).await?;
    Ok(Some(Undone { merge, back }))
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Entry, Facet, Facts, Stage, State};
    use photovault_sim::{Fabric, Fault};

    use super::*;
    use crate::tests::{describe, id, place, user};

    async fn item(vault: &Vault, number: u32) -> Media {
        vault.catalog.media(&user(), &id(number)).await.unwrap().unwrap()
    }

    /// Three copies of one photo in the timeline, the second with stars and a caption.
    async fn copies(vault: &Vault) {
        for number in 0..3 {
            describe(vault, number, 10, None).await;
            place(vault, number, 1).await;
        }
        let said = |item: Option<Media>| {
            let mut media = item.unwrap();
            let facts = media.facts.as_mut().unwrap();
            (facts.rating, facts.description) = (Some(4), Some("At the beach".to_owned()));
            Change::Put(media)
        };
        vault.catalog.change(&user(), &id(1), said).await.unwrap();
    }

    async fn placed(vault: &Vault) -> usize {
        vault.timelines.items(&user(), None, 10).await.unwrap().items.len()
    }

    /// What the stages do that are asked for.
    async fn work(vault: &Vault, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let again = |item: Option<Media>| {
                let mut media = item.unwrap();
                if media.ledger[&Stage::Metadata].state == State::Done {
                    return Change::Leave;
                }
                let own = Facts { captured: media.facts.as_ref().unwrap().captured.clone(), ..Facts::default() };
                let done = Entry { state: State::Done, ..Entry::pending(Stage::Metadata.recipe()) };
                media.record(Stage::Metadata, done, Some(Facet::Facts(Box::new(own))));
                Change::Put(media)
            };
            vault.catalog.change(&user(), &id(number), again).await.unwrap();
            place(vault, number, 1).await;
        }
    }

    #[tokio::test]
    async fn a_merge_loses_nothing_and_is_undone_whatever_call_fails() {
        let mut calls = 0;
        loop {
            let fabric = Fabric::default();
            let vault = fabric.vault();
            copies(&vault).await;
            let before = [item(&vault, 0).await.facts, item(&vault, 1).await.facts];
            let fault = if calls % 2 == 0 { Fault::Before } else { Fault::After };
            fabric.world().faults = std::iter::repeat_n(None, calls).chain([Some(fault)]).collect();
            let others = [id(1), id(2)];
            let was_interrupted = merge(&vault, &user(), &id(0), &others, true).await.is_err();
            fabric.world().faults.clear();
            merge(&vault, &user(), &id(0), &others, true).await.unwrap();
            let kept = item(&vault, 0).await;
            let facts = kept.facts.unwrap();
            assert_eq!((facts.rating, facts.description.as_deref()), (Some(4), Some("At the beach")));
            assert!(item(&vault, 1).await.trashed.is_some() && item(&vault, 2).await.trashed.is_some());
            assert_eq!(placed(&vault).await, 1);

            fabric.world().faults = std::iter::repeat_n(None, calls).chain([Some(fault)]).collect();
            let mut undone = 0;
            while !matches!(undo_merge(&vault, &user()).await, Ok(None)) {
                undone += 1;
                assert!(undone < 5, "call {calls}");
            }
            fabric.world().faults.clear();
            work(&vault, 0..3).await;
            assert_eq!(item(&vault, 0).await.facts, before[0], "call {calls}");
            assert_eq!((item(&vault, 1).await.facts, placed(&vault).await), (before[1].clone(), 3), "call {calls}");
            if !was_interrupted {
                break;
            }
            calls += 1;
        }
        assert!(calls > 8, "{calls} calls were interrupted");
    }
}
