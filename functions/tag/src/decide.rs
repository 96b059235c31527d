//! Whether anybody has to be asked about a picture, and about which of its files.

use photovault_domain::{Derivative, Media, Recognise, Tags};
use photovault_insight::duplicates::{NEAR_WITHIN, tier};

/// The least side of a picture that Rekognition takes, in pixels (its developer guide, "Guidelines and quotas").
const MIN_SIDE: u32 = 80;

/// What is to be done with an item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// It was seen before: in these bytes, or in a picture that is as good as this one.
    Known(Tags),
    /// Ask about this derivative; `seen` is what was seen before where only the faces are missing.
    Ask { picture: String, seen: Option<Tags> },
    /// Nobody would take it; why, in plain words.
    Nothing(String),
}

/// What it is decided from.
pub(crate) struct Known {
    /// What was seen in the same bytes before.
    pub(crate) of_bytes: Option<Tags>,
    /// Pictures beside it in the timeline.
    pub(crate) beside: Vec<Beside>,
}

/// A picture beside another.
pub(crate) struct Beside {
    pub(crate) media: Media,
    /// What it has its tags from, where that is another picture.
    pub(crate) source: Option<Media>,
}

/// The cheapest way to the item's tags.
pub(crate) fn decide(media: &Media, what: Recognise, known: Known) -> Decision {
    let seen = match known.of_bytes {
        Some(tags) if !wants_faces(what, &tags) => return Decision::Known(tags),
        seen => seen,
    };
    if let Some(tags) = known.beside.iter().find_map(|other| inherited(media, other)) {
        return Decision::Known(tags);
    }
    match picture(media) {
        Some(file) if file.width.min(file.height) < MIN_SIDE => {
            Decision::Nothing(format!("{}×{} pixels are too few to recognise anything", file.width, file.height))
        }
        Some(file) => Decision::Ask { picture: file.key.clone(), seen },
        None => Decision::Nothing("there is no picture of it".to_owned()),
    }
}

/// Whether faces are still to be looked for.
pub(crate) fn wants_faces(what: Recognise, tags: &Tags) -> bool {
    what.finds_faces() && tags.faces.is_none() && tags.may_show_faces()
}

/// What another frame of the same burst, or another copy of it, was seen to show. A burst is told from frame to frame; that it has not
/// drifted away since, from the frame that was looked at.
fn inherited(media: &Media, beside: &Beside) -> Option<Tags> {
    tier(media, &beside.media, false)?;
    let source = beside.source.as_ref().unwrap_or(&beside.media);
    let tags = source.tags.as_ref().filter(|tags| tags.inherited.is_none())?;
    let is_near = media.look.as_ref()?.phash.distance(source.look.as_ref()?.phash) <= NEAR_WITHIN;
    is_near.then(|| Tags { inherited: Some(source.id.clone()), ..(**tags).clone() })
}

/// The largest picture that is not made for zooming in; of one size, the JPEG, which is all that recognisers take beside PNG.
fn picture(media: &Media) -> Option<&Derivative> {
    let files = media.derivatives.iter().flat_map(|derivatives| &derivatives.files);
    let shown = files.filter(|file| file.mime == "image/jpeg" && file.name != "full");
    shown.max_by_key(|file| file.width.max(file.height))
}
