//! Answers over pictures that the tests paint.

use std::{io::Cursor, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use photovault_eyes::specimens::{by_colour, painted_face};

use super::{Eyes, Rekognition, call};
use crate::{s3::Buckets, sqs::Queues, store::Store};

fn painted(format: ImageFormat) -> Vec<u8> {
    let paint = |x: u32, _| if x < 150 { Rgb([200, 30, 30]) } else { Rgb([20, 40, 220]) };
    let mut bytes = Vec::new();
    RgbImage::from_fn(200, 120, paint).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

fn request(bytes: &[u8]) -> Value {
    json!({"Image": {"Bytes": STANDARD.encode(bytes)}, "Features": ["GENERAL_LABELS", "IMAGE_PROPERTIES"]})
}

async fn ask(action: &str, input: Value) -> Result<Value, &'static str> {
    ask_of(Eyes::open(None, None).unwrap(), action, input).await
}

async fn ask_of(eyes: Eyes, action: &str, input: Value) -> Result<Value, &'static str> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let buckets = Buckets::new(Arc::clone(&store), Arc::new(Queues::new(store)));
    let rekognition = Rekognition::open(folder.path(), eyes).unwrap();
    call(&buckets, &Arc::new(rekognition), action, input).await.map_err(|refusal| refusal.code)
}

#[tokio::test]
async fn what_is_measured_is_real_and_what_is_not_known_is_empty() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let answer = ask("DetectLabels", request(&painted(format))).await.unwrap();
        assert_eq!((&answer["Labels"], &answer["LabelModelVersion"]), (&json!([]), &"local-1".into()));
        let colours = answer["ImageProperties"]["DominantColors"].as_array().unwrap();
        let told: Vec<_> =
            colours.iter().filter_map(|it| Some((it["SimplifiedColor"].as_str()?, it["PixelPercent"].as_u64()?))).collect();
        // It is made smaller before its pixels are counted: the edge between the two may move by a percent.
        let is_so = |(told, want): (&(&str, u64), &(&str, u64))| told.0 == want.0 && told.1.abs_diff(want.1) <= 1;
        assert!(told.len() == 2 && told.iter().zip(&[("red", 75), ("blue", 25)]).all(is_so), "{answer}");
        assert_eq!(colours[0]["CSSColor"], "firebrick");
        let brightness = answer["ImageProperties"]["Quality"]["Brightness"].as_f64().unwrap();
        assert!((25.0..35.0).contains(&brightness), "{brightness}");
    }
    let one = json!({"Settings": {"ImageProperties": {"MaxDominantColors": 1}}});
    let mut input = request(&painted(ImageFormat::Png));
    input["Settings"] = one["Settings"].clone();
    let answer = ask("DetectLabels", input).await.unwrap();
    assert_eq!(answer["ImageProperties"]["DominantColors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn properties_come_where_they_are_asked_for() {
    let mut input = request(&painted(ImageFormat::Png));
    input.as_object_mut().unwrap().remove("Features");
    assert_eq!(ask("DetectLabels", input).await.unwrap(), json!({"Labels": [], "LabelModelVersion": "local-1"}));
}

#[tokio::test]
async fn faces_are_where_they_are_and_nothing_is_guessed_of_them() {
    let mut bytes = Vec::new();
    painted_face(800, 600, [400.0, 300.0], 80.0).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    let answer = ask("DetectFaces", request(&bytes)).await.unwrap();
    assert_eq!(answer["FaceModelVersion"], "local-yunet-44e02a75");
    let [face] = &answer["FaceDetails"].as_array().unwrap()[..] else { panic!("{answer}") };
    let number = |value: &Value| value.as_f64().unwrap();
    let bounds = &face["BoundingBox"];
    let middle =
        [("Left", "Width"), ("Top", "Height")].map(|(from, length)| number(&bounds[from]) + number(&bounds[length]) / 2.0);
    assert!(middle.iter().all(|at| (at - 0.5).abs() < 0.06), "{face}");
    let percents = [&face["Confidence"], &face["Quality"]["Brightness"], &face["Quality"]["Sharpness"]];
    assert!(percents.into_iter().map(number).all(|percent| (10.0..=100.0).contains(&percent)), "{face}");
    let landmarks: Vec<_> =
        face["Landmarks"].as_array().unwrap().iter().map(|it| (it["Type"].as_str().unwrap(), number(&it["X"]))).collect();
    assert!(landmarks[0].0 == "eyeLeft" && landmarks[1].0 == "eyeRight" && landmarks[0].1 < landmarks[1].1, "{face}");
    let told: Vec<&String> = face.as_object().unwrap().keys().collect();
    assert_eq!(told, ["BoundingBox", "Confidence", "Landmarks", "Quality"]);
    // Nobody is told as nobody.
    assert_eq!(ask("DetectFaces", request(&painted(ImageFormat::Png))).await.unwrap()["FaceDetails"], json!([]));
}

#[tokio::test]
async fn labels_are_those_of_the_users_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("colours.onnx");
    std::fs::write(&path, by_colour(&[1, 3, 16, 16])).unwrap();
    let opened = || Eyes::open(Some(&path), None);
    let refusal = format!("{:#}", opened().err().unwrap());
    assert!(refusal.starts_with("the model for labels: ") && refusal.contains("colours.txt"), "{refusal}");
    std::fs::write(folder.path().join("colours.txt"), "fire\nsea\n").unwrap();
    let mut input = request(&painted(ImageFormat::Jpeg));
    let answer = ask_of(opened().unwrap(), "DetectLabels", input.clone()).await.unwrap();
    let [label] = &answer["Labels"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert!(label["Name"] == "fire" && label["Confidence"].as_f64().unwrap() > 90.0, "{answer}");
    let version = answer["LabelModelVersion"].as_str().unwrap();
    assert!(version.starts_with("local-") && version.len() == 14, "{version}");
    assert!(answer["ImageProperties"].is_object());
    input["MinConfidence"] = 0.into();
    let answer = ask_of(opened().unwrap(), "DetectLabels", input.clone()).await.unwrap();
    assert_eq!(answer["Labels"].as_array().unwrap().len(), 2);
    input["MaxLabels"] = 1.into();
    let answer = ask_of(opened().unwrap(), "DetectLabels", input).await.unwrap();
    assert_eq!(answer["Labels"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn refusals_have_rekognitions_names() {
    let no_picture = json!({"Image": {"Bytes": STANDARD.encode("words")}});
    let nowhere = json!({"Image": {"S3Object": {"Bucket": "b", "Name": "k"}}});
    let large = json!({"Image": {"Bytes": STANDARD.encode(vec![0; (5 << 20) + 1])}});
    for (action, input, want) in [
        ("DetectLabels", no_picture.clone(), "InvalidImageFormatException"),
        ("DetectFaces", no_picture.clone(), "InvalidImageFormatException"),
        ("IndexFaces", no_picture, "AccessDeniedException"),
        ("DetectText", request(&painted(ImageFormat::Png)), "AccessDeniedException"),
        ("DetectModerationLabels", request(&painted(ImageFormat::Png)), "AccessDeniedException"),
        ("DetectLabels", nowhere, "InvalidS3ObjectException"),
        ("DetectLabels", large, "ImageTooLargeException"),
        ("DetectLabels", json!({}), "InvalidParameterException"),
        ("RecognizeCelebrities", request(&painted(ImageFormat::Png)), "UnknownOperationException"),
    ] {
        assert_eq!(ask(action, input).await, Err(want), "{action}");
    }
}
