//! How Rekognition's answers about collections are read: of the shapes that its API reference gives.

use photovault_domain::{Area, Face};
use photovault_vault::seams::Unseen;

use crate::{
    Reach, connect,
    server::{answering, at},
};

const MISSING: &str = r#"{"__type": "ResourceNotFoundException", "Message": "The collection id: vault.ann does not exist"}"#;
const MADE: &str = r#"{"CollectionArn": "aws:rekognition:us-east-1:111122223333:collection/vault.ann", "FaceModelVersion": "7.0", "StatusCode": 200}"#;
const INDEXED: &str = r#"{"FaceModelVersion": "7.0", "UnindexedFaces": [{"Reasons": ["LOW_SHARPNESS"], "FaceDetail": {"Confidence": 90.0}}],
 "FaceRecords": [
  {"Face": {"FaceId": "11111111-0000-4000-8000-000000000001", "ExternalImageId": "m1", "Confidence": 99.9,
            "BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.05, "Height": 0.08}},
   "FaceDetail": {"BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.05, "Height": 0.08}, "Confidence": 99.9}},
  {"Face": {"FaceId": "11111111-0000-4000-8000-000000000002", "ExternalImageId": "m1", "Confidence": 98.4},
   "FaceDetail": {"BoundingBox": {"Left": 0.5, "Top": 0.25, "Width": 0.2, "Height": 0.3}, "Confidence": 98.4,
                  "Quality": {"Brightness": 70.1, "Sharpness": 92.3}}}]}"#;

#[tokio::test]
async fn a_collection_is_made_when_it_is_missed_and_faces_have_its_marks() {
    let (endpoint, asked) = answering(&[(400, MISSING), (200, MADE), (200, INDEXED)]).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    let faces = seams.recognition.take_in("vault.ann", &at(), "m1").await.unwrap().unwrap();
    let id = |last: u8| Some(format!("11111111-0000-4000-8000-00000000000{last}"));
    let large = Face { area: Area([500, 250, 200, 300]), confidence: 98, sharpness: Some(92), id: id(2) };
    assert_eq!(faces, [large, Face { area: Area([100, 200, 50, 80]), confidence: 100, sharpness: None, id: id(1) }]);
    let asked = asked.await.unwrap().to_ascii_lowercase();
    for part in ["rekognitionservice.indexfaces", "rekognitionservice.createcollection", r#""externalimageid":"m1""#] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    assert_eq!(asked.matches("rekognitionservice.indexfaces").count(), 2);
}

#[tokio::test]
async fn likeness_is_told_in_percent_and_refusals_from_failures() {
    let users = r#"{"FaceModelVersion": "7.0", "SearchedFace": {"FaceId": "f"},
        "UserMatches": [{"Similarity": 99.88, "User": {"UserId": "p1", "UserStatus": "ACTIVE"}},
                        {"Similarity": 81.2, "User": {"UserId": "p2", "UserStatus": "UPDATING"}}]}"#;
    let (endpoint, asked) = answering(&[(200, users)]).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    let persons = seams.recognition.persons_like("vault.ann", "f").await.unwrap().unwrap();
    assert_eq!(persons, [("p1".to_owned(), 100), ("p2".to_owned(), 81)]);
    assert!(asked.await.unwrap().contains(r#""FaceId":"f""#));
    let alike = r#"{"FaceModelVersion": "7.0", "SearchedFaceId": "f", "SearchedFaceConfidence": 99.0,
        "FaceMatches": [{"Similarity": 96.4, "Face": {"FaceId": "g", "ExternalImageId": "m2", "Confidence": 99.0}}]}"#;
    let (endpoint, _) = answering(&[(200, alike)]).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    assert_eq!(seams.recognition.faces_like("vault.ann", "f").await.unwrap(), Ok(vec![("g".to_owned(), 96)]));
    for (code, is_refusal) in [("AccessDeniedException", true), ("ProvisionedThroughputExceededException", false)] {
        // What is throttled is asked again by the client itself, three times in all.
        let body = format!(r#"{{"__type": "{code}", "Message": "words"}}"#);
        let (endpoint, _) = answering(&[(400, &body), (400, &body), (400, &body)]).await;
        let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
        match seams.recognition.faces_like("vault.ann", "f").await {
            Ok(answer) => assert!(is_refusal && matches!(answer, Err(Unseen::Account(_))), "{code}"),
            Err(error) => assert!(!is_refusal && error.to_string().contains(code), "{error}"),
        }
    }
}

#[tokio::test]
async fn faces_are_taken_from_their_persons_and_removed() {
    let held = r#"{"DeletedFaces": ["g"], "UnsuccessfulFaceDeletions":
        [{"FaceId": "f", "UserId": "p1", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}, {"FaceId": "x", "Reasons": ["FACE_NOT_FOUND"]}]}"#;
    let parted = r#"{"DisassociatedFaces": [{"FaceId": "f"}], "UnsuccessfulFaceDisassociations": [], "UserStatus": "UPDATING"}"#;
    let gone = r#"{"DeletedFaces": ["f"], "UnsuccessfulFaceDeletions": []}"#;
    let faces = ["f", "g", "x"].map(str::to_owned);
    let (endpoint, asked) = answering(&[(200, held), (200, parted), (200, gone)]).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    assert_eq!(seams.recognition.forget("vault.ann", &faces).await.unwrap(), Ok(()));
    let asked = asked.await.unwrap();
    for part in [r#""FaceIds":["f","g","x"]"#, r#""UserId":"p1""#, r#""FaceIds":["f"]"#] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let (endpoint, _) = answering(&[(400, MISSING)]).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    assert_eq!(seams.recognition.forget("vault.ann", &faces).await.unwrap(), Ok(()), "no collection has none");
    let (endpoint, _) = answering(&[(200, held), (200, parted), (200, held), (200, parted)]).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    assert!(seams.recognition.forget("vault.ann", &faces).await.is_err(), "another attempt will");
}

#[tokio::test]
async fn faces_are_parted_from_a_person_whether_it_knows_them_or_not() {
    let parted = r#"{"DisassociatedFaces": [{"FaceId": "f"}], "UserStatus": "UPDATING",
        "UnsuccessfulFaceDisassociations": [{"FaceId": "g", "UserId": "p2", "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]}]}"#;
    let denied = r#"{"__type": "AccessDeniedException", "Message": "words"}"#;
    let (endpoint, asked) = answering(&[(200, parted), (400, MISSING), (400, denied)]).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    let part = async || seams.recognition.part("vault.ann", "p1", &["f", "g"].map(str::to_owned)).await.unwrap();
    assert_eq!((part().await, part().await), (Ok(()), Ok(())));
    assert_eq!(part().await, Err(Unseen::Account("AccessDeniedException: words".into())));
    let asked = asked.await.unwrap();
    assert!(asked.contains(r#""FaceIds":["f","g"]"#) && asked.contains(r#""UserId":"p1""#), "{asked}");
}

#[tokio::test]
async fn a_person_is_made_once_and_told_of_faces() {
    let known = r#"{"__type": "ConflictException", "Message": "User p1 is there"}"#;
    let told = r#"{"AssociatedFaces": [{"FaceId": "f"}], "UnsuccessfulFaceAssociations": [], "UserStatus": "UPDATING"}"#;
    let (endpoint, asked) = answering(&[(400, known), (200, told)]).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    assert_eq!(seams.recognition.associate("vault.ann", "p1", &["f".to_owned()]).await.unwrap(), Ok(()));
    let asked = asked.await.unwrap();
    assert!(
        asked.contains(r#""FaceIds":["f"]"#) && asked.to_ascii_lowercase().contains("rekognitionservice.associatefaces"),
        "{asked}"
    );
}
