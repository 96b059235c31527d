//! The pictures of a rendition: decoded, made smaller, brought into an ordinary range, turned upright, encoded.

use std::time::Instant;

use ffmpeg_next::{
    Dictionary, Error, Packet, Rational, Stream, codec, decoder, encoder, format::Pixel, frame, software::scaling::Flags,
};
use photovault_domain::{MovingPicture, Rendition, Video, fit};

use super::{
    Order,
    mp4::{Mp4, Track},
    segment::Span,
};
use crate::{frames, picture::Developer, raw, scaler::Scaler, turn::Turn};

/// Encoders in the order in which they are tried. libx264 is under the GPL: a layer that is shipped has the first.
pub(super) const ENCODERS: &[&str] = &["libopenh264", "h264_videotoolbox", "libx264"];
/// Units of time in a second: MPEG's clock, in which the common frame rates are whole.
pub(super) const CLOCK: i32 = 90_000;
/// Seconds between key frames, for seeking in a browser.
const KEY_SECONDS: f64 = 2.0;
/// Seconds of work after which it is told whether the rest of the time is enough.
const TRIAL_S: f64 = 6.0;

/// A video as a whole.
pub(super) const WHOLE: Span = Span { from: 0, until: i64::MAX };

/// What decodes and encodes them.
pub(super) struct Pictures<'a> {
    of: &'a MovingPicture,
    decoder: decoder::Video,
    encoder: encoder::Video,
    name: &'static str,
    track: Track,
    /// Before it is turned.
    scaled: (u32, u32),
    turn: Turn,
    scaler: Scaler,
    developer: Developer,
    unit: Rational,
    start_us: i64,
    span: Span,
    last: i64,
    frames: u32,
    at_ms: u64,
}

impl<'a> Pictures<'a> {
    /// Those of a span, whose times begin at 0. A part of a video is encoded without frames that refer to later ones: their times would
    /// cross at a seam.
    pub(super) fn new(
        stream: &Stream,
        start_us: i64,
        (video, policy): (&'a Video, Rendition),
        span: Span,
        mp4: &mut Mp4,
    ) -> Result<Self, Error> {
        let of = &video.picture;
        let decoder = frames::decoder(stream)?;
        let turn = Turn { degrees: of.rotation, mirrored: of.mirrored };
        let scaled = even(within_lines(turn.size((of.width, of.height)), policy.lines));
        let rate = of.frame_rate.unwrap_or(30.0).clamp(1.0, 240.0);
        let size = turn.size(scaled);
        let opened =
            ENCODERS.iter().find_map(|name| Some((*name, open(name, size, rate, (stream, of), policy.kbps, span != WHOLE)?)));
        let (name, encoder) = opened.ok_or(Error::EncoderNotFound)?;
        let track = mp4.track_of(&encoder, Rational(1, CLOCK), (f64::from(CLOCK) / rate).round() as i64)?;
        let (resizer, developer, unit) = (Scaler::default(), Developer::default(), stream.time_base());
        let last = span.from - 1;
        Ok(Self {
            of,
            decoder,
            encoder,
            name,
            track,
            scaled,
            turn,
            scaler: resizer,
            developer,
            unit,
            start_us,
            span,
            last,
            frames: 0,
            at_ms: 0,
        })
    }

    pub(super) const fn size(&self) -> (u32, u32) {
        self.turn.size(self.scaled)
    }

    pub(super) const fn encoder_name(&self) -> &'static str {
        self.name
    }

    /// Frames so far.
    pub(super) const fn frames(&self) -> u32 {
        self.frames
    }

    /// How many seconds it takes at the pace so far, if the deadline comes first.
    pub(super) fn is_hopeless(&self, begun: Instant, order: Order) -> Option<u32> {
        let spent = begun.elapsed().as_secs_f64();
        let left = order.deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        let to_come = order.video.duration_ms.saturating_sub(self.at_ms) as f64;
        let more = spent / self.at_ms.max(1) as f64 * to_come;
        (spent > TRIAL_S && more > left).then_some((spent + more) as u32)
    }

    /// Takes a packet, or the end.
    pub(super) fn take(&mut self, packet: Option<&Packet>, mp4: &mut Mp4) -> Result<(), Error> {
        // A packet that is broken costs its frame only.
        let _ = match packet {
            Some(packet) => self.decoder.send_packet(packet),
            None => self.decoder.send_eof(),
        };
        let mut frame = frame::Video::empty();
        while self.decoder.receive_frame(&mut frame).is_ok() {
            let at = ticks(frame.timestamp().unwrap_or(0), self.unit, self.start_us);
            // Frames before the beginning belong to an edit or to the part before; two at one time are one.
            if at <= self.last || at >= self.span.until {
                continue;
            }
            (self.last, self.at_ms) = (at, at.unsigned_abs() * 1000 / CLOCK as u64);
            self.frames += 1;
            let mut made = self.made(&frame)?;
            made.set_pts(Some(at - self.span.from));
            self.encoder.send_frame(&made)?;
            self.drain(mp4)?;
        }
        if packet.is_none() {
            self.encoder.send_eof()?;
            self.drain(mp4)?;
        }
        Ok(())
    }

    fn drain(&mut self, mp4: &mut Mp4) -> Result<(), Error> {
        let mut packet = Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            mp4.write(&mut packet, self.track)?;
        }
        Ok(())
    }

    fn made(&mut self, frame: &frame::Video) -> Result<frame::Video, Error> {
        let made = if self.of.hdr.is_some() {
            self.developer.encodable(frame, self.of, self.scaled)?
        } else {
            let matrix = raw::matrix(frame);
            let colours = ((matrix, raw::is_full_range(frame)), (matrix, false));
            self.scaler.run(frame, (Pixel::YUV420P, self.scaled), Flags::BICUBIC, colours)?
        };
        Ok(if self.turn.is_none() { made } else { turned(&made, self.turn) })
    }
}

/// A time of a stream in units of `CLOCK` after the beginning of the file.
pub(super) fn ticks(time: i64, unit: Rational, start_us: i64) -> i64 {
    let seconds = time as f64 * f64::from(unit) - start_us as f64 / 1e6;
    (seconds * f64::from(CLOCK)).round() as i64
}

/// Three planes, each turned.
fn turned(frame: &frame::Video, turn: Turn) -> frame::Video {
    let (width, height) = turn.size((frame.width(), frame.height()));
    let mut made = frame::Video::new(Pixel::YUV420P, width, height);
    for plane in 0..3 {
        let size = (frame.plane_width(plane), frame.plane_height(plane));
        let pixels = turn.apply::<1>(size, frame.data(plane), frame.stride(plane));
        let (row, stride) = (turn.size(size).0 as usize, made.stride(plane));
        for (from, to) in pixels.chunks_exact(row).zip(made.data_mut(plane).chunks_mut(stride)) {
            to[..row].copy_from_slice(from);
        }
    }
    made
}

fn open(
    name: &str,
    (width, height): (u32, u32),
    rate: f64,
    (stream, of): (&Stream, &MovingPicture),
    kbps: u32,
    is_part: bool,
) -> Option<encoder::Video> {
    let found = encoder::find_by_name(name)?;
    let mut encoder = codec::context::Context::new_with_codec(found).encoder().video().ok()?;
    encoder.set_width(width);
    encoder.set_height(height);
    encoder.set_format(Pixel::YUV420P);
    encoder.set_time_base(Rational(1, CLOCK));
    encoder.set_frame_rate(Some(Rational((rate * 1000.0).round() as i32, 1000)));
    encoder.set_gop((rate * KEY_SECONDS).round() as u32);
    encoder.set_flags(codec::Flags::GLOBAL_HEADER);
    if is_part {
        encoder.set_max_b_frames(0);
    }
    raw::set_encoded_colours(&mut encoder, of.hdr.is_none().then_some(stream));
    let mut options = Dictionary::new();
    options.set("profile", "high");
    options.set("threads", "auto");
    if name == "libx264" {
        options.set("preset", "veryfast");
        options.set("crf", "23");
        options.set("maxrate", &format!("{kbps}k"));
        options.set("bufsize", &format!("{}k", kbps * 2));
    } else {
        encoder.set_bit_rate(kbps as usize * 1000);
    }
    encoder.open_as_with(found, options).ok()
}

/// The size whose shorter side is at most `lines`.
fn within_lines((width, height): (u32, u32), lines: u32) -> (u32, u32) {
    let (shorter, longer) = (width.min(height).max(1), width.max(height));
    if shorter <= lines {
        (width, height)
    } else {
        fit((width, height), (u64::from(longer) * u64::from(lines) / u64::from(shorter)) as u32)
    }
}

/// Halved colour resolution wants even sides.
const fn even((width, height): (u32, u32)) -> (u32, u32) {
    const fn even(side: u32) -> u32 {
        if side < 2 { 2 } else { side & !1 }
    }
    (even(width), even(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_within_lines_and_even() {
        for (size, want) in [
            ((3840, 2160), (1280, 720)),
            ((2160, 3840), (720, 1280)),
            ((640, 480), (640, 480)),
            ((641, 481), (640, 480)),
            ((1, 1), (2, 2)),
            ((4000, 3000), (960, 720)),
        ] {
            assert_eq!(even(within_lines(size, 720)), want, "{size:?}");
        }
    }
}
