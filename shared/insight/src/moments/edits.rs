//! What somebody said about moments: that one begins here, or that these belong together.

use std::collections::{BTreeMap, BTreeSet};

use photovault_domain::{Edit, UtcMs};

/// The edits of a timeline, or those of a part of it. No split lies within what is joined, and joins do not touch: so the last few
/// edits at or before a photo say all that is said about it and its neighbour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    splits: BTreeSet<UtcMs>,
    /// From and until, both included.
    joins: BTreeMap<UtcMs, UtcMs>,
}

impl Edits {
    /// These.
    pub fn of(edits: impl IntoIterator<Item = Edit>) -> Self {
        let mut all = Self::default();
        for edit in edits {
            match edit {
                Edit::Split(at) => drop(all.splits.insert(at)),
                Edit::Join(from, until) => drop(all.joins.insert(from, until)),
            }
        }
        all
    }

    /// They, splits first.
    pub fn iter(&self) -> impl Iterator<Item = Edit> {
        let splits = self.splits.iter().map(|at| Edit::Split(*at));
        splits.chain(self.joins.iter().map(|(from, until)| Edit::Join(*from, *until)))
    }

    /// Whether a moment begins between two neighbours, if somebody said anything about that.
    pub fn between(&self, before: UtcMs, after: UtcMs) -> Option<bool> {
        if before < after && self.splits.range(UtcMs(before.0 + 1)..=after).next().is_some() {
            return Some(true);
        }
        self.covering(before, after).map(|_| false)
    }

    /// A moment begins at `after`, whose neighbour is `before`. Of one instant they cannot be parted.
    pub fn split(&mut self, before: UtcMs, after: UtcMs) {
        if before < after {
            // What was joined across it stays joined on either side, for those who come late as well.
            self.cut(before, after, UtcMs(after.0 - 1));
            self.splits.insert(after);
        }
    }

    /// `after` continues the moment of its neighbour `before`.
    pub fn join(&mut self, before: UtcMs, after: UtcMs) {
        self.undo(before, after);
        let (mut from, mut until) = (before, after);
        while let Some((at, end)) = self.joins.range(..=until).next_back().filter(|(_, end)| **end >= from) {
            (from, until) = (from.min(*at), until.max(*end));
            let at = *at;
            self.joins.remove(&at);
        }
        self.joins.insert(from, until);
    }

    /// Whatever was said about these two neighbours is said no more.
    pub fn undo(&mut self, before: UtcMs, after: UtcMs) {
        self.splits.retain(|at| *at <= before || *at > after);
        self.cut(before, after, before);
    }

    /// Ends the join that covers the two at `end`, and begins another at `after`.
    fn cut(&mut self, before: UtcMs, after: UtcMs, end: UtcMs) {
        let Some((from, until)) = self.covering(before, after) else { return };
        self.joins.remove(&from);
        for (from, until) in [(from, end), (after, until)] {
            if from < until {
                self.joins.insert(from, until);
            }
        }
    }

    fn covering(&self, before: UtcMs, after: UtcMs) -> Option<(UtcMs, UtcMs)> {
        let (from, until) = self.joins.range(..=before).next_back()?;
        (*until >= after).then_some((*from, *until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(edits: &mut Edits, from: i64, until: i64) {
        edits.join(UtcMs(from), UtcMs(until));
    }

    #[test]
    fn joins_grow_together_and_are_cut() {
        let mut edits = Edits::default();
        for (from, until) in [(10, 20), (30, 40), (50, 60), (20, 30), (15, 45)] {
            join(&mut edits, from, until);
        }
        assert_eq!(edits.iter().collect::<Vec<_>>(), [Edit::Join(UtcMs(10), UtcMs(45)), Edit::Join(UtcMs(50), UtcMs(60))]);
        edits.split(UtcMs(22), UtcMs(30));
        let said = |edits: &Edits, pairs: &[(i64, i64)]| -> Vec<Option<bool>> {
            pairs.iter().map(|(before, after)| edits.between(UtcMs(*before), UtcMs(*after))).collect()
        };
        let pairs = [(12, 22), (22, 30), (25, 26), (29, 31), (30, 45), (45, 50), (9, 12)];
        assert_eq!(said(&edits, &pairs), [Some(false), Some(true), Some(false), Some(true), Some(false), None, None]);
        edits.undo(UtcMs(22), UtcMs(30));
        assert_eq!(said(&edits, &pairs[..2]), [Some(false), None]);
        join(&mut edits, 22, 30);
        assert_eq!(said(&edits, &pairs[..2]), [Some(false), Some(false)]);
        assert_eq!(edits, Edits::of(edits.iter()));
    }

    #[test]
    fn what_is_of_one_instant_is_not_parted() {
        let mut edits = Edits::default();
        edits.split(UtcMs(5), UtcMs(5));
        assert_eq!((edits.between(UtcMs(5), UtcMs(5)), edits.iter().count()), (None, 0));
    }
}
