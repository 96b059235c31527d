//! Where faces are (`DetectFaces`), and which of them a collection takes in (`IndexFaces`).

use photovault_domain::Tags;
use photovault_eyes::SeenFace;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Refusal, Rekognition,
    collections::{Arrival, Arrivals},
    internal,
    picture::Picture,
    quality, refuse,
    request::text,
};
use crate::runtime::random::{request_id, uuid};

/// What Rekognition calls the points of a face that are found, left and right as one looks at the picture.
const LANDMARKS: [&str; 5] = ["eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight"];
/// The shorter side of a face from which it is worth comparing, in pixels: what is smaller, Rekognition's guidelines do not promise either.
const LEAST_SIDE: f32 = 40.0;
/// Faces of one picture that are taken in at most (Rekognition's quota).
const MOST_FACES: u64 = 100;

/// `DetectFaces`.
pub(super) fn detect(rekognition: &Rekognition, _: &Value, picture: &Picture) -> Result<Value, Refusal> {
    let faces = &rekognition.eyes.faces;
    let found = faces.find(&picture.0).map_err(internal)?;
    let version = format!("{}{}", Tags::LOCAL, faces.name);
    let details: Vec<Value> = found.iter().map(|face| detail(face, picture)).collect();
    Ok(json!({"FaceDetails": details, "FaceModelVersion": version}))
}

/// `IndexFaces`: the largest faces, as many as are asked for.
pub(super) fn index(rekognition: &Rekognition, input: &Value, picture: &Picture) -> Result<Value, Refusal> {
    let (collection, version) = (text(input, "CollectionId")?, rekognition.version()?);
    rekognition.collections.require(collection)?;
    let name = if input["ExternalImageId"].is_null() { "" } else { text(input, "ExternalImageId")? };
    let image = uuid(&hex::encode(Sha256::digest(picture.0.as_raw())));
    let most = input["MaxFaces"].as_u64().unwrap_or(MOST_FACES).min(MOST_FACES) as usize;
    let is_any_good = input["QualityFilter"] == "NONE";
    let (mut faces, mut left_out) = (Vec::new(), Vec::new());
    for face in rekognition.eyes.faces.find(&picture.0).map_err(internal)? {
        let detail = detail(&face, picture);
        let looks = if faces.len() == most {
            Err("EXCEEDS_MAX_FACES")
        } else if !is_any_good && side(&face, picture) < LEAST_SIDE {
            Err("SMALL_BOUNDING_BOX")
        } else {
            rekognition.looks_of(&face, picture)?.ok_or("LOW_FACE_QUALITY")
        };
        match looks {
            Ok(looks) => {
                let id = request_id();
                let mut told = json!({
                    "FaceId": id, "ImageId": image, "BoundingBox": detail["BoundingBox"], "Confidence": detail["Confidence"],
                    "IndexFacesModelVersion": version,
                });
                if !name.is_empty() {
                    told["ExternalImageId"] = name.into();
                }
                faces.push(Arrival { id, record: json!({"Face": told, "FaceDetail": detail}), looks });
            }
            Err(why) => left_out.push(json!({"FaceDetail": detail, "Reasons": [why]})),
        }
    }
    let arrivals = Arrivals { model: &version, image: &image, name, faces };
    let records = rekognition.collections.take_in(collection, &arrivals)?;
    Ok(json!({"FaceRecords": records, "UnindexedFaces": left_out, "FaceModelVersion": version}))
}

/// What can be said of a face. Age, feelings and all else that would have to be guessed is left out.
fn detail(face: &SeenFace, picture: &Picture) -> Value {
    let [left, top, width, height] = face.area;
    let landmark = |(name, [x, y]): (&str, [f32; 2])| json!({"Type": name, "X": x, "Y": y});
    let mut detail = json!({
        "BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height},
        "Confidence": face.score * 100.0,
        "Landmarks": LANDMARKS.into_iter().zip(face.landmarks).map(landmark).collect::<Vec<_>>(),
    });
    if let Some(part) = picture.part(face.area) {
        let mut quality = quality(&part.look());
        quality.as_object_mut().map(|quality| quality.remove("Contrast"));
        detail["Quality"] = quality;
    }
    detail
}

fn side(face: &SeenFace, picture: &Picture) -> f32 {
    (face.area[2] * picture.0.width() as f32).min(face.area[3] * picture.0.height() as f32)
}

impl Rekognition {
    /// Who tells faces apart, as answers name it; a refusal where nobody does.
    pub(super) fn version(&self) -> Result<String, Refusal> {
        let refusal = || {
            let message = "this engine finds faces, but cannot tell whose they are without a model: photovault up --embeddings";
            refuse("AccessDeniedException", message.to_owned())
        };
        self.eyes.embedder.as_ref().map(|embedder| format!("{}{}", Tags::LOCAL, embedder.name)).ok_or_else(refusal)
    }

    fn looks_of(&self, face: &SeenFace, picture: &Picture) -> Result<Option<Vec<f32>>, Refusal> {
        let Some(embedder) = &self.eyes.embedder else { return Ok(None) };
        embedder.embed(&picture.0, &face.landmarks).map_err(internal)
    }
}
