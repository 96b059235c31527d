//! What can be read on a picture, and what is not to be shown unasked.

use aws_sdk_rekognition::{
    Client,
    types::{DetectTextFilters, DetectionFilter, Geometry, TextDetection, TextTypes},
};
use photovault_domain::{Moderation, ModerationLabel, Word};
use photovault_vault::seams::{ObjectAt, SeamResult, Unseen};

use super::{area, image, model, percent, unseen};

/// How certain a word must be, in percent: Rekognition's own default.
const MIN_WORD: f32 = 80.0;
/// How certain it must be that something is not to be shown, in percent: Rekognition's own default. One photo too many that no memory shows
/// is the lesser harm.
const MIN_MODERATION: f32 = 50.0;

pub(super) async fn text(client: &Client, at: &ObjectAt) -> SeamResult<Result<Vec<Word>, Unseen>> {
    let filter = DetectionFilter::builder().min_confidence(MIN_WORD).build();
    let filters = DetectTextFilters::builder().word_filter(filter).build();
    match client.detect_text().image(image(at)).filters(filters).send().await {
        // Lines come first, then the words of each line in their order.
        Ok(found) => {
            Ok(Ok(found.text_detections().iter().filter(|it| it.r#type() == Some(&TextTypes::Word)).map(word).collect()))
        }
        Err(error) => unseen(&at.key, &error).map(Err),
    }
}

pub(super) async fn moderation(client: &Client, at: &ObjectAt) -> SeamResult<Result<Moderation, Unseen>> {
    match client.detect_moderation_labels().image(image(at)).min_confidence(MIN_MODERATION).send().await {
        Ok(found) => {
            let mut labels: Vec<ModerationLabel> = found.moderation_labels().iter().map(label).collect();
            labels.sort_by_key(|label| std::cmp::Reverse(label.confidence));
            Ok(Ok(Moderation { labels, model: model(found.moderation_model_version) }))
        }
        Err(error) => unseen(&at.key, &error).map(Err),
    }
}

fn word(found: &TextDetection) -> Word {
    Word {
        text: found.detected_text().unwrap_or_default().to_owned(),
        confidence: percent(found.confidence()),
        area: found.geometry().and_then(Geometry::bounding_box).map(area).unwrap_or_default(),
    }
}

fn label(found: &aws_sdk_rekognition::types::ModerationLabel) -> ModerationLabel {
    ModerationLabel {
        name: found.name().unwrap_or_default().to_owned(),
        parent: found.parent_name().unwrap_or_default().to_owned(),
        confidence: percent(found.confidence()),
    }
}

#[cfg(test)]
mod tests {
    use photovault_domain::Area;

    use super::*;
    use crate::{
        Reach, connect,
        server::{answering, at},
    };

    const TEXT: &str = r#"{"TextModelVersion": "3.0", "TextDetections": [
      {"Type": "LINE", "Id": 0, "DetectedText": "EXIT ONLY", "Confidence": 99.1,
       "Geometry": {"BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.4, "Height": 0.1},
                    "Polygon": [{"X": 0.1, "Y": 0.2}, {"X": 0.5, "Y": 0.2}, {"X": 0.5, "Y": 0.3}, {"X": 0.1, "Y": 0.3}]}},
      {"Type": "WORD", "Id": 1, "ParentId": 0, "DetectedText": "EXIT", "Confidence": 99.4,
       "Geometry": {"BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.15, "Height": 0.1}}},
      {"Type": "WORD", "Id": 2, "ParentId": 0, "DetectedText": "ONLY", "Confidence": 98.7,
       "Geometry": {"BoundingBox": {"Left": 0.3, "Top": 0.2, "Width": 0.2, "Height": 0.1}}}]}"#;

    #[tokio::test]
    async fn words_are_kept_and_lines_told_by_their_order() {
        let (endpoint, asked) = answering(&[(200, TEXT)]).await;
        let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
        let word = |text: &str, confidence: u8, area: [u16; 4]| Word { text: text.into(), confidence, area: Area(area) };
        let want = [word("EXIT", 99, [100, 200, 150, 100]), word("ONLY", 99, [300, 200, 200, 100])];
        assert_eq!(seams.recognition.text(&at()).await.unwrap().unwrap(), want);
        let asked = asked.await.unwrap();
        assert!(asked.to_ascii_lowercase().contains("x-amz-target: rekognitionservice.detecttext"), "{asked}");
        assert!(asked.contains(r#""Filters":{"WordFilter":{"MinConfidence":80"#), "{asked}");
    }

    const MODERATION: &str = r#"{"ModerationModelVersion": "7.0", "ContentTypes": [],
      "ModerationLabels": [{"Name": "Violence", "ParentName": "", "Confidence": 71.3, "TaxonomyLevel": 1},
                           {"Name": "Weapons", "ParentName": "Violence", "Confidence": 71.6, "TaxonomyLevel": 2}]}"#;

    #[tokio::test]
    async fn moderation_has_its_parents_and_its_model_and_may_be_refused() {
        let refused = r#"{"__type": "AccessDeniedException", "Message": "words"}"#;
        let (endpoint, asked) = answering(&[(200, MODERATION), (400, refused)]).await;
        let seams = connect(Reach::Endpoint(&endpoint), "").await.seams;
        let found = seams.recognition.moderation(&at()).await.unwrap().unwrap();
        let label =
            |name: &str, parent: &str, confidence: u8| ModerationLabel { name: name.into(), parent: parent.into(), confidence };
        let labels = vec![label("Weapons", "Violence", 72), label("Violence", "", 71)];
        assert_eq!(found, Moderation { labels, model: "7.0".into() });
        let answer = seams.recognition.moderation(&at()).await.unwrap();
        assert_eq!(answer, Err(Unseen::Account("AccessDeniedException: words".into())));
        let asked = asked.await.unwrap();
        assert!(asked.to_ascii_lowercase().contains("x-amz-target: rekognitionservice.detectmoderationlabels"), "{asked}");
        assert!(asked.contains(r#""MinConfidence":50"#), "{asked}");
    }
}
