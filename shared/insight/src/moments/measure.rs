//! How good a rule about moments is, against lives whose truth is known.

use super::{FixedGap, Segmenter, Shot};
use crate::lives::{Taken, truth};

/// How a rule did. The first two are of 0 to 1, more is better; of the third less is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// F1 of the boundaries of all lives together: a boundary counts as found where it lies between the same two photos.
    pub f1: f64,
    /// F1 of the life that one in ten is worse than.
    pub tenth_f1: f64,
    /// `WindowDiff` (Pevzner and Hearst 2002), the mean of the lives: in how many windows, half as long as a true moment, the number of
    /// boundaries is wrong.
    pub window_diff: f64,
}

/// Measures a rule on lives.
pub fn measure(rule: &dyn Segmenter, lives: &[Vec<Taken>]) -> Score {
    let mut each: Vec<(Counts, f64)> = lives.iter().map(|life| of_life(rule, life)).collect();
    let all = each.iter().fold(Counts::default(), |all, (counts, _)| all.plus(*counts));
    let window_diff = each.iter().map(|(_, diff)| diff).sum::<f64>() / each.len() as f64;
    each.sort_by(|(a, _), (b, _)| a.f1().total_cmp(&b.f1()));
    Score { f1: all.f1(), tenth_f1: each[each.len() / 10].0.f1(), window_diff }
}

/// The fixed gap of whole minutes that has the best F1 on these lives.
pub fn best_fixed_gap(lives: &[Vec<Taken>]) -> FixedGap {
    let f1 = |rule: &FixedGap| {
        lives.iter().map(|life| counts(&truth(life), &found(rule, life))).fold(Counts::default(), Counts::plus).f1()
    };
    let gaps = (20..=180_u32).map(|min| FixedGap { min: f64::from(min) });
    gaps.max_by(|a, b| f1(a).total_cmp(&f1(b))).expect("the range is not empty")
}

#[derive(Clone, Copy, Default)]
struct Counts {
    right: u32,
    found: u32,
    wanted: u32,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        let Self { right, found, wanted } = other;
        Self { right: self.right + right, found: self.found + found, wanted: self.wanted + wanted }
    }

    fn f1(self) -> f64 {
        f64::from(2 * self.right) / f64::from((self.found + self.wanted).max(1))
    }
}

fn of_life(rule: &dyn Segmenter, life: &[Taken]) -> (Counts, f64) {
    let (truth, found) = (truth(life), found(rule, life));
    (counts(&truth, &found), window_diff(&truth, &found))
}

fn found(rule: &dyn Segmenter, life: &[Taken]) -> Vec<bool> {
    let shots: Vec<Shot> = life.iter().map(|taken| taken.shot).collect();
    rule.begins(&shots)
}

fn counts(truth: &[bool], found: &[bool]) -> Counts {
    // The first photo begins a moment by every rule: it tells nothing.
    let count = |of: &dyn Fn(usize) -> bool| (1..truth.len()).filter(|at| of(*at)).count() as u32;
    Counts { right: count(&|at| truth[at] && found[at]), found: count(&|at| found[at]), wanted: count(&|at| truth[at]) }
}

fn window_diff(truth: &[bool], found: &[bool]) -> f64 {
    let moments = truth.iter().filter(|begins| **begins).count().max(1);
    let window = (truth.len() / moments / 2).max(1);
    let wrong = |at: &usize| {
        let count = |of: &[bool]| of[at + 1..=at + window].iter().filter(|begins| **begins).count();
        count(truth) != count(found)
    };
    let windows = truth.len().saturating_sub(window);
    (0..windows).filter(wrong).count() as f64 / windows.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lives::{Kind, life},
        moments::GapAndDistance,
    };

    fn lives(kind: Kind, seeds: std::ops::Range<u64>) -> Vec<Vec<Taken>> {
        seeds.map(|seed| life(kind, seed, 120)).collect()
    }

    #[test]
    fn windows_tell_near_from_far() {
        let truth: Vec<bool> = (0..40).map(|at| at % 8 == 0).collect();
        let shifted = |by: usize| -> Vec<bool> { (0..40).map(|at| at % 8 == by).collect() };
        assert!(window_diff(&truth, &truth) == 0.0);
        assert!(window_diff(&truth, &shifted(1)) < window_diff(&truth, &shifted(4)));
        assert!(window_diff(&truth, &[true; 40]) > 0.99);
    }

    /// The rule is worth its two numbers only if it beats the one number that everybody has.
    #[test]
    fn the_rule_beats_the_best_fixed_gap_on_lives_that_neither_has_seen() {
        for kind in Kind::ALL {
            let fixed = best_fixed_gap(&lives(kind, 0..30));
            let unseen = lives(kind, 1000..1060);
            let (ours, theirs) = (measure(&GapAndDistance::default(), &unseen), measure(&fixed, &unseen));
            assert!(ours.f1 >= theirs.f1 + 0.01, "{kind:?}: {ours:?} against {fixed:?} {theirs:?}");
            assert!(ours.tenth_f1 >= theirs.tenth_f1 + 0.01, "{kind:?}: {ours:?} against {fixed:?} {theirs:?}");
            assert!(ours.window_diff <= 0.075, "{kind:?}: {ours:?}");
        }
    }
}
