//! What a request says.

use serde_json::Value;

use super::{Refusal, refuse};

/// Characters of a name at most (Rekognition's limit for collections and images; that for users is 128).
const MOST_CHARACTERS: usize = 255;

/// A name: of a collection, a picture, a face or a user.
pub(super) fn text<'a>(input: &'a Value, field: &str) -> Result<&'a str, Refusal> {
    let is_name = |text: &&str| {
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-:".contains(&byte);
        (1..=MOST_CHARACTERS).contains(&text.len()) && text.bytes().all(is_one)
    };
    input[field].as_str().filter(is_name).ok_or_else(|| refuse("InvalidParameterException", format!("{field} is no name")))
}

/// Marks of faces.
pub(super) fn faces(input: &Value, most: usize) -> Result<Vec<String>, Refusal> {
    let faces: Option<Vec<String>> =
        input["FaceIds"].as_array().and_then(|faces| faces.iter().map(|face| face.as_str().map(str::to_owned)).collect());
    let wrong = || refuse("InvalidParameterException", format!("FaceIds are 1 to {most} marks of faces"));
    faces.filter(|faces| (1..=most).contains(&faces.len())).ok_or_else(wrong)
}

/// A number, or what is meant where there is none.
pub(super) fn number(input: &Value, field: &str, usual: f32) -> f32 {
    input[field].as_f64().map_or(usual, |number| number as f32)
}
