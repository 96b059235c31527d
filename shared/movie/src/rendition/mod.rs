//! A copy that every browser plays: MP4 with H.264 and AAC, its index in front, upright, in the range of ordinary screens.

mod join;
mod mp4;
mod picture;
mod plan;
mod segment;
mod sound;

use std::{fs::File, io::Seek as _, time::Instant};

use ffmpeg_next::{Error, Packet, format::context::Input, media};
use photovault_domain::{Format, Rendition, Video, predicted_work_s};

use crate::{Unplayable, open, open::unreadable, probe};
pub use join::{Joined, Part, join};
use mp4::{Memory, Mp4};
use picture::{Pictures, WHOLE};
use plan::{Plan, plan};
pub use segment::{Cut, Segment, Span, cut, segment};
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
    /// Seconds of work from which on it is left to the worker, where there is one.
    pub(crate) most_work_s: Option<u32>,
    pub(crate) deadline: Instant,
}

/// What became of a rendition.
pub(crate) enum Made {
    /// None is wanted.
    Nothing,
    /// Here it is.
    Playable(Playable),
    /// It is left to the worker: so many seconds of work, as reckoned.
    Left(u32),
}

/// Makes the rendition that the policy asks for, if it asks for one.
pub(crate) fn make(mut file: File, order: Order) -> Result<Made, Unplayable> {
    let plan = plan(order.video, order.format, order.policy);
    if plan == Plan::Nothing {
        return Ok(Made::Nothing);
    }
    let predicted_s = predicted_work_s(order.video, order.policy).max(1);
    if plan == Plan::Transcode && order.most_work_s.is_some_and(|most_s| predicted_s > most_s) {
        return Ok(Made::Left(predicted_s));
    }
    file.rewind().map_err(|error| Unplayable::new(format!("it cannot be read again ({error})")))?;
    let input = open::open(file, order.format, order.deadline)?;
    let memory = Memory::default();
    let made = if plan == Plan::Remux { copied(input, order, &memory) } else { transcoded(input, order, &memory) };
    match (made, order.most_work_s) {
        (Ok(Ok(playable)), _) => Ok(Made::Playable(playable)),
        (Ok(Err(TooSlow(work_s))), Some(most_s)) => Ok(Made::Left(work_s.max(most_s + 1))),
        (Err(_), Some(most_s)) if memory.is_full() && plan == Plan::Transcode => Ok(Made::Left(predicted_s.max(most_s + 1))),
        (Ok(Err(TooSlow(_))), None) => Err(unreadable(Error::Exit)),
        (Err(error), _) => Err(unreadable(error)),
    }
}

/// It would take so many seconds.
struct TooSlow(u32);

/// The same packets in another container.
fn copied(mut input: Input, order: Order, memory: &Memory) -> Result<Result<Playable, TooSlow>, Error> {
    let mut mp4 = Mp4::onto(memory.clone())?;
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
    mp4.end()?;
    let (width, height) = (order.video.picture.width, order.video.picture.height);
    Ok(Ok(Playable { width, height, bytes: memory.take(), how: "remuxed".to_owned() }))
}

/// Pictures encoded anew, sound copied where it is AAC and encoded where not.
fn transcoded(mut input: Input, order: Order, memory: &Memory) -> Result<Result<Playable, TooSlow>, Error> {
    let mut mp4 = Mp4::onto(memory.clone())?;
    let start_us = probe::start_us(&input);
    let stream = probe::picture_stream(&input).ok_or(Error::StreamNotFound)?;
    let picture_index = stream.index();
    let mut pictures = Pictures::new(&stream, start_us, (order.video, order.policy), WHOLE, &mut mp4)?;
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
            if let Some(work_s) = pictures.is_hopeless(begun, order) {
                return Ok(Err(TooSlow(work_s)));
            }
        } else if Some(packet.stream()) == sound_index {
            sounds.take(Some(&mut packet), &mut mp4)?;
        }
    }
    pictures.take(None, &mut mp4)?;
    sounds.take(None, &mut mp4)?;
    let ((width, height), how) = (pictures.size(), format!("transcoded by {}", pictures.encoder_name()));
    mp4.end()?;
    Ok(Ok(Playable { width, height, bytes: memory.take(), how }))
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
