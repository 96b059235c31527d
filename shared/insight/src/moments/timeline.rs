//! What a timeline is made of, the decision about one photo of it, and what a change of one photo makes of its neighbourhood.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use photovault_domain::{Boundary, MediaId, Placed, Point, Rewrite, Taken, UtcMs, timeline_key};

use super::{Edits, GapAndDistance, Parting};

/// A photo or video, as far as moments are decided from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shot {
    /// When it was taken.
    pub at: UtcMs,
    /// Where, if that is known.
    pub position: Option<Point>,
}

impl From<&Taken> for Shot {
    fn from(taken: &Taken) -> Self {
        Self { at: taken.at, position: taken.position }
    }
}

/// Whether a moment begins at `shot`, and why. `before` is its neighbour in the timeline; what somebody edited is heeded first.
pub fn begins(before: Option<&Shot>, shot: &Shot, edits: &Edits) -> Option<Boundary> {
    let Some(before) = before else { return Some(Boundary::First) };
    match edits.between(before.at, shot.at) {
        Some(true) => Some(Boundary::Split),
        Some(false) => None,
        None => GapAndDistance::default().parts(before, shot).map(|parting| match parting {
            Parting::Time => Boundary::Time,
            Parting::Way => Boundary::Way,
        }),
    }
}

/// The boundaries of a whole timeline at once, in its order: what the changes of single photos must come to.
pub fn boundaries(shots: &[Shot], edits: &Edits) -> Vec<Option<Boundary>> {
    let before = |at: usize| at.checked_sub(1).map(|at| &shots[at]);
    shots.iter().enumerate().map(|(at, shot)| begins(before(at), shot, edits)).collect()
}

/// What is to change where an item leaves its place (`old`) and takes another (`new`); either may be missing, and both may be the same, where
/// edits have changed. Four places at most: its own two, and the one behind each.
///
/// `around` are the neighbours of both places: the nearest before and behind each that is not the item itself.
pub fn rearrange(around: &[Placed], media: &MediaId, old: Option<UtcMs>, new: Option<Taken>, edits: &Edits) -> Vec<Rewrite> {
    let others = around.iter().filter(|placed| placed.media != *media);
    let mut line: BTreeMap<String, Placed> = others.map(|placed| (placed.key(), placed.clone())).collect();
    let old = old.map(|at| timeline_key(at, media));
    let new = new.map(|taken| Placed { media: media.clone(), taken, begins: None });
    let own = new.as_ref().map(Placed::key);
    line.extend(own.clone().zip(new));
    let behind = |key: &String| line.range((Bound::Excluded(key.clone()), Bound::Unbounded)).next();
    let mut touched: BTreeSet<String> = [&old, &own].into_iter().flatten().filter_map(behind).map(|it| it.0.clone()).collect();
    touched.extend(own.clone());
    let mut rewrites = Vec::new();
    for key in touched {
        let placed = &line[&key];
        let before = line.range(..key.clone()).next_back().map(|(_, placed)| Shot::from(&placed.taken));
        let begins = begins(before.as_ref(), &Shot::from(&placed.taken), edits);
        if own.as_ref() == Some(&key) || begins != placed.begins {
            let began = placed.begins.is_some() || old.as_ref() == Some(&key);
            let after = Some(Placed { begins, ..placed.clone() });
            rewrites.push(Rewrite { key, after, began });
        }
    }
    if old != own {
        rewrites.extend(old.map(|key| Rewrite { key, after: None, began: true }));
    }
    rewrites
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Edit, Sha256, UserId};
    use proptest::prelude::*;

    use super::*;

    /// A timeline that is changed photo by photo, as the vault does it: it looks at neighbours only.
    #[derive(Default)]
    struct Incremental {
        line: BTreeMap<String, Placed>,
        /// Where moments begin, as the vault lists it.
        begins: BTreeMap<String, Boundary>,
        edits: Edits,
    }

    fn id(number: u8) -> MediaId {
        let user: UserId = "ann".parse().unwrap();
        MediaId::of_bytes(&user, &Sha256::from_digest([number; 32]))
    }

    impl Incremental {
        fn find(&self, number: u8) -> Option<Placed> {
            self.line.values().find(|placed| placed.media == id(number)).cloned()
        }

        fn around(&self, key: &str) -> Vec<Placed> {
            let before = self.line.range(..key.to_owned()).rev().take(2);
            let behind = self.line.range((Bound::Excluded(key.to_owned()), Bound::Unbounded)).take(2);
            before.chain(behind).map(|(_, placed)| placed.clone()).collect()
        }

        fn place(&mut self, number: u8, new: Option<Taken>) {
            let old = self.find(number).map(|placed| placed.taken.at);
            let keys = [old, new.map(|taken| taken.at)].into_iter().flatten().map(|at| timeline_key(at, &id(number)));
            let around: Vec<Placed> = keys.flat_map(|key| self.around(&key)).collect();
            let steps = rearrange(&around, &id(number), old, new, &self.edits);
            assert!(steps.len() <= 4, "a change is of its own places and of those behind them: {steps:?}");
            for Rewrite { key, after, began } in steps {
                assert!(began || !self.begins.contains_key(&key), "{key} began a moment");
                self.begins.remove(&key);
                self.begins.extend(after.as_ref().and_then(|placed| Some((key.clone(), placed.begins?))));
                match after {
                    Some(placed) => self.line.insert(key, placed),
                    None => self.line.remove(&key),
                };
            }
        }

        fn check(&self) {
            let shots: Vec<Shot> = self.line.values().map(|placed| Shot::from(&placed.taken)).collect();
            let batch = boundaries(&shots, &self.edits);
            let stored: Vec<Option<Boundary>> = self.line.values().map(|placed| placed.begins).collect();
            assert_eq!(stored, batch);
            let listed = self.line.keys().zip(batch).filter_map(|(key, why)| Some((key.clone(), why?)));
            assert_eq!(self.begins, listed.collect());
        }
    }

    #[derive(Clone, Debug)]
    enum Change {
        /// A new photo, or one whose time or place was corrected.
        Put(u8, i64, Option<(f64, f64)>),
        Remove(u8),
        /// A moment begins at this photo.
        Split(u8),
        /// This photo continues the moment of the one before it.
        Join(u8),
        Undo(u8),
    }

    fn change() -> impl Strategy<Value = Change> {
        let id = 0..24_u8;
        let minutes = prop_oneof![0..600_i64, 0..12_i64, -300..30_000_i64];
        let place = proptest::option::of((0.0..0.3_f64, 0.0..0.3_f64));
        prop_oneof![
            8 => (id.clone(), minutes, place).prop_map(|(id, at, place)| Change::Put(id, at, place)),
            2 => id.clone().prop_map(Change::Remove),
            1 => id.clone().prop_map(Change::Split),
            1 => id.clone().prop_map(Change::Join),
            1 => id.prop_map(Change::Undo),
        ]
    }

    fn taken(minutes: i64, place: Option<(f64, f64)>) -> Taken {
        let position = place.map(|(latitude, longitude)| Point { latitude, longitude });
        Taken { at: UtcMs(minutes * 60_000), position, ..Taken::default() }
    }

    impl Incremental {
        fn apply(&mut self, change: &Change) {
            match change {
                Change::Put(number, minutes, place) => self.place(*number, Some(taken(*minutes, *place))),
                Change::Remove(number) => self.place(*number, None),
                Change::Split(number) | Change::Join(number) | Change::Undo(number) => self.edit(change, *number),
            }
        }

        fn edit(&mut self, change: &Change, number: u8) {
            let Some(placed) = self.find(number) else { return };
            let before = self.line.range(..placed.key()).next_back().map(|(_, placed)| placed.taken.at);
            let Some(before) = before.filter(|before| *before < placed.taken.at) else { return };
            match change {
                Change::Split(_) => self.edits.split(before, placed.taken.at),
                Change::Join(_) => self.edits.join(before, placed.taken.at),
                _ => self.edits.undo(before, placed.taken.at),
            }
            self.place(number, Some(placed.taken));
            let why = self.find(number).and_then(|placed| placed.begins);
            match change {
                Change::Split(_) => assert_eq!(why, Some(Boundary::Split)),
                Change::Join(_) => assert_eq!(why, None),
                _ => assert_ne!(why, Some(Boundary::Split)),
            }
        }
    }

    proptest! {
        #[test]
        fn any_order_of_changes_comes_to_what_a_batch_finds(changes in proptest::collection::vec(change(), 1..60)) {
            let mut timeline = Incremental::default();
            for change in &changes {
                timeline.apply(change);
                timeline.check();
            }
        }
    }

    #[test]
    fn what_was_joined_stays_joined_for_those_who_come_late() {
        let mut timeline = Incremental::default();
        let put = |timeline: &mut Incremental, number, minutes| timeline.place(number, Some(taken(minutes, None)));
        put(&mut timeline, 0, 0);
        put(&mut timeline, 1, 1000);
        assert_eq!(timeline.begins.len(), 2);
        timeline.apply(&Change::Join(1));
        put(&mut timeline, 2, 500);
        put(&mut timeline, 3, 700);
        assert_eq!(timeline.begins.len(), 1);
        timeline.apply(&Change::Split(3));
        put(&mut timeline, 4, 650);
        assert_eq!(timeline.begins.values().copied().collect::<Vec<_>>(), [Boundary::First, Boundary::Split]);
        assert_eq!(timeline.edits.iter().filter(|edit| matches!(edit, Edit::Split(_))).count(), 1);
        timeline.check();
    }
}
