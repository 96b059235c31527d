//! How Rekognition's answers are read: answers of the shapes that its API reference gives, told by a server of the test's own.

use photovault_domain::{Area, Face, Label};
use photovault_vault::seams::Unseen;

use crate::{
    Endpoint, Reach, connect,
    server::{answering, at},
};

/// Answers one request with `status` and `body`; gives what was asked.
async fn answered(status: u16, body: &str) -> (Endpoint, tokio::task::JoinHandle<String>) {
    answering(&[(status, body)]).await
}

const LABELS: &str = r#"{
  "LabelModelVersion": "3.0",
  "Labels": [
    {"Name": "Outdoors", "Confidence": 88.4, "Instances": [], "Parents": [], "Aliases": [], "Categories": [{"Name": "Nature and Outdoors"}]},
    {"Name": "Dog", "Confidence": 97.61, "Aliases": [{"Name": "Puppy"}], "Categories": [{"Name": "Animals and Pets"}],
     "Parents": [{"Name": "Animal"}, {"Name": "Pet"}],
     "Instances": [{"BoundingBox": {"Left": 0.2, "Top": 0.51, "Width": 0.35, "Height": 0.4}, "Confidence": 97.6},
                   {"BoundingBox": {"Left": 0.9, "Top": 0.1, "Width": 0.2, "Height": 0.1}, "Confidence": 80.0}]}
  ]
}"#;

#[tokio::test]
async fn labels_are_read_with_all_that_is_kept_of_them() {
    let (endpoint, asked) = answered(200, LABELS).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    let (labels, model) = seams.recognition.labels(&at()).await.unwrap().unwrap();
    assert_eq!(model, "3.0");
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let dog = Label {
        name: "Dog".into(),
        confidence: 98,
        parents: texts(&["Animal", "Pet"]),
        categories: texts(&["Animals and Pets"]),
        boxes: vec![Area([200, 510, 350, 400]), Area([900, 100, 100, 100])],
    };
    let outdoors =
        Label { name: "Outdoors".into(), confidence: 88, categories: texts(&["Nature and Outdoors"]), ..Label::default() };
    assert_eq!(labels, [dog, outdoors]);
    let asked = asked.await.unwrap();
    assert!(asked.to_ascii_lowercase().contains("x-amz-target: rekognitionservice.detectlabels"), "{asked}");
    assert!(asked.contains(r#""S3Object":{"Bucket":"vault","Name":"derivatives/ann/1/large.jpg"}"#), "{asked}");
    assert!(!asked.contains("IMAGE_PROPERTIES"), "what the thumbnail stage measures is not paid for");
}

const FACES: &str = r#"{"FaceDetails": [
  {"BoundingBox": {"Width": 0.05, "Height": 0.08, "Left": 0.1, "Top": 0.2}, "Confidence": 91.2,
   "Pose": {"Roll": 1.0, "Yaw": -4.0, "Pitch": 3.0}, "Quality": {"Brightness": 70.1, "Sharpness": 46.03},
   "Landmarks": [{"Type": "eyeLeft", "X": 0.12, "Y": 0.22}]},
  {"BoundingBox": {"Width": 0.2, "Height": 0.3, "Left": 0.5, "Top": 0.25}, "Confidence": 99.99}
]}"#;

#[tokio::test]
async fn faces_come_largest_first() {
    let (endpoint, _) = answered(200, FACES).await;
    let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
    let faces = seams.recognition.faces(&at()).await.unwrap().unwrap();
    let large = Face { area: Area([500, 250, 200, 300]), confidence: 100, ..Face::default() };
    assert_eq!(faces, [large, Face { area: Area([100, 200, 50, 80]), confidence: 91, sharpness: Some(46), id: None }]);
}

#[tokio::test]
async fn refusals_are_told_from_failures() {
    let code = |code: &str| format!(r#"{{"__type": "{code}", "Message": "words"}}"#);
    for (name, want) in [
        ("InvalidImageFormatException", Some(Unseen::Picture("InvalidImageFormatException: words".into()))),
        ("ImageTooLargeException", Some(Unseen::Picture("ImageTooLargeException: words".into()))),
        ("AccessDeniedException", Some(Unseen::Account("AccessDeniedException: words".into()))),
        ("UnrecognizedClientException", Some(Unseen::Account("UnrecognizedClientException: words".into()))),
        ("InvalidS3ObjectException", None),
    ] {
        let (endpoint, _) = answered(400, &code(name)).await;
        let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
        let answer = seams.recognition.labels(&at()).await;
        match want {
            Some(unseen) => assert_eq!(answer.unwrap(), Err(unseen)),
            None => assert!(answer.unwrap_err().to_string().contains(name)),
        }
    }
}
