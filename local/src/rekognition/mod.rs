//! Rekognition, as far as it can be honest without a model: what is measured is real, and what would have to be known is empty.
//!
//! Image properties are measured on the picture; labels need a classifier, and there is none here, so there are none. Answers have
//! Rekognition's shapes, and their model version says who gave them. Actions that are not here are refused by name.

mod colours;
mod picture;
#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use photovault_domain::Look;
use serde_json::{Value, json};

use self::{colours::named, picture::Picture};
use crate::s3::Buckets;

/// Who answers, as `LabelModelVersion` and `ModerationModelVersion` say it.
const MODEL: &str = "local-1";
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

/// Answers one request.
pub(crate) async fn call(buckets: &Buckets, action: &str, input: Value) -> Result<Value, Refusal> {
    let answer: fn(&Value, &Picture) -> Value = match action {
        "DetectLabels" => labels,
        // An empty list would say that there is nobody.
        "DetectFaces" | "IndexFaces" | "CreateCollection" => {
            return Err(refuse("AccessDeniedException", "this engine has no face detector".to_owned()));
        }
        "DetectModerationLabels" => |_, _| json!({"ModerationLabels": [], "ModerationModelVersion": MODEL}),
        _ => return Err(refuse("UnknownOperationException", format!("{action} is not among what this engine answers"))),
    };
    let bytes = bytes_of(buckets, &input["Image"])?;
    let _permit = DECODES.acquire().await.map_err(|error| refuse("InternalServerError", error.to_string()))?;
    let answered = tokio::task::spawn_blocking(move || Picture::read(&bytes).map(|picture| answer(&input, &picture)));
    answered.await.map_err(|error| refuse("InternalServerError", error.to_string()))?
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

fn labels(input: &Value, picture: &Picture) -> Value {
    let mut answer = json!({"Labels": [], "LabelModelVersion": MODEL});
    let features = input["Features"].as_array();
    if features.is_some_and(|features| features.iter().any(|feature| feature == "IMAGE_PROPERTIES")) {
        let most = input["Settings"]["ImageProperties"]["MaxDominantColors"].as_u64().unwrap_or(10);
        answer["ImageProperties"] = properties(&picture.look(), most as usize);
    }
    answer
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
    let sharpness = f64::from(look.sharpness);
    json!({
        "Quality": {
            "Brightness": f64::from(look.brightness) / 2.55,
            "Contrast": (f64::from(look.contrast) / 1.27).min(100.0),
            "Sharpness": 100.0 * sharpness / (sharpness + HALF_SHARP),
        },
        "DominantColors": look.colours.iter().take(most_colours).map(colour).collect::<Vec<_>>(),
    })
}

fn refuse(code: &'static str, message: String) -> Refusal {
    Refusal { code, message }
}
