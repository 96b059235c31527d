//! Whose a face is that has just come, where nobody gives out what faces look like, but a recogniser says which are alike.
//!
//! The rule is that of [`People`](super::People), asked of a recogniser: a person whom the face resembles comes first; else a face with three
//! that match it is a core, which joins the person of most of them or founds one; else it waits, until a later face takes it along.

use std::collections::BTreeMap;

use super::CORE;

/// Percent of likeness from which a face is taken for a person's, or two for those of one person. Rekognition's own default is 80 and its
/// advice for what matters is 99; a wrong name is worse here than a missing one. Nobody has measured it on real faces.
pub const SURE_PERCENT: u8 = 95;
/// Faces that tell a recogniser what a person looks like (Rekognition's most of `AssociateFaces`), and those of one day among them: a day of
/// many photos says little more than its first two.
const MOST_TELLING: usize = 100;
const MOST_OF_A_DAY: usize = 2;

/// What a recogniser, and the catalog, say of a face that has come.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// Persons whom it resembles, with the percent.
    pub persons: Vec<(String, u8)>,
    /// Faces that it resembles.
    pub alike: Vec<Alike>,
    /// Who it cannot be: the others on its photo, and those who were not born yet.
    pub not: Vec<String>,
}

/// A face that another one resembles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Which.
    pub face: String,
    /// On which photo.
    pub photo: String,
    /// How much, in percent.
    pub percent: u8,
    /// Whose it is, if it is anybody's.
    pub person: Option<String>,
    /// Who else is on that photo.
    pub beside: Vec<String>,
}

/// What becomes of a face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// It is of this person, and so are those that waited.
    Joins(String, Vec<String>),
    /// It and these that waited are of somebody new.
    Founds(Vec<String>),
    /// Nobody knows yet.
    Waits,
}

/// Whose the face is.
pub fn place(arrival: &Arrival) -> Placement {
    let may_be = |person: &String| !arrival.not.contains(person);
    let sure: Vec<&Alike> = arrival.alike.iter().filter(|other| other.percent >= SURE_PERCENT).collect();
    let resembled = arrival.persons.iter().filter(|(person, percent)| *percent >= SURE_PERCENT && may_be(person));
    if let Some((person, _)) = resembled.max_by_key(|(_, percent)| *percent) {
        return Placement::Joins(person.clone(), along(&sure, Some(person)));
    }
    if sure.len() < CORE as usize {
        return Placement::Waits;
    }
    let mut of: BTreeMap<&String, usize> = BTreeMap::new();
    for person in sure.iter().filter_map(|other| other.person.as_ref()) {
        *of.entry(person).or_default() += 1;
    }
    let most = of.iter().filter(|(person, _)| may_be(person)).max_by_key(|(_, count)| **count);
    if let Some((person, _)) = most {
        return Placement::Joins((*person).clone(), along(&sure, Some(person)));
    }
    if !of.is_empty() {
        return Placement::Waits;
    }
    let founders = along(&sure, None);
    if founders.len() + 1 < CORE as usize { Placement::Waits } else { Placement::Founds(founders) }
}

/// Faces that waited and may be of a person, one of each photo.
fn along(sure: &[&Alike], person: Option<&String>) -> Vec<String> {
    let waits = |other: &&&Alike| other.person.is_none() && person.is_none_or(|person| !other.beside.contains(person));
    let mut photos: Vec<&String> = Vec::new();
    let mut faces = Vec::new();
    for other in sure.iter().filter(waits) {
        if !photos.contains(&&other.photo) {
            photos.push(&other.photo);
            faces.push(other.face.clone());
        }
    }
    faces
}

/// Whether a face of that day tells a recogniser more of a person of whom it knows faces of these days.
pub fn is_telling(known_days: &[i32], day: i32) -> bool {
    known_days.len() < MOST_TELLING && known_days.iter().filter(|known| **known == day).count() < MOST_OF_A_DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(face: &str, percent: u8, person: Option<&str>, beside: &[&str]) -> Alike {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Alike { face: face.into(), photo: face[..1].into(), percent, person: person.map(Into::into), beside: texts(beside) }
    }

    #[test]
    fn a_face_joins_founds_or_waits() {
        let joins =
            |person: &str, along: &[&str]| Placement::Joins(person.into(), along.iter().map(ToString::to_string).collect());
        let arrival = |persons: &[(&str, u8)], alike: Vec<Alike>, not: &[&str]| Arrival {
            persons: persons.iter().map(|(person, percent)| ((*person).to_owned(), *percent)).collect(),
            alike,
            not: not.iter().map(ToString::to_string).collect(),
        };
        let waiting = || vec![alike("a", 99, None, &[]), alike("b", 97, None, &["ann"]), alike("b2", 96, None, &[])];
        for (what, arrival, want) in [
            ("nobody is like it", arrival(&[], vec![], &[]), Placement::Waits),
            ("not alike enough", arrival(&[("ann", 94)], vec![], &[]), Placement::Waits),
            ("she is on the photo already", arrival(&[("ann", 99)], vec![], &["ann"]), Placement::Waits),
            ("the next best", arrival(&[("ann", 99), ("eve", 96)], vec![], &["ann"]), joins("eve", &[])),
            ("two match", arrival(&[], waiting()[..2].to_vec(), &[]), Placement::Waits),
            ("three of two photos", arrival(&[], waiting(), &[]), Placement::Founds(vec!["a".into(), "b".into()])),
            ("it takes along whom it may", arrival(&[("ann", 99)], waiting(), &[]), joins("ann", &["a", "b2"])),
            (
                "the person of most",
                arrival(
                    &[],
                    vec![
                        alike("a", 99, Some("eve"), &[]),
                        alike("b", 96, Some("ann"), &[]),
                        alike("c", 96, Some("ann"), &[]),
                        alike("d", 80, Some("eve"), &[]),
                    ],
                    &[],
                ),
                joins("ann", &[]),
            ),
            (
                "all of them are people whom it cannot be",
                arrival(
                    &[],
                    "abc".split("").filter(|it| !it.is_empty()).map(|it| alike(it, 99, Some("ann"), &[])).collect(),
                    &["ann"],
                ),
                Placement::Waits,
            ),
        ] {
            assert_eq!(place(&arrival), want, "{what}");
        }
    }

    #[test]
    fn what_tells_of_a_person_is_spread_over_days() {
        assert!(is_telling(&[], 1) && is_telling(&[1, 2], 1) && !is_telling(&[1, 2, 1], 1));
        let full: Vec<i32> = (0..100).collect();
        assert!(!is_telling(&full, 200));
    }
}
