//! What items count for: the numbers behind `photovault stats` and the dry run of a backfill.
//!
//! What an item counts for is a pure function of the item ([`Counted::of`]), and a change of it is a few numbers to add ([`Tally::of_change`]).
//! Most counters say what there is now, so that the sum over all items equals them; some add up what happened (runs, time and
//! money that was spent), by hour too.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use crate::{Kind, Media, Recipe, STAGES, Stage, State, Status, UtcMs};

/// An hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// How items in the trash are counted, whatever their end was.
pub const TRASH: &str = "trash";
/// Characters of a reason that tell it from others.
const REASON_MAX: usize = 80;

/// What is counted of one item. It is kept beside the item, so that what it counted for can be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The item's version that it was read from.
    pub version: u64,
    /// Photo or video, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The item's end.
    pub status: Status,
    /// Whether it is in the trash, or on its way out of the vault.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trashed: bool,
    /// Bytes of the original, or of what was refused.
    pub original_bytes: u64,
    /// Bytes of what was made of it.
    pub derivative_bytes: u64,
    /// When it came.
    pub created: UtcMs,
    /// Its ledger, as far as it counts.
    #[serde(default)]
    pub stages: BTreeMap<Stage, CountedStage>,
    /// Whether it was removed: then it counts for nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// What is counted of one line of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedStage {
    /// Where the stage stands.
    pub state: State,
    /// What made it.
    pub recipe: Recipe,
    /// Milliseconds.
    #[serde(default)]
    pub took_ms: u64,
    /// Its cost in billionths of a US dollar.
    #[serde(default)]
    pub nanousd: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<UtcMs>,
    /// What kind of reason it ended badly for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Counted {
    /// What is counted of an item.
    pub fn of(media: &Media) -> Self {
        let stage = |(stage, entry): (&Stage, &crate::Entry)| {
            let bad = matches!(entry.state, State::Rejected | State::Failed);
            let counted = CountedStage {
                state: entry.state,
                recipe: entry.recipe.clone(),
                took_ms: entry.took_ms,
                nanousd: (entry.cost_microusd * 1000.0).round() as u64,
                finished: entry.finished,
                why: entry.reason.as_deref().filter(|_| bad).map(kind_of_reason),
            };
            (*stage, counted)
        };
        Self {
            version: media.version,
            kind: media.kind(),
            status: media.status(),
            trashed: media.is_put_away(),
            original_bytes: if media.object.is_some() { media.size_bytes } else { 0 },
            derivative_bytes: media.files().map(|file| file.size_bytes).sum(),
            created: media.created,
            stages: media.ledger.iter().map(stage).collect(),
            gone: false,
        }
    }

    /// The item once it is removed: one version later, so that the last one does not bring it back.
    #[must_use]
    pub fn removed(&self) -> Self {
        let version = self.version + 1;
        Self { version, original_bytes: 0, derivative_bytes: 0, stages: BTreeMap::new(), gone: true, ..self.clone() }
    }

    /// Where it stands in the item's life, and in its lives: the same bytes may come again when they are gone.
    pub fn place(&self) -> (UtcMs, u64) {
        (self.created, self.version)
    }

    /// Whether it counts for the same, whatever its version.
    pub fn is_same(&self, other: &Self) -> bool {
        *self == Self { version: self.version, ..other.clone() }
    }

    fn kind_word(&self) -> &'static str {
        match self.kind {
            Some(Kind::Photo) => "photo",
            Some(Kind::Video) => "video",
            None => "other",
        }
    }
}

/// Which counters stand together in a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What there is now, and what was spent in all.
    Now,
    /// What ended and came in an hour, counted since 1970.
    Hour(i64),
    /// Items that a stage ended badly with, for a kind of reason.
    Why(Stage, String),
}

impl Group {
    /// Its row's sort key.
    pub fn key(&self) -> String {
        match self {
            Self::Now => "now".to_owned(),
            Self::Hour(hour) => format!("hour#{hour:09}"),
            Self::Why(stage, why) => format!("why#{stage}#{why}"),
        }
    }

    /// The group of that key.
    pub fn of_key(key: &str) -> Option<Self> {
        if let Some(hour) = key.strip_prefix("hour#") {
            return Some(Self::Hour(hour.parse().ok()?));
        }
        if let Some((stage, why)) = key.strip_prefix("why#").and_then(|rest| rest.split_once('#')) {
            return Some(Self::Why(Stage::from_name(stage)?, why.to_owned()));
        }
        (key == "now").then_some(Self::Now)
    }
}

/// Counters and their amounts, by name within their groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Never zero.
    pub groups: BTreeMap<Group, BTreeMap<String, i64>>,
}

impl Tally {
    /// What changes where an item counted for `before` and counts for `after`; `None` is no such item.
    pub fn of_change(before: Option<&Counted>, after: Option<&Counted>) -> Self {
        let mut tally = Self::default();
        let [before, after] = [before, after].map(|counted| counted.filter(|counted| !counted.gone));
        for (counted, sign) in before.map(|it| (it, -1)).into_iter().chain(after.map(|it| (it, 1))) {
            tally.add_state(counted, sign);
        }
        if let Some(after) = after {
            tally.add_events(before, after);
        }
        tally
    }

    /// Adds another one's amounts.
    pub fn add_all(&mut self, other: &Self) {
        for (group, counts) in &other.groups {
            for (name, amount) in counts {
                self.add(group, name, *amount);
            }
        }
    }

    fn add(&mut self, group: &Group, name: &str, amount: i64) {
        let counts = self.groups.entry(group.clone()).or_default();
        let sum = counts.entry(name.to_owned()).or_default();
        *sum += amount;
        if *sum == 0 {
            counts.remove(name);
        }
        if counts.is_empty() {
            self.groups.remove(group);
        }
    }

    fn add_state(&mut self, counted: &Counted, sign: i64) {
        let kind = counted.kind_word();
        let mut now = |name: String, amount: u64| self.add(&Group::Now, &name, sign * amount as i64);
        let end = if counted.trashed { TRASH } else { counted.status.as_str() };
        now(format!("items/{kind}/{end}"), 1);
        now(format!("originals/{kind}"), counted.original_bytes);
        now(format!("derivatives/{kind}"), counted.derivative_bytes);
        for (stage, line) in &counted.stages {
            now(format!("state/{stage}/{}", line.state.as_str()), 1);
            // What is in the trash is not done again.
            if matches!(line.state, State::Done | State::Rejected) && !counted.trashed {
                now(format!("recipe/{stage}/{}", line.recipe), 1);
            }
            if line.state == State::Done {
                now(format!("done_ms/{stage}"), line.took_ms);
                now(format!("done_nanousd/{stage}"), line.nanousd);
            }
        }
        for (stage, line) in &counted.stages {
            if let Some(why) = &line.why {
                self.add(&Group::Why(*stage, why.clone()), "items", sign);
            }
        }
    }

    /// What happened between the two: it came, and stages ended.
    fn add_events(&mut self, before: Option<&Counted>, after: &Counted) {
        if before.is_none() {
            self.add(&Group::Hour(hour_of(after.created)), "arrived", 1);
        }
        for (stage, line) in &after.stages {
            let known = before.and_then(|before| before.stages.get(stage)).and_then(|line| line.finished);
            let Some(finished) = line.finished.filter(|at| line.state.is_final() && Some(*at) != known) else { continue };
            for group in [Group::Now, Group::Hour(hour_of(finished))] {
                self.add(&group, &format!("runs/{stage}"), 1);
                self.add(&group, &format!("spent_ms/{stage}"), line.took_ms as i64);
                self.add(&group, &format!("failed/{stage}"), i64::from(line.state == State::Failed));
                self.add(&group, &format!("spent_nanousd/{stage}"), line.nanousd as i64);
            }
        }
    }
}

/// The counters of one group, read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// By name.
    #[serde(default)]
    pub counts: BTreeMap<String, i64>,
    /// Counts the writes.
    #[serde(default)]
    pub version: u64,
}

impl Counts {
    /// One counter.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).map_or(0, |amount| u64::try_from(*amount).unwrap_or(0))
    }

    /// Counters whose name begins with `prefix`, by what follows.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        let rest = move |(name, _): (&'a String, &i64)| name.strip_prefix(prefix).map(|rest| (rest, self.count(name)));
        self.counts.iter().filter_map(rest)
    }

    /// Items by what a stage's work on them was made by, well or rejected.
    pub fn recipes(&self, stage: Stage) -> BTreeMap<String, u64> {
        self.under(&format!("recipe/{stage}/")).map(|(recipe, count)| (recipe.to_owned(), count)).collect()
    }

    /// Milliseconds and billionths of a US dollar that a stage's work took on the mean, where it ended well.
    pub fn mean(&self, stage: Stage) -> Option<(f64, f64)> {
        let done = self.count(&format!("state/{stage}/done"));
        let mean = |name: &str| self.count(&format!("{name}/{stage}")) as f64 / done as f64;
        (done > 0).then(|| (mean("done_ms"), mean("done_nanousd")))
    }

    /// Stages of which anything is counted, in pipeline order.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        let is_there = |stage: &Stage| self.under("state/").any(|(rest, _)| rest.split('/').next() == Some(stage.name()));
        STAGES.iter().map(|spec| spec.stage).filter(is_there)
    }
}

/// The hour, counted since 1970, that an instant falls in.
pub fn hour_of(at: UtcMs) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// A reason without what is of one item alone: numbers, paths, hashes, and what is quoted.
pub fn kind_of_reason(reason: &str) -> String {
    let mut kind = String::new();
    for (index, word) in reason.split_whitespace().enumerate() {
        let gap = if index == 0 { "" } else { " " };
        let is_name = word.contains('/') || word.starts_with(['\'', '"', '`']) || is_hash(word);
        let word: String =
            if is_name { "…".to_owned() } else { word.chars().map(|it| if it.is_ascii_digit() { '#' } else { it }).collect() };
        write!(kind, "{gap}{word}").expect("writing to a string");
    }
    while kind.contains("##") {
        kind = kind.replace("##", "#");
    }
    kind.chars().take(REASON_MAX).collect()
}

fn is_hash(word: &str) -> bool {
    let word = word.trim_matches(|it: char| it.is_ascii_punctuation());
    word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, MediaId, Sha256};

    fn media(version: u64, state: State, finished: Option<i64>) -> Media {
        let user: crate::UserId = "ann".parse().unwrap();
        let id = MediaId::of_bytes(&user, &Sha256::from_digest([1; 32]));
        let entry = Entry {
            state,
            finished: finished.map(UtcMs),
            took_ms: 20,
            cost_microusd: 1.5,
            reason: Some("file 12 is '/a/b c' broken".to_owned()),
            ..Entry::pending(Stage::Thumbnail.recipe())
        };
        let mut media =
            Media { version, object: Some("originals/ann/…".into()), size_bytes: 1000, ..Media::new(user, id, UtcMs(0)) };
        media.ledger.insert(Stage::Thumbnail, entry);
        media
    }

    #[test]
    fn what_comes_and_goes_leaves_only_what_happened() {
        let (waits, done) = (Counted::of(&media(1, State::Pending, None)), Counted::of(&media(2, State::Done, Some(7_200_001))));
        let mut sum = Tally::default();
        for (before, after) in [(None, Some(&waits)), (Some(&waits), Some(&done))] {
            sum.add_all(&Tally::of_change(before, after));
        }
        let counts = Counts { counts: sum.groups[&Group::Now].clone(), version: 1 };
        assert_eq!((counts.count("items/other/ready"), counts.count("items/other/processing")), (1, 0));
        assert_eq!((counts.count("originals/other"), counts.mean(Stage::Thumbnail)), (1000, Some((20.0, 1500.0))));
        assert_eq!(counts.recipes(Stage::Thumbnail), BTreeMap::from([(Stage::Thumbnail.recipe().to_string(), 1)]));
        assert_eq!(counts.stages().collect::<Vec<_>>(), [Stage::Thumbnail]);
        sum.add_all(&Tally::of_change(Some(&done), None));
        let left: Vec<_> = sum.groups[&Group::Now].keys().map(String::as_str).collect();
        assert_eq!(left, ["runs/thumbnail", "spent_ms/thumbnail", "spent_nanousd/thumbnail"]);
        assert_eq!(sum.groups.keys().cloned().collect::<Vec<_>>(), [Group::Now, Group::Hour(0), Group::Hour(2)]);
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let done = Counted::of(&media(2, State::Done, Some(5)));
        assert_eq!(Tally::of_change(Some(&done), Some(&done)), Tally::default());
        assert!(done.is_same(&Counted { version: 9, ..done.clone() }));
        let failed = Counted::of(&media(3, State::Failed, Some(6)));
        let tally = Tally::of_change(Some(&done), Some(&failed));
        assert_eq!(tally.groups[&Group::Why(Stage::Thumbnail, "file # is … c' broken".into())]["items"], 1);
        assert_eq!(tally.groups[&Group::Hour(0)]["failed/thumbnail"], 1);
    }

    #[test]
    fn groups_have_keys() {
        for group in [Group::Now, Group::Hour(495_123), Group::Why(Stage::Video, "a # b".into())] {
            assert_eq!(Group::of_key(&group.key()), Some(group));
        }
        assert_eq!(Group::of_key("else"), None);
    }
}
