//! Persons of a collection, and whose its faces are.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Collections, Galleries, Known, Open, Outcome, gallery, outcomes, require};
use crate::rekognition::{Refusal, refuse};

/// Faces that one person may have (Rekognition's quota).
const MOST_FACES: usize = 100;

impl Collections {
    /// Makes a person; the same request again is the same.
    pub(in crate::rekognition) fn create_person(
        &self,
        collection: &str,
        person: &str,
        token: Option<&str>,
    ) -> Result<(), Refusal> {
        let connection = &self.lock().connection;
        require(connection, collection)?;
        let row = params![collection, person, token];
        let made = connection.execute("INSERT OR IGNORE INTO persons (collection, id, token) VALUES (?1, ?2, ?3)", row)?;
        let is_again = "SELECT 1 FROM persons WHERE collection = ?1 AND id = ?2 AND token = ?3";
        if made == 1 || connection.query_row(is_again, row, |_| Ok(())).optional()?.is_some() {
            return Ok(());
        }
        Err(refuse("ConflictException", format!("the user {person} exists")))
    }

    /// Removes a person; their faces stay, and are nobody's.
    pub(in crate::rekognition) fn delete_person(&self, collection: &str, person: &str) -> Result<(), Refusal> {
        let mut open = self.lock();
        let Open { connection, galleries } = &mut *open;
        let transaction = connection.transaction()?;
        require_person(&transaction, collection, person)?;
        transaction.execute("UPDATE faces SET person = NULL WHERE collection = ?1 AND person = ?2", [collection, person])?;
        transaction.execute("DELETE FROM persons WHERE collection = ?1 AND id = ?2", [collection, person])?;
        transaction.commit()?;
        tell(galleries, collection, person, &[]);
        Ok(())
    }

    /// Says that faces are of a person, if they resemble those that are already.
    pub(in crate::rekognition) fn associate(
        &self,
        collection: &str,
        person: &str,
        faces: &[String],
        least_percent: f32,
    ) -> Result<Vec<Outcome>, Refusal> {
        self.change(collection, person, faces, Some(person), |connection, galleries, known| match &known.person {
            Some(whose) if whose == person => Ok(None),
            Some(other) => Ok(Some(("ASSOCIATED_TO_A_DIFFERENT_USER", Some(other.clone())))),
            None => {
                let likeness = gallery(connection, galleries, collection, &known.model)?.likeness(known.number, person);
                Ok(likeness.filter(|percent| *percent < least_percent).map(|_| ("LOW_MATCH_CONFIDENCE", None)))
            }
        })
    }

    /// Takes faces from a person.
    pub(in crate::rekognition) fn disassociate(
        &self,
        collection: &str,
        person: &str,
        faces: &[String],
    ) -> Result<Vec<Outcome>, Refusal> {
        self.change(collection, person, faces, None, |_, _, known| {
            let other = known.person.clone().filter(|whose| whose != person);
            Ok(other.map(|other| ("ASSOCIATED_TO_A_DIFFERENT_USER", Some(other))))
        })
    }

    /// Faces become `whose`, but for those that are refused.
    fn change(
        &self,
        collection: &str,
        person: &str,
        faces: &[String],
        whose: Option<&str>,
        refused: impl Fn(&Connection, &mut Galleries, &Known) -> Result<Option<(&'static str, Option<String>)>, Refusal>,
    ) -> Result<Vec<Outcome>, Refusal> {
        let mut open = self.lock();
        let Open { connection, galleries } = &mut *open;
        let transaction = connection.transaction()?;
        require_person(&transaction, collection, person)?;
        let (outcomes, changed) = outcomes(&transaction, collection, faces, |known| refused(&transaction, galleries, known))?;
        for number in changed {
            transaction.execute("UPDATE faces SET person = ?2 WHERE number = ?1", params![number, whose])?;
        }
        let theirs = faces_of(&transaction, collection, person)?;
        if theirs.len() > MOST_FACES {
            let message = format!("the user {person} would have more than {MOST_FACES} faces");
            return Err(refuse("ServiceQuotaExceededException", message));
        }
        transaction.commit()?;
        tell(galleries, collection, person, &theirs);
        Ok(outcomes)
    }
}

fn require_person(connection: &Connection, collection: &str, person: &str) -> Result<(), Refusal> {
    require(connection, collection)?;
    let find = "SELECT 1 FROM persons WHERE collection = ?1 AND id = ?2";
    let found = connection.query_row(find, [collection, person], |_| Ok(())).optional()?;
    found.ok_or_else(|| refuse("ResourceNotFoundException", format!("there is no user {person} in {collection}")))
}

/// The faces of a person, by number and model.
fn faces_of(connection: &Connection, collection: &str, person: &str) -> Result<Vec<(i64, String)>, Refusal> {
    let mut find = connection.prepare_cached("SELECT number, model FROM faces WHERE collection = ?1 AND person = ?2")?;
    Ok(find.query_map([collection, person], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// What is in memory of a collection hears of the faces of a person.
fn tell(galleries: &mut Galleries, collection: &str, person: &str, faces: &[(i64, String)]) {
    for ((_, model), gallery) in galleries.iter_mut().filter(|((own, _), _)| own == collection) {
        gallery.tell(person, faces.iter().filter(|(_, own)| own == model).map(|(number, _)| *number));
    }
}
