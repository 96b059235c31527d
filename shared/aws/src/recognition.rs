//! What pictures show: Rekognition. It reads them from the bucket itself.

use async_trait::async_trait;
use aws_sdk_rekognition::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{BoundingBox, FaceDetail, Image, ImageQuality, Instance, Label as Named, S3Object},
};
use photovault_domain::{Area, Face, Label, Moderation, Word};
use photovault_vault::seams::{ObjectAt, Recognition, SeamResult, Unseen};

use crate::failure;

mod collection;
mod words;

/// Labels of a picture: what comes behind these is rarely looked for, and each makes the item longer.
const MAX_LABELS: i32 = 20;
/// How certain a label must be, in percent.
const MIN_CONFIDENCE: f32 = 75.0;
/// Boxes of one label.
const MAX_BOXES: usize = 12;
/// Faces of one picture; Rekognition finds up to 100.
const MAX_FACES: usize = 50;

pub(crate) struct Rekognition(pub(crate) Client);

#[async_trait]
impl Recognition for Rekognition {
    async fn labels(&self, at: &ObjectAt) -> SeamResult<Result<(Vec<Label>, String), Unseen>> {
        let detect = self.0.detect_labels().image(image(at)).max_labels(MAX_LABELS).min_confidence(MIN_CONFIDENCE);
        match detect.send().await {
            Ok(found) => {
                let mut labels: Vec<Label> = found.labels().iter().map(label).collect();
                labels.sort_by(|one, other| other.confidence.cmp(&one.confidence).then_with(|| one.name.cmp(&other.name)));
                Ok(Ok((labels, model(found.label_model_version))))
            }
            Err(error) => unseen(&at.key, &error).map(Err),
        }
    }

    async fn faces(&self, at: &ObjectAt) -> SeamResult<Result<Vec<Face>, Unseen>> {
        match self.0.detect_faces().image(image(at)).send().await {
            Ok(found) => {
                let mut faces: Vec<Face> = found.face_details().iter().map(face).collect();
                faces.sort_by_key(|face| std::cmp::Reverse(face.area.millionths()));
                faces.truncate(MAX_FACES);
                Ok(Ok(faces))
            }
            Err(error) => unseen(&at.key, &error).map(Err),
        }
    }

    async fn text(&self, at: &ObjectAt) -> SeamResult<Result<Vec<Word>, Unseen>> {
        words::text(&self.0, at).await
    }

    async fn moderation(&self, at: &ObjectAt) -> SeamResult<Result<Moderation, Unseen>> {
        words::moderation(&self.0, at).await
    }

    async fn take_in(&self, collection: &str, at: &ObjectAt, name: &str) -> SeamResult<Result<Vec<Face>, Unseen>> {
        collection::take_in(&self.0, collection, at, name).await
    }

    async fn persons_like(&self, collection: &str, face: &str) -> SeamResult<Result<Vec<(String, u8)>, Unseen>> {
        collection::persons_like(&self.0, collection, face).await
    }

    async fn faces_like(&self, collection: &str, face: &str) -> SeamResult<Result<Vec<(String, u8)>, Unseen>> {
        collection::faces_like(&self.0, collection, face).await
    }

    async fn associate(&self, collection: &str, person: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>> {
        collection::associate(&self.0, collection, person, faces).await
    }

    async fn part(&self, collection: &str, person: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>> {
        collection::part(&self.0, collection, person, faces).await
    }

    async fn forget(&self, collection: &str, faces: &[String]) -> SeamResult<Result<(), Unseen>> {
        collection::forget(&self.0, collection, faces).await
    }
}

/// A version that is told, so that labels which were looked for are known by it.
fn model(version: Option<String>) -> String {
    version.filter(|version| !version.is_empty()).unwrap_or_else(|| "unnamed".to_owned())
}

fn image(at: &ObjectAt) -> Image {
    let object = S3Object::builder().bucket(&at.bucket).name(&at.key).set_version(at.version.clone());
    Image::builder().s3_object(object.build()).build()
}

fn label(found: &Named) -> Label {
    let boxes = found.instances().iter().filter_map(Instance::bounding_box).map(area);
    Label {
        name: found.name().unwrap_or_default().to_owned(),
        confidence: percent(found.confidence()),
        parents: found.parents().iter().filter_map(|parent| parent.name()).map(str::to_owned).collect(),
        categories: found.categories().iter().filter_map(|category| category.name()).map(str::to_owned).collect(),
        boxes: boxes.take(MAX_BOXES).collect(),
    }
}

fn face(found: &FaceDetail) -> Face {
    Face {
        area: found.bounding_box().map(area).unwrap_or_default(),
        confidence: percent(found.confidence()),
        sharpness: found.quality().and_then(ImageQuality::sharpness).map(|sharpness| percent(Some(sharpness))),
        id: None,
    }
}

fn area(found: &BoundingBox) -> Area {
    let side = |side: Option<f32>| f64::from(side.unwrap_or(0.0));
    Area::of_fractions(side(found.left), side(found.top), side(found.width), side(found.height))
}

fn percent(confidence: Option<f32>) -> u8 {
    confidence.unwrap_or(0.0).round().clamp(0.0, 100.0) as u8
}

/// What another attempt would be answered as well. All else, throttling among it, is a failure that the queue brings again.
fn unseen<E, R>(about: &str, error: &SdkError<E, R>) -> SeamResult<Unseen>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let told = |code: &str| format!("{code}: {}", error.message().unwrap_or_default());
    match error.code() {
        Some(code @ ("InvalidImageFormatException" | "ImageTooLargeException")) => Ok(Unseen::Picture(told(code))),
        Some(
            code @ ("AccessDeniedException" | "UnrecognizedClientException" | "SubscriptionRequiredException" | "OptInRequired"),
        ) => Ok(Unseen::Account(told(code))),
        _ => Err(failure(format!("looking at {about}"), error)),
    }
}

#[cfg(test)]
mod tests;
