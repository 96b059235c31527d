//! The catalog: media items, each written whole and only over the version that the change was decided from.

use std::{collections::BTreeMap, sync::Arc};

use photovault_domain::{Media, MediaId, Stage, UserId, UtcMs};
use serde::{Deserialize, Serialize};

use crate::{
    AuditEntry, Mutant, Page, mutated,
    rows::{row_of, sort_key, value_at, value_of},
    seams::{Clock, Expect, Row, RowKey, SeamError, SeamResult, Table, Write, Written},
};

/// What every media item's sort key begins with.
pub const MEDIA_PREFIX: &str = "M#";
/// The sparse index's partitions. An item is in one of them, or in none.
const WORK: &str = "work";
const TRASH: &str = "trash";
const SAVE: &str = "save";

/// How often a change is decided again when another writer came first. Who writes one row at once are few.
pub(crate) const MAX_CONFLICTS: u32 = 20;

/// What to do with an item, decided from its current version.
pub enum Change {
    /// Write this.
    Put(Media),
    /// Nothing to do.
    Leave,
}

impl Change {
    /// Asks for a stage again, where the item is there and has anything to ask for.
    pub fn asked_again(item: Option<Media>, stage: Stage) -> Self {
        let Some(mut item) = item else { return Self::Leave };
        if item.retry(stage) { Self::Put(item) } else { Self::Leave }
    }
}

/// How far walks through the vault have come, each by its name: a walk that is not in it begins anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The place of each walk.
    pub places: BTreeMap<String, String>,
    /// Counts the writes.
    pub version: u64,
}

/// Media items.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
}

impl Catalog {
    pub(crate) fn new(table: Arc<dyn Table>, clock: Arc<dyn Clock>) -> Self {
        Self { table, clock }
    }

    /// One item.
    pub async fn media(&self, user: &UserId, id: &MediaId) -> SeamResult<Option<Media>> {
        self.table.row(&media_key(user, id)).await?.as_deref().map(media_of_row).transpose()
    }

    /// Changes one item: `decide` sees its current version, and again when another writer came first.
    ///
    /// Returns the item as it is afterwards. `decide` must be pure: it may run several times.
    pub async fn change(
        &self,
        user: &UserId,
        id: &MediaId,
        mut decide: impl FnMut(Option<Media>) -> Change + Send,
    ) -> SeamResult<Option<Media>> {
        let current = self.media(user, id).await?;
        self.change_seen(user, id, current, &mut decide).await
    }

    /// The same, beginning from what was just read, be it nothing.
    pub async fn change_seen(
        &self,
        user: &UserId,
        id: &MediaId,
        mut current: Option<Media>,
        mut decide: impl FnMut(Option<Media>) -> Change + Send,
    ) -> SeamResult<Option<Media>> {
        for _ in 0..MAX_CONFLICTS {
            if let Some(settled) = self.try_change(current, &mut decide).await? {
                return Ok(settled);
            }
            current = self.media(user, id).await?;
        }
        Err(overtaken(format!("change of item {id}")))
    }

    /// The same, beginning from a version that was just read: one read less when nobody came between.
    pub async fn change_from(
        &self,
        current: Media,
        decide: impl FnMut(Option<Media>) -> Change + Send,
    ) -> SeamResult<Option<Media>> {
        let (user, id) = (current.user.clone(), current.id.clone());
        self.change_seen(&user, &id, Some(current), decide).await
    }

    /// `None` if another writer came first.
    async fn try_change(
        &self,
        current: Option<Media>,
        decide: &mut (impl FnMut(Option<Media>) -> Change + Send),
    ) -> SeamResult<Option<Option<Media>>> {
        let expect = current.as_ref().map_or(Expect::Absent, |media| Expect::Version(media.version));
        let Change::Put(mut next) = decide(current.clone()) else { return Ok(Some(current)) };
        next.version = current.map_or(0, |media| media.version) + u64::from(!mutated(Mutant::VersionStands));
        next.updated = self.clock.now();
        let written = self.table.put(row_of_media(&next), expect).await?;
        if written == Written::Conflict && mutated(Mutant::BlindPut) {
            return self.overwrite(next).await.map(|written| Some(Some(written)));
        }
        Ok((written == Written::Yes || mutated(Mutant::ConflictIsWritten)).then_some(Some(next)))
    }

    /// What [`Mutant::BlindPut`] does; nothing else comes here.
    async fn overwrite(&self, mut next: Media) -> SeamResult<Media> {
        let now = self.media(&next.user, &next.id).await?;
        next.version = now.as_ref().map_or(0, |media| media.version) + 1;
        let expect = now.map_or(Expect::Absent, |media| Expect::Version(media.version));
        self.table.put(row_of_media(&next), expect).await?;
        Ok(next)
    }

    /// Items on which work is left, oldest first, after `after` (the `next` of the page before). Never a scan: a sparse index.
    pub async fn unsettled(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<Media>> {
        self.listed(WORK, after, limit, |media| !media.is_settled()).await
    }

    /// Items in the trash, the longest there first, and before them those that are leaving.
    pub async fn trash(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<Media>> {
        self.listed(TRASH, after, limit, Media::is_put_away).await
    }

    /// Items that have ended and that no backup has as they are, the longest unchanged first.
    pub async fn unsaved(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<Media>> {
        self.listed(SAVE, after, limit, |media| list_of(media).is_some_and(|(list, _)| list == SAVE)).await
    }

    /// Marks an item, as it was read, as saved. Where another writer came first it is not: the next backup saves what that wrote.
    pub async fn mark_saved(&self, media: Media) -> SeamResult<()> {
        let expect = Expect::Version(media.version);
        let version = media.version + 1;
        let next = Media { saved: Some(version), version, ..media };
        self.table.put(row_of_media(&next), expect).await.map(|_| ())
    }

    /// Items of a partition of the sparse index that still belong there: it lags, and an item may have changed or gone meanwhile.
    async fn listed(
        &self,
        list: &str,
        after: Option<&str>,
        limit: u32,
        belongs: impl Fn(&Media) -> bool + Send,
    ) -> SeamResult<Page<Media>> {
        let keys = self.table.work(list, after, limit).await?;
        let mut items = Vec::new();
        for key in &keys.items {
            let media: Option<Media> = self.table.row(key).await?.as_deref().map(media_of_row).transpose()?;
            items.extend(media.filter(|media| belongs(media)));
        }
        Ok(Page { items, next: keys.next })
    }

    /// How far the walks of a function have come.
    pub async fn progress(&self, function: &str) -> SeamResult<Progress> {
        Ok(value_at(&*self.table, &progress_key(function)).await?.unwrap_or_default())
    }

    /// Keeps it. Where another run was faster, its places stand: either set of places is good.
    pub async fn keep_progress(&self, function: &str, progress: &Progress) -> SeamResult<()> {
        let expect = Expect::read(progress.version);
        let next = Progress { version: progress.version + 1, ..progress.clone() };
        self.table.put(row_of(&next, progress_key(function)), expect).await.map(|_| ())
    }

    /// Marks an item, as it was read, as leaving the vault, together with the line in the log that says why: both or, where another
    /// writer came first, neither. There is no way back from here.
    pub async fn let_go(&self, media: Media, entry: &AuditEntry) -> SeamResult<Option<Media>> {
        let expect = Expect::Version(media.version);
        let next = Media { leaving: Some(entry.at), version: media.version + 1, updated: entry.at, ..media };
        let item = if mutated(Mutant::RestoredIsLetGo) {
            Write::Set(row_of_media(&next))
        } else {
            Write::Put(row_of_media(&next), expect)
        };
        let written = self.table.put_all(vec![item, Write::Put(entry.row(), Expect::Absent)]).await?;
        Ok((written == Written::Yes).then_some(next))
    }

    /// Removes an item: a placeholder of an upload that has become an item after all, or one whose files have gone after [`Self::let_go`].
    pub async fn remove(&self, user: &UserId, id: &MediaId) -> SeamResult<()> {
        self.table.remove(&media_key(user, id)).await
    }

    /// A user's items by id, at most `limit` of them, after `after` (the `next` of the page before).
    pub async fn list(&self, user: &UserId, id_prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Media>> {
        let rows = self.table.rows(&format!("U#{user}"), &format!("{MEDIA_PREFIX}{id_prefix}"), after, limit).await?;
        let items = rows.items.iter().map(|row| media_of_row(row)).collect::<SeamResult<_>>()?;
        Ok(Page { items, next: rows.next })
    }
}

/// Where an item stands in the table.
pub fn media_key(user: &UserId, id: &MediaId) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: format!("{MEDIA_PREFIX}{id}") }
}

/// The error of who was overtaken [`MAX_CONFLICTS`] times.
pub(crate) fn overtaken(asked: String) -> SeamError {
    SeamError { asked, answer: format!("other writers came first {MAX_CONFLICTS} times") }
}

fn progress_key(function: &str) -> RowKey {
    RowKey { pk: function.to_uppercase(), sk: "progress".into() }
}

/// An item as a row, with the sparse index's attributes where it is in one of its partitions.
pub fn row_of_media(media: &Media) -> Row {
    let mut row = row_of(media, media_key(&media.user, &media.id));
    if let Some((list, at)) = list_of(media) {
        row.insert("work_pk".into(), list.into());
        row.insert("work_at".into(), at.0.into());
    }
    row
}

/// Where an item stands in the sparse index, and at what time. What is leaving comes before all trash.
fn list_of(media: &Media) -> Option<(&'static str, UtcMs)> {
    match media.trashed {
        _ if media.leaving.is_some() => Some((TRASH, UtcMs(0))),
        _ if !media.is_settled() => Some((WORK, media.created)),
        Some(at) => Some((TRASH, at)),
        // A placeholder has nothing that could be saved.
        None => (media.saved != Some(media.version) && media.sha256.is_some()).then_some((SAVE, media.updated)),
    }
}

/// The item in a row of any kind; `None` where it is another kind's.
pub fn item_of_row(row: &Row) -> SeamResult<Option<Media>> {
    sort_key(row).starts_with(MEDIA_PREFIX).then(|| media_of_row(row)).transpose()
}

/// The item in a row of an item.
pub fn media_of_row(row: &Row) -> SeamResult<Media> {
    value_of(row)
}
