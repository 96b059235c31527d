//! Collections over painted faces, told apart by a model to which those are one person whose faces have one tint.

use std::{io::Cursor, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::ImageFormat;
use photovault_eyes::specimens::{of_tint, painted_face, tinted};
use serde_json::{Value, json};

use super::super::{Eyes, Refusal, Rekognition, call};
use crate::{s3::Buckets, sqs::Queues, store::Store};

const RED: [f32; 3] = [1.0, 0.55, 0.55];
const GREEN: [f32; 3] = [0.55, 1.0, 0.55];

/// An engine's Rekognition over a folder.
struct Desk {
    buckets: Buckets,
    rekognition: Arc<Rekognition>,
}

impl Desk {
    /// With a model that looks at faces of this side; 0 is none.
    fn open(folder: &Path, side: i64) -> Self {
        let model = folder.join("people.onnx");
        std::fs::write(&model, of_tint(&[1, 3, side, side], false)).unwrap();
        let eyes = Eyes::open(None, (side > 0).then_some(model.as_path())).unwrap();
        let store = Store::open(folder).unwrap();
        let buckets = Buckets::new(Arc::clone(&store), Arc::new(Queues::new(store)));
        Self { buckets, rekognition: Arc::new(Rekognition::open(folder, eyes).unwrap()) }
    }

    async fn ask(&self, action: &str, mut input: Value) -> Result<Value, &'static str> {
        input["CollectionId"] = "vault.ann".into();
        call(&self.buckets, &self.rekognition, action, input).await.map_err(|refusal: Refusal| refusal.code)
    }

    async fn index(&self, tint: [f32; 3], at: [f32; 2], radius: f32, more: Value) -> Value {
        let mut bytes = Vec::new();
        tinted(painted_face(900, 700, at, radius), tint).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        let mut input = more;
        input["Image"] = json!({"Bytes": STANDARD.encode(bytes)});
        self.ask("IndexFaces", input).await.unwrap()
    }

    /// Takes a face in and gives its mark.
    async fn face(&self, tint: [f32; 3], at: [f32; 2]) -> String {
        let answer = self.index(tint, at, 90.0, json!({"ExternalImageId": "m1"})).await;
        answer["FaceRecords"][0]["Face"]["FaceId"].as_str().expect("a face").to_owned()
    }

    /// Marks of faces like one, from 95 %.
    async fn alike(&self, face: &str) -> Vec<String> {
        let answer = self.ask("SearchFaces", json!({"FaceId": face, "FaceMatchThreshold": 95})).await.unwrap();
        let matches = answer["FaceMatches"].as_array().unwrap().iter();
        matches.map(|it| it["Face"]["FaceId"].as_str().unwrap().to_owned()).collect()
    }

    async fn persons(&self, face: &str) -> Vec<String> {
        let answer = self.ask("SearchUsers", json!({"FaceId": face, "UserMatchThreshold": 95})).await.unwrap();
        let matches = answer["UserMatches"].as_array().unwrap().iter();
        matches.map(|it| it["User"]["UserId"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn people_are_told_apart_and_stay_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path(), 112);
    for action in ["SearchFaces", "CreateUser", "DeleteFaces"] {
        let input = json!({"FaceId": "f", "UserId": "ann", "FaceIds": ["f"]});
        assert_eq!(desk.ask(action, input).await, Err("ResourceNotFoundException"), "{action}");
    }
    desk.ask("CreateCollection", json!({})).await.unwrap();
    assert_eq!(desk.ask("CreateCollection", json!({})).await, Err("ResourceAlreadyExistsException"));

    let mut reds = vec![desk.face(RED, [300.0, 300.0]).await, desk.face(RED, [500.0, 400.0]).await];
    assert_eq!(desk.alike(&reds[0]).await, [reds[1].clone()]);
    reds.push(desk.face(RED, [600.0, 300.0]).await);
    assert_eq!(desk.alike(&reds[2]).await.len(), 2);
    let green = desk.face(GREEN, [300.0, 300.0]).await;
    assert_eq!(desk.alike(&green).await, [""; 0]);
    assert_eq!(desk.face(RED, [300.0, 300.0]).await, reds[0], "the same picture is taken in once");

    let new = json!({"UserId": "ann", "ClientRequestToken": "one"});
    let again = json!({"UserId": "ann", "ClientRequestToken": "two"});
    for (input, want) in [(&new, Ok(json!({}))), (&new, Ok(json!({}))), (&again, Err("ConflictException"))] {
        assert_eq!(desk.ask("CreateUser", input.clone()).await, want);
    }
    assert_eq!(desk.persons(&reds[2]).await, [""; 0], "nobody is told by no face");
    let of_ann = |faces: &[&String]| json!({"UserId": "ann", "FaceIds": faces});
    let told = desk.ask("AssociateFaces", of_ann(&[&reds[0]])).await.unwrap();
    assert_eq!(told["AssociatedFaces"], json!([{"FaceId": reds[0]}]));
    let told = desk.ask("AssociateFaces", of_ann(&[&reds[0], &reds[1], &green, &"f".to_owned()])).await.unwrap();
    let other = json!([
        {"FaceId": green, "Reasons": ["LOW_MATCH_CONFIDENCE"]}, {"FaceId": "f", "Reasons": ["FACE_NOT_FOUND"]}
    ]);
    assert_eq!((&told["AssociatedFaces"][1]["FaceId"], &told["UnsuccessfulFaceAssociations"]), (&json!(reds[1]), &other));
    assert_eq!(desk.ask("AssociateFaces", json!({"UserId": "eve", "FaceIds": [green]})).await, Err("ResourceNotFoundException"));

    // What is read from the disk is what was in memory.
    let held = (desk.alike(&reds[2]).await, desk.persons(&reds[2]).await, desk.persons(&green).await);
    assert_eq!((held.0.len(), &held.1[..], held.2.len()), (2, &["ann".to_owned()][..], 0));
    drop(desk);
    let desk = Desk::open(folder.path(), 112);
    assert_eq!((desk.alike(&reds[2]).await, desk.persons(&reds[2]).await, desk.persons(&green).await), held);

    let told = desk.ask("DeleteFaces", json!({"FaceIds": [reds[0], green, "f"]})).await.unwrap();
    let other = json!([
        {"FaceId": reds[0], "UserId": "ann", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]},
        {"FaceId": "f", "Reasons": ["FACE_NOT_FOUND"]}
    ]);
    assert_eq!((&told["DeletedFaces"], &told["UnsuccessfulFaceDeletions"]), (&json!([green]), &other));
    let told = desk.ask("DisassociateFaces", of_ann(&[&reds[0]])).await.unwrap();
    assert_eq!(told["DisassociatedFaces"], json!([{"FaceId": reds[0]}]));
    assert_eq!(desk.ask("DeleteFaces", json!({"FaceIds": [reds[0]]})).await.unwrap()["DeletedFaces"], json!([reds[0]]));
    assert_eq!((desk.alike(&reds[2]).await, desk.persons(&reds[2]).await), (vec![reds[1].clone()], vec!["ann".to_owned()]));
    assert_eq!(desk.ask("SearchFaces", json!({"FaceId": reds[0]})).await, Err("InvalidParameterException"));

    desk.ask("DeleteUser", json!({"UserId": "ann"})).await.unwrap();
    assert_eq!(desk.ask("DeleteUser", json!({"UserId": "ann"})).await, Err("ResourceNotFoundException"));
    assert_eq!(desk.persons(&reds[2]).await, [""; 0]);
    assert_eq!(desk.ask("DeleteFaces", json!({"FaceIds": [reds[1]]})).await.unwrap()["DeletedFaces"], json!([reds[1]]));
}

#[tokio::test]
async fn small_faces_and_one_too_many_are_left_out_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path(), 112);
    desk.ask("CreateCollection", json!({})).await.unwrap();
    for (radius, more, want) in [
        (16.0, json!({}), Some("SMALL_BOUNDING_BOX")),
        (16.0, json!({"QualityFilter": "NONE"}), None),
        (90.0, json!({"MaxFaces": 0}), Some("EXCEEDS_MAX_FACES")),
    ] {
        let answer = desk.index(RED, [400.0, 300.0], radius, more).await;
        let count = |list: &str| answer[list].as_array().unwrap().len();
        assert_eq!((count("FaceRecords"), count("UnindexedFaces")), if want.is_some() { (0, 1) } else { (1, 0) }, "{answer}");
        assert_eq!(answer["UnindexedFaces"][0]["Reasons"][0].as_str(), want);
    }
}

#[tokio::test]
async fn another_model_is_like_nobody_of_before_and_none_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path(), 112);
    desk.ask("CreateCollection", json!({})).await.unwrap();
    let old = [desk.face(RED, [300.0, 300.0]).await, desk.face(RED, [500.0, 400.0]).await];
    drop(desk);
    let desk = Desk::open(folder.path(), 96);
    let new = desk.face(RED, [300.0, 300.0]).await;
    assert!(!old.contains(&new));
    assert_eq!((desk.alike(&new).await, desk.alike(&old[0]).await), (vec![], vec![old[1].clone()]));
    drop(desk);
    let desk = Desk::open(folder.path(), 0);
    for action in ["CreateCollection", "IndexFaces"] {
        assert_eq!(desk.ask(action, json!({})).await, Err("AccessDeniedException"), "{action}");
    }
    let gone = desk.ask("DeleteFaces", json!({"FaceIds": [old[0], new]})).await.unwrap();
    assert_eq!(gone["DeletedFaces"], json!([old[0], new]));
}
