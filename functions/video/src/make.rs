//! What is made of a video, in the process that has nothing to give away.

use std::{
    fs::File,
    io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use photovault_domain::{Facts, Format, Rendition, Video, limits::MAX_VIDEO_DECODE_S};
use photovault_media::{Rendered, counted, derive_pixels};
use photovault_movie::{Picture, Playable, Preview, Sprite, show};
use photovault_sandbox::{Made, RenderedHeader};
use serde::{Deserialize, Serialize};
use turbojpeg::{Image, PixelFormat, Subsamp};

/// How long a video is read: ten seconds are left for the poster frame's derivatives, and for the answer.
const READING: Duration = Duration::from_secs(MAX_VIDEO_DECODE_S - 10);

/// JPEG quality of the sprite: its tiles are seen for a moment.
const SPRITE_QUALITY: i32 = 70;
/// The sprite's name, which its index says.
const SPRITE_NAME: &str = "sprite.jpg";

/// What is asked of the process that reads videos.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Question {
    /// What the file's first bytes said.
    pub format: Format,
    /// When it gets a copy for browsers.
    pub rendition: Rendition,
}

/// All that is known and made of a video.
#[derive(Debug)]
pub struct Shown {
    /// What the file is.
    pub video: Video,
    /// When, where and with what it was taken.
    pub facts: Facts,
    /// Derivatives of the poster frame.
    pub poster: Rendered,
    /// What else shows it, each with its bytes.
    pub extras: Vec<(Extra, Vec<u8>)>,
    /// What was worked around, in sentences for the owner.
    pub notes: Vec<String>,
}

/// A file beside the poster frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// What it is.
    pub kind: ExtraKind,
    /// Pixels; of the index, those of one tile.
    pub width: u32,
    /// Pixels; of the index, those of one tile.
    pub height: u32,
}

/// What may be made of a video beside its poster frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExtraKind {
    /// Three seconds that move.
    Preview,
    /// Small pictures all along it.
    Sprite,
    /// Which of them belongs to which time.
    Index,
    /// A copy that every browser plays.
    Rendition,
}

impl ExtraKind {
    /// Its name on the item, its file's name, and its IANA media type.
    pub const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Preview => ("preview", "preview.webp", "image/webp"),
            Self::Sprite => ("sprite", SPRITE_NAME, "image/jpeg"),
            Self::Index => ("index", "sprite.vtt", "text/vtt"),
            Self::Rendition => ("rendition", "web.mp4", "video/mp4"),
        }
    }
}

/// The same without files.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    video: Video,
    facts: Facts,
    poster: RenderedHeader,
    extras: Vec<Extra>,
    notes: Vec<String>,
}

/// Reads a video and makes what shows it. The error is a sentence for its owner.
pub(crate) fn make(Question { format, rendition }: Question, file: OwnedFd) -> Result<Made<Answer>, String> {
    let deadline = Instant::now() + READING;
    counted(|| {
        let mut shown = show(File::from(file), format, rendition, deadline).map_err(|unplayable| unplayable.reason)?;
        // The poster frame goes the way of every still.
        let Picture { width, height, pixels } = shown.poster;
        let poster = derive_pixels((width, height), pixels).map_err(|unreadable| unreadable.reason)?;
        let (poster, mut files) = RenderedHeader::split(poster);
        let mut extras = Vec::new();
        shown.notes.extend(shown.playable.as_ref().map(|made| format!("The copy for browsers was {}.", made.how)));
        for (extra, bytes) in shown
            .preview
            .into_iter()
            .map(preview)
            .chain(shown.sprite.iter().flat_map(sprite))
            .chain(shown.playable.into_iter().map(playable))
        {
            extras.push(extra);
            files.push(bytes);
        }
        let facts = Answer { video: shown.video, facts: shown.facts, poster, extras, notes: shown.notes };
        Ok(Made { facts, files })
    })
}

fn preview(preview: Preview) -> (Extra, Vec<u8>) {
    (Extra { kind: ExtraKind::Preview, width: preview.width, height: preview.height }, preview.bytes)
}

fn playable(made: Playable) -> (Extra, Vec<u8>) {
    (Extra { kind: ExtraKind::Rendition, width: made.width, height: made.height }, made.bytes)
}

/// The grid and its index; nothing if the grid cannot be written.
fn sprite(sprite: &Sprite) -> Vec<(Extra, Vec<u8>)> {
    let Picture { width, height, pixels } = &sprite.grid;
    let (wide, high) = (*width as usize, *height as usize);
    let image = Image { pixels: pixels.as_slice(), width: wide, pitch: wide * 3, height: high, format: PixelFormat::RGB };
    let Ok(grid) = turbojpeg::compress(image, SPRITE_QUALITY, Subsamp::Sub2x2) else { return Vec::new() };
    let (tile_width, tile_height) = sprite.tile;
    vec![
        (Extra { kind: ExtraKind::Sprite, width: *width, height: *height }, grid.to_vec()),
        (Extra { kind: ExtraKind::Index, width: tile_width, height: tile_height }, sprite.index(SPRITE_NAME).into_bytes()),
    ]
}

/// Puts together what came back.
pub(crate) fn join(answer: Answer, mut files: Vec<Vec<u8>>) -> io::Result<Shown> {
    let Answer { video, facts, poster, extras, notes } = answer;
    let pictures = files.len().checked_sub(extras.len()).ok_or_else(|| io::Error::other("files that are not there"))?;
    let extras = extras.into_iter().zip(files.split_off(pictures)).collect();
    Ok(Shown { video, facts, poster: poster.join(files)?, extras, notes })
}
