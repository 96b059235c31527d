//! A recogniser that sees in bytes what their hash says: the same always, a person on every other one, faces where a person is.

use photovault_domain::{Area, Face, Label};
use sha2::Digest as _;

/// Who saw it.
pub const MODEL: &str = "simulated-1";

/// What is seen in these bytes.
pub fn labels_in(bytes: &[u8]) -> Vec<Label> {
    let hash = sha2::Sha256::digest(bytes);
    let label = |name: String, parent: &str| Label {
        name,
        confidence: 75 + hash[1] % 25,
        parents: vec![parent.to_owned()],
        ..Label::default()
    };
    let thing = label(format!("Thing {}", hash[0]), "Thing");
    let person = has_person(bytes).then(|| label("Woman".to_owned(), "Person"));
    [Some(thing), person].into_iter().flatten().collect()
}

/// The faces in these bytes.
pub fn faces_in(bytes: &[u8]) -> Vec<Face> {
    let face = Face { area: Area([100, 100, 200, 300]), confidence: 99, sharpness: Some(80) };
    if has_person(bytes) { vec![face] } else { Vec::new() }
}

fn has_person(bytes: &[u8]) -> bool {
    sha2::Sha256::digest(bytes)[2] % 2 == 0
}
