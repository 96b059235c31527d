//! Faces that a recogniser keeps of a user's photos, and whose they are.
//!
//! Each user has a collection of their own, so that nobody is ever compared with the faces of another user. What counts is what stands here: a
//! face that is in the collection twice, because somebody died between taking it in and writing it down, has no row and is nobody's.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use photovault_domain::{Face, MediaId, UserId, is_mark_of};
use photovault_insight::people::is_telling;
use serde::{Deserialize, Serialize};

use crate::{
    catalog::{MAX_CONFLICTS, overtaken},
    rows::{each_row, row_of, value_at, value_of},
    seams::{Expect, RowKey, SeamResult, Table, Write, Written},
};

/// Rows that one request reads.
const PAGE: u32 = 500;
const FACE: &str = "F#";
const PERSON: &str = "P#";

/// The faces of one picture, as the recogniser took them in.
#[derive(Serialize, Deserialize)]
struct Indexed {
    faces: Vec<Face>,
    version: u64,
}

/// A face, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFace {
    /// The recogniser's mark for it.
    pub face: String,
    /// The photo that shows it.
    pub media: MediaId,
    /// When that was taken, in days since 1970.
    pub day: i32,
    /// Whose it is; absent while nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Counts the writes.
    #[serde(default)]
    pub version: u64,
}

/// Somebody, as the recogniser knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPerson {
    /// Their mark: that of the face that founded them, and the splits that parted them.
    pub person: String,
    /// Faces that it knows them by, with their days.
    pub told: Vec<(String, i32)>,
    /// Faces that it is still to be told of.
    pub untold: Vec<(String, i32)>,
    /// Faces that it is still to be told are theirs no more, before it is told of others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parted: Vec<String>,
    /// Counts the writes.
    #[serde(default)]
    pub version: u64,
}

/// How far the recogniser was told what a user said about people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heeded {
    /// The number of the user's latest word ([`Vault::last_word`](crate::Vault::last_word)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<u64>,
    /// The splits that held then, in the order in which they were said.
    pub splits: Vec<String>,
    /// The marks of those whom a split ever parted.
    pub origins: BTreeSet<String>,
    /// Counts the writes.
    #[serde(default)]
    pub version: u64,
}

impl KnownPerson {
    /// A face of a day is theirs; the recogniser is to be told of it where that tells it more.
    pub fn gains(&mut self, face: &str, day: i32) {
        let days: Vec<i32> = self.told.iter().chain(&self.untold).map(|(_, day)| *day).collect();
        if is_telling(&days, day) {
            self.untold.push((face.to_owned(), day));
        }
    }

    /// A face is theirs no more; the recogniser is to be told so where it was told of it.
    pub fn loses(&mut self, face: &str) {
        if self.told.iter().any(|(told, _)| told == face) {
            self.parted.push(face.to_owned());
        }
        self.told.retain(|(told, _)| told != face);
        self.untold.retain(|(untold, _)| untold != face);
    }
}

/// Faces and persons of all users.
#[derive(Clone)]
pub struct Faces {
    table: Arc<dyn Table>,
}

impl Faces {
    pub(crate) fn new(table: Arc<dyn Table>) -> Self {
        Self { table }
    }

    /// The faces of a photo, where they were taken in.
    pub async fn indexed(&self, user: &UserId, media: &MediaId) -> SeamResult<Option<Vec<Face>>> {
        let indexed: Option<Indexed> = value_at(&*self.table, &key(user, &format!("I#{media}"))).await?;
        Ok(indexed.map(|indexed| indexed.faces))
    }

    /// Keeps them; gives those that count, which are another's where another was faster.
    pub async fn keep_indexed(&self, user: &UserId, media: &MediaId, faces: Vec<Face>) -> SeamResult<Vec<Face>> {
        let row = row_of(&Indexed { faces: faces.clone(), version: 1 }, key(user, &format!("I#{media}")));
        match self.table.put(row, Expect::Absent).await? {
            Written::Yes => Ok(faces),
            Written::Conflict => Ok(self.indexed(user, media).await?.unwrap_or(faces)),
        }
    }

    /// A face; `None` of one that nobody has placed.
    pub async fn face(&self, user: &UserId, face: &str) -> SeamResult<Option<KnownFace>> {
        value_at(&*self.table, &key(user, &format!("{FACE}{face}"))).await
    }

    /// A person.
    pub async fn person(&self, user: &UserId, person: &str) -> SeamResult<Option<KnownPerson>> {
        value_at(&*self.table, &key(user, &format!("{PERSON}{person}"))).await
    }

    /// Everybody who has a mark, or whose mark became of it by splits.
    pub async fn persons_of(&self, user: &UserId, mark: &str) -> SeamResult<Vec<KnownPerson>> {
        let mut persons = Vec::new();
        each_row(&*self.table, &partition(user), &format!("{PERSON}{mark}"), None, PAGE, |row| {
            persons.push(value_of::<KnownPerson>(row)?);
            Ok(())
        })
        .await?;
        persons.retain(|person| is_mark_of(&person.person, mark));
        Ok(persons)
    }

    /// How far the recogniser was told what a user said.
    pub async fn heeded(&self, user: &UserId) -> SeamResult<Heeded> {
        Ok(value_at(&*self.table, &key(user, "K")).await?.unwrap_or_default())
    }

    /// Keeps that, over what was read.
    pub async fn keep_heeded(&self, user: &UserId, heeded: &Heeded) -> SeamResult<Written> {
        let next = Heeded { version: heeded.version + 1, ..heeded.clone() };
        self.table.put(row_of(&next, key(user, "K")), Expect::read(heeded.version)).await
    }

    /// Writes faces, and the persons whose they are or were, over the versions that were read: all of it or nothing.
    pub async fn write(&self, user: &UserId, faces: &[KnownFace], persons: &[KnownPerson]) -> SeamResult<Written> {
        let face_write = |face: &KnownFace| {
            let next = KnownFace { version: face.version + 1, ..face.clone() };
            Write::Put(row_of(&next, key(user, &format!("{FACE}{}", face.face))), Expect::read(face.version))
        };
        let persons = persons.iter().map(|person| person_write(user, person));
        self.table.put_all(faces.iter().map(face_write).chain(persons).collect()).await
    }

    /// Takes the faces of a photo away from whomever they are of, and forgets them. Whoever is interrupted does it again.
    pub async fn forget(&self, user: &UserId, media: &MediaId) -> SeamResult<()> {
        for face in self.indexed(user, media).await?.into_iter().flatten().filter_map(|face| face.id) {
            self.forget_face(user, &face).await?;
        }
        // The last: what is left of it is found by it.
        self.table.remove(&key(user, &format!("I#{media}"))).await
    }

    async fn forget_face(&self, user: &UserId, face: &str) -> SeamResult<()> {
        for _ in 0..MAX_CONFLICTS {
            let Some(known) = self.face(user, face).await? else { return Ok(()) };
            let person = match &known.person {
                Some(person) => self.person(user, person).await?,
                None => None,
            };
            let without = person.map(|mut person| {
                person.told.retain(|(told, _)| told != face);
                person.untold.retain(|(untold, _)| untold != face);
                person_write(user, &person)
            });
            let remove = Write::Remove(key(user, &format!("{FACE}{face}")));
            if self.table.put_all(without.into_iter().chain([remove]).collect()).await? == Written::Yes {
                return Ok(());
            }
        }
        Err(overtaken(format!("forgetting of face {face}")))
    }

    /// Whose each face of a user is, by their marks. Looks through all of them, as only a command may.
    pub async fn whose(&self, user: &UserId) -> SeamResult<HashMap<String, String>> {
        let mut whose = HashMap::new();
        each_row(&*self.table, &partition(user), FACE, None, PAGE, |row| {
            let KnownFace { face, person, .. } = value_of(row)?;
            whose.extend(person.map(|person| (face, person)));
            Ok(())
        })
        .await?;
        Ok(whose)
    }
}

fn person_write(user: &UserId, person: &KnownPerson) -> Write {
    let next = KnownPerson { version: person.version + 1, ..person.clone() };
    Write::Put(row_of(&next, key(user, &format!("{PERSON}{}", person.person))), Expect::read(person.version))
}

fn partition(user: &UserId) -> String {
    format!("U#{user}#F")
}

fn key(user: &UserId, sk: &str) -> RowKey {
    RowKey { pk: partition(user), sk: sk.to_owned() }
}
