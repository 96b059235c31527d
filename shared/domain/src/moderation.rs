//! What a recogniser says of pictures that are not to be shown unasked.

use serde::{Deserialize, Serialize};

/// What was found, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moderation {
    /// The most certain first; empty where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<ModerationLabel>,
    /// The version of the recogniser's model, as it says it.
    pub model: String,
}

/// One thing that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModerationLabel {
    /// What it is, in English.
    pub name: String,
    /// What it is one of; empty of a category.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parent: String,
    /// How certain that is, 0..=100.
    pub confidence: u8,
}

/// Labels of Rekognition's taxonomy (version 7 of its model) that keep a photo back, on whatever level they stand: what is one of them has
/// them in its answer too. Swimwear, kissing, alcohol, smoking, gestures and gambling are what holidays and weddings are full of.
const KEEPING_BACK: &[&str] =
    &["Explicit", "Non-Explicit Nudity", "Obstructed Intimate Parts", "Violence", "Visually Disturbing", "Hate Symbols"];

impl Moderation {
    /// What keeps the photo out of what is shown unasked, if anything does: the most certain of it.
    pub fn keeps_back(&self) -> Option<&ModerationLabel> {
        self.labels.iter().find(|label| KEEPING_BACK.contains(&label.name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_back_is_told_from_holidays() {
        let found = |labels: &[(&str, &str)]| {
            let label = |(name, parent): &(&str, &str)| ModerationLabel {
                name: (*name).into(),
                parent: (*parent).into(),
                confidence: 90,
            };
            let found = Moderation { labels: labels.iter().map(label).collect(), model: "7.0".into() };
            found.keeps_back().map(|label| label.name.clone())
        };
        let swimming = [("Female Swimwear or Underwear", "Swimwear or Underwear"), ("Swimwear or Underwear", "")];
        assert_eq!((found(&[]), found(&swimming)), (None, None));
        let explicit = [("Exposed Buttocks or Anus", "Explicit Nudity"), ("Explicit Nudity", "Explicit"), ("Explicit", "")];
        assert_eq!(found(&explicit).as_deref(), Some("Explicit"));
        assert_eq!(found(&[("Alcohol", ""), ("Weapons", "Violence"), ("Violence", "")]).as_deref(), Some("Violence"));
    }
}
