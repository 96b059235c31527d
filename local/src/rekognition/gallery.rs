//! The faces of one collection as one model sees them, in memory: what is looked for is compared with all of them.
//!
//! A face of 512 numbers takes 2 KB, and of 100,000 faces a search takes some 15 ms (docs/insight.md).

use std::collections::{BTreeMap, HashMap};

use photovault_insight::people::{MATCH, NEAR, SURE_PERCENT, dot};

/// Vectors of length 1, side by side.
#[derive(Default)]
pub(super) struct Gallery {
    looks: Vec<f32>,
    /// Which face each is, and where each face is.
    numbers: Vec<i64>,
    places: HashMap<i64, usize>,
    /// The mean of the faces of each person, of length 1.
    persons: BTreeMap<String, Vec<f32>>,
}

impl Gallery {
    pub(super) fn add(&mut self, number: i64, looks: &[f32]) {
        self.places.insert(number, self.numbers.len());
        self.numbers.push(number);
        self.looks.extend_from_slice(looks);
    }

    pub(super) fn remove(&mut self, number: i64) {
        let Some(place) = self.places.remove(&number) else { return };
        let length = self.looks.len() / self.numbers.len();
        self.numbers.swap_remove(place);
        // The last takes its place.
        let last = self.numbers.len();
        self.looks.copy_within(last * length.., place * length);
        self.looks.truncate(last * length);
        if let Some(moved) = self.numbers.get(place) {
            self.places.insert(*moved, place);
        }
    }

    /// These are the faces of a person, and no others.
    pub(super) fn tell(&mut self, person: &str, faces: impl Iterator<Item = i64>) {
        let mut sum: Vec<f32> = Vec::new();
        for looks in faces.filter_map(|number| self.looks_of(number)) {
            sum.resize(looks.len(), 0.0);
            for (sum, part) in sum.iter_mut().zip(looks) {
                *sum += part;
            }
        }
        let length = dot(&sum, &sum).sqrt();
        for part in &mut sum {
            *part /= length;
        }
        if length.is_normal() {
            self.persons.insert(person.to_owned(), sum);
        } else {
            self.persons.remove(person);
        }
    }

    /// Other faces that one resembles, with the percent, the most alike first.
    pub(super) fn faces_like(&self, number: i64, least_percent: f32, most: usize) -> Vec<(i64, f32)> {
        let Some(looks) = self.looks_of(number) else { return Vec::new() };
        let others = self.numbers.iter().zip(self.looks.chunks_exact(looks.len())).filter(|(other, _)| **other != number);
        nearest(others.map(|(other, its)| (*other, percent(dot(looks, its), MATCH))), least_percent, most)
    }

    /// Persons whom a face resembles, with the percent, the most alike first.
    pub(super) fn persons_like(&self, number: i64, least_percent: f32, most: usize) -> Vec<(String, f32)> {
        let persons = self.persons.keys().filter_map(|person| Some((person.clone(), self.likeness(number, person)?)));
        nearest(persons, least_percent, most)
    }

    /// How much a face resembles a person, in percent; nothing of a person without faces.
    pub(super) fn likeness(&self, number: i64, person: &str) -> Option<f32> {
        Some(percent(dot(self.looks_of(number)?, self.persons.get(person)?), NEAR))
    }

    fn looks_of(&self, number: i64) -> Option<&[f32]> {
        let length = self.looks.len() / self.numbers.len().max(1);
        self.looks.chunks_exact(length.max(1)).nth(*self.places.get(&number)?)
    }
}

/// Likeness as Rekognition tells it. A cosine that is `sure` is [`SURE_PERCENT`], which is what functions take for the same person; from 0
/// up to it percents rise evenly, and evenly from it to 100.
fn percent(cosine: f32, sure: f32) -> f32 {
    let sure_percent = f32::from(SURE_PERCENT);
    if cosine < sure {
        (sure_percent * cosine / sure).max(0.0)
    } else {
        (sure_percent + (100.0 - sure_percent) * (cosine - sure) / (1.0 - sure)).min(100.0)
    }
}

fn nearest<T>(found: impl Iterator<Item = (T, f32)>, least_percent: f32, most: usize) -> Vec<(T, f32)> {
    let mut near: Vec<(T, f32)> = found.filter(|(_, percent)| *percent >= least_percent).collect();
    near.sort_by(|one, other| other.1.total_cmp(&one.1));
    near.truncate(most);
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_rise_with_likeness_and_mean_the_same_as_the_rule() {
        for sure in [MATCH, NEAR] {
            let percents: Vec<f32> = (-100..=100).map(|cosine| percent(cosine as f32 / 100.0, sure)).collect();
            assert!(percents.is_sorted() && percents[0] < 1e-3 && percents[200] > 99.99, "{percents:?}");
            let (just, barely) = (percent(sure, sure), percent(sure - 0.001, sure));
            assert!((just - 95.0).abs() < 1e-3 && barely < 95.0, "{just}, {barely}");
        }
    }

    #[test]
    fn who_goes_leaves_the_others_where_they_are() {
        let mut gallery = Gallery::default();
        let looks = |angle: f32| [angle.cos(), angle.sin()];
        for number in 0..5 {
            gallery.add(number, &looks(number as f32 * 0.2));
        }
        gallery.tell("ann", [0, 1].into_iter());
        assert_eq!(gallery.persons_like(0, 80.0, 5).len(), 1);
        for gone in [1, 4, 1] {
            gallery.remove(gone);
        }
        let near: Vec<i64> = gallery.faces_like(0, 90.0, 9).into_iter().map(|(number, _)| number).collect();
        assert_eq!(near, [2, 3]);
        assert_eq!(gallery.faces_like(0, 90.0, 1).len(), 1);
        assert_eq!((gallery.faces_like(1, 0.0, 9), gallery.persons_like(1, 0.0, 9)), (vec![], vec![]));
        gallery.tell("ann", std::iter::empty());
        assert_eq!(gallery.persons_like(0, 0.0, 5), []);
        for number in [0, 2, 3] {
            gallery.remove(number);
        }
        assert_eq!(gallery.faces_like(0, 0.0, 9), []);
    }

    /// `cargo test --release -p photovault-local gallery -- --ignored --nocapture`
    #[test]
    #[ignore = "measures"]
    fn how_long_a_search_takes() {
        let (faces, length) = (100_000, 512);
        let mut gallery = Gallery::default();
        let mut state = 1_u32;
        for number in 0..faces {
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            };
            let mut looks: Vec<f32> = (0..length).map(|_| random()).collect();
            let norm = dot(&looks, &looks).sqrt();
            for part in &mut looks {
                *part /= norm;
            }
            gallery.add(number, &looks);
        }
        let took = (0..20).map(|number| {
            let began = std::time::Instant::now();
            assert!(gallery.faces_like(number, 80.0, 30).is_empty(), "chance is like nobody");
            began.elapsed()
        });
        let mut took: Vec<_> = took.collect();
        took.sort();
        println!("{faces} faces of {length} numbers: {:?} at best, {:?} in the middle", took[0], took[10]);
    }
}
