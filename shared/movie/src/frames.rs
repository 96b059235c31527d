//! Decoded frames of a video's picture: at a moment, or one after the other.

use std::time::Instant;

use ffmpeg_next::{Dictionary, Error, Packet, Stream, codec, decoder, format::context::Input, frame};
use photovault_domain::limits::MAX_VIDEO_PIXELS;

use crate::{
    Unplayable,
    open::{DECODERS, unreadable},
    probe::{picture_stream, start_us},
};

/// Packets that are read for one frame, before the file counts as having none there.
const MAX_PACKETS_A_FRAME: usize = 4000;
/// How much before its beginning a file is sought for its first frame, in microseconds: MPEG-TS is searched by the times at which frames
/// are decoded, which are earlier than those at which they are shown.
const LEAD_US: i64 = 10_000_000;

/// A frame and its place.
pub(crate) struct Timed {
    pub(crate) frame: frame::Video,
    /// Milliseconds after the beginning.
    pub(crate) at_ms: u64,
}

/// A video that is being decoded.
pub(crate) struct Frames {
    input: Input,
    stream: usize,
    decoder: decoder::Video,
    /// Seconds of one unit of time in the stream.
    unit_s: f64,
    /// Where the file begins, in microseconds.
    start_us: i64,
    deadline: Instant,
    /// Whether the decoder has been told that nothing follows.
    is_draining: bool,
    /// Whether it has yet to get a frame that is complete in itself: what comes before refers to what it has not seen.
    awaits_key: bool,
}

impl Frames {
    /// Opens the decoder of the picture.
    pub(crate) fn new(input: Input, deadline: Instant) -> Result<Self, Unplayable> {
        let stream = picture_stream(&input).ok_or_else(|| Unplayable::new("This file has no moving picture."))?;
        let (index, time_base) = (stream.index(), stream.time_base());
        let decoder = decoder(&stream).map_err(|error| not_decoded(&stream, error))?;
        let start_us = start_us(&input);
        let unit_s = f64::from(time_base);
        Ok(Self { input, stream: index, decoder, unit_s, start_us, deadline, is_draining: false, awaits_key: false })
    }

    /// The nearest frame at or before a moment that is complete in itself; of a file that cannot be sought in, the next one.
    pub(crate) fn key_at(&mut self, at_ms: u64) -> Result<Option<Timed>, Unplayable> {
        self.seek(at_ms);
        let mut packet = Packet::empty();
        for _ in 0..MAX_PACKETS_A_FRAME {
            if !self.read(&mut packet)? {
                break;
            }
            if packet.is_key() {
                // Told that nothing follows, a decoder gives its one frame at once.
                let _ = self.decoder.send_packet(&packet);
                self.drain();
                return Ok(self.receive());
            }
        }
        Ok(None)
    }

    /// Lets the next frame be the key frame at or before a moment.
    pub(crate) fn go_to(&mut self, at_ms: u64) {
        self.seek(at_ms);
    }

    /// The next frame.
    pub(crate) fn next(&mut self) -> Result<Option<Timed>, Unplayable> {
        let mut packet = Packet::empty();
        for _ in 0..MAX_PACKETS_A_FRAME {
            if let Some(frame) = self.receive() {
                return Ok(Some(frame));
            }
            if self.is_draining {
                return Ok(None);
            }
            if self.read(&mut packet)? {
                self.awaits_key &= !packet.is_key();
                if !self.awaits_key {
                    // A packet that is broken costs its frame only.
                    let _ = self.decoder.send_packet(&packet);
                }
            } else {
                self.drain();
            }
        }
        Ok(None)
    }

    fn drain(&mut self) {
        let _ = self.decoder.send_eof();
        self.is_draining = true;
    }

    fn seek(&mut self, at_ms: u64) {
        let sought_us = self.start_us.saturating_add(i64::try_from(at_ms).unwrap_or(0).saturating_mul(1000));
        let sought = if at_ms == 0 {
            // The first frame may stand a little behind the beginning, and not every container is sought before it.
            self.input.seek(sought_us.saturating_sub(LEAD_US), ..).or_else(|_| self.input.seek(sought_us, ..))
        } else {
            self.input.seek(sought_us, ..sought_us)
        };
        self.awaits_key |= sought.is_ok();
        if sought.is_ok() || self.is_draining {
            self.decoder.flush();
            self.is_draining = false;
        }
    }

    /// Reads the next packet of the picture; `false` at the end.
    fn read(&mut self, packet: &mut Packet) -> Result<bool, Unplayable> {
        for _ in 0..MAX_PACKETS_A_FRAME {
            if Instant::now() >= self.deadline {
                return Err(unreadable(Error::Exit));
            }
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream => return Ok(true),
                Ok(()) | Err(Error::InvalidData) => {}
                Err(Error::Exit) => return Err(unreadable(Error::Exit)),
                Err(_) => return Ok(false),
            }
        }
        Ok(false)
    }

    fn receive(&mut self) -> Option<Timed> {
        let mut frame = frame::Video::empty();
        self.decoder.receive_frame(&mut frame).ok()?;
        let at_s = frame.timestamp().unwrap_or(0) as f64 * self.unit_s - self.start_us as f64 / 1e6;
        Some(Timed { frame, at_ms: (at_s.max(0.0) * 1000.0).round() as u64 })
    }
}

/// Opens the decoder of a stream of pictures.
pub(crate) fn decoder(stream: &Stream) -> Result<decoder::Video, Error> {
    let mut context = codec::context::Context::from_parameters(stream.parameters())?.decoder();
    context.set_packet_time_base(stream.time_base());
    let known = decoder::find(context.id()).filter(|codec| DECODERS.split(',').any(|name| name == codec.name()));
    let mut options = Dictionary::new();
    options.set("max_pixels", &MAX_VIDEO_PIXELS.to_string());
    options.set("threads", "auto");
    context.open_as_with(known.ok_or(Error::DecoderNotFound)?, options).and_then(decoder::Opened::video)
}

fn not_decoded(stream: &Stream, error: Error) -> Unplayable {
    if error != Error::DecoderNotFound {
        return unreadable(error);
    }
    let name = Some(stream.parameters().id().name()).filter(|name| *name != "none").unwrap_or("which has no name here");
    Unplayable::new(format!("This video cannot be shown: its codec, {name}, is not one that is decoded."))
}
