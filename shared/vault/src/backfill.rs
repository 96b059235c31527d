//! Backfills: a stage's work done again on every item where it was done by another recipe than today's.
//!
//! A backfill walks a user's items in the order of their ids, which are hashes: its beginning is a random sample, and that is its canary. It asks
//! for the stage on the item itself ([`Media::refresh`]), and the stream does the rest. Where it has got to stands in the catalog and is
//! written after what it has asked for: who is killed between comes past the same items again, and none of them is stale any more.

use std::{collections::BTreeMap, sync::Arc};

use photovault_domain::{Media, MediaId, Recipe, Stage, State, UserId, UtcMs};
use serde::{Deserialize, Serialize};

use crate::{
    Catalog, Change, MEDIA_PREFIX,
    rows::{row_of, value_at},
    seams::{Expect, RowKey, SeamResult, Table, Written},
};

/// Items of a canary at most: where none of so many failed, fewer than 2 in 100 would.
pub const CANARY_MOST: u64 = 200;
/// Items that are read at once.
const PAGE: u32 = 100;

/// How far a backfill has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It asks for the first items.
    Canary,
    /// It waits until these have ended.
    Waiting,
    /// It asks for the others.
    Running,
    /// It has come past all items.
    Done,
}

/// A backfill of one stage for one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// Whose items.
    pub user: UserId,
    /// Which stage.
    pub stage: Stage,
    /// What is made by anything else is stale.
    pub recipe: Recipe,
    /// Which items, as it was typed; empty: all.
    #[serde(default)]
    pub filter: String,
    /// The last item that it has come past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<MediaId>,
    /// Items that it has come past.
    pub looked_at: u64,
    /// Items that it has asked for.
    pub asked: u64,
    /// Items that were stale when it began, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// Items of its canary.
    pub canary: u64,
    /// The canary's items, with how the stage had ended on them.
    #[serde(default)]
    pub watched: BTreeMap<MediaId, State>,
    /// How far it has come.
    pub phase: Phase,
    /// Why it stands still, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// When it began.
    pub begun: UtcMs,
    /// Counts the writes.
    pub version: u64,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It asked for so many items.
    Asked(u64),
    /// Somebody else has changed the backfill since it was read: paused it, or works on it.
    Overtaken,
}

/// What became of a canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// So many have not ended.
    Open(u64),
    /// All ended as well as before.
    Good,
    /// So many ended worse than before; one of them for this reason.
    Bad(u64, String),
}

impl Backfill {
    /// One that has not begun; `canary` items are done first.
    pub fn new(user: UserId, stage: Stage, recipe: Recipe, canary: u64, begun: UtcMs) -> Self {
        Self {
            user,
            stage,
            recipe,
            filter: String::new(),
            place: None,
            looked_at: 0,
            asked: 0,
            expected: None,
            canary,
            watched: BTreeMap::new(),
            phase: if canary > 0 { Phase::Canary } else { Phase::Running },
            paused: None,
            begun,
            version: 0,
        }
    }

    /// How many items may be asked for now, of `room` that there is.
    fn room(&self, room: u64) -> u64 {
        match self.phase {
            Phase::Canary => room.min(self.canary - self.asked.min(self.canary)),
            Phase::Running => room,
            Phase::Waiting | Phase::Done => 0,
        }
    }

    fn come_past(&mut self, media: &MediaId) {
        self.place = Some(media.clone());
        self.looked_at += 1;
    }

    fn note_asked(&mut self, media: &MediaId, before: State) {
        self.asked += 1;
        if self.phase == Phase::Canary {
            self.watched.insert(media.clone(), before);
            if self.asked >= self.canary {
                self.phase = Phase::Waiting;
            }
        }
    }
}

/// The backfills that there are.
#[derive(Clone)]
pub struct Backfills {
    table: Arc<dyn Table>,
}

impl Backfills {
    pub(crate) fn new(table: Arc<dyn Table>) -> Self {
        Self { table }
    }

    /// The latest backfill of a stage.
    pub async fn read(&self, user: &UserId, stage: Stage) -> SeamResult<Option<Backfill>> {
        value_at(&*self.table, &key(user, stage)).await
    }

    /// Writes it over the version that it has; a new one over nothing or over `replaced`.
    pub async fn write(&self, backfill: &mut Backfill, replaced: Option<u64>) -> SeamResult<Written> {
        let version = replaced.unwrap_or(backfill.version);
        let next = Backfill { version: version + 1, ..backfill.clone() };
        let row = row_of(&next, key(&backfill.user, backfill.stage));
        let written = self.table.put(row, Expect::read(version)).await?;
        if written == Written::Yes {
            *backfill = next;
        }
        Ok(written)
    }

    /// Comes past a page of items, asks for as many of those that are stale and wanted as there is room for, and writes down where it has got to.
    pub async fn step(
        &self,
        catalog: &Catalog,
        backfill: &mut Backfill,
        wanted: &(dyn Fn(&Media) -> bool + Sync),
        room: u64,
    ) -> SeamResult<Step> {
        let after = backfill.place.as_ref().map(|id| format!("{MEDIA_PREFIX}{id}"));
        let page = catalog.list(&backfill.user, "", after.as_deref(), PAGE).await?;
        let mut next = backfill.clone();
        let (mut asked, mut is_whole) = (0, true);
        let (stage, recipe) = (backfill.stage, backfill.recipe.clone());
        let is_due = |media: &Media| {
            let stays = !media.is_put_away();
            stays && media.is_stale(stage, &recipe) && wanted(media)
        };
        for media in page.items {
            let id = media.id.clone();
            if is_due(&media) {
                if next.room(room - asked) == 0 {
                    is_whole = false;
                    break;
                }
                let before = media.ledger[&stage].state;
                let mut did = false;
                let ask = |item: Option<Media>| {
                    did = false;
                    let Some(mut item) = item.filter(is_due) else { return Change::Leave };
                    did = item.refresh(stage, &recipe);
                    Change::Put(item)
                };
                catalog.change_from(media, ask).await?;
                if did {
                    asked += 1;
                    next.note_asked(&id, before);
                }
            }
            next.come_past(&id);
        }
        if is_whole && page.next.is_none() {
            next.phase = if next.watched.is_empty() { Phase::Done } else { Phase::Waiting };
        }
        let written = self.write(&mut next, None).await?;
        if written == Written::Conflict {
            return Ok(Step::Overtaken);
        }
        *backfill = next;
        Ok(Step::Asked(asked))
    }

    /// What became of a canary so far.
    pub async fn verdict(&self, catalog: &Catalog, backfill: &Backfill) -> SeamResult<Verdict> {
        let (mut open, mut worse, mut why) = (0, 0, String::new());
        for (id, before) in &backfill.watched {
            // What was removed has an end as well.
            let Some(media) = catalog.media(&backfill.user, id).await? else { continue };
            let Some(entry) = media.ledger.get(&backfill.stage) else { continue };
            let is_worse = entry.state == State::Failed || (entry.state == State::Rejected && *before == State::Done);
            open += u64::from(!entry.state.is_final());
            worse += u64::from(is_worse);
            if is_worse && why.is_empty() {
                why = entry.reason.clone().unwrap_or_default();
            }
        }
        Ok(match (open, worse) {
            (_, 1..) => Verdict::Bad(worse, why),
            (0, 0) => Verdict::Good,
            _ => Verdict::Open(open),
        })
    }
}

fn key(user: &UserId, stage: Stage) -> RowKey {
    RowKey { pk: "BACKFILL".into(), sk: format!("{user}#{stage}") }
}
