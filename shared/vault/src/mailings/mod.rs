//! Mailings: what leaves by users' channels, one message per user, channel and batch.
//!
//! Tellers add to an open mailing in the transaction that writes the digest. Before the mailing is there, a message that names it is sent,
//! to come when it is due: no moment is without one. Whoever receives that message claims the mailing, which seals it, and sends it.
//!
//! At most once: what was claimed is sent again only where the channel's receiver can tell (a webhook has the mailing's id), or where it
//! is known that the channel did not take it. So of a sender that dies nobody knows whether it sent, and the mailing is called
//! unknown; the inbox has all of it. Each channel has mailings and messages of its own: none waits for another.

mod mailing;

use std::{collections::BTreeSet, sync::Arc};

use photovault_domain::{Channel, Medium, Notice, Preferences, Stage, UserId};

pub(crate) use self::mailing::Addition;
pub use self::mailing::{Claim, Delivery, Mailing, MailingEnd, NOTICE_TITLE};
use self::mailing::{MAX_ATTEMPTS, Next, mailing_key, partition};
use crate::{
    Mutant, Names,
    catalog::{MAX_CONFLICTS, overtaken},
    jobs::queue_url,
    mutated,
    rows::{row_of, value_at, value_of},
    seams::{Answer, Clock, Expect, Notifier, Outgoing, Queue, RowKey, SeamResult, Table, Write, Written},
};

/// The least time between a mailing's message and its receipt: whoever sent it and was to write the mailing is past its time-out then.
/// A test compares it with the template.
pub const ANNOUNCED_BEFORE_S: u32 = 60;
/// The longest delay of a message (SQS).
const MAX_DELAY_S: i64 = 900;

/// What came of a mailing's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// There is nothing left to do for this message.
    Done,
    /// The channel did not take it, for this reason: the message is to come again.
    Again(String),
}

/// What users want to be told, and what is on its way to them.
#[derive(Clone)]
pub struct Mailings {
    table: Arc<dyn Table>,
    queue: Arc<dyn Queue>,
    notifier: Arc<dyn Notifier>,
    clock: Arc<dyn Clock>,
    names: Arc<Names>,
}

impl Mailings {
    pub(crate) fn new(
        table: Arc<dyn Table>,
        queue: Arc<dyn Queue>,
        notifier: Arc<dyn Notifier>,
        clock: Arc<dyn Clock>,
        names: Arc<Names>,
    ) -> Self {
        Self { table, queue, notifier, clock, names }
    }

    /// What a user wants; the usual, where it has said nothing.
    pub async fn preferences(&self, user: &UserId) -> SeamResult<Preferences> {
        Ok(value_at(&*self.table, &preferences_key(user)).await?.unwrap_or_default())
    }

    /// Keeps what a user wants, if nobody has changed it since it was read.
    pub async fn prefer(&self, user: &UserId, wants: &Preferences) -> SeamResult<Written> {
        let next = Preferences { version: wants.version + 1, ..wants.clone() };
        self.table.put(row_of(&next, preferences_key(user)), Expect::read(wants.version)).await
    }

    /// The latest mailings of a user, the latest first.
    pub async fn latest(&self, user: &UserId, limit: u32) -> SeamResult<Vec<Mailing>> {
        // Behind every time.
        self.table.rows_before(&partition(user), "A", limit).await?.iter().map(|row| value_of(row)).collect()
    }

    /// Sends something now, without a mailing: to try a channel.
    pub async fn try_channel(&self, channel: &Channel, notice: &Notice) -> SeamResult<Answer> {
        self.notifier.send(&self.names.post, channel, notice).await
    }

    /// The writes that add what is new to the user's open mailings. The messages of those that are new have gone out by then;
    /// `announced` knows them.
    pub(crate) async fn add(
        &self,
        user: &UserId,
        wants: Option<&Preferences>,
        addition: &Addition,
        announced: &mut BTreeSet<Delivery>,
    ) -> SeamResult<Vec<Write>> {
        let mut writes = Vec::new();
        let Some(wants) = wants else { return Ok(writes) };
        let addition = addition.of(&wants.tell);
        let media = wants.channels.iter().map(Channel::medium).chain(self.names.topic.as_ref().map(|_| Medium::Topic));
        for medium in media.filter(|_| !addition.is_empty()) {
            let mut mailing = self.open(user, wants, medium).await?;
            if mailing.version == 0 && announced.insert(mailing.delivery.clone()) && !mutated(Mutant::MailingUnannounced) {
                self.announce(&mailing.delivery, i64::from(ANNOUNCED_BEFORE_S)).await?;
            }
            let read = mailing.version;
            mailing.add(&addition);
            writes.push(Write::Put(row_of(&mailing, mailing_key(&mailing.delivery)), Expect::read(read)));
        }
        Ok(writes)
    }

    /// The next mailing that nobody has begun to send.
    async fn open(&self, user: &UserId, wants: &Preferences, medium: Medium) -> SeamResult<Mailing> {
        let mut due = wants.due(self.clock.now());
        for _ in 0..MAX_CONFLICTS {
            let delivery = Delivery { user: user.clone(), medium, due };
            let mailing = self.read(&delivery).await?.unwrap_or_else(|| Mailing::new(&delivery));
            if !mailing.is_sealed() {
                return Ok(mailing);
            }
            due = wants.due(due);
        }
        Err(overtaken(format!("mailing to {user}")))
    }

    /// Does what a mailing's message asks for; `message` is the queue's id of it.
    pub async fn deliver(&self, delivery: &Delivery, message: &str) -> SeamResult<Delivered> {
        for _ in 0..MAX_CONFLICTS {
            // Where there is none, whoever was to write it did not come to it.
            let Some(mailing) = self.read(delivery).await? else { return Ok(Delivered::Done) };
            let now = self.clock.now();
            let claimed = Mailing {
                claim: Some(Claim { by: message.to_owned(), at: now }),
                attempts: mailing.attempts + 1,
                version: mailing.version + 1,
                ..mailing.clone()
            };
            match mailing.next(message, now) {
                Next::Nothing => return Ok(Delivered::Done),
                Next::Later => {
                    self.announce(delivery, 1).await?;
                    return Ok(Delivered::Done);
                }
                Next::GiveUp => {
                    let why = "its sender ended without an answer".to_owned();
                    if self.end(&mailing, MailingEnd::Unknown(why)).await? == Written::Yes {
                        return Ok(Delivered::Done);
                    }
                }
                Next::Send => {
                    if mutated(Mutant::SendsBeforeClaim) {
                        let _ = self.send(&claimed).await;
                    }
                    if mutated(Mutant::PublishUnclaimed) || self.write(&claimed, mailing.version).await? == Written::Yes {
                        return self.send_claimed(&claimed).await;
                    }
                }
            }
        }
        Err(overtaken(format!("mailing to {}", delivery.user)))
    }

    /// Sends what this message has claimed, and writes down what came of it. Where another took over meanwhile, that one's word stands.
    async fn send_claimed(&self, mailing: &Mailing) -> SeamResult<Delivered> {
        let again_is_safe = mailing.delivery.medium.tells_apart();
        let (end, again) = match self.send(mailing).await {
            Ok(Answer::Taken) => (MailingEnd::Sent, false),
            Ok(Answer::Refused(why)) => (MailingEnd::Refused(why), false),
            Ok(Answer::NotTaken(why)) => (MailingEnd::Refused(why), true),
            Err(error) if again_is_safe => (MailingEnd::Refused(error.to_string()), true),
            Err(error) => (MailingEnd::Unknown(error.to_string()), false),
        };
        match end {
            MailingEnd::Refused(why) if again && mailing.attempts < MAX_ATTEMPTS => {
                let freed = Mailing { claim: None, version: mailing.version + 1, ..mailing.clone() };
                self.write(&freed, mailing.version).await?;
                Ok(Delivered::Again(why))
            }
            end => {
                self.end(mailing, end).await?;
                Ok(Delivered::Done)
            }
        }
    }

    async fn send(&self, mailing: &Mailing) -> SeamResult<Answer> {
        let medium = mailing.delivery.medium;
        let channel = match (medium, &self.names.topic) {
            (Medium::Topic, Some(arn)) => Some(Channel::Topic { arn: arn.clone() }),
            _ => self.preferences(&mailing.delivery.user).await?.channel(medium).cloned(),
        };
        match channel {
            Some(channel) => self.notifier.send(&self.names.post, &channel, &mailing.notice()).await,
            None => Ok(Answer::Refused(format!("{medium} is not set any more"))),
        }
    }

    /// Lets a mailing's message come when it is due, after so many seconds at least.
    async fn announce(&self, delivery: &Delivery, least_s: i64) -> SeamResult<()> {
        let until = delivery.due.since(self.clock.now()).div_ceil(1000);
        let delay_s = i64::try_from(until).unwrap_or(MAX_DELAY_S).clamp(least_s, MAX_DELAY_S) as u32;
        let body = serde_json::to_string(delivery).expect("a delivery is plain data");
        let url = queue_url(&self.names, Stage::Notify.name())?;
        self.queue.send(url, vec![Outgoing { body, delay_s, group: None }]).await
    }

    async fn end(&self, mailing: &Mailing, end: MailingEnd) -> SeamResult<Written> {
        let ended = Some((end, self.clock.now()));
        let next = Mailing { claim: None, ended, version: mailing.version + 1, ..mailing.clone() };
        self.write(&next, mailing.version).await
    }

    async fn write(&self, mailing: &Mailing, read: u64) -> SeamResult<Written> {
        self.table.put(row_of(mailing, mailing_key(&mailing.delivery)), Expect::read(read)).await
    }

    async fn read(&self, delivery: &Delivery) -> SeamResult<Option<Mailing>> {
        value_at(&*self.table, &mailing_key(delivery)).await
    }
}

fn preferences_key(user: &UserId) -> RowKey {
    RowKey { pk: format!("U#{user}"), sk: "preferences".to_owned() }
}
