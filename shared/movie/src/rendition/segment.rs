//! A rendition in parts: where a video can be cut, and one part of it, so that work that was interrupted goes on.

use std::{fs::File, io::Seek as _, time::Instant};

use ffmpeg_next::{Error, Packet, Stream, encoder, format::context::Input};
use photovault_domain::{Format, Rendition, Video, limits::MAX_SEGMENTS};
use serde::{Deserialize, Serialize};

use super::{
    mp4::{Memory, Mp4},
    picture::{CLOCK, ENCODERS, Pictures, ticks},
    plan::{Plan, plan},
    read,
};
use crate::{Unplayable, open, open::unreadable, probe, raw};

/// Seconds before a key frame at which it is sought: an index is by the order of decoding, and may name the next one.
const SOUGHT_BEFORE_S: i64 = 2;

/// A part of a video, in units of 1/90000 second after its beginning: `from` belongs to it, `until` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// A key frame's time, or 0.
    pub from: i64,
    /// The next part's `from`; `i64::MAX` of the last.
    pub until: i64,
}

/// How a video is cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The parts, one after the other.
    pub spans: Vec<Span>,
    /// What encodes them: parts by another encoder cannot be joined with them.
    pub encoder: String,
}

/// An encoded part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// MP4 with pictures alone, whose times begin at 0.
    pub bytes: Vec<u8>,
    /// Pictures in it.
    pub frames: u32,
}

/// Cuts a video at key frames that are `seconds` apart at least; `None` where it needs no encoding. Where packets do not say when they are
/// shown, it is one part.
///
/// # Errors
/// [`Unplayable`] if it cannot be read through within the limits.
pub fn cut(
    file: File,
    (format, video): (Format, &Video),
    policy: Rendition,
    seconds: u32,
    deadline: Instant,
) -> Result<Option<Cut>, Unplayable> {
    if plan(video, format, policy) != Plan::Transcode {
        return Ok(None);
    }
    let (mut input, picture) = opened(file, format, deadline)?;
    let step = i64::from(seconds.max(1)) * i64::from(CLOCK);
    let starts = starts(&mut input, &picture, step).map_err(unreadable)?;
    let ends = starts.iter().skip(1).copied().chain([i64::MAX]);
    let spans = starts.iter().zip(ends).map(|(from, until)| Span { from: *from, until }).collect();
    let names: Vec<_> = ENCODERS.iter().copied().filter(|name| encoder::find_by_name(name).is_some()).collect();
    Ok(Some(Cut { spans, encoder: format!("{}-{}", names.join("-"), ffmpeg_next::codec::version()) }))
}

/// Encodes a part.
///
/// # Errors
/// [`Unplayable`] if the limits come first, or the file does not have it.
pub fn segment(
    file: File,
    (format, video): (Format, &Video),
    policy: Rendition,
    span: Span,
    deadline: Instant,
) -> Result<Segment, Unplayable> {
    let mut again = file.try_clone().map_err(|error| Unplayable::new(format!("This video cannot be read: {error}.")))?;
    let (mut input, mut picture) = opened(file, format, deadline)?;
    let mut packet = Packet::empty();
    let sought_us = picture.start_us + (span.from / i64::from(CLOCK) - SOUGHT_BEFORE_S).max(0) * 1_000_000;
    let is_sought = span.from > 0 && input.seek(sought_us, ..sought_us).is_ok();
    let mut is_found = find(&mut input, &picture, span, &mut packet).map_err(unreadable)?;
    if !is_found && is_sought {
        again.rewind().map_err(|error| Unplayable::new(format!("This video cannot be read again: {error}.")))?;
        (input, picture) = opened(again, format, deadline)?;
        is_found = find(&mut input, &picture, span, &mut packet).map_err(unreadable)?;
    }
    if !is_found {
        return Err(Unplayable::new("This video cannot be cut: a key frame is not where it was."));
    }
    encoded(input, &picture, (video, policy), span, packet).map_err(unreadable)
}

/// The stream of pictures of an opened file.
struct Picture {
    index: usize,
    unit: ffmpeg_next::Rational,
    start_us: i64,
}

impl Picture {
    /// When a packet is shown, where it says it.
    fn shown(&self, packet: &Packet) -> Option<i64> {
        packet.pts().map(|time| ticks(time, self.unit, self.start_us))
    }

    /// When a packet is decoded.
    fn decoded(&self, packet: &Packet) -> Option<i64> {
        packet.dts().or(packet.pts()).map(|time| ticks(time, self.unit, self.start_us))
    }
}

fn opened(file: File, format: Format, deadline: Instant) -> Result<(Input, Picture), Unplayable> {
    let mut input = open::open(file, format, deadline)?;
    let start_us = probe::start_us(&input);
    let of = |stream: Stream| Picture { index: stream.index(), unit: stream.time_base(), start_us };
    let picture = probe::picture_stream(&input).map(of).ok_or_else(|| Unplayable::new("This file has no moving picture."))?;
    raw::read_only(&mut input, picture.index);
    Ok((input, picture))
}

/// Times of key frames that are `step` apart at least, and 0 before them.
fn starts(input: &mut Input, picture: &Picture, step: i64) -> Result<Vec<i64>, Error> {
    let (mut starts, mut last) = (vec![0], 0);
    let mut packet = Packet::empty();
    while read(input, &mut packet)? {
        if packet.stream() != picture.index {
            continue;
        }
        let Some(shown) = picture.shown(&packet) else { return Ok(vec![0]) };
        if packet.is_key() && shown - last >= step && starts.len() < MAX_SEGMENTS {
            starts.push(shown);
            last = shown;
        }
    }
    Ok(starts)
}

/// Reads on to the packet that a part begins with.
fn find(input: &mut Input, picture: &Picture, span: Span, packet: &mut Packet) -> Result<bool, Error> {
    while read(input, packet)? {
        if packet.stream() != picture.index {
            continue;
        }
        if span.from == 0 || (packet.is_key() && picture.shown(packet) == Some(span.from)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Encodes from `packet` on. The next part's key frame and what is decoded before it is shown may still be needed.
fn encoded(
    mut input: Input,
    picture: &Picture,
    (video, policy): (&Video, Rendition),
    span: Span,
    mut packet: Packet,
) -> Result<Segment, Error> {
    let memory = Memory::default();
    let mut mp4 = Mp4::onto(memory.clone())?;
    let stream = probe::picture_stream(&input).ok_or(Error::StreamNotFound)?;
    let mut pictures = Pictures::new(&stream, picture.start_us, (video, policy), span, &mut mp4)?;
    mp4.begin(video)?;
    loop {
        if packet.stream() == picture.index {
            if picture.decoded(&packet).is_some_and(|decoded| decoded >= span.until) {
                break;
            }
            pictures.take(Some(&packet), &mut mp4)?;
        }
        if !read(&mut input, &mut packet)? {
            break;
        }
    }
    pictures.take(None, &mut mp4)?;
    mp4.end()?;
    Ok(Segment { bytes: memory.take(), frames: pictures.frames() })
}
