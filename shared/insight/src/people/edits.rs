//! What somebody says about faces: names, births, which are one person and which are not. Each hangs on faces, not on persons, so that it
//! holds whatever is clustered anew; and each can be taken back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CORE, FaceId, People, PersonId};

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// Whoever this face is of is called so.
    Name {
        /// The face that the name hangs on.
        face: FaceId,
        /// The name.
        name: String,
    },
    /// Whoever this face is of was born on that day, in days since 1970.
    Born {
        /// The face that it hangs on.
        face: FaceId,
        /// The day.
        day: i32,
    },
    /// These two faces are of one person.
    Same(FaceId, FaceId),
    /// These are not of the person that the other one is of, but of one other.
    Apart {
        /// Those that go.
        faces: Vec<FaceId>,
        /// One that stays.
        from: FaceId,
    },
}

/// What was said cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// There is no such face.
    NoSuchFace,
    /// The two are seen together on one photo, or were said to be apart, or one was not born yet.
    Apart,
    /// The faces were said to be of one person.
    Same,
    /// A face of that person was taken earlier.
    SeenBefore,
}

impl Impossible {
    /// As a person reads it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoSuchFace => "no photo shows them",
            Self::Apart => "they are seen together on one photo, or were said to be two, or one was not born yet",
            Self::Same => "they were said to be one person",
            Self::SeenBefore => "a photo of them was taken earlier",
        }
    }
}

impl People {
    /// Says something. What was said before holds on; what cannot be is refused.
    pub fn say(&mut self, edit: &Edit) -> Result<(), Impossible> {
        if edit.faces().any(|face| !self.places.contains_key(&face)) {
            return Err(Impossible::NoSuchFace);
        }
        let before = self.clone();
        self.edits.push(edit.clone());
        let done = self.follow(edit);
        if done.is_err() {
            *self = before;
        }
        done
    }

    /// Takes the latest thing back that was said and not taken back; gives it. The faces of whom it was about are clustered anew.
    pub fn undo(&mut self) -> Option<Edit> {
        let edit = self.edits.pop()?;
        let about: BTreeSet<PersonId> = edit.faces().filter_map(|face| self.person_of(face)).collect();
        let loose: Vec<FaceId> = edit.faces().collect();
        self.cluster_anew(&about, &loose);
        Some(edit)
    }

    /// What was said, in order.
    pub fn said(&self) -> &[Edit] {
        &self.edits
    }

    /// What a person is called: the latest name that hangs on one of their faces.
    pub fn name_of(&self, person: PersonId) -> Option<&str> {
        self.edits.iter().rev().find_map(|edit| match edit {
            Edit::Name { face, name } if self.person_of(*face) == Some(person) => Some(name.as_str()),
            _ => None,
        })
    }

    /// On which day a person was born, as far as somebody said so: the latest word of it.
    pub fn born(&self, person: PersonId) -> Option<i32> {
        self.edits.iter().rev().find_map(|edit| match edit {
            Edit::Born { face, day } if self.person_of(*face) == Some(person) => Some(*day),
            _ => None,
        })
    }

    fn follow(&mut self, edit: &Edit) -> Result<(), Impossible> {
        match edit {
            Edit::Name { .. } => Ok(()),
            Edit::Born { face, day } => {
                let own = self.places[face];
                let faces = self.known[own].person.map_or(BTreeSet::from([own]), |person| self.persons[&person].faces.clone());
                let is_seen_before = faces.iter().any(|at| self.known[*at].face.day < *day);
                if is_seen_before { Err(Impossible::SeenBefore) } else { Ok(()) }
            }
            Edit::Same(one, other) => {
                let (one, other) = (self.owner(*one), self.owner(*other));
                if one == other {
                    return Ok(());
                }
                if !self.may_be_one(one, other) {
                    return Err(Impossible::Apart);
                }
                self.unite(one, other);
                Ok(())
            }
            Edit::Apart { faces, from } if faces.contains(from) => Err(Impossible::Same),
            Edit::Apart { faces, from } => {
                let about: BTreeSet<PersonId> = faces.iter().chain([from]).filter_map(|face| self.person_of(*face)).collect();
                self.cluster_anew(&about, faces);
                let person = |face: &FaceId| self.person_of(*face);
                let are_apart = faces.iter().all(|face| person(face).is_none() || person(face) != person(from));
                let are_same = |edit: &Edit| !matches!(edit, Edit::Same(one, other) if person(one) != person(other));
                if are_apart && self.edits.iter().all(are_same) { Ok(()) } else { Err(Impossible::Same) }
            }
        }
    }

    /// Whether somebody said that a face is of another than it seems: its word says nothing any more.
    pub(super) fn is_parted(&self, face: FaceId) -> bool {
        self.edits.iter().any(|edit| matches!(edit, Edit::Apart { faces, .. } if faces.contains(&face)))
    }

    /// Whose a face is; one that is nobody's founds a person.
    fn owner(&mut self, face: FaceId) -> PersonId {
        let at = self.places[&face];
        self.known[at].person.unwrap_or_else(|| {
            self.next += 1;
            self.join(at, self.next);
            self.next
        })
    }

    /// Whether a face may be of a person.
    pub(super) fn may_join(&self, at: usize, person: PersonId) -> bool {
        self.known[at].person.is_none()
            && self.persons.get(&person).is_none_or(|it| self.may_all_be_one(&BTreeSet::from([at]), &it.faces))
    }

    /// Whether two persons may be one.
    pub(super) fn may_be_one(&self, one: PersonId, other: PersonId) -> bool {
        self.may_all_be_one(&self.persons[&one].faces, &self.persons[&other].faces)
    }

    fn may_all_be_one(&self, ones: &BTreeSet<usize>, others: &BTreeSet<usize>) -> bool {
        let photos: BTreeSet<u64> = ones.iter().map(|at| self.known[*at].face.photo).collect();
        if others.iter().any(|at| photos.contains(&self.known[*at].face.photo)) {
            return false;
        }
        let has = |face: &FaceId| self.places.get(face).is_some_and(|at| ones.contains(at) || others.contains(at));
        let first = || ones.iter().chain(others).map(|at| self.known[*at].face.day).min();
        self.edits.iter().all(|edit| match edit {
            Edit::Apart { faces, from } => !(has(from) && faces.iter().any(has)),
            Edit::Born { face, day } => !has(face) || first().is_none_or(|first| first >= *day),
            Edit::Name { .. } | Edit::Same(..) => true,
        })
    }

    /// Takes persons and loose faces apart and puts the faces together again: first as was said, then as they look.
    fn cluster_anew(&mut self, persons: &BTreeSet<PersonId>, loose: &[FaceId]) {
        let mut faces: BTreeSet<usize> = loose.iter().filter_map(|face| self.places.get(face).copied()).collect();
        for person in persons {
            faces.extend(self.dissolve(*person));
        }
        let edits = self.edits.clone();
        let is_about = |people: &Self, face: &FaceId| people.places.get(face).is_some_and(|at| faces.contains(at));
        for edit in &edits {
            match edit {
                Edit::Same(one, other) if is_about(self, one) || is_about(self, other) => {
                    let (one, other) = (self.owner(*one), self.owner(*other));
                    if one != other && self.may_be_one(one, other) {
                        self.unite(one, other);
                    }
                }
                Edit::Apart { faces, .. } if faces.iter().any(|face| is_about(self, face)) => {
                    let Some(first) = faces.first().map(|face| self.owner(*face)) else { continue };
                    for face in faces {
                        let at = self.places[face];
                        if self.may_join(at, first) {
                            self.join(at, first);
                        }
                    }
                }
                _ => {}
            }
        }
        for at in faces {
            if self.known[at].person.is_some() {
                continue;
            }
            if let Some(word) = self.known[at].face.word {
                self.join_by_word(at, word);
            } else if self.known[at].matches >= CORE {
                let matches = self.matches(at);
                self.place(at, &matches);
            }
        }
    }
}

impl Edit {
    /// The faces that it is about.
    pub fn faces(&self) -> impl Iterator<Item = FaceId> + '_ {
        let (single, more): (Vec<FaceId>, &[FaceId]) = match self {
            Self::Name { face, .. } | Self::Born { face, .. } => (vec![*face], &[]),
            Self::Same(one, other) => (vec![*one, *other], &[]),
            Self::Apart { faces, from } => (vec![*from], faces),
        };
        single.into_iter().chain(more.iter().copied())
    }
}
