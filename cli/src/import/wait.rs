//! Waits until every file has reached an end, by asking for the items by their ids: never by scanning, and gently.

use std::{collections::BTreeMap, time::Duration};

use futures::future::join_all;
use photovault_domain::{Media, MediaId, Stage, Status, UserId};
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};

use super::{
    link::Link,
    report::{Outcome, Progress},
    upload::{Fate, Uploaded},
    walk::Found,
};

/// Items that are asked for at once: enough to follow a fast machine, few enough not to slow it down.
const AT_ONCE: usize = 10;
const TICK: Duration = Duration::from_millis(120);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// After so long without an item, validation may have failed for good: its dead letters are looked at, this often.
const NO_ITEM_AFTER: Duration = Duration::from_secs(10);

/// A file whose item has not ended.
struct Pending {
    id: MediaId,
    since: Instant,
    due: Instant,
    pause: Duration,
    sent: bool,
    seen: bool,
}

/// Follows the uploads until each has ended, or nothing has moved for `patience`; tells `report` of each.
pub(crate) struct Waiter<'a> {
    pub(crate) link: &'a Link,
    pub(crate) user: &'a UserId,
    pub(crate) files: &'a [Found],
    pub(crate) patience: Duration,
    /// Whether to wait for the functions at all.
    pub(crate) wait: bool,
    pub(crate) progress: &'a Progress,
}

impl Waiter<'_> {
    /// Runs until the uploads are over and all of them have ended. An outcome is given for every file.
    pub(crate) async fn run(&self, mut uploads: UnboundedReceiver<Uploaded>, mut report: impl FnMut(Outcome)) {
        let mut pending: BTreeMap<usize, Pending> = BTreeMap::new();
        let mut moved = Instant::now();
        let mut letters_due = Instant::now() + NO_ITEM_AFTER;
        let mut open = true;
        while open || !pending.is_empty() {
            let arrived = if pending.is_empty() {
                uploads.recv().await
            } else {
                // A tick passes when nothing arrives.
                tokio::time::timeout(TICK, uploads.recv()).await.unwrap_or_else(|_| uploads.try_recv().ok())
            };
            open = open && !(arrived.is_none() && uploads.is_closed() && uploads.is_empty());
            for uploaded in arrived.into_iter().chain(std::iter::from_fn(|| uploads.try_recv().ok())) {
                moved = Instant::now();
                self.take(uploaded, &mut pending, &mut report);
            }
            if self.poll(&mut pending, &mut report).await {
                moved = Instant::now();
            }
            if Instant::now() >= letters_due {
                letters_due = Instant::now() + NO_ITEM_AFTER;
                self.dead_uploads(&mut pending, &mut report).await;
            }
            if !open && moved.elapsed() > self.patience {
                let why = format!(
                    "nothing has moved for {} s: `photovault show` and `photovault dlq ls` say more",
                    self.patience.as_secs()
                );
                for (index, item) in std::mem::take(&mut pending) {
                    report(self.outcome(index, Some(item.id), "processing", Some(why.clone()), item.sent, false));
                }
            }
            if !open && !pending.is_empty() {
                tokio::time::sleep(TICK).await;
            }
        }
    }

    fn take(&self, uploaded: Uploaded, pending: &mut BTreeMap<usize, Pending>, report: &mut impl FnMut(Outcome)) {
        let Uploaded { index, fate } = uploaded;
        let (id, known, sent) = match fate {
            Fate::Sent(id) => (id, None, true),
            Fate::Known(id, media) => (id, media, false),
            Fate::Refused(reason) => return report(self.outcome(index, None, "rejected", Some(reason), false, true)),
            Fate::Broken(reason) => return report(self.outcome(index, None, "failed", Some(reason), false, false)),
        };
        if let Some(media) = known.filter(|media| media.status() != Status::Processing) {
            return report(self.ended(index, &media, sent));
        }
        if !self.wait {
            return report(self.outcome(index, Some(id), "processing", None, sent, true));
        }
        let now = Instant::now();
        let item = Pending { id, since: now, due: now + FIRST_PAUSE, pause: FIRST_PAUSE, sent, seen: false };
        pending.insert(index, item);
    }

    /// Asks for the items that are due, in the order in which they were sent. Whether one of them moved.
    async fn poll(&self, pending: &mut BTreeMap<usize, Pending>, report: &mut impl FnMut(Outcome)) -> bool {
        let now = Instant::now();
        let due: Vec<(usize, MediaId)> = pending
            .iter()
            .filter(|(_, item)| item.due <= now)
            .take(AT_ONCE)
            .map(|(index, item)| (*index, item.id.clone()))
            .collect();
        let asked = due.iter().map(|(_, id)| {
            self.link.ask(0, move |reached| {
                let user = self.user;
                async move { reached.vault.catalog.media(user, id).await }
            })
        });
        let mut moved = false;
        for ((index, _), answer) in due.iter().zip(join_all(asked).await) {
            let Some(item) = pending.get_mut(index) else { continue };
            match answer {
                Ok(Some(media)) if media.status() != Status::Processing => {
                    report(self.ended(*index, &media, item.sent));
                    pending.remove(index);
                    moved = true;
                }
                Ok(media) => {
                    moved |= media.is_some() && !item.seen;
                    item.seen |= media.is_some();
                    item.pause = (item.pause * 3 / 2).min(LONGEST_PAUSE);
                    item.due = Instant::now() + item.pause;
                }
                Err(error) => {
                    report(self.outcome(
                        *index,
                        Some(item.id.clone()),
                        "processing",
                        Some(format!("{error:#}")),
                        item.sent,
                        false,
                    ));
                    pending.remove(index);
                }
            }
        }
        moved
    }

    /// An upload whose validation died has no item of its bytes: its dead letter says which it was.
    async fn dead_uploads(&self, pending: &mut BTreeMap<usize, Pending>, report: &mut impl FnMut(Outcome)) {
        if !pending.values().any(|item| item.sent && !item.seen && item.since.elapsed() > NO_ITEM_AFTER) {
            return;
        }
        let page =
            self.link.ask(0, |reached| async move { reached.vault.letters.list(Stage::Validate.name(), None, 1000).await });
        let Ok(page) = page.await else { return };
        for letter in page.items.iter().rev().filter(|letter| letter.user.as_ref() == Some(self.user)) {
            let sent = pending.iter().find(|(index, item)| item.sent && !item.seen && self.files[**index].name == letter.name);
            if let Some(index) = sent.map(|(index, _)| *index) {
                report(self.outcome(index, letter.media.clone(), "failed", Some(letter.reason.clone()), true, true));
                pending.remove(&index);
            }
        }
    }

    fn ended(&self, index: usize, media: &Media, sent: bool) -> Outcome {
        let reason = media.reason().map(ToOwned::to_owned);
        self.outcome(index, Some(media.id.clone()), media.status().as_str(), reason, sent, true)
    }

    fn outcome(
        &self,
        index: usize,
        media: Option<MediaId>,
        status: &'static str,
        reason: Option<String>,
        sent: bool,
        ended: bool,
    ) -> Outcome {
        self.progress.ended();
        let path = self.files[index].path.display().to_string();
        Outcome { path, media, status, reason, sent, size_bytes: self.files[index].size_bytes, ended }
    }
}
