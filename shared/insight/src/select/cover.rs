//! Chooses by gain: each further photo counts by its quality, and by what it shows that those before it do not show as well.
//!
//! The utility is monotone and submodular, so that taking the best next one again and again comes within 1 - 1/e of the optimum (Nemhauser,
//! Wolsey, Fisher 1978), and in practice within some hundredths. A gain only shrinks while others are taken, so that most of them need
//! not be reckoned again (Minoux 1978).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BinaryHeap},
};

use super::{Candidate, Choice, Why, quality};

/// What showing a thing for the first time is worth, against a photo of quality 1: its part, its day, a person, its place.
const PART: f64 = 1.0;
const DAY: f64 = 0.6;
const PERSON: f64 = 0.5;
const PLACE: f64 = 0.4;
/// What every further photo of the same thing is worth, of what the one before was worth.
const AGAIN: f64 = 0.4;

/// Something that photos show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    Part(u64),
    Day(i64),
    Person(u64),
    Place(u64),
}

impl Shown {
    const fn worth(self) -> f64 {
        match self {
            Self::Part(_) => PART,
            Self::Day(_) => DAY,
            Self::Person(_) => PERSON,
            Self::Place(_) => PLACE,
        }
    }

    const fn why(self) -> Why {
        match self {
            Self::Part(_) => Why::Part,
            Self::Day(_) => Why::Day,
            Self::Person(person) => Why::Person(person),
            Self::Place(_) => Why::Place,
        }
    }
}

/// How often each thing is shown so far.
type Counts = BTreeMap<Shown, u32>;

/// What these candidates are worth together.
pub fn utility(candidates: &[Candidate], chosen: &[usize]) -> f64 {
    let mut counts = Counts::new();
    chosen.iter().map(|place| take(&mut counts, &candidates[*place])).sum()
}

/// At most `count` of `from`, in the order in which they were taken.
pub(super) fn choose(candidates: &[Candidate], from: &[usize], count: usize) -> Vec<Choice> {
    let mut counts = Counts::new();
    let mut next: BinaryHeap<Offer> =
        from.iter().map(|place| Offer { worth: gain(&counts, &candidates[*place]), place: *place, taken: 0 }).collect();
    let mut choices: Vec<Choice> = Vec::new();
    while let Some(best) = next.pop().filter(|_| choices.len() < count) {
        let candidate = &candidates[best.place];
        if best.taken < choices.len() {
            next.push(Offer { worth: gain(&counts, candidate), taken: choices.len(), ..best });
            continue;
        }
        choices.push(Choice { candidate: best.place, why: Vec::new() });
        take(&mut counts, candidate);
    }
    for choice in &mut choices {
        choice.why = why(&counts, &candidates[choice.candidate]);
    }
    choices
}

fn shown(candidate: &Candidate) -> impl Iterator<Item = Shown> {
    let people = candidate.people.iter().map(|person| Shown::Person(*person));
    [Shown::Part(candidate.part), Shown::Day(candidate.day)].into_iter().chain(candidate.place.map(Shown::Place)).chain(people)
}

fn gain(counts: &Counts, candidate: &Candidate) -> f64 {
    let again = |shown: Shown| AGAIN.powi(*counts.get(&shown).unwrap_or(&0) as i32);
    quality(candidate) + shown(candidate).map(|shown| shown.worth() * again(shown)).sum::<f64>()
}

fn take(counts: &mut Counts, candidate: &Candidate) -> f64 {
    let gain = gain(counts, candidate);
    shown(candidate).for_each(|shown| *counts.entry(shown).or_default() += 1);
    gain
}

/// What it alone shows of all that was chosen, and else its quality.
fn why(counts: &Counts, candidate: &Candidate) -> Vec<Why> {
    let stars = (candidate.rating > 0).then_some(Why::Stars(candidate.rating));
    let alone = shown(candidate).filter(|shown| counts.get(shown) == Some(&1)).map(Shown::why);
    let mut why: Vec<Why> = stars.into_iter().chain(alone).collect();
    if why.is_empty() {
        why.push(Why::Quality);
    }
    why
}

/// What a candidate was worth when so many were taken.
struct Offer {
    worth: f64,
    place: usize,
    taken: usize,
}

impl Ord for Offer {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of equals the first.
        self.worth.total_cmp(&other.worth).then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Offer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Offer {}
