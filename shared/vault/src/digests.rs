//! Digests: what an owner is told, one inbox item per user and window.
//!
//! A digest is keyed by the window in which its items ended, and telling of the same item twice is the same digest:
//! no claim is needed for the inbox. A topic has no such key, so publishing is claimed on the digest first.

use std::{collections::BTreeMap, sync::Arc};

use photovault_domain::{MediaId, Status, UserId, UtcMs};
use serde::{Deserialize, Serialize};

use crate::{
    Names,
    rows::{row_of, value_of},
    seams::{Clock, Expect, Notifier, RowKey, SeamError, SeamResult, Table, Written},
};

/// How long what happens is gathered into one digest.
pub const DIGEST_WINDOW_MS: i64 = 15_000;

/// How often a digest is decided again when another writer came first.
const MAX_CONFLICTS: u32 = 20;

/// What became of a user's uploads within one window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Who is told.
    pub user: UserId,
    /// When the window began.
    pub window: UtcMs,
    /// Each item's end.
    pub items: BTreeMap<MediaId, Status>,
    /// When publishing was claimed; at most one message goes out per digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<UtcMs>,
    /// Counts the writes.
    pub version: u64,
}

impl Digest {
    /// `12 photos are ready, 1 failed.`
    pub fn text(&self) -> String {
        let count = |status: Status| self.items.values().filter(|item| **item == status).count();
        let parts: Vec<String> = [Status::Ready, Status::Rejected, Status::Quarantined, Status::Failed]
            .into_iter()
            .filter(|status| count(*status) > 0)
            .map(|status| format!("{} {}", count(status), status.as_str()))
            .collect();
        format!("{} of your uploads ended: {}.", self.items.len(), parts.join(", "))
    }
}

/// The window that an instant falls in.
pub fn window_of(at: UtcMs) -> UtcMs {
    UtcMs(at.0.div_euclid(DIGEST_WINDOW_MS) * DIGEST_WINDOW_MS)
}

/// The users' inboxes and the topic.
#[derive(Clone)]
pub struct Digests {
    table: Arc<dyn Table>,
    notifier: Arc<dyn Notifier>,
    clock: Arc<dyn Clock>,
    names: Arc<Names>,
}

impl Digests {
    pub(crate) fn new(table: Arc<dyn Table>, notifier: Arc<dyn Notifier>, clock: Arc<dyn Clock>, names: Arc<Names>) -> Self {
        Self { table, notifier, clock, names }
    }

    /// Writes items' ends into a user's digest of that window. Writing them again changes nothing.
    pub async fn tell(&self, user: &UserId, window: UtcMs, items: &[(MediaId, Status)]) -> SeamResult<Digest> {
        self.change(user, window, |digest| {
            let mut next = digest.clone();
            next.items.extend(items.iter().cloned());
            (next.items != digest.items).then_some(next)
        })
        .await
    }

    /// Publishes a digest to the topic, if there is one and nobody has claimed it. At most once.
    pub async fn publish(&self, digest: &Digest) -> SeamResult<()> {
        let Some(topic) = &self.names.topic else { return Ok(()) };
        if digest.published.is_some() {
            return Ok(());
        }
        let claimed = Digest { published: Some(self.clock.now()), version: digest.version + 1, ..digest.clone() };
        match self.table.put(row_of(&claimed, digest_key(&digest.user, digest.window)), Expect::Version(digest.version)).await? {
            Written::Yes => self.notifier.publish(topic, "Your photo vault", &claimed.text()).await,
            Written::Conflict => Ok(()),
        }
    }

    /// A user's digests, oldest first.
    pub async fn list(&self, user: &UserId, after: Option<&str>, limit: u32) -> SeamResult<crate::Page<Digest>> {
        let rows = self.table.rows(&format!("U#{user}"), "I#", after, limit).await?;
        Ok(crate::Page { items: rows.items.into_iter().map(value_of::<Digest>).collect::<SeamResult<_>>()?, next: rows.next })
    }

    async fn change(
        &self,
        user: &UserId,
        window: UtcMs,
        decide: impl Fn(&Digest) -> Option<Digest> + Send,
    ) -> SeamResult<Digest> {
        for _ in 0..MAX_CONFLICTS {
            let current = self.table.row(&digest_key(user, window)).await?.map(value_of::<Digest>).transpose()?;
            let expect = current.as_ref().map_or(Expect::Absent, |digest| Expect::Version(digest.version));
            let empty = || Digest { user: user.clone(), window, items: BTreeMap::new(), published: None, version: 0 };
            let current = current.unwrap_or_else(empty);
            let Some(mut next) = decide(&current) else { return Ok(current) };
            next.version = current.version + 1;
            if self.table.put(row_of(&next, digest_key(user, window)), expect).await? == Written::Yes {
                return Ok(next);
            }
        }
        Err(SeamError { asked: format!("digest of {user}"), answer: format!("other writers came first {MAX_CONFLICTS} times") })
    }
}

fn digest_key(user: &UserId, window: UtcMs) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: format!("I#{}", window.sort_key()) }
}
