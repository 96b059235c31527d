//! Digests: what an owner is told, one inbox item per user and window.
//!
//! A digest is keyed by the window in which its items ended, and telling of the same item twice is the same digest:
//! no claim is needed for the inbox. A topic has no such key, so publishing is claimed on the digest first.
//!
//! A claim ends although its holder may die with no time left, and although no two clocks agree: before it is written, a
//! message that names it is sent with the lease as its delay. The queue's clock alone runs, and whoever receives that
//! message while the claim still stands knows that its holder is past its time-out, and takes over.

use std::{collections::BTreeMap, sync::Arc};

use photovault_domain::{MediaId, Stage, Status, UserId, UtcMs};
use serde::{Deserialize, Serialize};

use crate::{
    Mutant, Names,
    jobs::queue_url,
    mutated,
    rows::{row_of, value_at, value_of},
    seams::{Clock, Expect, Notifier, Outgoing, Queue, RowKey, SeamError, SeamResult, Table, Written},
};

/// How long what happens is gathered into one digest.
pub const DIGEST_WINDOW_MS: i64 = 15_000;

/// How long a claim holds: past notify's time-out, and not more than a minute past it; a test compares it with the template.
pub const PUBLISH_LEASE_S: u32 = 60;

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
    /// The item's version that each end was read from.
    #[serde(default)]
    pub versions: BTreeMap<MediaId, u64>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<UtcMs>,
    /// Who is publishing it: a random word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
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

/// The message that ends a claim: the body of a message in notify's own queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Whose digest.
    pub user: UserId,
    /// Which.
    pub window: UtcMs,
    /// The claim that is over if it still stands.
    pub claim: String,
}

/// The window that an instant falls in.
pub fn window_of(at: UtcMs) -> UtcMs {
    UtcMs(at.0.div_euclid(DIGEST_WINDOW_MS) * DIGEST_WINDOW_MS)
}

/// The users' inboxes and the topic.
#[derive(Clone)]
pub struct Digests {
    table: Arc<dyn Table>,
    queue: Arc<dyn Queue>,
    notifier: Arc<dyn Notifier>,
    clock: Arc<dyn Clock>,
    names: Arc<Names>,
}

impl Digests {
    pub(crate) fn new(
        table: Arc<dyn Table>,
        queue: Arc<dyn Queue>,
        notifier: Arc<dyn Notifier>,
        clock: Arc<dyn Clock>,
        names: Arc<Names>,
    ) -> Self {
        Self { table, queue, notifier, clock, names }
    }

    /// Writes items' ends into a user's digest of that window, each with the item's version that says so. Writing them
    /// again changes nothing, and what was read earlier never replaces what was read later.
    pub async fn tell(&self, user: &UserId, window: UtcMs, items: &[(MediaId, Status, u64)]) -> SeamResult<Digest> {
        self.change(user, window, |digest| {
            let mut next = digest.clone();
            for (id, status, version) in items {
                let newer = next.versions.get(id).is_none_or(|told| told < version);
                if newer && next.items.get(id) != Some(status) {
                    next.items.insert(id.clone(), *status);
                    next.versions.insert(id.clone(), *version);
                }
            }
            (next.items != digest.items).then_some(next)
        })
        .await
    }

    /// Publishes a digest to the topic, if there is one and nobody is at it.
    pub async fn publish(&self, digest: &Digest) -> SeamResult<()> {
        self.claim_and_publish(&digest.user, digest.window, Some(digest.clone()), None).await
    }

    /// Publishes a digest whose publisher died: nothing to do where it did not.
    pub async fn take_over(&self, lease: &Lease) -> SeamResult<()> {
        self.claim_and_publish(&lease.user, lease.window, None, Some(&lease.claim)).await
    }

    /// `over` is the claim that is over. Published once, unless a holder dies between publishing and writing so down.
    async fn claim_and_publish(
        &self,
        user: &UserId,
        window: UtcMs,
        mut current: Option<Digest>,
        over: Option<&str>,
    ) -> SeamResult<()> {
        let Some(topic) = &self.names.topic else { return Ok(()) };
        if let (Some(digest), true) = (&current, mutated(Mutant::PublishUnclaimed)) {
            return self.notifier.publish(topic, "Your photo vault", &digest.text()).await;
        }
        let claim = format!("{:016x}", self.clock.random());
        let mut timed = false;
        for _ in 0..MAX_CONFLICTS {
            let digest = match current.take() {
                Some(digest) => digest,
                None => match self.read(user, window).await? {
                    Some(digest) => digest,
                    None => return Ok(()),
                },
            };
            let free = if over.is_some() { digest.claim.as_deref() == over } else { digest.claim.is_none() };
            if digest.published.is_some() || !free {
                return Ok(());
            }
            if !timed && !mutated(Mutant::LeaseNeverEnds) {
                self.start_lease(&digest, &claim).await?;
                timed = true;
            }
            let claimed = Digest { claim: Some(claim.clone()), version: digest.version + 1, ..digest.clone() };
            let expect = Expect::Version(digest.version);
            if self.table.put(row_of(&claimed, digest_key(user, window)), expect).await? == Written::Yes {
                self.notifier.publish(topic, "Your photo vault", &claimed.text()).await?;
                return self.published(user, window, &claim).await;
            }
        }
        Err(too_many_conflicts(user))
    }

    /// The message that ends the claim goes out before the claim is there: no moment is without one.
    async fn start_lease(&self, digest: &Digest, claim: &str) -> SeamResult<()> {
        let lease = Lease { user: digest.user.clone(), window: digest.window, claim: claim.to_owned() };
        let body = serde_json::to_string(&lease).expect("a lease is plain data");
        let url = queue_url(&self.names, Stage::Notify.name())?;
        self.queue.send(url, vec![Outgoing { body, delay_s: PUBLISH_LEASE_S, group: None }]).await
    }

    async fn published(&self, user: &UserId, window: UtcMs, claim: &str) -> SeamResult<()> {
        let now = self.clock.now();
        let mark = |digest: &Digest| {
            let own = digest.claim.as_deref() == Some(claim);
            own.then(|| Digest { published: Some(now), claim: None, ..digest.clone() })
        };
        self.change(user, window, mark).await.map(|_| ())
    }

    async fn read(&self, user: &UserId, window: UtcMs) -> SeamResult<Option<Digest>> {
        value_at(&*self.table, &digest_key(user, window)).await
    }

    /// A user's digests, oldest first.
    pub async fn list(&self, user: &UserId, after: Option<&str>, limit: u32) -> SeamResult<crate::Page<Digest>> {
        let rows = self.table.rows(&format!("U#{user}"), "I#", after, limit).await?;
        Ok(crate::Page {
            items: rows.items.iter().map(|row| value_of::<Digest>(row)).collect::<SeamResult<_>>()?,
            next: rows.next,
        })
    }

    async fn change(
        &self,
        user: &UserId,
        window: UtcMs,
        decide: impl Fn(&Digest) -> Option<Digest> + Send,
    ) -> SeamResult<Digest> {
        for _ in 0..MAX_CONFLICTS {
            let current = self.read(user, window).await?;
            let expect = current.as_ref().map_or(Expect::Absent, |digest| Expect::Version(digest.version));
            let empty = || Digest {
                user: user.clone(),
                window,
                items: BTreeMap::new(),
                versions: BTreeMap::new(),
                published: None,
                claim: None,
                version: 0,
            };
            let current = current.unwrap_or_else(empty);
            let Some(mut next) = decide(&current) else { return Ok(current) };
            next.version = current.version + 1;
            let written = self.table.put(row_of(&next, digest_key(user, window)), expect).await?;
            if written == Written::Yes || mutated(Mutant::BlindDigest) {
                return Ok(next);
            }
        }
        Err(too_many_conflicts(user))
    }
}

fn too_many_conflicts(user: &UserId) -> SeamError {
    SeamError { asked: format!("digest of {user}"), answer: format!("other writers came first {MAX_CONFLICTS} times") }
}

fn digest_key(user: &UserId, window: UtcMs) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: format!("I#{}", window.sort_key()) }
}
