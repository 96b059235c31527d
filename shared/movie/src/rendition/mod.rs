//! A copy that every browser plays: MP4 with H.264 and AAC, its index in front, upright, in the range of ordinary screens.

mod mp4;
mod picture;
mod plan;
mod sound;

use std::{fs::File, io::Seek as _, time::Instant};

use ffmpeg_next::{Error, Packet, format::context::Input, media};
use photovault_domain::{Format, Rendition, Video};

use crate::{Unplayable, open, open::unreadable, probe};
use mp4::Mp4;
use picture::Pictures;
use plan::{Plan, plan};
use sound::Sounds;

/// A file for browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playable {
    /// Pixels as shown.
    pub width: u32,
    /// Pixels as shown.
    pub height: u32,
    /// The file, MP4.
    pub bytes: Vec<u8>,
    /// How it was made, for the ledger.
    pub how: String,
}

/// What is asked of a rendition.
#[derive(Clone, Copy)]
pub(crate) struct Order<'a> {
    pub(crate) video: &'a Video,
    pub(crate) format: Format,
    pub(crate) policy: Rendition,
    pub(crate) deadline: Instant,
}

/// Makes the rendition that the policy asks for, if it asks for one.
pub(crate) fn make(mut file: File, order: Order) -> Result<Option<Playable>, Unplayable> {
    let plan = plan(order.video, order.format, order.policy);
    if plan == Plan::Nothing {
        return Ok(None);
    }
    file.rewind().map_err(|error| Unplayable::new(format!("it cannot be read again ({error})")))?;
    let input = open::open(file, order.format, order.deadline)?;
    let made = if plan == Plan::Remux { copied(input, order) } else { transcoded(input, order) };
    made.map(Some).map_err(unreadable)
}

/// The same packets in another container.
fn copied(mut input: Input, order: Order) -> Result<Playable, Error> {
    let mut mp4 = Mp4::new()?;
    let start_us = probe::start_us(&input);
    let mut tracks = vec![None; input.nb_streams() as usize];
    for kind in [media::Type::Video, media::Type::Audio] {
        if let Some(stream) = input.streams().best(kind) {
            tracks[stream.index()] = Some(mp4.copy_of(&stream, start_us)?);
        }
    }
    mp4.begin(order.video)?;
    let mut packet = Packet::empty();
    while read(&mut input, &mut packet)? {
        if let Some(Some(track)) = tracks.get(packet.stream()) {
            mp4.write(&mut packet, *track)?;
        }
    }
    let (width, height) = (order.video.picture.width, order.video.picture.height);
    Ok(Playable { width, height, bytes: mp4.end()?, how: "remuxed".to_owned() })
}

/// Pictures encoded anew, sound copied where it is AAC and encoded where not.
fn transcoded(mut input: Input, order: Order) -> Result<Playable, Error> {
    let mut mp4 = Mp4::new()?;
    let start_us = probe::start_us(&input);
    let stream = probe::picture_stream(&input).ok_or(Error::StreamNotFound)?;
    let picture_index = stream.index();
    let mut pictures = Pictures::new(&stream, start_us, order, &mut mp4)?;
    let sound_index = input.streams().best(media::Type::Audio).map(|stream| stream.index());
    let mut sounds = match input.streams().best(media::Type::Audio) {
        Some(stream) => Sounds::new(&stream, start_us, &mut mp4)?,
        None => Sounds::None,
    };
    mp4.begin(order.video)?;
    let mut packet = Packet::empty();
    let begun = Instant::now();
    while read(&mut input, &mut packet)? {
        if packet.stream() == picture_index {
            pictures.take(Some(&packet), &mut mp4)?;
            if pictures.is_hopeless(begun, order) {
                return Err(Error::Exit);
            }
        } else if Some(packet.stream()) == sound_index {
            sounds.take(Some(&mut packet), &mut mp4)?;
        }
    }
    pictures.take(None, &mut mp4)?;
    sounds.take(None, &mut mp4)?;
    let ((width, height), how) = (pictures.size(), format!("transcoded by {}", pictures.encoder_name()));
    Ok(Playable { width, height, bytes: mp4.end()?, how })
}

/// Reads the next packet; `false` at the end.
fn read(input: &mut Input, packet: &mut Packet) -> Result<bool, Error> {
    loop {
        match packet.read(input) {
            Ok(()) => return Ok(true),
            Err(Error::InvalidData) => {}
            Err(Error::Exit) => return Err(Error::Exit),
            Err(_) => return Ok(false),
        }
    }
}
