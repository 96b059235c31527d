//! The best photos of many, to be looked at one after the other: a memory, a month, an album.
//!
//! What nobody wants to see is left out, of pictures that are nearly the same the best is kept, and of the rest those are taken that
//! are good and show more of what there was: its parts, days, people and places. Each choice says why.

mod collapse;
mod cover;
pub mod measure;
mod quality;

use photovault_domain::{Kind, Look, Media, UtcMs};

pub use collapse::{best_of, near_duplicates};
pub use cover::utility;
pub(crate) use quality::exposure;
pub use quality::quality;

/// Below this the sharpest part of a picture has no edges: it is blurred, or shows nothing.
pub const BLURRED_BELOW: u32 = 20;

/// H3's resolution of what counts as one place: cells of 0.7 km².
const PLACE_RESOLUTION: u8 = 8;

/// A photo that may be chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// When it was taken.
    pub at: UtcMs,
    /// What it looks like.
    pub look: Look,
    /// Pixels of the original.
    pub pixels: u64,
    /// Faces in it, where somebody has looked for them.
    pub faces: Option<u32>,
    /// 1..=5 stars, 0 for none, -1 for rejected.
    pub rating: i8,
    /// What is not a photo of anything: a picture of a screen.
    pub is_screenshot: bool,
    /// Put away by its owner.
    pub is_archived: bool,
    /// Pictures of one burst by the camera's own word have one number.
    pub burst: Option<u64>,
    /// Which part of what is told it belongs to, such as its moment.
    pub part: u64,
    /// Its local day, in days since 1970.
    pub day: i64,
    /// Who is in it.
    pub people: Vec<u64>,
    /// Where it was taken: a cell of some hundred metres.
    pub place: Option<u64>,
}

/// A photo that was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its place among the candidates.
    pub candidate: usize,
    /// The reasons, the strongest first.
    pub why: Vec<Why>,
}

/// Why a photo was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The best of so many that are nearly the same.
    BestOf(usize),
    /// It shows a part that no other choice shows.
    Part,
    /// It is the only choice of its day.
    Day,
    /// It shows somebody whom no other choice shows.
    Person(u64),
    /// It shows a place that no other choice shows.
    Place,
    /// Its owner gave it stars.
    Stars(i8),
    /// It is sharp, well exposed and rich in contrast.
    Quality,
}

impl Why {
    /// As a person reads it.
    pub fn words(self) -> String {
        match self {
            Self::BestOf(count) => format!("the best of {count} that are nearly the same"),
            Self::Part => "the only one of its moment".to_owned(),
            Self::Day => "the only one of its day".to_owned(),
            Self::Person(_) => "it shows somebody who is in no other".to_owned(),
            Self::Place => "the only one of its place".to_owned(),
            Self::Stars(stars) => format!("{stars} star{}", if stars == 1 { "" } else { "s" }),
            Self::Quality => "sharp and well exposed".to_owned(),
        }
    }
}

/// At most `count` of the candidates, in the order of their times.
pub fn select(candidates: &[Candidate], count: usize) -> Vec<Choice> {
    let kept: Vec<usize> = (0..candidates.len()).filter(|place| is_shown(&candidates[*place])).collect();
    let groups = near_duplicates(candidates, &kept);
    let best: Vec<usize> = groups.iter().map(|group| best_of(candidates, group)).collect();
    let mut choices = cover::choose(candidates, &best, count);
    for choice in &mut choices {
        let group = groups.iter().find(|group| group.contains(&choice.candidate)).map_or(1, Vec::len);
        if group > 1 {
            choice.why.insert(0, Why::BestOf(group));
        }
    }
    choices.sort_by_key(|choice| (candidates[choice.candidate].at, choice.candidate));
    choices
}

/// Whether it is something to look at.
fn is_shown(candidate: &Candidate) -> bool {
    !candidate.is_screenshot && !candidate.is_archived && candidate.rating >= 0 && candidate.look.sharpness >= BLURRED_BELOW
}

impl Candidate {
    /// What the catalog knows of a photo that was taken then and belongs to that part. `None` of what nobody has looked at, and of videos.
    pub fn of(media: &Media, at: UtcMs, part: u64, day: i64) -> Option<Self> {
        let look = media.look.clone().filter(|_| media.kind() == Some(Kind::Photo))?;
        let facts = media.facts.as_deref();
        let regions = || facts.iter().flat_map(|facts| &facts.regions);
        let marked = regions().filter(|region| region.kind.as_deref() == Some("Face")).count() as u32;
        let found = media.tags.as_ref().and_then(|tags| Some(tags.faces.as_ref()?.len() as u32));
        Some(Self {
            at,
            look,
            pixels: u64::from(media.width?) * u64::from(media.height?),
            // A file in which nobody marked a face may have some.
            faces: found.or((marked > 0).then_some(marked)),
            rating: facts.and_then(|facts| facts.rating).unwrap_or(0),
            is_screenshot: facts.is_some_and(|facts| facts.screenshot),
            is_archived: false,
            burst: facts.and_then(|facts| facts.burst.as_deref()).map(number_of),
            part,
            day,
            people: regions().filter_map(|region| region.name.as_deref()).map(number_of).collect(),
            place: facts
                .and_then(|facts| facts.located.as_ref())
                .map(|at| number_of(&at.cell.around(PLACE_RESOLUTION).to_string())),
        })
    }
}

/// A word as a number: FNV-1a of 64 bits.
fn number_of(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
