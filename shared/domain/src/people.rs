//! Whom photos show, and what somebody says about them. Shapes only; `shared/insight` decides who is who.

use serde::{Deserialize, Serialize};

use crate::{Face, Media, MediaId, Region};

/// What the word of somebody whom a recogniser keeps begins with: no name in a file does.
pub(crate) const RECOGNISED: &str = "#";

/// Somebody on a photo, by the word that stands there for them: a name that somebody marked in the file, in small letters, or the mark of a
/// recogniser.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shown {
    /// On which photo.
    pub media: MediaId,
    /// The word.
    pub word: String,
}

/// One thing that somebody said about people. It hangs on whom a photo shows, and where that photo has gone, on the word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleEdit {
    /// Whoever is shown there is called so.
    Name {
        /// Who.
        who: Shown,
        /// The name.
        name: String,
    },
    /// Whoever is shown there was born on that day, counted from 1970.
    Born {
        /// Who.
        who: Shown,
        /// The day.
        day: i32,
    },
    /// These two are one person.
    Same(Shown, Shown),
    /// These are not the person that the other one is, but one other.
    Apart {
        /// Those that go.
        shown: Vec<Shown>,
        /// One that stays.
        from: Shown,
    },
}

impl Media {
    /// Who is marked by name in it, as it is written there. Areas of other kinds, such as pets, have names too.
    pub fn marked_names(&self) -> impl Iterator<Item = &str> {
        let regions = self.facts.iter().flat_map(|facts| &facts.regions);
        let names = regions.filter(|region| region.kind.as_deref() == Some("Face")).filter_map(|region| region.name.as_deref());
        names.map(str::trim).filter(|name| !name.is_empty() && !name.starts_with(RECOGNISED))
    }

    /// The name that is marked where a recogniser found a face; only of pictures that are stored upright, since areas are as stored.
    pub fn marked_as(&self, face: &Face) -> Option<&str> {
        let facts = self.facts.as_deref().filter(|facts| matches!(facts.orientation, None | Some(1)))?;
        let [left, top, width, height] = face.area.0.map(|part| f64::from(part) / 1000.0);
        let is_there = |region: &&Region| {
            let (x, y) = (region.x + region.width / 2.0, region.y + region.height / 2.0);
            (left..=left + width).contains(&x) && (top..=top + height).contains(&y)
        };
        let marked = facts.regions.iter().filter(|region| region.kind.as_deref() == Some("Face"));
        marked.filter(is_there).find_map(|region| region.name.as_deref()).map(str::trim)
    }
}
