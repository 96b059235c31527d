//! Faces that a recogniser keeps of a user's photos, and whose they are.
//!
//! Each user has a collection of their own, so that nobody is ever compared with the faces of another user. What counts is what stands here: a
//! face that is in the collection twice, because somebody died between taking it in and writing it down, has no row and is nobody's.

use std::{collections::HashMap, sync::Arc};

use photovault_domain::{Face, MediaId, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    catalog::MAX_CONFLICTS,
    rows::{each_row, row_of, value_at, value_of},
    seams::{Expect, RowKey, SeamError, SeamResult, Table, Write, Written},
};

/// Rows that one request reads.
const PAGE: u32 = 500;
const FACE: &str = "F#";

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
    /// Their mark: that of the face that founded them.
    pub person: String,
    /// Faces that it knows them by, with their days.
    pub told: Vec<(String, i32)>,
    /// Faces that it is still to be told of.
    pub untold: Vec<(String, i32)>,
    /// Counts the writes.
    #[serde(default)]
    pub version: u64,
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
        value_at(&*self.table, &key(user, &format!("P#{person}"))).await
    }

    /// Writes faces, and the person whose they are, over the versions that were read: all of it or nothing.
    pub async fn write(&self, user: &UserId, faces: &[KnownFace], person: Option<&KnownPerson>) -> SeamResult<Written> {
        let face_write = |face: &KnownFace| {
            let next = KnownFace { version: face.version + 1, ..face.clone() };
            Write::Put(row_of(&next, key(user, &format!("{FACE}{}", face.face))), Expect::read(face.version))
        };
        let person = person.map(|person| person_write(user, person));
        self.table.put_all(faces.iter().map(face_write).chain(person).collect()).await
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
        let answer = format!("other writers came first {MAX_CONFLICTS} times");
        Err(SeamError { asked: format!("forgetting of face {face}"), answer })
    }

    /// Whose each face of a user is. Looks through all of them, as only a command may.
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
    Write::Put(row_of(&next, key(user, &format!("P#{}", person.person))), Expect::read(person.version))
}

fn partition(user: &UserId) -> String {
    format!("U#{user}#F")
}

fn key(user: &UserId, sk: &str) -> RowKey {
    RowKey { pk: partition(user), sk: sk.to_owned() }
}
