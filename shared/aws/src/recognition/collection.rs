//! Collections of faces, and the persons in them (Rekognition's "users"), one collection for each user of a vault.

use std::collections::BTreeMap;

use aws_sdk_rekognition::{
    Client,
    error::ProvideErrorMetadata,
    types::{FaceDetail, QualityFilter, UnsuccessfulFaceDeletionReason},
};
use photovault_domain::Face;
use photovault_vault::seams::{ObjectAt, SeamError, SeamResult, Unseen};

use super::{MAX_FACES, face, image, percent, unseen};

/// Percent from which likeness is told of: Rekognition's own default. What it is taken for is decided elsewhere.
const TOLD_PERCENT: f32 = 80.0;
/// Persons and faces of one answer.
const MAX_PERSONS: i32 = 5;
const MAX_ALIKE: i32 = 30;

pub(super) async fn take_in(
    client: &Client,
    collection: &str,
    at: &ObjectAt,
    name: &str,
) -> SeamResult<Result<Vec<Face>, Unseen>> {
    let index = || {
        let index = client.index_faces().collection_id(collection).image(image(at)).external_image_id(name);
        index.max_faces(MAX_FACES as i32).quality_filter(QualityFilter::Auto).send()
    };
    let mut answer = index().await;
    if answer.as_ref().is_err_and(is_missing) {
        let made = client.create_collection().collection_id(collection).send().await;
        match made {
            // Another was as fast.
            Err(error) if error.code() != Some("ResourceAlreadyExistsException") => return unseen(collection, &error).map(Err),
            _ => answer = index().await,
        }
    }
    match answer {
        Ok(found) => {
            let faces = found.face_records().iter().filter_map(|record| {
                let id = record.face()?.face_id()?.to_owned();
                Some(Face {
                    id: Some(id),
                    ..record.face_detail().map(FaceDetail::to_owned).map(|it| face(&it)).unwrap_or_default()
                })
            });
            let mut faces: Vec<Face> = faces.collect();
            faces.sort_by_key(|face| std::cmp::Reverse(face.area.millionths()));
            Ok(Ok(faces))
        }
        Err(error) => unseen(&at.key, &error).map(Err),
    }
}

pub(super) async fn persons_like(client: &Client, collection: &str, face: &str) -> SeamResult<Result<Vec<(String, u8)>, Unseen>> {
    let search = client.search_users().collection_id(collection).face_id(face);
    match search.user_match_threshold(TOLD_PERCENT).max_users(MAX_PERSONS).send().await {
        Ok(found) => {
            let persons = found.user_matches().iter();
            let told = persons.filter_map(|it| Some((it.user()?.user_id()?.to_owned(), percent(it.similarity()))));
            Ok(Ok(told.collect()))
        }
        Err(error) => unseen(face, &error).map(Err),
    }
}

pub(super) async fn faces_like(client: &Client, collection: &str, face: &str) -> SeamResult<Result<Vec<(String, u8)>, Unseen>> {
    let search = client.search_faces().collection_id(collection).face_id(face);
    match search.face_match_threshold(TOLD_PERCENT).max_faces(MAX_ALIKE).send().await {
        Ok(found) => {
            let faces = found.face_matches().iter();
            let told = faces.filter_map(|it| Some((it.face()?.face_id()?.to_owned(), percent(it.similarity()))));
            Ok(Ok(told.collect()))
        }
        Err(error) => unseen(face, &error).map(Err),
    }
}

pub(super) async fn associate(
    client: &Client,
    collection: &str,
    person: &str,
    faces: &[String],
) -> SeamResult<Result<(), Unseen>> {
    let made = client.create_user().collection_id(collection).user_id(person).send().await;
    match made {
        Err(error) if error.code() != Some("ConflictException") => return unseen(person, &error).map(Err),
        _ => {}
    }
    let associate = client.associate_faces().collection_id(collection).user_id(person).set_face_ids(Some(faces.to_vec()));
    match associate.user_match_threshold(TOLD_PERCENT).send().await {
        // A face that it does not take for this person is of no use to it; one that it has already is fine.
        Ok(_) => Ok(Ok(())),
        Err(error) => unseen(person, &error).map(Err),
    }
}

pub(super) async fn part(client: &Client, collection: &str, person: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>> {
    let part = client.disassociate_faces().collection_id(collection).user_id(person).set_face_ids(Some(faces.to_vec()));
    match part.send().await {
        Err(error) if !is_missing(&error) => unseen(person, &error).map(Err),
        // Of a person whom it does not know, it knows no faces.
        _ => Ok(Ok(())),
    }
}

/// A face that is a person's is not removed: the answer says whose it is, and it is taken from them first.
pub(super) async fn forget(client: &Client, collection: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>> {
    let mut left = faces.to_vec();
    // Once, and once more without persons.
    for _ in 0..2 {
        let removed = client.delete_faces().collection_id(collection).set_face_ids(Some(left)).send().await;
        let removed = match removed {
            Ok(removed) => removed,
            Err(error) if is_missing(&error) => return Ok(Ok(())),
            Err(error) => return unseen(collection, &error).map(Err),
        };
        let mut held: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for kept in removed.unsuccessful_face_deletions() {
            let is_held = kept.reasons().contains(&UnsuccessfulFaceDeletionReason::AssociatedToAnExistingUser);
            if let (true, Some(person), Some(face)) = (is_held, kept.user_id(), kept.face_id()) {
                held.entry(person).or_default().push(face.to_owned());
            }
        }
        if held.is_empty() {
            return Ok(Ok(()));
        }
        for (person, faces) in &held {
            if let Err(why) = part(client, collection, person, faces).await? {
                return Ok(Err(why));
            }
        }
        left = held.into_values().flatten().collect();
    }
    Err(SeamError { asked: format!("removing faces from {collection}"), answer: "they are still somebody's".to_owned() })
}

fn is_missing(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

#[cfg(test)]
mod tests;
