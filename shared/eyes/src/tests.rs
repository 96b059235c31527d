//! Networks that the tests write themselves, number by number.

use image::{Rgb, RgbImage};

use crate::{
    Classifier, Embedder, FaceFinder, OpenError,
    network::Network,
    specimens::{by_colour, model, node, of_tint, painted_face, tinted},
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
fn classifier(folder: &std::path::Path, names: &str, sides: &[i64]) -> Result<Classifier, OpenError> {
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
    let told = |result: Result<Classifier, OpenError>| result.err().map(|error| error.to_string()).unwrap_or_default();
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

fn embedder(model: &[u8]) -> Result<Embedder, OpenError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.onnx");
    std::fs::write(&path, model).unwrap();
    Embedder::open(&path)
}

#[test]
fn a_face_is_a_vector_wherever_it_stands_on_whichever_picture() {
    let finder = FaceFinder::built_in().unwrap();
    let tints = [[1.0, 0.55, 0.55], [0.55, 1.0, 0.55], [0.5, 0.65, 1.0]];
    for (sides, normalises) in [([1, 3, 112, 112], false), ([-1, 3, -1, -1], false), ([1, 3, 96, 96], true)] {
        let embedder = embedder(&of_tint(&sides, normalises)).unwrap();
        let looks = |tint: [f32; 3], at: [f32; 2], radius: f32| {
            let picture = tinted(painted_face(900, 700, at, radius), tint);
            let faces = finder.find(&picture).unwrap();
            embedder.embed(&picture, &faces[0].landmarks).unwrap().unwrap()
        };
        let cosine = |one: &[f32], other: &[f32]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f32>();
        let vectors = tints.map(|tint| [looks(tint, [300.0, 300.0], 70.0), looks(tint, [600.0, 400.0], 190.0)]);
        for (person, [small, large]) in vectors.iter().enumerate() {
            assert!((cosine(small, small) - 1.0).abs() < 1e-5 && cosine(small, large) > 0.9, "{small:?} {large:?}");
            let others = vectors.iter().enumerate().filter(|(other, _)| *other != person);
            assert!(others.map(|(_, [_, large])| cosine(small, large)).all(|cosine| cosine < 0.3), "{vectors:?}");
        }
    }
}

#[test]
fn a_wrong_embedding_model_is_refused_when_it_is_opened() {
    let told = |model: &[u8]| embedder(model).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told(b"no model").contains("people.onnx: it is no ONNX model"));
    assert!(told(&of_tint(&[1, 1, 112, 112], false)).contains("no picture in red, green and blue"));
    assert!(told(&of_tint(&[1, 3, 112, 96], false)).contains("96×112 pixels, and a face is put on a square"));
    let same = model(&[node("Relu", &["x"], "y", &[])], &[], &[1, 3, 112, 112]);
    assert!(told(&same).contains("37632 numbers of a face"));
    assert!(told(&of_tint(&[2, 3, 112, 112], false)).contains("it cannot be run"));
}
