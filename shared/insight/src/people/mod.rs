//! People: which faces are of one person, decided face by face as photos come, and what somebody knows better.
//!
//! A face whose word is given (a mark in the file, a person whom a recogniser keeps) is of whom the word says. Of others, a face with three others near it is a *core*: it founds a person or joins one. A face with fewer waits, until further ones come or until
//! all is in ([`People::settle`]), and then joins the nearest person or stays nobody's. What cannot be is never done: two faces of one
//! photo are two people, and nobody is seen before they were born. A name, a joining and a parting are kept as edits beside the faces: they hold
//! whatever is clustered anew, and each can be undone.

mod arrival;
mod circle;
mod edits;
pub mod faces;
pub mod measure;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use arrival::{Alike, Arrival, Placement, SURE_PERCENT, is_telling, place};
pub use circle::{Acquaintance, Circle};
pub use edits::{Edit, Impossible};

/// Cosine above which two faces match: between what photos of one person have in common, about .6, and what strangers have, about 0.
pub const MATCH: f32 = 0.36;
/// Cosine between a face and the mean of a person's faces from which it may join. Both were chosen on generated libraries of seeds 0 to 9.
pub const NEAR: f32 = 0.50;
/// Matches that make a face a core.
pub const CORE: u32 = 3;

/// Names a face.
pub type FaceId = u64;
/// Names a person, for as long as nothing is clustered anew around them: what lasts is the name, which hangs on a face.
pub type PersonId = u32;

/// A face that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// Which.
    pub id: FaceId,
    /// On which photo.
    pub photo: u64,
    /// When that was taken, in days since 1970.
    pub day: i32,
    /// What it looks like: a vector of length 1, or nothing where nobody gives one out.
    pub looks: Vec<f32>,
    /// Whom somebody else says that it is of: a mark in the file, or a recogniser. Faces of one word are of one person.
    pub word: Option<u64>,
}

#[derive(Clone, Debug)]
struct Known {
    face: Face,
    matches: u32,
    person: Option<PersonId>,
}

#[derive(Clone, Debug, Default)]
struct Person {
    faces: BTreeSet<usize>,
    /// Of their looks.
    sum: Vec<f32>,
}

/// All faces of a vault, and whose they are.
#[derive(Clone, Debug, Default)]
pub struct People {
    known: Vec<Known>,
    places: HashMap<FaceId, usize>,
    /// Faces of each word, in the order in which they came.
    words: HashMap<u64, Vec<usize>>,
    persons: BTreeMap<PersonId, Person>,
    edits: Vec<Edit>,
    next: PersonId,
}

impl People {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// A face comes; one that is known changes nothing. One look at every face, and at a few of them again that become cores by it.
    pub fn add(&mut self, face: Face) {
        if self.places.contains_key(&face.id) {
            return;
        }
        let at = self.known.len();
        self.places.insert(face.id, at);
        let word = face.word;
        self.known.push(Known { face, matches: 0, person: None });
        if let Some(word) = word {
            self.words.entry(word).or_default().push(at);
            return self.join_by_word(at, word);
        }
        let matches = self.matches(at);
        self.known[at].matches = matches.len() as u32;
        for (other, _) in &matches {
            self.known[*other].matches += 1;
        }
        self.place(at, &matches);
        for (other, _) in &matches {
            let Known { matches, person, .. } = &self.known[*other];
            if person.is_none() && *matches >= CORE {
                let matches = self.matches(*other);
                self.place(*other, &matches);
            }
        }
    }

    /// All is in: what waits joins the nearest person, if one is near enough.
    pub fn settle(&mut self) {
        for at in 0..self.known.len() {
            if self.known[at].person.is_none() {
                let matches = self.matches(at);
                self.join_nearest(at, &matches);
            }
        }
    }

    /// Whose a face is.
    pub fn person_of(&self, face: FaceId) -> Option<PersonId> {
        self.known[*self.places.get(&face)?].person
    }

    /// The first face of a word.
    fn face_of_word(&self, word: u64) -> Option<FaceId> {
        self.words.get(&word)?.first().map(|at| self.known[*at].face.id)
    }

    /// The persons, with their faces.
    pub fn persons(&self) -> impl Iterator<Item = (PersonId, Vec<&Face>)> {
        self.persons.iter().map(|(id, person)| (*id, person.faces.iter().map(|at| &self.known[*at].face).collect()))
    }

    /// Faces that are nobody's.
    pub fn unknown(&self) -> impl Iterator<Item = &Face> {
        self.known.iter().filter(|known| known.person.is_none()).map(|known| &known.face)
    }

    /// Faces that match one, the nearest first. Faces of one photo are never matches.
    fn matches(&self, at: usize) -> Vec<(usize, f32)> {
        let face = &self.known[at].face;
        let near = |(other, known): (usize, &Known)| {
            let cosine = dot(&face.looks, &known.face.looks);
            (other != at && cosine >= MATCH && known.face.photo != face.photo).then_some((other, cosine))
        };
        let mut matches: Vec<_> = self.known.iter().enumerate().filter_map(near).collect();
        matches.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        matches
    }

    /// A core joins the nearest person of its matches, and where none of them is anybody's founds one.
    fn place(&mut self, at: usize, matches: &[(usize, f32)]) {
        if self.known[at].person.is_some() || (matches.len() as u32) < CORE {
            return;
        }
        if self.join_nearest(at, matches) {
            self.join_persons(at, matches);
            return;
        }
        if matches.iter().any(|(other, _)| self.known[*other].person.is_some()) {
            return;
        }
        self.next += 1;
        let person = self.next;
        self.join(at, person);
        for (other, _) in matches {
            if self.may_join(*other, person) && self.nearness(*other, person) >= NEAR {
                self.join(*other, person);
            }
        }
        if self.persons[&person].faces.len() < CORE as usize {
            self.dissolve(person);
        }
    }

    /// Whether there was somebody to join.
    fn join_nearest(&mut self, at: usize, matches: &[(usize, f32)]) -> bool {
        let persons: BTreeSet<PersonId> = matches.iter().filter_map(|(other, _)| self.known[*other].person).collect();
        let near = persons.into_iter().map(|person| (person, self.nearness(at, person)));
        let mut near: Vec<_> = near.filter(|(_, nearness)| *nearness >= NEAR).collect();
        near.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        let joined = near.into_iter().find(|(person, _)| self.may_join(at, *person));
        if let Some((person, _)) = joined {
            self.join(at, person);
        }
        joined.is_some()
    }

    /// A face joins the first person that another face of its word is of and that it may be of, and else founds one.
    fn join_by_word(&mut self, at: usize, word: u64) {
        let others = self.words.get(&word).into_iter().flatten().filter(|other| !self.is_parted(self.known[**other].face.id));
        let mut persons: Vec<PersonId> = others.filter_map(|other| self.known[*other].person).collect();
        persons.dedup();
        let joined = persons.into_iter().find(|person| self.may_join(at, *person));
        let person = joined.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        self.join(at, person);
    }

    /// A face between two persons whose means are as near as a face must be to one shows that they are one.
    fn join_persons(&mut self, at: usize, matches: &[(usize, f32)]) {
        let Some(own) = self.known[at].person else { return };
        let others: BTreeSet<PersonId> = matches.iter().filter_map(|(other, _)| self.known[*other].person).collect();
        for other in others.into_iter().filter(|other| *other != own) {
            if self.persons.contains_key(&own) && self.are_alike(own, other) && self.may_be_one(own, other) {
                self.unite(own, other);
            }
        }
    }

    fn are_alike(&self, one: PersonId, other: PersonId) -> bool {
        let (one, other) = (&self.persons[&one], &self.persons[&other]);
        let few = one.faces.len().min(other.faces.len());
        // The fewer faces, the less their mean is worth.
        let wanted = if few >= 8 { 0.80 } else { 0.86 };
        dot(&one.sum, &other.sum) >= wanted * (dot(&one.sum, &one.sum) * dot(&other.sum, &other.sum)).sqrt()
    }

    /// Cosine between a face and the mean of a person's.
    fn nearness(&self, at: usize, person: PersonId) -> f32 {
        let sum = &self.persons[&person].sum;
        dot(&self.known[at].face.looks, sum) / dot(sum, sum).sqrt().max(f32::EPSILON)
    }

    fn join(&mut self, at: usize, person: PersonId) {
        self.known[at].person = Some(person);
        let looks = &self.known[at].face.looks;
        let person = self.persons.entry(person).or_default();
        person.sum.resize(looks.len(), 0.0);
        person.sum.iter_mut().zip(looks).for_each(|(sum, part)| *sum += part);
        person.faces.insert(at);
    }

    fn unite(&mut self, one: PersonId, other: PersonId) {
        for at in self.persons.remove(&other).map(|person| person.faces).unwrap_or_default() {
            self.join(at, one);
        }
    }

    fn dissolve(&mut self, person: PersonId) -> BTreeSet<usize> {
        let faces = self.persons.remove(&person).map(|person| person.faces).unwrap_or_default();
        for at in &faces {
            self.known[*at].person = None;
        }
        faces
    }
}

/// The sum of products: of two vectors of length 1, the cosine between them.
pub fn dot(one: &[f32], other: &[f32]) -> f32 {
    // Eight sums side by side: the compiler makes vectors of them.
    let mut sums = [0.0_f32; 8];
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rest: f32 = ones.remainder().iter().zip(others.remainder()).map(|(one, other)| one * other).sum();
    for (one, other) in ones.zip(others) {
        for part in 0..8 {
            sums[part] += one[part] * other[part];
        }
    }
    sums.iter().sum::<f32>() + rest
}
