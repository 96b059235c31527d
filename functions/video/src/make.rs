//! What is made of a video, in the process that has nothing to give away.

use std::{
    fs::File,
    io::{self, Seek as _},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use bytes::Bytes;
use photovault_domain::{Facts, Format, Rendition, Video, limits::MAX_VIDEO_DECODE_S};
use photovault_media::{Rendered, counted, derive_pixels};
use photovault_movie::{Cut, Joined, Part, Picture, Playable, Preview, Span, Sprite, Unplayable, cut, join, segment, show};
use photovault_sandbox::{Made, RenderedHeader};
use serde::{Deserialize, Serialize};
use turbojpeg::{Image, PixelFormat, Subsamp};

/// How long a video is read: ten seconds are left for the poster frame's derivatives, and for the answer.
const READING: Duration = Duration::from_secs(MAX_VIDEO_DECODE_S - 10);

/// JPEG quality of the sprite: its tiles are seen for a moment.
const SPRITE_QUALITY: i32 = 70;
/// The sprite's name, which its index says.
const SPRITE_NAME: &str = "sprite.jpg";

/// What is asked of the process that reads videos, first of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What the file's first bytes said.
    pub format: Format,
    /// When it gets a copy for browsers.
    pub rendition: Rendition,
    /// Seconds of work above which that copy is left to the worker, where there is one.
    pub most_work_s: Option<u32>,
}

/// Everything that may be asked of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Facts and pictures; of the original.
    Show(Question),
    /// Where the original can be cut, at key frames so many seconds apart.
    Cut(Question, Video, u32),
    /// A part of its copy for browsers.
    Segment(Question, Video, Span),
    /// The whole of it: of the original, the parts in one file, and the file to be written.
    Join(Format, Video, Vec<Part>),
}

/// An answer, and with it files.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Shown(Box<ShownHeader>),
    Cut(Option<Cut>),
    Segment,
    Joined(Joined),
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
    pub extras: Vec<(Extra, Bytes)>,
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

/// [`Shown`] without files.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShownHeader {
    video: Video,
    facts: Facts,
    poster: RenderedHeader,
    extras: Vec<Extra>,
    notes: Vec<String>,
}

/// Does what is asked, with the files that came along. The error is a sentence for the video's owner.
pub(crate) fn make(task: Task, files: Vec<OwnedFd>) -> io::Result<Result<Made<Answer>, String>> {
    let deadline = Instant::now() + READING;
    let mut files = files.into_iter().map(File::from);
    let mut file = || {
        // Whoever read it before left its place where they were.
        let mut file = files.next().ok_or_else(|| io::Error::other("a question without its files"))?;
        file.rewind().map(|()| file)
    };
    let original = file()?;
    let alone = |facts| Made { facts, files: Vec::new() };
    Ok(match task {
        Task::Show(question) => make_shown(question, original, deadline),
        Task::Cut(Question { format, rendition, .. }, video, seconds) => {
            cut(original, (format, &video), rendition, seconds, deadline).map(|cut| alone(Answer::Cut(cut))).map_err(reason)
        }
        Task::Segment(Question { format, rendition, .. }, video, span) => {
            let made = counted(|| segment(original, (format, &video), rendition, span, deadline));
            made.map(|made| Made { facts: Answer::Segment, files: vec![made.bytes] }).map_err(reason)
        }
        Task::Join(format, video, parts) => {
            let (lie_in, output) = (file()?, file()?);
            let joined = counted(|| join(original, (format, &video), (&parts, &lie_in), output, deadline));
            joined.map(|joined| alone(Answer::Joined(joined))).map_err(reason)
        }
    })
}

fn reason(unplayable: Unplayable) -> String {
    unplayable.reason
}

/// Reads a video and makes what shows it.
fn make_shown(question: Question, file: File, deadline: Instant) -> Result<Made<Answer>, String> {
    let Question { format, rendition, most_work_s } = question;
    counted(|| {
        let mut shown = show(file, format, (rendition, most_work_s), deadline).map_err(reason)?;
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
        let facts = ShownHeader { video: shown.video, facts: shown.facts, poster, extras, notes: shown.notes };
        Ok(Made { facts: Answer::Shown(Box::new(facts)), files })
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

/// Puts together what came back of a video that was to be shown.
pub(crate) fn shown(answer: Answer, mut files: Vec<Vec<u8>>) -> io::Result<Shown> {
    let Answer::Shown(header) = answer else { return Err(io::Error::other("an answer to another question")) };
    let ShownHeader { video, facts, poster, extras, notes } = *header;
    let pictures = files.len().checked_sub(extras.len()).ok_or_else(|| io::Error::other("files that are not there"))?;
    let extras = extras.into_iter().zip(files.split_off(pictures).into_iter().map(Bytes::from)).collect();
    Ok(Shown { video, facts, poster: poster.join(files)?, extras, notes })
}
