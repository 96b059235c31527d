//! What a backup consists of, and how long backups are kept. Shapes and rules; `shared/vault` reads and writes them.
//!
//! A backup is a manifest: a list of segments, oldest first. A segment is a file of lines; of one item the last line counts. So a backup that
//! adds to another one writes what changed, and names what the other wrote.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{DAY_MS, Edit, Hidden, Media, MediaId, Merge, PeopleEdit, Sha256, UserId, UtcMs, local_of_seconds};

/// One line of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// An item as it was.
    Item(Box<Media>),
    /// An item left the vault: whatever was made of it before is over.
    Gone {
        /// Whose.
        user: UserId,
        /// Which.
        media: MediaId,
        /// When.
        at: UtcMs,
    },
    /// All that a user says about moments.
    Said {
        /// Who.
        user: UserId,
        /// What.
        edits: Vec<Edit>,
    },
    /// All that a user says about people, line by line, hides, and merged.
    Told {
        /// Who.
        user: UserId,
        /// What, in order; each line was said at once.
        people: Vec<Vec<PeopleEdit>>,
        /// What no memory tells of.
        hidden: Box<Hidden>,
        /// Duplicates that became one, in order.
        #[serde(default)]
        merges: Vec<Merge>,
    },
}

/// A file of lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its key in the backup bucket.
    pub key: String,
    /// What its bytes hash to.
    pub sha256: Sha256,
    /// Lines.
    pub lines: u64,
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// When it was made.
    pub made: UtcMs,
    /// What it consists of, oldest first.
    pub segments: Vec<Segment>,
}

/// How many backups are kept: the last of each of the last so many days, weeks and months that have one, and the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days.
    pub days: usize,
    /// Weeks, which begin on Monday.
    pub weeks: usize,
    /// Months of the calendar.
    pub months: usize,
}

impl Retention {
    /// A week of days, a month of weeks, a year of months.
    pub const DEFAULT: Self = Self { days: 7, weeks: 4, months: 12 };

    /// Which of these backups stay.
    pub fn kept(self, made: &[UtcMs]) -> BTreeSet<UtcMs> {
        let mut newest_first = made.to_vec();
        newest_first.sort_by(|one, other| other.cmp(one));
        let last_of = |count: usize, period: fn(UtcMs) -> i64| {
            let mut last: BTreeMap<i64, UtcMs> = BTreeMap::new();
            for at in &newest_first {
                last.entry(period(*at)).or_insert(*at);
            }
            last.into_iter().rev().take(count).map(|(_, at)| at).collect::<Vec<_>>()
        };
        let day = |at: UtcMs| at.0.div_euclid(DAY_MS);
        // 1970 began on a Thursday.
        let week = |at: UtcMs| (at.0.div_euclid(DAY_MS) + 3).div_euclid(7);
        let month = |at: UtcMs| {
            let date = local_of_seconds(at.0.div_euclid(1000));
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            number(date.get(..4)) * 12 + number(date.get(5..7))
        };
        let periods = [last_of(self.days, day), last_of(self.weeks, week), last_of(self.months, month)];
        periods.concat().into_iter().chain(newest_first.first().copied()).collect()
    }
}

/// Which items are alive at the end of a backup, read from its end to its beginning: what is seen first is the last word.
#[derive(Debug, Default)]
pub struct Replay {
    seen: BTreeSet<(UserId, MediaId)>,
    gone: BTreeMap<(UserId, MediaId), UtcMs>,
    heard: BTreeSet<UserId>,
    told: BTreeSet<UserId>,
}

impl Replay {
    /// What of a segment's lines counts; segments come in the reverse of the manifest's order.
    pub fn of(&mut self, lines: Vec<Line>) -> Vec<Line> {
        let mut counts = Vec::new();
        for line in lines.into_iter().rev() {
            match &line {
                Line::Gone { user, media, at } => {
                    self.gone.entry((user.clone(), media.clone())).or_insert(*at);
                    continue;
                }
                // The same bytes may have come again after their item was gone.
                Line::Item(item) => {
                    let key = (item.user.clone(), item.id.clone());
                    let is_gone = self.gone.get(&key).is_some_and(|at| item.created <= *at);
                    if !self.seen.insert(key) || is_gone {
                        continue;
                    }
                }
                Line::Said { user, .. } if !self.heard.insert(user.clone()) => continue,
                Line::Told { user, .. } if !self.told.insert(user.clone()) => continue,
                Line::Said { .. } | Line::Told { .. } => {}
            }
            counts.push(line);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_seconds;

    fn at(local: &str) -> UtcMs {
        UtcMs(local_seconds(local).unwrap() * 1000)
    }

    #[test]
    fn the_last_of_each_day_week_and_month_stays() {
        // Two a day for two years.
        let begin = at("2024-01-01T06:00:00").0;
        let made: Vec<UtcMs> = (0..2 * 731).map(|half| UtcMs(begin + half * DAY_MS / 2)).collect();
        let kept = Retention::DEFAULT.kept(&made);
        let shown: Vec<String> = kept.iter().map(|at| local_of_seconds(at.0 / 1000)[..13].to_owned()).collect();
        let months: Vec<&str> = shown.iter().map(String::as_str).collect();
        assert_eq!(
            months,
            [
                "2025-01-31T18",
                "2025-02-28T18",
                "2025-03-31T18",
                "2025-04-30T18",
                "2025-05-31T18",
                "2025-06-30T18",
                "2025-07-31T18",
                "2025-08-31T18",
                "2025-09-30T18",
                "2025-10-31T18",
                "2025-11-30T18",
                "2025-12-14T18",
                "2025-12-21T18",
                "2025-12-25T18",
                "2025-12-26T18",
                "2025-12-27T18",
                "2025-12-28T18",
                "2025-12-29T18",
                "2025-12-30T18",
                "2025-12-31T18",
            ]
        );
        assert_eq!(Retention { days: 0, weeks: 0, months: 0 }.kept(&made).len(), 1, "the newest always stays");
        assert_eq!(Retention::DEFAULT.kept(&[]).len(), 0);
    }

    #[test]
    fn the_last_word_counts() {
        let user: UserId = "ann".parse().unwrap();
        let id = |number: u8| MediaId::of_bytes(&"ann".parse().unwrap(), &Sha256::from_digest([number; 32]));
        let item = |number: u8, created: i64, version: u64| {
            Line::Item(Box::new(Media { version, ..Media::new("ann".parse().unwrap(), id(number), UtcMs(created)) }))
        };
        let gone = |number: u8, at: i64| Line::Gone { user: user.clone(), media: id(number), at: UtcMs(at) };
        let old =
            vec![item(1, 0, 1), item(2, 0, 1), item(3, 0, 1), item(4, 50, 1), Line::Said { user: user.clone(), edits: vec![] }];
        // 2 has left; 3 has left and come again; 4 came again after the one that left, whose line came late.
        let new = vec![item(1, 0, 2), gone(2, 9), gone(3, 9), item(3, 10, 1), gone(4, 40)];
        let mut replay = Replay::default();
        let counts = [replay.of(new), replay.of(old)].concat();
        let alive: Vec<(MediaId, u64)> = counts
            .iter()
            .filter_map(|line| if let Line::Item(item) = line { Some((item.id.clone(), item.version)) } else { None })
            .collect();
        assert_eq!(alive, [(id(3), 1), (id(1), 2), (id(4), 1)]);
        assert_eq!(counts.len(), 4, "and what was said");
    }
}
