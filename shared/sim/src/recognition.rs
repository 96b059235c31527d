//! A recogniser that sees in bytes what their hash says: the same always, a person on every other one, faces where a person is.

use std::collections::{BTreeMap, BTreeSet};

use photovault_domain::{Area, Face, Label, Moderation, ModerationLabel, Word};
use sha2::Digest as _;

/// Who saw it.
pub const MODEL: &str = "simulated-1";

/// What is seen in these bytes.
pub fn labels_in(bytes: &[u8]) -> Vec<Label> {
    let hash = sha2::Sha256::digest(bytes);
    let label = |name: String, parent: &str| Label {
        name,
        confidence: 75 + hash[1] % 25,
        parents: vec![parent.to_owned()],
        ..Label::default()
    };
    let thing = label(format!("Thing {}", hash[0]), "Thing");
    let person = has_person(bytes).then(|| label("Woman".to_owned(), "Person"));
    [Some(thing), person].into_iter().flatten().collect()
}

/// The faces in these bytes.
pub fn faces_in(bytes: &[u8]) -> Vec<Face> {
    let face = Face { area: Area([100, 100, 200, 300]), confidence: 99, sharpness: Some(80), id: None };
    if has_person(bytes) { vec![face] } else { Vec::new() }
}

/// What can be read in these bytes: one word on every third of them.
pub fn text_in(bytes: &[u8]) -> Vec<Word> {
    let hash = sha2::Sha256::digest(bytes);
    let word = Word { text: format!("Word{}", hash[4]), confidence: 80 + hash[5] % 20, area: Area([10, 20, 30, 40]) };
    Some(word).filter(|_| hash[4] % 3 == 0).into_iter().collect()
}

/// What is not to be shown unasked in these bytes: one of five.
pub fn moderation_in(bytes: &[u8]) -> Moderation {
    let hash = sha2::Sha256::digest(bytes);
    let label = ModerationLabel { name: "Violence".to_owned(), parent: String::new(), confidence: 50 + hash[7] % 50 };
    Moderation { labels: Some(label).filter(|_| hash[6] % 5 == 0).into_iter().collect(), model: MODEL.to_owned() }
}

/// The faces of all pictures that one user had looked at, by their marks.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// Who each is in truth.
    pub faces: BTreeMap<String, u8>,
    /// What it was told of persons.
    pub persons: BTreeMap<String, BTreeSet<String>>,
    /// Faces that were ever taken in: no mark is given twice.
    taken_in: usize,
}

/// Percent of likeness of two faces of one person.
const ALIKE_PERCENT: u8 = 98;

impl Collection {
    /// Takes the faces in these bytes in, each under a mark of its own.
    pub fn take_in(&mut self, collection: &str, bytes: &[u8]) -> Vec<Face> {
        let mut faces = faces_in(bytes);
        for face in &mut faces {
            let id = format!("{collection}-{}", self.taken_in);
            self.taken_in += 1;
            self.faces.insert(id.clone(), person_in(bytes));
            face.id = Some(id);
        }
        faces
    }

    /// Faces of whoever a face is of.
    pub fn faces_like(&self, face: &str) -> Vec<(String, u8)> {
        let Some(truth) = self.faces.get(face) else { return Vec::new() };
        let alike = self.faces.iter().filter(|(other, person)| *other != face && *person == truth);
        alike.map(|(other, _)| (other.clone(), ALIKE_PERCENT)).collect()
    }

    /// Persons of whom it was told faces of whoever a face is of.
    pub fn persons_like(&self, face: &str) -> Vec<(String, u8)> {
        let truth = self.faces.get(face);
        let is_like = |told: &&String| truth.is_some() && self.faces.get(*told) == truth;
        let alike = self.persons.iter().filter(|(_, told)| told.iter().any(|it| is_like(&it)));
        alike.map(|(person, _)| (person.clone(), ALIKE_PERCENT)).collect()
    }

    /// Knows these faces no more.
    pub fn forget(&mut self, faces: &[String]) {
        self.faces.retain(|face, _| !faces.contains(face));
        for told in self.persons.values_mut() {
            told.retain(|face| !faces.contains(face));
        }
    }

    /// Is told that faces are of a person; those that are another's stay theirs.
    pub fn associate(&mut self, person: &str, faces: &[String]) {
        let is_others = |face: &&String| self.persons.iter().any(|(other, told)| other != person && told.contains(*face));
        let free: Vec<String> = faces.iter().filter(|face| !is_others(face)).cloned().collect();
        self.persons.entry(person.to_owned()).or_default().extend(free);
    }

    /// Is told that faces are a person's no more.
    pub fn part(&mut self, person: &str, faces: &[String]) {
        if let Some(told) = self.persons.get_mut(person) {
            told.retain(|face| !faces.contains(face));
        }
    }
}

/// Who is to be seen in these bytes: one of three.
pub fn person_in(bytes: &[u8]) -> u8 {
    sha2::Sha256::digest(bytes)[3] % 3
}

fn has_person(bytes: &[u8]) -> bool {
    sha2::Sha256::digest(bytes)[2] % 2 == 0
}
