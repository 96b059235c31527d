//! Pairs become groups: of each the best original, and what makes it the best.

use std::cmp::Ordering;

use photovault_domain::{Confidence, Facts, Look, Media};

use super::Tier;
use crate::select::exposure;

/// Pictures of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub tier: Tier,
    /// The one to keep.
    pub best: usize,
    /// The others, the better first.
    pub others: Vec<usize>,
    /// Why it is the best.
    pub why: String,
}

/// Two items by their places in a list, and what they are to each other.
pub type Alike = (usize, usize, Tier);

/// Groups of `items` out of pairs of them, tier by tier: whoever is not the best of a closer group does not appear in a wider one.
///
/// A group is a star around its best: everything in it was compared with the best itself, so that a chain of pictures, each a little
/// different from the one before, does not become a group of strangers.
pub fn groups(items: &[Media], alike: &[Alike]) -> Vec<Group> {
    let mut is_left: Vec<bool> = vec![true; items.len()];
    let mut found = Vec::new();
    for tier in Tier::ALL {
        let pairs: Vec<_> = alike.iter().filter(|(.., of)| *of == tier).map(|(one, other, _)| (*one, *other)).collect();
        let mut places: Vec<usize> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
        places.sort_by(|one, other| better(&items[*one], &items[*other], tier).then(one.cmp(other)));
        places.dedup();
        let mut neighbours = vec![Vec::new(); items.len()];
        for (one, other) in pairs {
            neighbours[one].push(other);
            neighbours[other].push(one);
        }
        for &best in &places {
            if !is_left[best] {
                continue;
            }
            let is_near = |place: &&usize| is_left[**place] && **place != best && neighbours[best].contains(*place);
            let others: Vec<usize> = places.iter().filter(is_near).copied().collect();
            if others.is_empty() {
                continue;
            }
            for other in &others {
                is_left[*other] = false;
            }
            let why = why(&items[best], &others.iter().map(|other| &items[*other]).collect::<Vec<_>>(), tier);
            found.push(Group { tier, best, others, why });
        }
    }
    found
}

/// What a choice between two originals looks at, in this order. The first that differs decides.
struct Criterion {
    value: fn(&Media) -> i64,
    /// To a person.
    why: fn(&Media) -> String,
}

const OF_SAME_PIXELS: &[Criterion] = &[MOST_KNOWN, FIRST];
const OF_SAME_PICTURE: &[Criterion] = &[
    MOST_PIXELS,
    MOST_KNOWN,
    Criterion { value: |media| media.size_bytes as i64, why: |_| "the largest file".to_owned() },
    FIRST,
];
const OF_BURSTS: &[Criterion] = &[
    Criterion { value: stars, why: |media| format!("{} stars", stars(media)) },
    Criterion { value: sharpness, why: |media| format!("the sharpest ({})", look(media).sharpness) },
    Criterion { value: |media| (exposure(&look(media)) * 20.0).round() as i64, why: |_| "the best exposed".to_owned() },
    MOST_PIXELS,
    FIRST,
];
const MOST_PIXELS: Criterion = Criterion { value: pixels, why: |media| format!("the most pixels ({})", size(media)) };
const MOST_KNOWN: Criterion =
    Criterion { value: known, why: |_| "the most is known of it (time, place, camera, words)".to_owned() };
const FIRST: Criterion = Criterion { value: |media| -media.created.0, why: |_| "it came first".to_owned() };

fn criteria(tier: Tier) -> &'static [Criterion] {
    match tier {
        Tier::SameBytes | Tier::SamePixels => OF_SAME_PIXELS,
        Tier::SamePicture => OF_SAME_PICTURE,
        Tier::Burst => OF_BURSTS,
    }
}

/// The better of two comes first.
fn better(one: &Media, other: &Media, tier: Tier) -> Ordering {
    let by_criteria = criteria(tier).iter().map(|criterion| (criterion.value)(other).cmp(&(criterion.value)(one)));
    by_criteria.fold(Ordering::Equal, Ordering::then).then_with(|| one.id.cmp(&other.id))
}

fn why(best: &Media, others: &[&Media], tier: Tier) -> String {
    let mut alike = others.to_vec();
    for criterion in criteria(tier) {
        let value = (criterion.value)(best);
        let are_equal = alike.iter().all(|other| (criterion.value)(other) == value);
        if !are_equal {
            return (criterion.why)(best);
        }
        alike.retain(|other| (criterion.value)(other) == value);
    }
    "they are equal: any will do".to_owned()
}

fn stars(media: &Media) -> i64 {
    media.facts.as_ref().and_then(|facts| facts.rating).unwrap_or(0).into()
}

/// In steps of a tenth: nobody sees less.
fn sharpness(media: &Media) -> i64 {
    (f64::from(look(media).sharpness).ln_1p() * 10.0).round() as i64
}

fn look(media: &Media) -> Look {
    media.look.clone().unwrap_or_default()
}

fn pixels(media: &Media) -> i64 {
    i64::from(media.width.unwrap_or(0)) * i64::from(media.height.unwrap_or(0))
}

fn size(media: &Media) -> String {
    format!("{} × {}", media.width.unwrap_or(0), media.height.unwrap_or(0))
}

/// How much the file says that a copy may have lost.
fn known(media: &Media) -> i64 {
    let Some(facts) = media.facts.as_deref() else { return 0 };
    let Facts { captured, camera, position, title, description, keywords, rating, .. } = facts;
    let has = [
        captured.as_ref().is_some_and(|at| at.confidence == Confidence::High),
        camera.is_some(),
        position.is_some(),
        title.is_some(),
        description.as_ref().is_some_and(|text| !text.is_empty()),
        !keywords.is_empty(),
        rating.is_some(),
    ];
    has.iter().filter(|has| **has).count() as i64
}
