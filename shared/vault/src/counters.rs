//! Counters: what a user's items count for, kept up to date from the catalog's stream, each change once.
//!
//! A stream brings a change at least once. Therefore what an item has counted for stands in a row beside it, and a change of counters is
//! one transaction: that row, the counters, and their head, which counts the changes. Whoever sees an older version of the item than was
//! counted passes it over (so the row stays when the item goes); who was overtaken reads anew. So it does not matter how often, in which batches, or by how many readers
//! a change is seen, and what was lost is made up for when the item is seen again.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::try_join_all;
use photovault_domain::{Counted, Counts, Group, Media, MediaId, Stage, Tally, UserId};

use crate::{
    Page, Vault,
    catalog::{MAX_CONFLICTS, overtaken},
    rows::{each_row, row_of, sort_key, value_at, value_of},
    seams::{Expect, Row, RowKey, SeamResult, Table, Write, Written},
};

/// Items that are counted in one transaction, unless their counters are too many rows.
const TOGETHER: usize = 25;
/// Rows that one transaction has at most (DynamoDB).
const MAX_WRITES: usize = 100;
/// Rows that one page has.
const PAGE: u32 = 200;

/// The users' counters.
#[derive(Clone)]
pub struct Counters {
    table: Arc<dyn Table>,
}

/// One transaction that is to be.
#[derive(Default)]
struct Change {
    tally: Tally,
    writes: Vec<Write>,
}

impl Counters {
    pub(crate) fn new(table: Arc<dyn Table>) -> Self {
        Self { table }
    }

    /// Counts what was seen of a user's items, in the order in which it happened.
    pub async fn count(&self, user: &UserId, seen: &[(MediaId, Counted)]) -> SeamResult<()> {
        let mut by_item: BTreeMap<&MediaId, Vec<&Counted>> = BTreeMap::new();
        for (id, seen) in seen {
            by_item.entry(id).or_default().push(seen);
        }
        let items: Vec<_> = by_item.into_iter().collect();
        let mut open: Vec<&[(&MediaId, Vec<&Counted>)]> = items.chunks(TOGETHER).rev().collect();
        let mut conflicts = 0;
        while let Some(part) = open.pop() {
            let head = self.table.row(&counters_key(user, &Group::Now)).await?;
            let change = self.gather(user, part).await?;
            if change.writes.is_empty() {
                continue;
            }
            // The head and each row of counters.
            if part.len() > 1 && change.writes.len() + change.tally.groups.len() + 1 > MAX_WRITES {
                let (left, right) = part.split_at(part.len().div_ceil(2));
                open.extend([right, left]);
                continue;
            }
            if self.apply(user, head.as_deref(), change).await? == Written::Conflict {
                conflicts += 1;
                if conflicts > MAX_CONFLICTS {
                    return Err(overtaken(format!("counters of {user}")));
                }
                open.push(part);
            }
        }
        Ok(())
    }

    /// What the items counted for and count for now.
    async fn gather(&self, user: &UserId, part: &[(&MediaId, Vec<&Counted>)]) -> SeamResult<Change> {
        let known = try_join_all(part.iter().map(|(id, _)| self.counted(user, id))).await?;
        let mut change = Change::default();
        for ((id, seen), before) in part.iter().zip(known) {
            let (mut now, mut tally) = (before.clone(), Tally::default());
            for next in seen {
                if now.as_ref().is_none_or(|now| now.place() <= next.place()) {
                    tally.add_all(&Tally::of_change(now.as_ref(), Some(next)));
                    now = Some((*next).clone());
                }
            }
            // It may count for what it counted for before, and something has happened between.
            let counts = |now: &Counted| !tally.groups.is_empty() || before.as_ref().is_none_or(|before| !before.is_same(now));
            if let Some(now) = now.filter(counts) {
                change.writes.push(Write::Set(row_of(&now, item_key(user, id))));
                change.tally.add_all(&tally);
            }
        }
        Ok(change)
    }

    async fn apply(&self, user: &UserId, head: Option<&Row>, change: Change) -> SeamResult<Written> {
        let Change { mut tally, mut writes } = change;
        let mut now: Counts = head.map(value_of).transpose()?.unwrap_or_default();
        let expect = Expect::read(now.version);
        add(&mut now, &tally.groups.remove(&Group::Now).unwrap_or_default());
        now.version += 1;
        writes.push(Write::Put(row_of(&now, counters_key(user, &Group::Now)), expect));
        // The head's condition holds for these too: nobody changes them without it.
        let rows = try_join_all(tally.groups.iter().map(|(group, amounts)| async move {
            let key = counters_key(user, group);
            let mut counts: Counts = value_at(&*self.table, &key).await?.unwrap_or_default();
            add(&mut counts, amounts);
            SeamResult::Ok(if counts.counts.is_empty() { Write::Remove(key) } else { Write::Set(row_of(&counts, key)) })
        }));
        writes.extend(rows.await?);
        self.table.put_all(writes).await
    }

    async fn counted(&self, user: &UserId, id: &MediaId) -> SeamResult<Option<Counted>> {
        value_at(&*self.table, &item_key(user, id)).await
    }

    /// What there is now, and what was spent in all.
    pub async fn now(&self, user: &UserId) -> SeamResult<Counts> {
        Ok(value_at(&*self.table, &counters_key(user, &Group::Now)).await?.unwrap_or_default())
    }

    /// What came and ended in the hours from `hour` on, in order. Hours in which nothing happened are left out.
    pub async fn hours(&self, user: &UserId, hour: i64) -> SeamResult<Vec<(i64, Counts)>> {
        let first = Group::Hour(hour - 1).key();
        let hour_of = |group, counts| if let Group::Hour(hour) = group { Some((hour, counts)) } else { None };
        let groups = self.groups(user, "hour#", Some(first)).await?;
        Ok(groups.into_iter().filter_map(|(group, counts)| hour_of(group, counts)).collect())
    }

    /// Why stages ended badly, with how many items, the most frequent first.
    pub async fn reasons(&self, user: &UserId) -> SeamResult<Vec<(Stage, String, u64)>> {
        let reason = |(group, counts): (Group, Counts)| match group {
            Group::Why(stage, why) => Some((stage, why, counts.count("items"))),
            _ => None,
        };
        let mut reasons: Vec<_> = self.groups(user, "why#", None).await?.into_iter().filter_map(reason).collect();
        reasons.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (a.0, &a.1).cmp(&(b.0, &b.1))));
        Ok(reasons)
    }

    async fn groups(&self, user: &UserId, prefix: &str, after: Option<String>) -> SeamResult<Vec<(Group, Counts)>> {
        let mut found = Vec::new();
        each_row(&*self.table, &format!("A#{user}"), prefix, after, PAGE, |row| {
            found.extend(Group::of_key(sort_key(row)).zip(Some(value_of(row)?)));
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// What items counted for, by id, after `after` (the `next` of the page before).
    async fn page(&self, user: &UserId, after: Option<&str>) -> SeamResult<Page<(MediaId, Counted)>> {
        let page = self.table.rows(&items_of(user), "", after, PAGE).await?;
        let mut items = Vec::new();
        for row in &page.items {
            let id = sort_key(row).parse().ok();
            items.extend(id.zip(Some(value_of::<Counted>(row)?)));
        }
        Ok(Page { items, next: page.next })
    }
}

/// Counts all of a user's items anew: what the stream lost, or what was there before there were counters. Gives how many items there are.
///
/// It reads the whole library, as no function does.
pub async fn recount(vault: &Vault, user: &UserId) -> SeamResult<u64> {
    let (mut items, mut after) = (0, None::<String>);
    loop {
        let page = vault.catalog.list(user, "", after.as_deref(), PAGE).await?;
        let seen: Vec<_> = page.items.iter().map(|media: &Media| (media.id.clone(), Counted::of(media))).collect();
        vault.counters.count(user, &seen).await?;
        items += seen.len() as u64;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    loop {
        let page = vault.counters.page(user, after.as_deref()).await?;
        for (id, counted) in page.items.into_iter().filter(|(_, counted)| !counted.gone) {
            if vault.catalog.media(user, &id).await?.is_none() {
                vault.counters.count(user, &[(id, counted.removed())]).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(items);
        }
    }
}

fn add(counts: &mut Counts, amounts: &BTreeMap<String, i64>) {
    for (name, amount) in amounts {
        *counts.counts.entry(name.clone()).or_default() += amount;
    }
    counts.counts.retain(|_, amount| *amount != 0);
}

fn counters_key(user: &UserId, group: &Group) -> RowKey {
    RowKey { pk: format!("A#{user}"), sk: group.key() }
}

fn items_of(user: &UserId) -> String {
    format!("A#{user}#I")
}

/// No sort key of these begins as an item's does: the stream's readers want those alone.
fn item_key(user: &UserId, id: &MediaId) -> RowKey {
    RowKey { pk: items_of(user), sk: id.to_string() }
}
