//! One mailing: what goes to one channel of a user at one time, as a row of the catalog, and what may happen to it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use photovault_domain::{Medium, News, Notice, Status, Subject, UserId, UtcMs};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::{Mutant, mutated, seams::RowKey};

/// News that one mailing spells out.
const MAX_NEWS: usize = 20;
/// Attempts to send a mailing.
pub(super) const MAX_ATTEMPTS: u32 = 5;
/// A claim that no message ends, because the one that made it is a dead letter, is over after this: far past any time-out, and any
/// difference of two clocks.
const CLAIM_STANDS_MS: u64 = 3_600_000;
/// What every message to a channel is called.
pub const NOTICE_TITLE: &str = "Your photo vault";

/// The message that a mailing is sent by: the body of a message in notify's queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delivery {
    /// To whom.
    pub user: UserId,
    /// By which channel.
    pub medium: Medium,
    /// When.
    pub due: UtcMs,
}

/// What is new in a digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addition {
    pub(crate) ends: BTreeMap<Status, u64>,
    pub(crate) news: Vec<News>,
}

impl Addition {
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.news.is_empty()
    }

    /// What somebody wants to know of it.
    pub(super) fn of(&self, tell: &BTreeSet<Subject>) -> Self {
        let ends = self.ends.iter().filter(|(end, _)| tell.contains(&Subject::of(**end)));
        let news = self.news.iter().filter(|news| tell.contains(&news.about));
        Self { ends: ends.map(|(end, count)| (*end, *count)).collect(), news: news.cloned().collect() }
    }

    pub(crate) fn text(&self) -> String {
        let news: Vec<String> = self.news.iter().map(|news| news.text.clone()).collect();
        text(&self.ends, &news, 0)
    }
}

/// Who sends a mailing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The queue's id of the message.
    pub by: String,
    /// When, by that one's clock.
    pub at: UtcMs,
}

/// How a mailing ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "why", rename_all = "lowercase")]
pub enum MailingEnd {
    /// The channel took it.
    Sent,
    /// The channel will never take it, or did not for too long.
    Refused(String),
    /// It may have been sent, and the channel's receiver could not tell a second one from the first.
    Unknown(String),
}

/// What goes to one channel of a user at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailing {
    /// Its message.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// How many uploads came to which end.
    pub ends: BTreeMap<Status, u64>,
    /// What else there is to say.
    pub news: Vec<String>,
    /// News that are not spelled out.
    #[serde(default)]
    pub more_news: u64,
    /// Who sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// Attempts to send it.
    pub attempts: u32,
    /// How it ended, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(MailingEnd, UtcMs)>,
    /// Counts the writes.
    pub version: u64,
}

/// What is to be done with a mailing by whoever has its message in hand.
pub(super) enum Next {
    /// Nothing: it has ended, or another message is at it.
    Nothing,
    /// Its time has not come.
    Later,
    /// Send it.
    Send,
    /// Its sender is past its time-out, and nobody may send it again.
    GiveUp,
}

impl Mailing {
    pub(super) fn new(delivery: &Delivery) -> Self {
        Self {
            delivery: delivery.clone(),
            ends: BTreeMap::new(),
            news: Vec::new(),
            more_news: 0,
            claim: None,
            attempts: 0,
            ended: None,
            version: 0,
        }
    }

    /// Whether it is too late to add to it.
    pub(super) fn is_sealed(&self) -> bool {
        self.attempts > 0 && !mutated(Mutant::SealedIsAddedTo)
    }

    pub(super) fn add(&mut self, addition: &Addition) {
        for (end, count) in &addition.ends {
            *self.ends.entry(*end).or_default() += count;
        }
        let room = MAX_NEWS - self.news.len();
        self.news.extend(addition.news.iter().take(room).map(|news| news.text.clone()));
        self.more_news += addition.news.len().saturating_sub(room) as u64;
        self.version += 1;
    }

    /// What the message with this id is to do with it now.
    ///
    /// A message that finds its own claim was received before, and comes again when its visibility is over: whoever had it is past the
    /// function's time-out. So no clock of ours says when a claim is over. Where a queue delivers a message twice at once, a mailing is
    /// called unknown that was sent; it is not sent twice.
    pub(super) fn next(&self, message: &str, now: UtcMs) -> Next {
        if self.ended.is_some() {
            return Next::Nothing;
        }
        let over = |claim: &Claim| claim.by == message || now.since(claim.at) > CLAIM_STANDS_MS;
        match &self.claim {
            None if now < self.delivery.due && self.attempts == 0 => Next::Later,
            None => Next::Send,
            Some(claim) if !over(claim) || mutated(Mutant::ClaimNeverEnds) => Next::Nothing,
            Some(_) if self.delivery.medium.tells_apart() || mutated(Mutant::UnknownIsSentAgain) => Next::Send,
            Some(_) => Next::GiveUp,
        }
    }

    /// What is sent.
    pub fn notice(&self) -> Notice {
        let Delivery { user, due, .. } = &self.delivery;
        Notice {
            id: self.id(),
            user: user.clone(),
            title: NOTICE_TITLE.to_owned(),
            text: text(&self.ends, &self.news, self.more_news),
            ends: self.ends.clone(),
            at: *due,
        }
    }

    /// Names it to the outside without saying whose it is.
    pub fn id(&self) -> String {
        let Delivery { user, medium, due } = &self.delivery;
        let hash = sha2::Sha256::digest(format!("{user}\n{medium}\n{}", due.0));
        format!("msg_{}", hex::encode(&hash[..16]))
    }
}

/// A sentence a line.
fn text(ends: &BTreeMap<Status, u64>, news: &[String], more_news: u64) -> String {
    let all: u64 = ends.values().sum();
    let parts: Vec<String> = ends.iter().map(|(end, count)| format!("{count} {}", end.as_str())).collect();
    let uploads = (all > 0).then(|| format!("{all} of your uploads ended: {}.", parts.join(", ")));
    let more = (more_news > 0).then(|| format!("And {more_news} more in your inbox."));
    uploads.into_iter().chain(news.iter().cloned()).chain(more).collect::<Vec<_>>().join("\n")
}

pub(super) fn partition(user: &UserId) -> String {
    format!("U#{user}#C")
}

/// In order of time.
pub(super) fn mailing_key(delivery: &Delivery) -> RowKey {
    RowKey { pk: partition(&delivery.user), sk: format!("{}#{}", delivery.due.sort_key(), delivery.medium) }
}
