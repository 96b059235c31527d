//! The tags facet: what a recogniser saw on a picture.

use serde::{Deserialize, Serialize};

use crate::{MediaId, Moderation};

/// What a recogniser saw on a photo, or on a video's poster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tags {
    /// What it saw, the most certain first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// The faces, the largest first; absent where nobody looked for faces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faces: Option<Vec<Face>>,
    /// Who saw the labels: the version of the recogniser's model, as it says it; empty where nobody looked for labels.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// What can be read, in the order of reading; absent where nobody looked for text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Vec<Word>>,
    /// What is not to be shown unasked; absent where nobody looked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Moderation>,
    /// The picture that was looked at instead of this one: another frame of its burst, or another copy of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherited: Option<MediaId>,
}

/// One thing that is to be seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// What it is, in English.
    pub name: String,
    /// How certain that is, 0..=100.
    pub confidence: u8,
    /// What it is one of, the nearest first: a beach is `Nature`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<String>,
    /// The fields that it belongs to, by the recogniser's list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Where, of each one that can be told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<Area>,
}

/// A face.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Where.
    pub area: Area,
    /// How certain it is that this is one, 0..=100.
    pub confidence: u8,
    /// How sharp it is, 0..=100, where the recogniser says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharpness: Option<u8>,
    /// The mark of a recogniser that keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A word that can be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// As it stands there.
    pub text: String,
    /// How certain that is, 0..=100.
    pub confidence: u8,
    /// Where.
    pub area: Area,
}

/// A part of a picture as it is shown, in thousandths of its sides: left edge, upper edge, width, height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area(pub [u16; 4]);

/// What kind of thing a label names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelKind {
    /// What can be pointed at.
    Thing,
    /// Where it is: a landscape, a building, weather.
    Scene,
    /// What is done.
    Activity,
}

/// Categories of Rekognition's list whose labels say what is done. Where a label is in several, this one tells.
const OF_ACTIVITIES: &[&str] = &["Actions", "Sports", "Performing Arts", "Hobbies and Interests", "Events and Attractions"];
/// Those whose labels say where.
const OF_SCENES: &[&str] = &[
    "Nature and Outdoors",
    "Home and Indoors",
    "Buildings and Architecture",
    "Popular Landmarks",
    "Travel and Adventure",
    "Offices and Workspaces",
    "Colors and Visual Composition",
];

impl Area {
    /// Of fractions of the sides, cut to what the picture has.
    pub fn of_fractions(left: f64, top: f64, width: f64, height: f64) -> Self {
        let thousandths = |value: f64| (value * 1000.0).round().clamp(0.0, 1000.0) as u16;
        let (left, top) = (thousandths(left), thousandths(top));
        Self([left, top, thousandths(width).min(1000 - left), thousandths(height).min(1000 - top)])
    }

    /// Its size, in millionths of the picture.
    pub fn millionths(self) -> u32 {
        u32::from(self.0[2]) * u32::from(self.0[3])
    }
}

impl Label {
    /// What can be told apart is a thing, whatever else it is.
    pub fn kind(&self) -> LabelKind {
        let is_of = |list: &[&str]| self.categories.iter().any(|category| list.contains(&category.as_str()));
        if !self.boxes.is_empty() {
            LabelKind::Thing
        } else if is_of(OF_ACTIVITIES) {
            LabelKind::Activity
        } else if is_of(OF_SCENES) {
            LabelKind::Scene
        } else {
            LabelKind::Thing
        }
    }

    /// Whether it says that somebody is to be seen.
    pub fn shows_person(&self) -> bool {
        const PERSON: &str = "Person";
        self.name == PERSON || self.parents.iter().any(|parent| parent == PERSON)
    }
}

impl Tags {
    /// How the models of the engine's own recogniser are called.
    pub const LOCAL: &str = "local-";

    /// Whether it is worth looking for faces: where somebody is to be seen; where nobody can tell, since the recogniser has no word for
    /// anything; and where it is the engine's own, which costs nothing and may have no word for people.
    pub fn may_show_faces(&self) -> bool {
        self.labels.is_empty() || self.model.starts_with(Self::LOCAL) || self.labels.iter().any(Label::shows_person)
    }

    /// Adds what another look saw; what is known stands.
    pub fn learn(&mut self, seen: Self) {
        if self.model.is_empty() {
            (self.labels, self.model) = (seen.labels, seen.model);
        }
        self.faces = self.faces.take().or(seen.faces);
        self.text = self.text.take().or(seen.text);
        self.moderation = self.moderation.take().or(seen.moderation);
    }

    /// The labels of a kind.
    pub fn of_kind(&self, kind: LabelKind) -> impl Iterator<Item = &Label> {
        self.labels.iter().filter(move |label| label.kind() == kind)
    }

    /// What can be read, as one line.
    pub fn reading(&self) -> String {
        let words = self.text.iter().flatten().map(|word| word.text.as_str());
        words.collect::<Vec<_>>().join(" ")
    }

    /// Whether that can be read there, over the ends of lines too; upper and lower case are the same.
    pub fn reads(&self, text: &str) -> bool {
        let words: Vec<&str> = text.split_whitespace().collect();
        !words.is_empty() && self.reading().to_lowercase().contains(&words.join(" ").to_lowercase())
    }

    /// Whether a word names one of the labels or what one of them is one of; upper and lower case are the same.
    pub fn has(&self, word: &str) -> bool {
        let is_called = |name: &String| name.eq_ignore_ascii_case(word);
        self.labels.iter().any(|label| is_called(&label.name) || label.parents.iter().any(is_called))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, parents: &[&str], categories: &[&str], boxes: usize) -> Label {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Label {
            name: name.into(),
            confidence: 90,
            parents: texts(parents),
            categories: texts(categories),
            boxes: vec![Area::default(); boxes],
        }
    }

    #[test]
    fn labels_are_of_kinds() {
        for (label, want) in [
            (label("Beach", &["Nature", "Outdoors"], &["Nature and Outdoors"], 0), LabelKind::Scene),
            (label("Running", &[], &["Actions"], 0), LabelKind::Activity),
            (label("Skiing", &["Nature", "Sport"], &["Nature and Outdoors", "Sports"], 0), LabelKind::Activity),
            (label("Palm Tree", &["Plant", "Tree"], &["Plants and Flowers"], 0), LabelKind::Thing),
            (label("House", &["Building"], &["Buildings and Architecture"], 2), LabelKind::Thing),
        ] {
            assert_eq!(label.kind(), want, "{}", label.name);
        }
    }

    #[test]
    fn words_find_labels_and_what_they_are_one_of() {
        let labels = vec![label("Woman", &["Person", "Female"], &["Person Description"], 1), label("Dog", &["Pet"], &[], 1)];
        assert!(labels[0].shows_person() && !labels[1].shows_person());
        let tags = Tags { labels, ..Tags::default() };
        assert!(tags.has("pet") && tags.has("WOMAN") && !tags.has("cat"));
    }

    #[test]
    fn text_is_found_by_parts_and_over_lines() {
        let word = |text: &str| Word { text: text.into(), ..Word::default() };
        let tags = Tags { text: Some(["HAPPY", "Birthday", "Ann!"].map(word).into()), ..Tags::default() };
        assert!(tags.reads("happy  birth") && tags.reads("ann") && !tags.reads("birthday happy") && !tags.reads(" "));
        assert_eq!((tags.reading().as_str(), Tags::default().reads("ann")), ("HAPPY Birthday Ann!", false));
    }

    #[test]
    fn faces_are_looked_for_where_somebody_may_be_and_where_it_costs_nothing() {
        let seen = |names: &[&str], model: &str| {
            let labels = names.iter().map(|name| label(name, &[], &[], 0)).collect();
            Tags { labels, model: model.to_owned(), ..Tags::default() }.may_show_faces()
        };
        assert!(seen(&["Dog", "Person"], "3.0") && seen(&[], "3.0") && !seen(&["Dog"], "3.0"));
        assert!(seen(&["golden retriever"], "local-1a2b3c4d"));
    }

    #[test]
    fn areas_are_cut_to_the_picture() {
        assert_eq!(Area::of_fractions(0.25, 0.5, 0.1234, 0.2), Area([250, 500, 123, 200]));
        assert_eq!(Area::of_fractions(-0.1, 0.9, 0.5, 0.5), Area([0, 900, 500, 100]));
        assert_eq!(Area([0, 0, 500, 500]).millionths(), 250_000);
    }
}
