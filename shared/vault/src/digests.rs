//! Digests: what users are told, one inbox item per user and window.
//!
//! A digest is keyed by the window in which its items ended, and telling of the same item twice is the same digest: exactly once in the
//! inbox, without a claim. What is new in it goes to the user's channels too, in the same transaction ([`crate::Mailings`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use photovault_domain::{MediaId, News, Status, UserId, UtcMs};
use serde::{Deserialize, Serialize};

use crate::{
    Mailings, Mutant,
    catalog::{MAX_CONFLICTS, overtaken},
    mailings::Addition,
    mutated,
    rows::{row_of, value_at, value_of},
    seams::{Expect, RowKey, SeamResult, Table, Write, Written},
};

/// How long what happens is gathered into one digest.
pub const DIGEST_WINDOW_MS: i64 = 15_000;

/// What a user is told of one window: what became of uploads, and what else happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Who is told.
    pub user: UserId,
    /// When the window began.
    pub window: UtcMs,
    /// Each item's end.
    pub items: BTreeMap<MediaId, Status>,
    /// The item's version that each end was read from.
    #[serde(default)]
    pub versions: BTreeMap<MediaId, u64>,
    /// News by their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub news: BTreeMap<String, News>,
    /// Counts the writes.
    pub version: u64,
}

impl Digest {
    /// A sentence a line, the first of them as in `3 of your uploads ended: 2 ready, 1 failed.`
    pub fn text(&self) -> String {
        Addition { ends: ends(self.items.values()), news: self.news.values().cloned().collect() }.text()
    }
}

/// The window that an instant falls in.
pub fn window_of(at: UtcMs) -> UtcMs {
    UtcMs(at.0.div_euclid(DIGEST_WINDOW_MS) * DIGEST_WINDOW_MS)
}

/// The users' inboxes.
#[derive(Clone)]
pub struct Digests {
    table: Arc<dyn Table>,
    mailings: Mailings,
}

impl Digests {
    pub(crate) fn new(table: Arc<dyn Table>, mailings: Mailings) -> Self {
        Self { table, mailings }
    }

    /// Writes items' ends into a user's digest of that window, each with the item's version that says so, and news. Writing them
    /// again changes nothing, and what was read earlier never replaces what was read later.
    pub async fn tell(
        &self,
        user: &UserId,
        window: UtcMs,
        items: &[(MediaId, Status, u64)],
        news: &[News],
    ) -> SeamResult<Digest> {
        let (mut wants, mut announced) = (None, BTreeSet::new());
        for _ in 0..MAX_CONFLICTS {
            let current = value_at(&*self.table, &digest_key(user, window)).await?;
            let current = current.unwrap_or_else(|| nothing_told(user, window));
            let (next, addition) = with(&current, items, news);
            if addition.is_empty() {
                return Ok(current);
            }
            if wants.is_none() {
                wants = Some(self.mailings.preferences(user).await?);
            }
            let parts = self.mailings.add(user, wants.as_ref(), &addition, &mut announced).await?;
            let (row, expect) = (row_of(&next, digest_key(user, window)), Expect::read(current.version));
            let written = if parts.is_empty() {
                self.table.put(row, expect).await?
            } else {
                self.table.put_all(parts.into_iter().chain([Write::Put(row, expect)]).collect()).await?
            };
            if written == Written::Yes || mutated(Mutant::BlindDigest) {
                return Ok(next);
            }
        }
        Err(overtaken(format!("digest of {user}")))
    }

    /// A user's digests, oldest first.
    pub async fn list(&self, user: &UserId, after: Option<&str>, limit: u32) -> SeamResult<crate::Page<Digest>> {
        let rows = self.table.rows(&format!("U#{user}"), "I#", after, limit).await?;
        Ok(crate::Page {
            items: rows.items.iter().map(|row| value_of::<Digest>(row)).collect::<SeamResult<_>>()?,
            next: rows.next,
        })
    }
}

/// The digest with these in it, and what of them is new.
fn with(digest: &Digest, items: &[(MediaId, Status, u64)], news: &[News]) -> (Digest, Addition) {
    let (mut next, mut addition) = (digest.clone(), Addition::default());
    for (id, status, version) in items {
        let newer = next.versions.get(id).is_none_or(|told| told < version);
        if newer && next.items.get(id) != Some(status) {
            next.items.insert(id.clone(), *status);
            next.versions.insert(id.clone(), *version);
            *addition.ends.entry(*status).or_default() += 1;
        }
    }
    for item in news {
        if next.news.insert(item.key.clone(), item.clone()).is_none() {
            addition.news.push(item.clone());
        }
    }
    next.version += 1;
    (next, addition)
}

fn ends<'a>(items: impl IntoIterator<Item = &'a Status>) -> BTreeMap<Status, u64> {
    let mut ends = BTreeMap::new();
    for status in items {
        *ends.entry(*status).or_default() += 1;
    }
    ends
}

fn nothing_told(user: &UserId, window: UtcMs) -> Digest {
    Digest { user: user.clone(), window, items: BTreeMap::new(), versions: BTreeMap::new(), news: BTreeMap::new(), version: 0 }
}

fn digest_key(user: &UserId, window: UtcMs) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: format!("I#{}", window.sort_key()) }
}
