//! Parts of a rendition made into one file, with the sound of the whole.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt as _,
    time::Instant,
};

use ffmpeg_next::{Error, Packet, Rational, format::context::Input, media};
use photovault_domain::{Format, Video, limits::MAX_JOINED_BYTES};
use serde::{Deserialize, Serialize};

use super::{
    mp4::{Mp4, Track},
    picture::CLOCK,
    read,
    sound::Sounds,
};
use crate::{Unplayable, open, open::unreadable, probe, raw};

/// Where a part lies in the file that holds them all, and when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its first byte.
    pub at: u64,
    /// Bytes.
    pub bytes: u64,
    /// Its time, in units of 1/90000 second after the beginning.
    pub from: i64,
}

/// A file that was joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Pixels as shown.
    pub width: u32,
    /// Pixels as shown.
    pub height: u32,
    /// Pictures in it.
    pub frames: u64,
}

/// Writes parts into `output` one after the other, and between them the sound of `original`: copied where it is AAC, and encoded in one
/// go where not, so that there is no seam in it.
///
/// # Errors
/// [`Unplayable`] if a part does not fit the others, or the limits come first.
pub fn join(
    original: File,
    (format, video): (Format, &Video),
    (parts, lie_in): (&[Part], &File),
    output: File,
    deadline: Instant,
) -> Result<Joined, Unplayable> {
    let sound = open::open(original, format, deadline)?;
    let opened = |part: &Part| {
        let file = lie_in.try_clone().map_err(|error| Unplayable::new(format!("a part cannot be read: {error}")))?;
        open::open(Window { file, first: part.at, bytes: part.bytes, place: 0 }, Format::Mp4, deadline)
    };
    let first = opened(parts.first().ok_or_else(|| Unplayable::new("there is no part"))?)?;
    let mut joining = Joining::new(&first, sound, video, output).map_err(unreadable)?;
    drop(first);
    for part in parts {
        joining.add(opened(part)?, part.from).map_err(unreadable)?;
    }
    joining.end().map_err(unreadable)
}

struct Joining {
    mp4: Mp4,
    track: Track,
    unit: Rational,
    extradata: Vec<u8>,
    sound: Option<Sounding>,
    joined: Joined,
}

/// Sound that is read as the pictures come.
struct Sounding {
    input: Input,
    index: usize,
    unit: Rational,
    start_us: i64,
    sounds: Sounds,
    /// Read, and not yet due.
    next: Option<Packet>,
}

impl Joining {
    fn new(first: &Input, sound: Input, video: &Video, output: File) -> Result<Self, Error> {
        let mut mp4 = Mp4::onto(Limited { file: output, place: 0 })?;
        let stream = probe::picture_stream(first).ok_or(Error::StreamNotFound)?;
        let parameters = raw::parameters(&stream);
        let (width, height) = (parameters.width.unsigned_abs(), parameters.height.unsigned_abs());
        let track = mp4.copy_of(&stream, 0)?;
        let sound = Sounding::new(sound, &mut mp4)?;
        mp4.begin(video)?;
        let joined = Joined { width, height, frames: 0 };
        Ok(Self { mp4, track, unit: stream.time_base(), extradata: raw::extradata(&stream), sound, joined })
    }

    fn add(&mut self, mut part: Input, from: i64) -> Result<(), Error> {
        let stream = probe::picture_stream(&part).ok_or(Error::StreamNotFound)?;
        // One description holds for the whole track.
        if raw::extradata(&stream) != self.extradata || stream.time_base() != self.unit {
            return Err(Error::InvalidData);
        }
        let offset = (from as f64 / f64::from(CLOCK) / f64::from(self.unit)).round() as i64;
        let mut packet = Packet::empty();
        while read(&mut part, &mut packet)? {
            let moved = |time: Option<i64>| time.map(|time| time + offset);
            packet.set_pts(moved(packet.pts()));
            packet.set_dts(moved(packet.dts()));
            let seconds = packet.dts().unwrap_or(0) as f64 * f64::from(self.unit);
            if let Some(sound) = &mut self.sound {
                sound.until(seconds, &mut self.mp4)?;
            }
            self.mp4.write(&mut packet, self.track)?;
            self.joined.frames += 1;
        }
        Ok(())
    }

    fn end(mut self) -> Result<Joined, Error> {
        if let Some(sound) = &mut self.sound {
            sound.until(f64::INFINITY, &mut self.mp4)?;
            sound.sounds.take(None, &mut self.mp4)?;
        }
        self.mp4.end()?;
        Ok(self.joined)
    }
}

impl Sounding {
    fn new(mut input: Input, mp4: &mut Mp4) -> Result<Option<Self>, Error> {
        let start_us = probe::start_us(&input);
        let Some(stream) = input.streams().best(media::Type::Audio) else { return Ok(None) };
        let (index, unit) = (stream.index(), stream.time_base());
        let sounds = Sounds::new(&stream, start_us, mp4)?;
        raw::read_only(&mut input, index);
        Ok(Some(Self { input, index, unit, start_us, sounds, next: None }))
    }

    /// Writes what is heard up to a moment.
    fn until(&mut self, seconds: f64, mp4: &mut Mp4) -> Result<(), Error> {
        loop {
            let mut packet = if let Some(packet) = self.next.take() {
                packet
            } else {
                let mut packet = Packet::empty();
                if !read(&mut self.input, &mut packet)? {
                    return Ok(());
                }
                packet
            };
            if packet.stream() != self.index {
                continue;
            }
            let heard = packet.pts().unwrap_or(0) as f64 * f64::from(self.unit) - self.start_us as f64 / 1e6;
            if heard > seconds {
                self.next = Some(packet);
                return Ok(());
            }
            self.sounds.take(Some(&mut packet), mp4)?;
        }
    }
}

/// A part of a file, as a file.
struct Window {
    file: File,
    first: u64,
    bytes: u64,
    place: u64,
}

impl Read for Window {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.bytes.saturating_sub(self.place)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        let read = self.file.read_at(&mut into[..wanted], self.first + self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
        };
        self.place = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}

/// A file that is not written beyond the limit.
struct Limited {
    file: File,
    place: u64,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.place + bytes.len() as u64 > MAX_JOINED_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.file.write(bytes)?;
        self.place += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.place = self.file.seek(to)?;
        Ok(self.place)
    }
}
