//! Rekognition, as far as it can be honest: what is measured is real, and what would have to be known is empty.
//!
//! Image properties are measured on the picture. Faces are found by a detector. Labels need a classifier, which the user may give;
//! without one there are none. Whose a face is takes an embedding model, which the user may give; without one it is refused.
//! Answers have Rekognition's shapes, and their model version says who gave them. Actions that are not here are refused by name.

mod collections;
mod colours;
mod faces;
mod gallery;
mod people;
mod picture;
mod request;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use photovault_domain::{Look, Tags};
use photovault_eyes::{Classifier, Embedder, FaceFinder};
use serde_json::{Value, json};

use self::{collections::Collections, colours::named, picture::Picture};
use crate::s3::Buckets;

/// Who answers where nobody has a word for anything, as `LabelModelVersion` says it.
const NOBODY: &str = "local-1";
/// How certain a label must be where nobody says so, in percent (Rekognition's default).
const LEAST_CONFIDENCE: f64 = 55.0;
/// Bytes of a picture within a request, and of one in a bucket (Rekognition's quotas).
const MOST_IN_REQUEST: u64 = 5 << 20;
const MOST_IN_BUCKET: u64 = 15 << 20;
/// Sharpness at which a picture is called half sharp, in squared steps of brightness: a phone's photo at 2,048 pixels has about a thousand.
const HALF_SHARP: f64 = 400.0;

/// Pictures that are decoded at once: one may take 300 MB.
static DECODES: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);

/// A refusal, by Rekognition's name for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// What looks at pictures.
pub(crate) struct Eyes {
    faces: FaceFinder,
    classifier: Option<Classifier>,
    embedder: Option<Embedder>,
}

impl Eyes {
    /// With the classifier and the embedding model in files, where there are any.
    pub(crate) fn open(labels: Option<&Path>, embeddings: Option<&Path>) -> anyhow::Result<Self> {
        let classifier = labels.map(Classifier::open).transpose().context("the model for labels")?;
        let embedder = embeddings.map(Embedder::open).transpose().context("the model for people")?;
        Ok(Self { faces: FaceFinder::built_in()?, classifier, embedder })
    }
}

/// What looks at pictures, and what it keeps of them.
pub(crate) struct Rekognition {
    eyes: Eyes,
    collections: Collections,
}

impl Rekognition {
    /// Keeps what it keeps in the data folder.
    pub(crate) fn open(data: &Path, eyes: Eyes) -> anyhow::Result<Self> {
        Ok(Self { eyes, collections: Collections::open(data)? })
    }
}

/// Answers one request.
pub(crate) async fn call(
    buckets: &Buckets,
    rekognition: &Arc<Rekognition>,
    action: &str,
    input: Value,
) -> Result<Value, Refusal> {
    let answer: fn(&Rekognition, &Value, &Picture) -> Result<Value, Refusal> = match action {
        "DetectLabels" => labels,
        "DetectFaces" => faces::detect,
        "IndexFaces" => {
            rekognition.version()?;
            faces::index
        }
        // An empty answer would say that there is nothing.
        "DetectText" => return Err(refuse("AccessDeniedException", "this engine has no model that reads text".to_owned())),
        "DetectModerationLabels" => {
            let why = "this engine has no model that tells what is not to be shown unasked";
            return Err(refuse("AccessDeniedException", why.to_owned()));
        }
        _ => {
            let (rekognition, action) = (Arc::clone(rekognition), action.to_owned());
            let answered = tokio::task::spawn_blocking(move || people::answer(&rekognition, &action, &input));
            return answered.await.map_err(internal)?;
        }
    };
    let bytes = bytes_of(buckets, &input["Image"])?;
    let permit = DECODES.acquire().await.map_err(internal)?;
    let rekognition = Arc::clone(rekognition);
    let answered = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        answer(&rekognition, &input, &Picture::read(&bytes)?)
    });
    answered.await.map_err(internal)?
}

fn bytes_of(buckets: &Buckets, image: &Value) -> Result<Vec<u8>, Refusal> {
    let too_large = |most: u64| refuse("ImageTooLargeException", format!("the image has more than {} MB", most >> 20));
    if let Some(encoded) = image["Bytes"].as_str() {
        let bytes = STANDARD.decode(encoded).map_err(|error| refuse("InvalidParameterException", error.to_string()))?;
        return if bytes.len() as u64 > MOST_IN_REQUEST { Err(too_large(MOST_IN_REQUEST)) } else { Ok(bytes) };
    }
    let at = &image["S3Object"];
    let (Some(bucket), Some(key)) = (at["Bucket"].as_str(), at["Name"].as_str()) else {
        return Err(refuse("InvalidParameterException", "the request has no image".to_owned()));
    };
    let missing = || refuse("InvalidS3ObjectException", format!("{bucket}/{key} cannot be read"));
    let read = buckets.read_whole(bucket, key, at["Version"].as_str(), MOST_IN_BUCKET).map_err(|_| missing())?;
    read.ok_or_else(|| too_large(MOST_IN_BUCKET))
}

fn labels(rekognition: &Rekognition, input: &Value, picture: &Picture) -> Result<Value, Refusal> {
    let mut answer = json!({"Labels": [], "LabelModelVersion": NOBODY});
    if let Some(classifier) = &rekognition.eyes.classifier {
        let least = input["MinConfidence"].as_f64().unwrap_or(LEAST_CONFIDENCE);
        let most = input["MaxLabels"].as_u64().unwrap_or(u64::MAX) as usize;
        let named = classifier.labels(&picture.0).map_err(internal)?.into_iter();
        let named = named.map(|(name, part)| (name, f64::from(part) * 100.0)).filter(|(_, percent)| *percent >= least);
        let label = |(name, percent)| json!({"Name": name, "Confidence": percent, "Instances": [], "Parents": [], "Aliases": [], "Categories": []});
        answer["Labels"] = named.take(most).map(label).collect();
        answer["LabelModelVersion"] = format!("{}{}", Tags::LOCAL, classifier.name).into();
    }
    let features = input["Features"].as_array();
    if features.is_some_and(|features| features.iter().any(|feature| feature == "IMAGE_PROPERTIES")) {
        let most = input["Settings"]["ImageProperties"]["MaxDominantColors"].as_u64().unwrap_or(10);
        answer["ImageProperties"] = properties(&picture.look(), most as usize);
    }
    Ok(answer)
}

/// Foreground and background are left out: telling them apart takes a model.
fn properties(look: &Look, most_colours: usize) -> Value {
    let colour = |colour: &photovault_domain::Colour| {
        let [red, green, blue] = colour.rgb.0;
        let (css, simplified) = named(colour.rgb.0);
        json!({
            "Red": red, "Green": green, "Blue": blue, "HexCode": format!("#{}", colour.rgb),
            "CSSColor": css, "SimplifiedColor": simplified, "PixelPercent": colour.percent,
        })
    };
    json!({
        "Quality": quality(look),
        "DominantColors": look.colours.iter().take(most_colours).map(colour).collect::<Vec<_>>(),
    })
}

fn quality(look: &Look) -> Value {
    let sharpness = f64::from(look.sharpness);
    json!({
        "Brightness": f64::from(look.brightness) / 2.55,
        "Contrast": (f64::from(look.contrast) / 1.27).min(100.0),
        "Sharpness": 100.0 * sharpness / (sharpness + HALF_SHARP),
    })
}

fn refuse(code: &'static str, message: String) -> Refusal {
    Refusal { code, message }
}

fn internal(error: impl std::fmt::Display) -> Refusal {
    refuse("InternalServerError", error.to_string())
}
