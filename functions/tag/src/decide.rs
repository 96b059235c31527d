//! Whether anybody has to be asked about a picture, and about which of its files.

use photovault_domain::{Derivative, Media, Recognise, Sought, Tags};
use photovault_insight::duplicates::{NEAR_WITHIN, tier};

/// The least side of a picture that Rekognition takes, in pixels (its developer guide, "Guidelines and quotas").
const MIN_SIDE: u32 = 80;

/// What is to be done with an item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    /// All of it was seen before: in these bytes, or in a picture that is as good as this one.
    Known(Tags),
    /// Ask about this derivative what is not among `seen`.
    Ask { picture: String, seen: Tags },
    /// Nobody would take it; why, in plain words.
    Nothing(String),
}

/// What it is decided from.
pub(crate) struct Known {
    /// What was seen in the same bytes before.
    pub(crate) of_bytes: Tags,
    /// Pictures beside it in the timeline.
    pub(crate) beside: Vec<Beside>,
}

/// A picture beside another.
pub(crate) struct Beside {
    pub(crate) media: Media,
    /// What it has its tags from, where that is another picture.
    pub(crate) source: Option<Media>,
}

/// One way to look at a picture: each is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Labels,
    Faces,
    /// Whose the faces are.
    People,
    Moderation,
    Text,
}

/// In this order: labels say whether faces are worth looking for.
pub(crate) const LOOKS: [Look; 5] = [Look::Labels, Look::Faces, Look::People, Look::Moderation, Look::Text];

impl Look {
    /// Whether it is asked for, and not known yet.
    pub(crate) fn is_wanted(self, sought: Sought, seen: &Tags) -> bool {
        // Faces that another picture has are placed there.
        let own_faces = sought.what.finds_faces() && seen.inherited.is_none();
        match self {
            Self::Labels => sought.what != Recognise::Off && seen.model.is_empty(),
            Self::Faces => own_faces && seen.faces.is_none() && seen.may_show_faces(),
            Self::People => own_faces && sought.what == Recognise::People && seen.faces.is_some(),
            Self::Moderation => sought.moderation && seen.moderation.is_none(),
            Self::Text => sought.text && seen.text.is_none(),
        }
    }

    /// Whether the bytes alone say what it sees, whoever's they are. What a collection has of faces is its user's.
    pub(crate) fn is_of_bytes(self, sought: Sought) -> bool {
        match self {
            Self::Labels | Self::Moderation | Self::Text => true,
            Self::Faces => sought.what == Recognise::Faces,
            Self::People => false,
        }
    }
}

/// Whether something is missing that frames of one burst have in common.
pub(crate) fn misses_common(sought: Sought, seen: &Tags) -> bool {
    [Look::Labels, Look::Moderation].iter().any(|look| look.is_wanted(sought, seen))
}

/// The cheapest way to the item's tags.
pub(crate) fn decide(media: &Media, sought: Sought, known: Known) -> Decision {
    if !sought.is_anything() {
        return Decision::Nothing("nothing is looked for in this vault".to_owned());
    }
    let of_bytes = only(sought, known.of_bytes);
    let is_complete = |seen: &Tags| !LOOKS.iter().any(|look| look.is_wanted(sought, seen));
    if is_complete(&of_bytes) {
        return Decision::Known(of_bytes);
    }
    let seen = match known.beside.iter().find_map(|other| inherited(media, sought, other)) {
        // What can be read on this one is its own: two pages look alike.
        Some(inherited) => Tags { text: of_bytes.text, ..inherited },
        None => of_bytes,
    };
    if is_complete(&seen) {
        return Decision::Known(seen);
    }
    match picture(media) {
        Some(file) if file.width.min(file.height) < MIN_SIDE => {
            Decision::Nothing(format!("{}×{} pixels are too few to recognise anything", file.width, file.height))
        }
        Some(file) => Decision::Ask { picture: file.key.clone(), seen },
        None => Decision::Nothing("there is no picture of it".to_owned()),
    }
}

/// Of what is known, what is looked for.
fn only(sought: Sought, known: Tags) -> Tags {
    let mut seen = Tags::default();
    if sought.what != Recognise::Off {
        (seen.labels, seen.model) = (known.labels, known.model);
    }
    seen.faces = known.faces.filter(|_| sought.what == Recognise::Faces);
    seen.moderation = known.moderation.filter(|_| sought.moderation);
    seen.text = known.text.filter(|_| sought.text);
    seen
}

/// What another frame of the same burst, or another copy of it, was seen to show, if all was looked for there that frames have in common. A
/// burst is told from frame to frame; that it has not drifted away since, from the frame that was looked at.
fn inherited(media: &Media, sought: Sought, beside: &Beside) -> Option<Tags> {
    tier(media, &beside.media, false)?;
    let source = beside.source.as_ref().unwrap_or(&beside.media);
    let tags = source.tags.as_ref().filter(|tags| tags.inherited.is_none())?;
    let is_near = media.look.as_ref()?.phash.distance(source.look.as_ref()?.phash) <= NEAR_WITHIN;
    (is_near && !misses_common(sought, tags)).then(|| Tags { inherited: Some(source.id.clone()), ..(**tags).clone() })
}

/// The largest picture that is not made for zooming in; of one size, the JPEG, which is all that recognisers take beside PNG.
fn picture(media: &Media) -> Option<&Derivative> {
    let files = media.derivatives.iter().flat_map(|derivatives| &derivatives.files);
    let shown = files.filter(|file| file.mime == "image/jpeg" && file.name != "full");
    shown.max_by_key(|file| file.width.max(file.height))
}
