//! Collections of faces and the persons in them (Rekognition's "users"), in a file of their own: `<data>/faces.db`.
//!
//! One after the other, each action a transaction that is on the disk before it is answered; what is in memory follows it. Faces that
//! another model saw are kept, and compared with one another only.

mod persons;
mod rows;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use rusqlite::{Connection, params};
use serde_json::Value;

use self::rows::{Known, SCHEMA, gallery, outcomes, record, require, searched};
use super::{Refusal, gallery::Gallery, internal, refuse};
use crate::store::connect;

/// All collections.
pub(super) struct Collections {
    open: Mutex<Open>,
}

struct Open {
    connection: Connection,
    galleries: Galleries,
}

/// By collection and model; read when they are asked for.
type Galleries = HashMap<(String, String), Gallery>;

/// Faces of one picture that are to be taken in.
pub(super) struct Arrivals<'a> {
    /// Who saw them.
    pub(super) model: &'a str,
    /// The picture, and what it is called.
    pub(super) image: &'a str,
    pub(super) name: &'a str,
    pub(super) faces: Vec<Arrival>,
}

/// A face.
pub(super) struct Arrival {
    pub(super) id: String,
    /// What is told of it.
    pub(super) record: Value,
    pub(super) looks: Vec<f32>,
}

/// What came of a request for one face.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) face: String,
    /// Why nothing, by Rekognition's name for it, and whose face it is where that is why.
    pub(super) refused: Option<(&'static str, Option<String>)>,
}

impl Collections {
    pub(super) fn open(data: &Path) -> anyhow::Result<Self> {
        let path = data.join("faces.db");
        let connection = connect(&path)?;
        connection.execute_batch(SCHEMA).with_context(|| format!("{}: not a file of faces", path.display()))?;
        Ok(Self { open: Mutex::new(Open { connection, galleries: Galleries::new() }) })
    }

    pub(super) fn create(&self, collection: &str) -> Result<(), Refusal> {
        let made = self.lock().connection.execute("INSERT OR IGNORE INTO collections VALUES (?1)", [collection])?;
        let exists = || refuse("ResourceAlreadyExistsException", format!("the collection {collection} exists"));
        if made == 1 { Ok(()) } else { Err(exists()) }
    }

    /// Refuses a collection that is not there.
    pub(super) fn require(&self, collection: &str) -> Result<(), Refusal> {
        require(&self.lock().connection, collection)
    }

    /// Takes faces in; gives what is told of them. The same picture under the same name again is told as it was the first time.
    pub(super) fn take_in(&self, collection: &str, arrivals: &Arrivals<'_>) -> Result<Vec<Value>, Refusal> {
        let mut open = self.lock();
        let Open { connection, galleries } = &mut *open;
        let transaction = connection.transaction()?;
        require(&transaction, collection)?;
        let Arrivals { model, image, name, faces } = arrivals;
        let (mut new, mut records) = (Vec::new(), Vec::new());
        for (place, Arrival { id, record: told, looks }) in faces.iter().enumerate() {
            let bytes: Vec<u8> = looks.iter().flat_map(|number| number.to_le_bytes()).collect();
            let added = transaction.execute(
                "INSERT OR IGNORE INTO faces (collection, model, image, name, place, id, record, looks)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![collection, model, image, name, place, id, told.to_string(), bytes],
            )?;
            if added == 1 {
                new.push((transaction.last_insert_rowid(), looks));
            }
            let number = transaction.query_row(
                "SELECT number FROM faces WHERE collection = ?1 AND model = ?2 AND image = ?3 AND name = ?4 AND place = ?5",
                params![collection, model, image, name, place],
                |row| row.get(0),
            )?;
            records.push(record(&transaction, number)?);
        }
        transaction.commit()?;
        if let Some(gallery) = galleries.get_mut(&(collection.to_owned(), (*model).to_owned())) {
            for (number, looks) in new {
                gallery.add(number, looks);
            }
        }
        Ok(records)
    }

    /// What is told of faces that one resembles, with the percent.
    pub(super) fn faces_like(
        &self,
        collection: &str,
        face: &str,
        (least_percent, most): (f32, usize),
    ) -> Result<Vec<(Value, f32)>, Refusal> {
        let mut open = self.lock();
        let Open { connection, galleries } = &mut *open;
        let Known { number, model, .. } = searched(connection, collection, face)?;
        let near = gallery(connection, galleries, collection, &model)?.faces_like(number, least_percent, most);
        near.into_iter().map(|(number, percent)| Ok((record(connection, number)?, percent))).collect()
    }

    /// Persons whom a face resembles, with the percent.
    pub(super) fn persons_like(
        &self,
        collection: &str,
        face: &str,
        (least_percent, most): (f32, usize),
    ) -> Result<Vec<(String, f32)>, Refusal> {
        let mut open = self.lock();
        let Open { connection, galleries } = &mut *open;
        let Known { number, model, .. } = searched(connection, collection, face)?;
        Ok(gallery(connection, galleries, collection, &model)?.persons_like(number, least_percent, most))
    }

    /// Removes faces that are nobody's.
    pub(super) fn delete_faces(&self, collection: &str, faces: &[String]) -> Result<Vec<Outcome>, Refusal> {
        let mut open = self.lock();
        let Open { connection, galleries } = &mut *open;
        let transaction = connection.transaction()?;
        require(&transaction, collection)?;
        let (outcomes, gone) = outcomes(&transaction, collection, faces, |known| {
            Ok(known.person.clone().map(|person| ("ASSOCIATED_TO_AN_EXISTING_USER", Some(person))))
        })?;
        for number in &gone {
            transaction.execute("DELETE FROM faces WHERE number = ?1", [number])?;
        }
        transaction.commit()?;
        for (_, gallery) in galleries.iter_mut().filter(|((own, _), _)| own == collection) {
            for number in &gone {
                gallery.remove(*number);
            }
        }
        Ok(outcomes)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        internal(error)
    }
}
