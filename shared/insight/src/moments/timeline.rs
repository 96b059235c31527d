//! What a timeline is made of, and the decision about one photo of it.

use photovault_domain::UtcMs;
use serde::{Deserialize, Serialize};

use super::{Edits, GapAndDistance, Parting};
use crate::geo::Point;

/// A photo or video, as far as moments are decided from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// When it was taken.
    pub at: UtcMs,
    /// Where, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Point>,
}

/// Why a moment begins at a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Boundary {
    /// Nothing was taken before it.
    First,
    /// Too long a time lies before it.
    Time,
    /// It was taken too far away for the time between.
    Way,
    /// Somebody said so.
    Split,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::moments::Edit;

    type Key = (UtcMs, u8);

    /// A timeline that is changed photo by photo, as the vault does it: it looks at neighbours only.
    #[derive(Default)]
    struct Incremental {
        shots: BTreeMap<Key, Shot>,
        begins: BTreeMap<Key, Boundary>,
        edits: Edits,
        /// Boundaries that the last change decided.
        decided: usize,
    }

    impl Incremental {
        fn decide(&mut self, key: Key) {
            let before = self.shots.range(..key).next_back().map(|(_, shot)| *shot);
            match begins(before.as_ref(), &self.shots[&key], &self.edits) {
                Some(why) => self.begins.insert(key, why),
                None => self.begins.remove(&key),
            };
            self.decided += 1;
        }

        fn decide_after(&mut self, key: Key) {
            let after = (std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded);
            if let Some(next) = self.shots.range(after).next().map(|(key, _)| *key) {
                self.decide(next);
            }
        }

        fn insert(&mut self, id: u8, shot: Shot) {
            self.shots.insert((shot.at, id), shot);
            self.decide((shot.at, id));
            self.decide_after((shot.at, id));
        }

        fn remove(&mut self, id: u8) {
            let Some(key) = self.shots.keys().find(|(_, of)| *of == id).copied() else { return };
            self.shots.remove(&key);
            self.begins.remove(&key);
            self.decide_after(key);
        }

        fn batch(&self) -> BTreeMap<Key, Boundary> {
            let shots: Vec<Shot> = self.shots.values().copied().collect();
            let found = boundaries(&shots, &self.edits);
            self.shots.keys().zip(found).filter_map(|(key, why)| Some((*key, why?))).collect()
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// A new photo, or one whose time or place was corrected.
        Put(u8, i64, Option<(f64, f64)>),
        Remove(u8),
        /// A moment begins at this photo.
        Split(u8),
        /// This photo continues the moment of the one before it.
        Join(u8),
        Undo(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let id = 0..24_u8;
        let minutes = prop_oneof![0..600_i64, 0..12_i64, -300..30_000_i64];
        let place = proptest::option::of((0.0..0.3_f64, 0.0..0.3_f64));
        prop_oneof![
            8 => (id.clone(), minutes, place).prop_map(|(id, at, place)| Step::Put(id, at, place)),
            2 => id.clone().prop_map(Step::Remove),
            1 => id.clone().prop_map(Step::Split),
            1 => id.clone().prop_map(Step::Join),
            1 => id.prop_map(Step::Undo),
        ]
    }

    impl Incremental {
        fn apply(&mut self, step: &Step) {
            self.decided = 0;
            match step {
                Step::Put(id, minutes, place) => {
                    let position = place.map(|(latitude, longitude)| Point { latitude, longitude });
                    self.remove(*id);
                    self.insert(*id, Shot { at: UtcMs(minutes * 60_000), position });
                    assert!(self.decided <= 3, "a change decides the photo, what follows it, and what followed it before");
                }
                Step::Remove(id) => self.remove(*id),
                Step::Split(id) | Step::Join(id) | Step::Undo(id) => self.edit(step, *id),
            }
        }

        fn edit(&mut self, step: &Step, id: u8) {
            let Some(key) = self.shots.keys().find(|(_, of)| *of == id).copied() else { return };
            let Some(before) = self.shots.range(..key).next_back().map(|(key, _)| key.0) else { return };
            if before == key.0 {
                return;
            }
            match step {
                Step::Split(_) => self.edits.split(before, key.0),
                Step::Join(_) => self.edits.join(before, key.0),
                _ => self.edits.undo(before, key.0),
            }
            self.decide(key);
            let why = self.begins.get(&key);
            match step {
                Step::Split(_) => assert_eq!(why, Some(&Boundary::Split)),
                Step::Join(_) => assert_eq!(why, None),
                _ => assert_ne!(why, Some(&Boundary::Split)),
            }
        }
    }

    proptest! {
        #[test]
        fn any_order_of_changes_comes_to_what_a_batch_finds(steps in proptest::collection::vec(step(), 1..60)) {
            let mut timeline = Incremental::default();
            for step in &steps {
                timeline.apply(step);
                prop_assert_eq!(&timeline.begins, &timeline.batch());
            }
        }
    }

    #[test]
    fn what_was_joined_stays_joined_for_those_who_come_late() {
        let mut timeline = Incremental::default();
        let shot = |minutes: i64| Shot { at: UtcMs(minutes * 60_000), position: None };
        timeline.insert(0, shot(0));
        timeline.insert(1, shot(1000));
        assert_eq!(timeline.begins.len(), 2);
        timeline.apply(&Step::Join(1));
        timeline.insert(2, shot(500));
        timeline.insert(3, shot(700));
        assert_eq!(timeline.begins.len(), 1);
        timeline.apply(&Step::Split(3));
        timeline.insert(4, shot(650));
        assert_eq!(timeline.begins.keys().map(|key| key.1).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(timeline.edits.iter().filter(|edit| matches!(edit, Edit::Split(_))).count(), 1);
    }
}
