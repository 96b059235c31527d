//! When and where an item was taken, as its user's timeline has it.

use serde::{Deserialize, Serialize};

use crate::{Captured, Media, MediaId, Point, UtcMs, local_seconds};

/// When and where an item was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// When.
    pub at: UtcMs,
    /// Minutes that the clocks there are ahead of UTC; absent where nothing tells it: then the time is the camera's, taken for UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_min: Option<i16>,
    /// Where, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Point>,
    /// Whether nobody knows when: then the time is that of the upload, and no memory is made of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undated: bool,
}

/// Why a moment begins at an item of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Boundary {
    /// Nothing was taken before it.
    First,
    /// Too long a time lies before it.
    Time,
    /// It was taken too far away for the time between.
    Way,
    /// Somebody said so.
    Split,
}

/// An item in its user's timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Which item.
    pub media: MediaId,
    /// When and where it was taken.
    #[serde(flatten)]
    pub taken: Taken,
    /// Why a moment begins at it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Boundary>,
}

impl Placed {
    /// Its place: text order is time order.
    pub fn key(&self) -> String {
        timeline_key(self.taken.at, &self.media)
    }
}

/// What somebody said about a timeline. It is pinned to instants and not to items, so that it holds for those that come late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edit {
    /// A moment begins at the first item of this instant or after it.
    Split(UtcMs),
    /// From one instant to the other all is one moment.
    Join(UtcMs, UtcMs),
}

impl Edit {
    /// Where it stands among the edits of a timeline.
    pub fn key(&self) -> String {
        match self {
            Self::Split(at) => format!("{}#split", at.sort_key()),
            Self::Join(from, _) => format!("{}#join", from.sort_key()),
        }
    }
}

/// One place of a timeline that is to change.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    /// Which place.
    pub key: String,
    /// What stands there afterwards; `None`: nothing.
    pub after: Option<Placed>,
    /// Whether a moment may have begun there before.
    pub began: bool,
}

/// An item's place in the timeline.
pub fn timeline_key(at: UtcMs, media: &MediaId) -> String {
    format!("{}#{media}", at.sort_key())
}

impl Taken {
    /// By what is known of an item: what its user said, else what its file says, else when it was first uploaded.
    pub(crate) fn of(media: &Media) -> Self {
        if let Some(said) = media.moved {
            return Self { undated: false, ..said };
        }
        let facts = media.facts.as_deref();
        let position = facts.and_then(|facts| facts.position).map(|at| Point { latitude: at.latitude, longitude: at.longitude });
        let captured = facts.and_then(|facts| facts.captured.as_ref());
        let ahead_min = captured.and_then(|captured| minutes(captured.offset.as_deref()?));
        let local_s = captured.and_then(|captured| local_seconds(&captured.local));
        let at = local_s.zip(captured).map(|(local_s, captured)| {
            let utc_s = local_s - i64::from(ahead_min.unwrap_or(0)) * 60;
            UtcMs(utc_s * 1000 + milliseconds(captured.subsec.as_deref().unwrap_or_default()))
        });
        let undated = at.is_none() || captured.is_some_and(|captured| captured.source == Captured::UPLOAD);
        let uploaded = || media.uploads.first().map_or(media.created, |upload| upload.at);
        Self { at: at.unwrap_or_else(uploaded), ahead_min, position, undated }
    }
}

/// Minutes of `+HH:MM` or `-HH:MM`.
fn minutes(offset: &str) -> Option<i16> {
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let minutes = hours.parse::<i16>().ok()? * 60 + minutes.parse::<i16>().ok()?;
    Some(if offset.starts_with('-') { -minutes } else { minutes })
}

/// Milliseconds of the digits after a second.
fn milliseconds(digits: &str) -> i64 {
    let first_three: String = digits.chars().chain("000".chars()).take(3).collect();
    first_three.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Facts, Format, Position, pipeline::tests::media};

    #[test]
    fn an_item_was_taken_when_its_user_says_else_its_file_else_when_it_came() {
        let mut media = media(Format::Jpeg, &[]);
        media.created = UtcMs(7);
        assert_eq!(media.taken(), Taken { at: UtcMs(7), undated: true, ..Taken::default() });
        let captured = |offset: Option<&str>, subsec: Option<&str>| Captured {
            local: "1970-01-01T02:00:01".into(),
            offset: offset.map(Into::into),
            subsec: subsec.map(Into::into),
            ..Captured::default()
        };
        for (offset, subsec, at, ahead_min) in [
            (None, None, 7_201_000, None),
            (Some("+02:00"), Some("5"), 1_500, Some(120)),
            (Some("-03:30"), Some("123456"), 19_801_123, Some(-210)),
        ] {
            let position = Some(Position { latitude: 1.0, longitude: 2.0, ..Position::default() });
            let facts = Facts { captured: Some(captured(offset, subsec)), position, ..Facts::default() };
            media.facts = Some(Box::new(facts));
            let position = Some(Point { latitude: 1.0, longitude: 2.0 });
            let want = Taken { at: UtcMs(at), ahead_min, position, undated: false };
            assert_eq!(media.taken(), want);
        }
        let said = Taken { at: UtcMs(-5), ..Taken::default() };
        media.moved = Some(said);
        assert_eq!(media.taken(), said);
    }
}
