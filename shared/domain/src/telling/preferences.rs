//! What a user wants to be told of, where and when. Who has said nothing is told in the inbox alone.

use std::{collections::BTreeSet, fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Channel, Medium, QuietHours, Zone};
use crate::{Status, UtcMs};

/// Seconds for which messages to a channel may be gathered.
pub const BATCH_S: RangeInclusive<u32> = 60..=86_400;
/// Seconds where the user has said nothing.
const USUAL_BATCH_S: u32 = 300;

/// What a user can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// Uploads that are ready.
    Ready,
    /// Uploads that were refused, or failed.
    Failures,
    /// Memories of the day.
    Memories,
    /// Originals that were lost or damaged, and backups that cannot be restored.
    Backup,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Failures, Self::Memories, Self::Backup];

    /// As people read and write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Failures => "failures",
            Self::Memories => "memories",
            Self::Backup => "backup",
        }
    }

    /// What an upload's end belongs to.
    pub const fn of(end: Status) -> Self {
        match end {
            Status::Ready | Status::Processing => Self::Ready,
            Status::Rejected | Status::Quarantined | Status::Failed => Self::Failures,
        }
    }
}

impl FromStr for Subject {
    type Err = BadPreference;

    fn from_str(text: &str) -> Result<Self, BadPreference> {
        let known = Self::ALL.into_iter().find(|subject| subject.name() == text);
        known.ok_or_else(|| BadPreference::Subject(text.to_owned()))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A preference that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPreference {
    /// Not a subject.
    #[error("'{0}' is nothing to be told of: ready, failures, memories or backup")]
    Subject(String),
    /// Not a time zone.
    #[error("'{0}' is no time zone: a name of the IANA database, such as Europe/Berlin")]
    Zone(String),
    /// Not quiet hours.
    #[error("'{0}' are no quiet hours: HH:MM-HH:MM, such as 22:00-07:00")]
    Quiet(String),
}

/// What a user wants: a row of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// Where messages go, one channel of a kind at most; the inbox has everything.
    pub channels: Vec<Channel>,
    /// What is told there.
    pub tell: BTreeSet<Subject>,
    /// For how many seconds what happens is gathered into one message, within [`BATCH_S`].
    pub batch_s: u32,
    /// When nothing is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<QuietHours>,
    /// Where the user lives.
    #[serde(default)]
    pub zone: Zone,
    /// Counts the writes.
    pub version: u64,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            tell: Subject::ALL.into(),
            batch_s: USUAL_BATCH_S,
            quiet: None,
            zone: Zone::default(),
            version: 0,
        }
    }
}

impl Preferences {
    /// When what happens now is sent: at the end of the time for which it is gathered, and not in quiet hours.
    pub fn due(&self, now: UtcMs) -> UtcMs {
        let batch_ms = i64::from(self.batch_s.clamp(*BATCH_S.start(), *BATCH_S.end())) * 1000;
        let end = UtcMs((now.0.div_euclid(batch_ms) + 1) * batch_ms);
        self.quiet.map_or(end, |quiet| quiet.after(&self.zone, end))
    }

    /// The channel of a kind.
    pub fn channel(&self, medium: Medium) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.medium() == medium)
    }

    /// Sets a channel, in place of another of its kind.
    pub fn set_channel(&mut self, channel: Channel) {
        self.remove_channel(channel.medium());
        self.channels.push(channel);
    }

    /// Removes the channel of a kind.
    pub fn remove_channel(&mut self, medium: Medium) {
        self.channels.retain(|channel| channel.medium() != medium);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_at_the_end_of_a_batch_and_after_quiet_hours() {
        let mut wants = Preferences { batch_s: 900, ..Preferences::default() };
        // 1970-01-01T00:00:00Z and later.
        assert_eq!(wants.due(UtcMs(0)), UtcMs(900_000));
        assert_eq!(wants.due(UtcMs(899_999)), UtcMs(900_000));
        assert_eq!(wants.due(UtcMs(900_000)), UtcMs(1_800_000));
        wants.quiet = Some("00:10-06:00".parse().unwrap());
        assert_eq!(wants.due(UtcMs(0)), UtcMs(6 * 3_600_000));
        assert_eq!(wants.due(UtcMs(6 * 3_600_000)), UtcMs(6 * 3_600_000 + 900_000));
    }

    #[test]
    fn there_is_one_channel_of_a_kind() {
        let mut wants = Preferences::default();
        for to in ["ann@example.org", "ann@example.com"] {
            wants.set_channel(Channel::Email { to: to.into() });
        }
        assert_eq!(wants.channels, [Channel::Email { to: "ann@example.com".into() }]);
        wants.remove_channel(Medium::Email);
        assert_eq!(wants.channel(Medium::Email), None);
    }
}
