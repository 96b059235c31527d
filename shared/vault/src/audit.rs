//! The audit log: what was removed from the vault or healed in it, when, why and by whom. Lines are added and never changed.

use std::sync::Arc;

use photovault_domain::{Media, MediaId, UserId, UtcMs};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::{
    Page,
    rows::{row_of, sort_key, value_of},
    seams::{Expect, Row, RowKey, SeamResult, Table},
};

/// The log's partition.
const LOG: &str = "AUDIT";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// An item was in the trash for longer than its time: it went, with its original.
    TrashEmptied,
    /// A refused upload was held for longer than its time: it went, with its bytes.
    QuarantineEmptied,
    /// Derivatives that another recipe has replaced went.
    StaleDerivativesRemoved,
    /// Derivatives of no item went.
    OrphansRemoved,
    /// What was left of an upload whose bytes are kept went.
    UploadRemoved,
    /// An original that was missing or damaged was copied back from the backup.
    OriginalHealed,
    /// An original is missing or damaged, and the backup does not have it as it was.
    OriginalLost,
}

impl Deed {
    /// In plain words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::TrashEmptied => "items in the trash past their time",
            Self::QuarantineEmptied => "refused uploads past their time",
            Self::StaleDerivativesRemoved => "derivatives of old recipes",
            Self::OrphansRemoved => "derivatives of no item",
            Self::UploadRemoved => "uploads whose bytes are kept",
            Self::OriginalHealed => "damaged originals, healed",
            Self::OriginalLost => "damaged originals, lost",
        }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: UtcMs,
    /// What.
    pub deed: Deed,
    /// Who: a function or a person.
    pub by: String,
    /// Whose it was.
    pub user: UserId,
    /// Of which item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaId>,
    /// What its owner called it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The objects.
    pub keys: Vec<String>,
}

impl AuditEntry {
    /// What is done to an item's objects.
    pub fn of(media: &Media, deed: Deed, by: &str, keys: Vec<String>, at: UtcMs) -> Self {
        let (user, name) = (media.user.clone(), media.name().to_owned());
        Self { at, deed, by: by.to_owned(), user, media: Some(media.id.clone()), name, keys }
    }

    /// Its row. One moment and one first object have one line: who writes it twice writes it once.
    pub(crate) fn row(&self) -> Row {
        let about = hex::encode(&sha2::Sha256::digest(self.keys.first().map_or("", String::as_str))[..8]);
        row_of(self, RowKey { pk: LOG.to_owned(), sk: format!("{}#{about}", self.at.sort_key()) })
    }
}

/// The log.
#[derive(Clone)]
pub struct Audit {
    table: Arc<dyn Table>,
}

impl Audit {
    pub(crate) fn new(table: Arc<dyn Table>) -> Self {
        Self { table }
    }

    /// Adds a line: before what it tells of is done.
    pub async fn add(&self, entry: &AuditEntry) -> SeamResult<()> {
        self.table.put(entry.row(), Expect::Absent).await.map(|_| ())
    }

    /// The latest lines, the latest first.
    pub async fn latest(&self, limit: u32) -> SeamResult<Vec<AuditEntry>> {
        // Behind every line: they begin with a digit or a minus.
        self.table.rows_before(LOG, ":", limit).await?.iter().map(|row| value_of(row)).collect()
    }

    /// Lines in the order of their times, each with its place, after a place, at most `limit`.
    pub async fn list(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<(String, AuditEntry)>> {
        let page = self.table.rows(LOG, "", after, limit).await?;
        let items = page.items.iter().map(|row| Ok((sort_key(row).to_owned(), value_of(row)?))).collect::<SeamResult<_>>()?;
        Ok(Page { items, next: page.next })
    }
}
