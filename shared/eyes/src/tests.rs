//! Networks that the tests write themselves, number by number.

use image::{Rgb, RgbImage};

use crate::{
    Classifier, ClassifierError, FaceFinder,
    network::Network,
    specimens::{by_colour, model, node, painted_face},
};

#[test]
fn what_cannot_be_run_is_refused_in_words() {
    let told = |bytes: &[u8]| Network::read(bytes.to_vec()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told(b"no model").starts_with("it is no ONNX model that can be run"));
    let whole = model(&[node("Relu", &["x"], "y", &[])], &[], &[1, 1, 2, 2]);
    for length in 0..whole.len() {
        let _ = Network::read(whole[..length].to_vec());
    }
    assert_eq!(told(&whole), "");
    let unknown = told(&model(&[node("Telepathy", &["x"], "y", &[])], &[], &[1, 1, 2, 2]));
    assert!(unknown.contains("Telepathy"), "{unknown}");
}

/// `red` and `blue` by the mean colour, as the last layer of a classifier would tell them.
fn classifier(folder: &std::path::Path, names: &str, sides: &[i64]) -> Result<Classifier, ClassifierError> {
    let path = folder.join("colours.onnx");
    std::fs::write(&path, by_colour(sides)).unwrap();
    std::fs::write(folder.join("colours.txt"), names).unwrap();
    Classifier::open(&path)
}

#[test]
fn a_classifier_names_what_it_sees() {
    let folder = tempfile::tempdir().unwrap();
    let picture = |colour| RgbImage::from_pixel(40, 30, Rgb(colour));
    for sides in [[1, 3, 8, 8], [1, 3, -1, -1]] {
        let classifier = classifier(folder.path(), "fire\nsea\n", &sides).unwrap();
        assert_eq!(classifier.name.len(), 8);
        let labels = classifier.labels(&picture([230, 20, 10])).unwrap();
        assert!(labels[0].0 == "fire" && labels[0].1 > 0.9 && (labels[0].1 + labels[1].1 - 1.0).abs() < 1e-5, "{labels:?}");
        assert_eq!(classifier.labels(&picture([10, 20, 230])).unwrap()[0].0, "sea");
    }
}

#[test]
fn a_wrong_classifier_is_refused_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let told = |result: Result<Classifier, ClassifierError>| result.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told(classifier(folder.path(), "fire\n", &[1, 3, 8, 8])).contains("1 names, and the model tells 2 things apart"));
    assert!(told(classifier(folder.path(), "fire\nsea\n", &[1, 4, 8, 8])).contains("no picture in red, green and blue"));
    assert!(told(classifier(folder.path(), "fire\nsea\n", &[1, 3, 4096, 8])).contains("more than 1024"));
    std::fs::remove_file(folder.path().join("colours.txt")).unwrap();
    assert!(told(Classifier::open(&folder.path().join("colours.onnx"))).contains("the names"));
    assert!(told(Classifier::open(&folder.path().join("none.onnx"))).contains("none.onnx"));
}

/// A face as a child draws it, with shading: enough for a detector that was taught photographs.
#[test]
fn a_painted_face_is_found_and_noise_is_not() {
    let finder = FaceFinder::built_in().unwrap();
    assert_eq!(finder.name, "yunet-44e02a75");
    let noise = RgbImage::from_fn(700, 500, |x, y| Rgb([(x * 31 + y * 17) as u8, (x * y) as u8, (x ^ y) as u8]));
    assert_eq!(finder.find(&noise).unwrap(), []);
    assert_eq!(finder.find(&RgbImage::new(1, 3000)).unwrap(), []);
    let faces = finder.find(&painted_face(1_600, 1_200, [900.0, 500.0], 160.0)).unwrap();
    let [face] = faces[..] else { panic!("{faces:?}") };
    let middle = [face.area[0] + face.area[2] / 2.0, face.area[1] + face.area[3] / 2.0];
    assert!((middle[0] - 0.5625).abs() < 0.03 && (middle[1] - 0.4167).abs() < 0.05, "{face:?}");
    let [left, right, tip, ..] = face.landmarks;
    assert!(left[0] < tip[0] && tip[0] < right[0] && left[1] < tip[1], "{face:?}");
}
