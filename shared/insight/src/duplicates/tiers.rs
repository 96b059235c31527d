//! What two pictures are to each other: four tiers, of which a pair has the first that fits.
//!
//! A hash alone cannot tell a copy from the next frame of a burst: a hand that moves by a hundredth of the picture changes as
//! many bits as a cut of two hundredths. The clock can: a copy keeps the time at which its picture was taken, and a frame has its own.

use photovault_domain::{Captured, Confidence, Facts, Kind, Look, Media, local_seconds};
use serde::{Deserialize, Serialize};

/// Bits in which hashes of a copy may differ. `docs/insight.md` has the measurement: copies in other sizes and qualities differ
/// in at most 24, cuts of three hundredths in at most 56, and of pictures that have nothing in common the nearest in 88.
pub const COPY_WITHIN: u32 = 48;
/// Bits in which hashes of one burst may differ: its subject may move.
pub const NEAR_WITHIN: u32 = 64;
/// Bits in which a copy differs that has all the pixels of its original: anything from 2 to 6 at quality 40.
const REENCODED_WITHIN: u32 = 6;
/// The least quality of a hash that means something (PDQ's own advice is 50).
const MIN_QUALITY: u8 = 50;
/// Milliseconds between two frames of a burst: cameras take three a second and more, and a finger is slower.
const BURST_GAP_MS: u64 = 2_000;
/// How far the proportions of a copy may be from its original's: a cut of three hundredths on one side.
const PROPORTION: f64 = 0.04;

/// How much alike two pictures are, the closest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The same file, which the vault keeps once under all of its names.
    SameBytes,
    /// The same pixels in another wrapper: other metadata, or another compression that loses nothing.
    SamePixels,
    /// The same picture in another size, quality or format, or with a little cut off.
    SamePicture,
    /// Another picture of the same moment.
    Burst,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SameBytes, Self::SamePixels, Self::SamePicture, Self::Burst];

    /// As a person reads it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameBytes => "same bytes",
            Self::SamePixels => "same pixels",
            Self::SamePicture => "same picture",
            Self::Burst => "burst",
        }
    }
}

/// What two items are to each other. `is_same_view` says whether their largest derivatives are the same bytes; it only matters
/// where [`may_be_same_pixels`].
pub fn tier(one: &Media, other: &Media, is_same_view: bool) -> Option<Tier> {
    let (first, second) = looks(one, other)?;
    if is_same_view && may_be_same_pixels(one, other) {
        return Some(Tier::SamePixels);
    }
    let distance = first.phash.distance(second.phash);
    match apart(one, other) {
        Apart::Burst => Some(Tier::Burst),
        Apart::SameSecond if distance <= REENCODED_WITHIN => Some(Tier::SamePicture),
        Apart::Frames | Apart::SameSecond if distance <= NEAR_WITHIN => Some(Tier::Burst),
        Apart::Unknown => {
            let is_copy = distance <= COPY_WITHIN
                && first.phash_quality.min(second.phash_quality) >= MIN_QUALITY
                && is_raw(one) == is_raw(other)
                && are_proportions_near(one, other);
            is_copy.then_some(Tier::SamePicture)
        }
        Apart::Frames | Apart::SameSecond | Apart::Else => None,
    }
}

/// Whether everything that was measured on two pictures is the same, so that it is worth comparing their largest derivatives byte by
/// byte. That in turn says that all their pixels are the same: a derivative is a function of the pixels alone, in which not one of
/// millions was rounded otherwise.
pub fn may_be_same_pixels(one: &Media, other: &Media) -> bool {
    let files = |media: &Media| {
        let files = media.derivatives.iter().flat_map(|derivatives| &derivatives.files);
        files.filter(|file| file.name != "full").map(|file| (file.width, file.height, file.size_bytes)).collect::<Vec<_>>()
    };
    let is_measured = looks(one, other).is_some_and(|(first, second)| first == second);
    let size = |media: &Media| media.width.zip(media.height).map(|(width, height)| (width.min(height), width.max(height)));
    is_measured && size(one) == size(other) && !files(one).is_empty() && files(one) == files(other)
}

/// Of two photos that were looked at.
fn looks<'a>(one: &'a Media, other: &'a Media) -> Option<(&'a Look, &'a Look)> {
    let look = |media: &'a Media| media.look.as_ref().filter(|_| media.kind() == Some(Kind::Photo));
    look(one).zip(look(other))
}

/// What the clocks and the cameras say.
enum Apart {
    /// The camera says that it is one burst.
    Burst,
    /// Two pictures, one right after the other.
    Frames,
    /// The same size and second of one camera that counts no fractions: two frames or two files of one.
    SameSecond,
    /// Two pictures at two times.
    Else,
    /// Nothing says that there were two pictures.
    Unknown,
}

fn apart(one: &Media, other: &Media) -> Apart {
    let (Some(first), Some(second)) = (one.facts.as_ref(), other.facts.as_ref()) else { return Apart::Unknown };
    let is_same_time = first.captured == second.captured;
    if first.burst.is_some() && first.burst == second.burst && !is_same_time {
        return Apart::Burst;
    }
    let trusted =
        |at: &Option<Captured>| at.as_ref().filter(|at| at.confidence == Confidence::High && !at.day_only).and_then(time_ms);
    let (Some(at), Some(later)) = (trusted(&first.captured), trusted(&second.captured)) else { return Apart::Unknown };
    let camera = |media: &Media| {
        let camera = media.facts.as_ref()?.camera.as_ref()?;
        Some((camera.make.clone(), camera.model.clone(), camera.serial.clone()))
    };
    let is_same_camera = camera(one).is_some() && camera(one) == camera(other);
    let local = |facts: &Facts| facts.captured.as_ref().map(|at| at.local.clone());
    let is_fine = |facts: &Facts| facts.captured.as_ref().is_some_and(|at| at.subsec.is_some());
    if local(first) == local(second) && is_fine(first) != is_fine(second) {
        // A program dropped the fraction of the second: a camera writes it of all its frames.
        return Apart::Unknown;
    }
    match at.abs_diff(later) {
        0 if is_same_camera && !is_fine(first) && (one.width, one.height) == (other.width, other.height) => Apart::SameSecond,
        0 => Apart::Unknown,
        gap_ms if is_same_camera && gap_ms <= BURST_GAP_MS => Apart::Frames,
        _ => Apart::Else,
    }
}

/// Milliseconds of the camera's clock.
fn time_ms(at: &Captured) -> Option<i64> {
    let fraction: String = at.subsec.iter().flat_map(|digits| digits.chars()).chain("000".chars()).take(3).collect();
    Some(local_seconds(&at.local)? * 1000 + fraction.parse::<i64>().unwrap_or(0))
}

fn is_raw(media: &Media) -> bool {
    media.format.is_some_and(photovault_domain::Format::is_raw)
}

/// By the derivatives, which are upright.
fn are_proportions_near(one: &Media, other: &Media) -> bool {
    let proportion = |media: &Media| {
        let largest = media.derivatives.as_ref()?.files.iter().max_by_key(|file| file.width)?;
        Some(f64::from(largest.width) / f64::from(largest.height))
    };
    proportion(one).zip(proportion(other)).is_none_or(|(one, other)| (one / other).ln().abs() <= PROPORTION)
}
