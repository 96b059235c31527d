//! The tables of `faces.db`, and what is read from them.

use std::collections::{HashMap, hash_map::Entry};

use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;

use super::{Galleries, Outcome};
use crate::rekognition::{Refusal, gallery::Gallery, internal, refuse};

/// `place` is which face of an image it is, `record` what is told of it, `looks` numbers of four bytes.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS collections (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS persons (
    collection TEXT NOT NULL, id TEXT NOT NULL, token TEXT, PRIMARY KEY (collection, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS faces (
    number INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, model TEXT NOT NULL, image TEXT NOT NULL, name TEXT NOT NULL,
    place INTEGER NOT NULL, id TEXT NOT NULL, person TEXT, record TEXT NOT NULL, looks BLOB NOT NULL,
    UNIQUE (collection, model, image, name, place)
);
CREATE UNIQUE INDEX IF NOT EXISTS faces_id ON faces (collection, id);
CREATE INDEX IF NOT EXISTS faces_person ON faces (collection, person) WHERE person IS NOT NULL;
";

/// A face.
pub(super) struct Known {
    pub(super) number: i64,
    pub(super) model: String,
    pub(super) person: Option<String>,
}

/// Refuses a collection that is not there.
pub(super) fn require(connection: &Connection, collection: &str) -> Result<(), Refusal> {
    let found = connection.query_row("SELECT 1 FROM collections WHERE name = ?1", [collection], |_| Ok(())).optional()?;
    found.ok_or_else(|| refuse("ResourceNotFoundException", format!("there is no collection {collection}")))
}

/// The face that is looked for.
pub(super) fn searched(connection: &Connection, collection: &str, face: &str) -> Result<Known, Refusal> {
    require(connection, collection)?;
    let missing = || refuse("InvalidParameterException", format!("there is no face {face} in {collection}"));
    known(connection, collection, face)?.ok_or_else(missing)
}

/// What becomes of each face, and the numbers of those that are not refused.
pub(super) fn outcomes(
    connection: &Connection,
    collection: &str,
    faces: &[String],
    mut refused: impl FnMut(&Known) -> Result<Option<(&'static str, Option<String>)>, Refusal>,
) -> Result<(Vec<Outcome>, Vec<i64>), Refusal> {
    let (mut outcomes, mut numbers) = (Vec::new(), Vec::new());
    for face in faces {
        let refused = match known(connection, collection, face)? {
            None => Some(("FACE_NOT_FOUND", None)),
            Some(known) => {
                let refused = refused(&known)?;
                if refused.is_none() {
                    numbers.push(known.number);
                }
                refused
            }
        };
        outcomes.push(Outcome { face: face.clone(), refused });
    }
    Ok((outcomes, numbers))
}

fn known(connection: &Connection, collection: &str, face: &str) -> Result<Option<Known>, Refusal> {
    let mut find = connection.prepare_cached("SELECT number, model, person FROM faces WHERE collection = ?1 AND id = ?2")?;
    let read = |row: &rusqlite::Row<'_>| Ok(Known { number: row.get(0)?, model: row.get(1)?, person: row.get(2)? });
    Ok(find.query_row([collection, face], read).optional()?)
}

/// What is told of a face.
pub(super) fn record(connection: &Connection, number: i64) -> Result<Value, Refusal> {
    let mut find = connection.prepare_cached("SELECT record FROM faces WHERE number = ?1")?;
    let told: String = find.query_row([number], |row| row.get(0))?;
    serde_json::from_str(&told).map_err(internal)
}

/// What is in memory of a collection as a model sees it, read where nothing is yet.
pub(super) fn gallery<'a>(
    connection: &Connection,
    galleries: &'a mut Galleries,
    collection: &str,
    model: &str,
) -> Result<&'a mut Gallery, Refusal> {
    match galleries.entry((collection.to_owned(), model.to_owned())) {
        Entry::Occupied(known) => Ok(known.into_mut()),
        Entry::Vacant(new) => Ok(new.insert(read(connection, collection, model)?)),
    }
}

fn read(connection: &Connection, collection: &str, model: &str) -> Result<Gallery, Refusal> {
    let mut gallery = Gallery::default();
    let mut persons: HashMap<String, Vec<i64>> = HashMap::new();
    let mut find = connection.prepare_cached("SELECT number, looks, person FROM faces WHERE collection = ?1 AND model = ?2")?;
    let mut rows = find.query([collection, model])?;
    while let Some(row) = rows.next()? {
        let (number, looks): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let looks: Vec<f32> = looks.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        gallery.add(number, &looks);
        if let Some(person) = row.get(2)? {
            persons.entry(person).or_default().push(number);
        }
    }
    for (person, faces) in persons {
        gallery.tell(&person, faces.into_iter());
    }
    Ok(gallery)
}
