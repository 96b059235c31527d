//! Collections and their persons, in Rekognition's shapes: the actions that take no picture.

use serde_json::{Value, json};

use super::{
    NOBODY, Refusal, Rekognition,
    collections::Outcome,
    refuse,
    request::{faces, number, text},
};
use crate::gateway::{ACCOUNT, REGION};

/// Faces of one request (Rekognition's quotas).
const MOST_OF_PERSON: usize = 100;
const MOST_DELETED: usize = 4_096;
/// Faces and persons of one answer at most, and what is alike where nobody says so, in percent (Rekognition's).
const MOST_FACES: f32 = 4_096.0;
const MOST_PERSONS: f32 = 500.0;
const ALIKE: f32 = 80.0;
const ALIKE_TO_JOIN: f32 = 75.0;

/// Answers one request.
pub(super) fn answer(rekognition: &Rekognition, action: &str, input: &Value) -> Result<Value, Refusal> {
    let (collections, version) = (&rekognition.collections, || rekognition.version().unwrap_or(NOBODY.to_owned()));
    let collection = || text(input, "CollectionId");
    let person = || text(input, "UserId");
    match action {
        "CreateCollection" => {
            let (version, name) = (rekognition.version()?, collection()?);
            collections.create(name)?;
            let arn = format!("aws:rekognition:{REGION}:{ACCOUNT}:collection/{name}");
            Ok(json!({"StatusCode": 200, "CollectionArn": arn, "FaceModelVersion": version}))
        }
        "SearchFaces" => {
            let (face, most) = (text(input, "FaceId")?, number(input, "MaxFaces", MOST_FACES) as usize);
            let alike = collections.faces_like(collection()?, face, (number(input, "FaceMatchThreshold", ALIKE), most))?;
            let alike: Vec<_> =
                alike.into_iter().map(|(told, percent)| json!({"Similarity": percent, "Face": told["Face"]})).collect();
            Ok(json!({"SearchedFaceId": face, "FaceMatches": alike, "FaceModelVersion": version()}))
        }
        "SearchUsers" => {
            let (face, most) = (text(input, "FaceId")?, number(input, "MaxUsers", MOST_PERSONS) as usize);
            let alike = collections.persons_like(collection()?, face, (number(input, "UserMatchThreshold", ALIKE), most))?;
            let told = |(person, percent)| json!({"Similarity": percent, "User": {"UserId": person, "UserStatus": "ACTIVE"}});
            let alike: Vec<_> = alike.into_iter().map(told).collect();
            Ok(json!({"SearchedFace": {"FaceId": face}, "UserMatches": alike, "FaceModelVersion": version()}))
        }
        "CreateUser" => {
            collections.create_person(collection()?, person()?, input["ClientRequestToken"].as_str())?;
            Ok(json!({}))
        }
        "DeleteUser" => {
            collections.delete_person(collection()?, person()?)?;
            Ok(json!({}))
        }
        "AssociateFaces" => {
            let least = number(input, "UserMatchThreshold", ALIKE_TO_JOIN);
            let told = collections.associate(collection()?, person()?, &faces(input, MOST_OF_PERSON)?, least)?;
            Ok(parted(told, "AssociatedFaces", "UnsuccessfulFaceAssociations"))
        }
        "DisassociateFaces" => {
            let told = collections.disassociate(collection()?, person()?, &faces(input, MOST_OF_PERSON)?)?;
            Ok(parted(told, "DisassociatedFaces", "UnsuccessfulFaceDisassociations"))
        }
        "DeleteFaces" => {
            let told = collections.delete_faces(collection()?, &faces(input, MOST_DELETED)?)?;
            let mut answer = parted(told, "DeletedFaces", "UnsuccessfulFaceDeletions");
            // Alone among these it has the marks themselves.
            let deleted = answer["DeletedFaces"].as_array().into_iter().flatten();
            answer["DeletedFaces"] = deleted.map(|face| face["FaceId"].clone()).collect();
            Ok(answer)
        }
        _ => Err(refuse("UnknownOperationException", format!("{action} is not among what this engine answers"))),
    }
}

/// Faces that something was done with, and those with which it was not, with the reasons.
fn parted(outcomes: Vec<Outcome>, done: &str, not_done: &str) -> Value {
    let (mut these, mut others) = (Vec::new(), Vec::new());
    for Outcome { face, refused } in outcomes {
        match refused {
            None => these.push(json!({"FaceId": face})),
            Some((why, None)) => others.push(json!({"FaceId": face, "Reasons": [why]})),
            Some((why, Some(person))) => others.push(json!({"FaceId": face, "UserId": person, "Reasons": [why]})),
        }
    }
    json!({done: these, not_done: others})
}

#[cfg(test)]
mod tests;
