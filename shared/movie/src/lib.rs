//! A video in; facts, frames and files out. FFmpeg lives here and nowhere else; AWS, queues and clocks do not.
//!
//! What comes in is not trusted. One file is read, through a reader that was opened by somebody else: no protocol and no demuxer but
//! the one that the file's first bytes call for is let in, sizes are held against `photovault_domain::limits`, and everything ends
//! at a deadline. Callers run it in a confined process (`photovault_sandbox`).

mod colour;
mod frames;
mod open;
mod picture;
mod poster;
mod preview;
mod probe;
mod raw;
mod rendition;
mod scaler;
mod sprite;
mod tags;
mod turn;

use std::{
    fs::File,
    time::{Duration, Instant},
};

use photovault_domain::{Facts, Format, LARGEST_SIDE, Rendition, Video, limits::MAX_VIDEO_SHOW_S};

use frames::Frames;
pub use picture::Picture;
use poster::Chosen;
pub use preview::Preview;
use rendition::Made;
pub use rendition::{Cut, Joined, Part, Playable, Segment, Span, cut, join, segment};
pub use sprite::Sprite;

/// What was found in a video and what stands for it.
#[derive(Debug)]
pub struct Shown {
    /// What the file is.
    pub video: Video,
    /// When, where and with what it was taken.
    pub facts: Facts,
    /// The frame that stands for it, upright and in sRGB.
    pub poster: Picture,
    /// Three seconds of it.
    pub preview: Option<Preview>,
    /// Small pictures all along it.
    pub sprite: Option<Sprite>,
    /// A copy for browsers, where the policy asks for one.
    pub playable: Option<Playable>,
    /// What was worked around, in sentences for the owner.
    pub notes: Vec<String>,
}

/// Why nothing can be shown of a video.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unplayable {
    /// A sentence for the owner.
    pub reason: String,
}

impl Unplayable {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Looks into a video of this format, until `deadline` at the latest. A copy for browsers that takes more than `most_work_s` seconds of
/// work is left to the worker (`video.work_s` says how many); without that number nobody else makes it.
///
/// # Errors
/// [`Unplayable`] if the file has no picture that can be decoded here, or a limit is exceeded.
pub fn show(
    file: File,
    format: Format,
    (policy, most_work_s): (Rendition, Option<u32>),
    deadline: Instant,
) -> Result<Shown, Unplayable> {
    let again = file.try_clone().map_err(|error| Unplayable::new(format!("This video cannot be read: {error}.")))?;
    let (mut shown, mut frames) = looked_into(file, format, deadline)?;
    let Shown { video, preview, sprite, playable, notes, .. } = &mut shown;
    // What comes last may fail without the rest: a time that was too short is said, not hidden.
    let mut tried = |what: &str, error: Unplayable| notes.push(format!("There is no {what}: {}", error.reason));
    *preview = preview::make(&mut frames, video).map_err(|error| tried("preview", error)).ok().flatten();
    *sprite = sprite::make(&mut frames, &video.picture, video.duration_ms).map_err(|error| tried("sprite", error)).ok().flatten();
    drop(frames);
    let order = rendition::Order { video, format, policy, most_work_s, deadline };
    match rendition::make(again, order) {
        Ok(Made::Nothing) => {}
        Ok(Made::Playable(made)) => *playable = Some(made),
        Ok(Made::Left(work_s)) => video.work_s = work_s,
        Err(error) => tried("copy for browsers", error),
    }
    Ok(shown)
}

/// The first part of [`show`] alone: facts and the poster frame.
///
/// # Errors
/// As of [`show`].
pub fn poster(file: File, format: Format, deadline: Instant) -> Result<Shown, Unplayable> {
    looked_into(file, format, deadline).map(|(shown, _)| shown)
}

fn looked_into(file: File, format: Format, deadline: Instant) -> Result<(Shown, Frames), Unplayable> {
    let soon = deadline.min(Instant::now() + Duration::from_secs(MAX_VIDEO_SHOW_S));
    let mut input = open::open(file, format, soon)?;
    let (mut video, facts) = probe::probe(&mut input, format)?;
    let mut frames = Frames::new(input, soon)?;
    let Chosen { frame, at_ms, note } = poster::choose(&mut frames, video.duration_ms)?;
    video.poster_ms = at_ms;
    let poster = picture::upright(&frame, &video.picture, LARGEST_SIDE)?;
    let shown = Shown { video, facts, poster, preview: None, sprite: None, playable: None, notes: note.into_iter().collect() };
    Ok((shown, frames))
}
