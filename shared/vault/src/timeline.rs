//! Timelines: a user's items in the order in which they were taken, and where moments begin among them.
//!
//! What is decided about one item depends on its neighbours, so two writers at once could both be right and together wrong. Every change
//! of a timeline is therefore one transaction, with the item itself in it, on the condition that nobody has changed that timeline since it
//! was read: its head counts the changes. A worker that was overtaken changes nothing.

use std::sync::Arc;

use photovault_domain::{Boundary, Edit, Media, MediaId, Placed, Rewrite, UserId, UtcMs, timeline_key};
use photovault_insight::bases::{Count, Presence};
use serde::{Deserialize, Serialize};

use crate::{
    Mutant, Page,
    catalog::{media_key, row_of_media},
    mutated,
    rows::{each_row, row_of, sort_key, value_at, value_of},
    seams::{Clock, Expect, RowKey, SeamResult, Table, Write, Written},
};

/// Neighbours that are read before and behind a place: the nearest may be the item itself, at the place that it leaves.
const NEIGHBOURS: u32 = 2;

/// Items that one request of a longer reading takes: of a part of a timeline, and of all of it.
const PAGE: u32 = 200;
const LONG_PAGE: u32 = 2000;

/// Behind every place: they begin with a digit or a minus.
const BEHIND: &str = ":";

/// Counts of photos by place and day that one request lists.
const COUNTS: u32 = 1000;

/// The partition of users who said something, and how many of them one request lists.
const EDITED: &str = "EDITED";
const USERS: u32 = 1000;

/// What is known of a user's timeline as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Whether somebody edited it: there is no need to look for edits otherwise.
    #[serde(default)]
    pub edited: bool,
    /// Counts the changes.
    pub version: u64,
}

/// Where a moment begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// At which item.
    pub media: MediaId,
    /// When that was taken.
    pub at: UtcMs,
    /// Why.
    pub why: Boundary,
}

impl Beginning {
    /// Its place in the timeline.
    pub fn key(&self) -> String {
        timeline_key(self.at, &self.media)
    }
}

/// What becomes of the item whose place changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// It is written, over the version that it has.
    Written(Box<Media>),
    /// It is removed.
    Removed(MediaId),
    /// It stays as it is.
    Left,
}

/// A change of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineChange {
    /// What it was decided from.
    pub head: Head,
    /// What becomes of the item.
    pub item: Item,
    /// What becomes of places.
    pub rewrites: Vec<Rewrite>,
    /// What becomes of counts by place and day, by their names.
    pub counts: Vec<(String, Count)>,
    /// What is said from now on.
    pub said: Vec<Edit>,
    /// What is said no more.
    pub unsaid: Vec<Edit>,
}

/// The users' timelines.
#[derive(Clone)]
pub struct Timelines {
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
}

impl Timelines {
    pub(crate) fn new(table: Arc<dyn Table>, clock: Arc<dyn Clock>) -> Self {
        Self { table, clock }
    }

    /// A timeline's head: to be read before anything else that a change is decided from.
    pub async fn head(&self, user: &UserId) -> SeamResult<Head> {
        Ok(value_at(&*self.table, &head_key(user)).await?.unwrap_or_default())
    }

    /// The items nearest to a place, two before and two behind.
    pub async fn around(&self, user: &UserId, key: &str) -> SeamResult<Vec<Placed>> {
        let pk = timeline(user);
        let before = self.table.rows_before(&pk, key, NEIGHBOURS).await?;
        let behind = self.table.rows(&pk, "", Some(key), NEIGHBOURS).await?.items;
        before.iter().chain(&behind).map(|row| value_of(row)).collect()
    }

    /// What stands at a place.
    pub async fn placed(&self, user: &UserId, key: &str) -> SeamResult<Option<Placed>> {
        value_at(&*self.table, &row_key(timeline(user), key)).await
    }

    /// The photos of one place and month; none where nothing is counted.
    pub async fn count(&self, user: &UserId, name: &str) -> SeamResult<Count> {
        Ok(value_at(&*self.table, &row_key(counts(user), name)).await?.unwrap_or_default())
    }

    /// Where a user was on which days: a row for each place and month, as they are counted photo by photo.
    pub async fn presence(&self, user: &UserId) -> SeamResult<Presence> {
        let mut found = Vec::new();
        each_row(&*self.table, &counts(user), "", None, COUNTS, |row| {
            found.push((sort_key(row).to_owned(), value_of(row)?));
            Ok(())
        })
        .await?;
        Ok(found.into_iter().collect())
    }

    /// What was said last up to an instant, at most so many times.
    pub async fn said(&self, user: &UserId, until: UtcMs, limit: u32) -> SeamResult<Vec<Edit>> {
        let before = UtcMs(until.0 + 1).sort_key();
        let rows = self.table.rows_before(&edits(user), &before, limit).await?;
        rows.iter().map(|row| value_of::<EditRow>(row).map(|row| row.edit)).collect()
    }

    /// Makes a change: all of it, or nothing where another came first.
    pub async fn change(&self, user: &UserId, change: TimelineChange) -> SeamResult<Written> {
        let TimelineChange { head, item, rewrites, counts: counted, said, unsaid } = change;
        let mut writes = Vec::new();
        match item {
            Item::Written(mut media) => {
                let expect = Expect::Version(media.version);
                media.version += 1;
                media.updated = self.clock.now();
                writes.push(Write::Put(row_of_media(&media), expect));
            }
            Item::Removed(id) => writes.push(Write::Remove(media_key(user, &id))),
            Item::Left => {}
        }
        let edited = head.edited || !said.is_empty();
        writes.push(head_write(user, &Head { edited, version: head.version + 1 }));
        for rewrite in &rewrites {
            add(&mut writes, user, rewrite);
        }
        // The head's condition holds for these too: nobody changes them without it.
        writes.extend(counted.into_iter().map(|(name, count)| {
            let key = row_key(counts(user), &name);
            if count.is_empty() { Write::Remove(key) } else { Write::Set(row_of(&count, key)) }
        }));
        let edit_key = |edit: &Edit| RowKey { pk: edits(user), sk: edit.key() };
        let replaced = |edit: &&Edit| said.iter().any(|other| other.key() == edit.key());
        writes.extend(unsaid.iter().filter(|edit| !replaced(edit)).map(|edit| Write::Remove(edit_key(edit))));
        if !(said.is_empty() && unsaid.is_empty()) {
            // What a backup asks for: who said something, and up to which change.
            let edited = Edited { version: head.version + 1 };
            writes.push(Write::Set(row_of(&edited, RowKey { pk: EDITED.to_owned(), sk: user.to_string() })));
        }
        writes.extend(said.iter().map(|edit| Write::Set(row_of(&EditRow { edit: *edit }, edit_key(edit)))));
        self.table.put_all(writes).await
    }

    /// Every user who said something, with the version of the timeline that the last of it made.
    pub async fn edited(&self) -> SeamResult<Vec<(UserId, u64)>> {
        let mut found = Vec::new();
        each_row(&*self.table, EDITED, "", None, USERS, |row| {
            found.extend(sort_key(row).parse().ok().zip(Some(value_of::<Edited>(row)?.version)));
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Items of a timeline in order, after a place, at most `limit`.
    pub async fn items(&self, user: &UserId, after: Option<&str>, limit: u32) -> SeamResult<Page<Placed>> {
        let page = self.table.rows(&timeline(user), "", after, limit).await?;
        Ok(Page { items: page.items.iter().map(|row| value_of(row)).collect::<SeamResult<_>>()?, next: page.next })
    }

    /// Items of a timeline, the latest first, from before a place, or from its end; at most `limit`.
    pub async fn latest(&self, user: &UserId, before: Option<&str>, limit: u32) -> SeamResult<Vec<Placed>> {
        let rows = self.table.rows_before(&timeline(user), before.unwrap_or(BEHIND), limit).await?;
        rows.iter().map(|row| value_of(row)).collect()
    }

    /// Items of a timeline in order, from one instant to before another; of all time where neither is named, which looks through the
    /// library, as only a command may.
    pub async fn between(&self, user: &UserId, from: Option<UtcMs>, until: Option<UtcMs>) -> SeamResult<Vec<Placed>> {
        let (mut found, mut after) = (Vec::new(), from.map(UtcMs::sort_key));
        let limit = if until.is_some() { PAGE } else { LONG_PAGE };
        loop {
            let page = self.items(user, after.as_deref(), limit).await?;
            let past = |placed: &Placed| until.is_some_and(|until| placed.taken.at >= until);
            let is_over = page.items.iter().any(past);
            found.extend(page.items.into_iter().filter(|placed| !past(placed)));
            after = page.next;
            if after.is_none() || is_over {
                return Ok(found);
            }
        }
    }

    /// Where the latest moments begin, the latest first, at most `limit`.
    pub async fn latest_beginnings(&self, user: &UserId, limit: u32) -> SeamResult<Vec<Beginning>> {
        let rows = self.table.rows_before(&beginnings(user), BEHIND, limit).await?;
        rows.iter().map(|row| value_of(row)).collect()
    }

    /// Where moments begin, in order, after a place, at most `limit`.
    pub async fn beginnings(&self, user: &UserId, after: Option<&str>, limit: u32) -> SeamResult<Page<Beginning>> {
        let page = self.table.rows(&beginnings(user), "", after, limit).await?;
        Ok(Page { items: page.items.iter().map(|row| value_of(row)).collect::<SeamResult<_>>()?, next: page.next })
    }
}

/// That somebody said something.
#[derive(Serialize, Deserialize)]
struct Edited {
    version: u64,
}

/// What was said, in a row.
#[derive(Serialize, Deserialize)]
struct EditRow {
    edit: Edit,
}

fn head_write(user: &UserId, next: &Head) -> Write {
    let row = row_of(next, head_key(user));
    match next.version - 1 {
        _ if mutated(Mutant::TimelineUnguarded) => Write::Set(row),
        0 => Write::Put(row, Expect::Absent),
        version => Write::Put(row, Expect::Version(version)),
    }
}

fn add(writes: &mut Vec<Write>, user: &UserId, rewrite: &Rewrite) {
    let Rewrite { key, after, began } = rewrite;
    let (line, list) = (row_key(timeline(user), key), row_key(beginnings(user), key));
    let Some(placed) = after else {
        writes.extend([Write::Remove(line), Write::Remove(list)]);
        return;
    };
    writes.push(Write::Set(row_of(placed, line)));
    match placed.begins {
        Some(why) => {
            let beginning = Beginning { media: placed.media.clone(), at: placed.taken.at, why };
            writes.push(Write::Set(row_of(&beginning, list)));
        }
        None if *began => writes.push(Write::Remove(list)),
        None => {}
    }
}

fn row_key(pk: String, sk: &str) -> RowKey {
    RowKey { pk, sk: sk.to_owned() }
}

fn head_key(user: &UserId) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: "timeline".into() }
}

fn timeline(user: &UserId) -> String {
    format!("U#{user}#T")
}

fn beginnings(user: &UserId) -> String {
    format!("U#{user}#B")
}

fn counts(user: &UserId) -> String {
    format!("U#{user}#H")
}

fn edits(user: &UserId) -> String {
    format!("U#{user}#J")
}
