//! What people are told, of what, where, and when: data and pure functions.

mod channel;
mod preferences;
mod quiet;

pub use channel::{Channel, Medium};
pub use preferences::{BATCH_S, BadPreference, Preferences, Subject};
pub use quiet::{QuietHours, Zone};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DAY_MS, Status, UserId, UtcMs, date_of_day};

/// Something that happened beside what became of uploads, and that a user is to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Names it within the user's inbox: the same twice is one.
    pub key: String,
    /// What it is about.
    pub about: Subject,
    /// When it happened: it stands in the inbox there.
    pub at: UtcMs,
    /// A sentence for the user.
    pub text: String,
}

impl News {
    /// News that are told once a day (of UTC) however often they are found.
    pub fn of_day(what: &str, about: Subject, now: UtcMs, text: String) -> Self {
        let day = now.0.div_euclid(DAY_MS);
        Self { key: format!("{what}-{}", date_of_day(day)), about, at: UtcMs(day * DAY_MS), text }
    }
}

/// The body of a message that brings news to `notify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewsOf {
    /// Who is told.
    pub user: UserId,
    /// What.
    pub news: News,
}

/// One message to a person, as it goes out through a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for every attempt: where a channel has room for it, its receiver can tell that it had this one.
    pub id: String,
    /// Who is told.
    pub user: UserId,
    /// A few words.
    pub title: String,
    /// What there is to say, a sentence a line.
    pub text: String,
    /// How many uploads came to which end, for machines.
    pub ends: BTreeMap<Status, u64>,
    /// When it was due.
    pub at: UtcMs,
}
