//! The pictures of a rendition: decoded, made smaller, brought into an ordinary range, turned upright, encoded.

use std::time::Instant;

use ffmpeg_next::{
    Dictionary, Error, Packet, Rational, Stream, codec, decoder, encoder,
    format::Pixel,
    frame,
    software::scaling::{Context as Scaler, Flags},
};
use photovault_domain::{MovingPicture, fit};

use super::{
    Order,
    mp4::{Mp4, Track},
};
use crate::{frames, picture, raw, turn::Turn};

/// Encoders in the order in which they are tried. libx264 is under the GPL: a layer that is shipped has the first.
const ENCODERS: &[&str] = &["libopenh264", "h264_videotoolbox", "libx264"];
/// Units of time in a second: MPEG's clock, in which the common frame rates are whole.
const CLOCK: i32 = 90_000;
/// Seconds between key frames, for seeking in a browser.
const KEY_SECONDS: f64 = 2.0;
/// Seconds of work after which it is told whether the rest of the time is enough.
const TRIAL_S: f64 = 6.0;

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
    unit: Rational,
    start_us: i64,
    last: i64,
    at_ms: u64,
}

impl<'a> Pictures<'a> {
    pub(super) fn new(stream: &Stream, start_us: i64, order: Order<'a>, mp4: &mut Mp4) -> Result<Self, Error> {
        let of = &order.video.picture;
        let decoder = frames::decoder(stream)?;
        let turn = Turn { degrees: of.rotation, mirrored: of.mirrored };
        let scaled = even(within_lines(turn.size((of.width, of.height)), order.policy.lines));
        let rate = of.frame_rate.unwrap_or(30.0).clamp(1.0, 240.0);
        let size = turn.size(scaled);
        let opened = ENCODERS.iter().find_map(|name| Some((*name, open(name, size, rate, (stream, of), order.policy.kbps)?)));
        let (name, encoder) = opened.ok_or(Error::EncoderNotFound)?;
        let track = mp4.track_of(&encoder, Rational(1, CLOCK), (f64::from(CLOCK) / rate).round() as i64)?;
        Ok(Self { of, decoder, encoder, name, track, scaled, turn, unit: stream.time_base(), start_us, last: -1, at_ms: 0 })
    }

    pub(super) const fn size(&self) -> (u32, u32) {
        self.turn.size(self.scaled)
    }

    pub(super) const fn encoder_name(&self) -> &'static str {
        self.name
    }

    /// Whether at the pace so far the deadline would come first.
    pub(super) fn is_hopeless(&self, begun: Instant, order: Order) -> bool {
        let spent = begun.elapsed().as_secs_f64();
        let left = order.deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        let to_come = order.video.duration_ms.saturating_sub(self.at_ms) as f64;
        spent > TRIAL_S && spent / self.at_ms.max(1) as f64 * to_come > left
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
            let seconds = frame.timestamp().unwrap_or(0) as f64 * f64::from(self.unit) - self.start_us as f64 / 1e6;
            let at = (seconds * f64::from(CLOCK)).round() as i64;
            // Frames before the beginning belong to an edit; two at one time are one.
            if at <= self.last {
                continue;
            }
            (self.last, self.at_ms) = (at, (seconds.max(0.0) * 1000.0) as u64);
            let mut made = self.made(&frame)?;
            made.set_pts(Some(at));
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

    fn made(&self, frame: &frame::Video) -> Result<frame::Video, Error> {
        if self.of.hdr.is_some() {
            let rgb = picture::in_size(frame, self.of, self.scaled, Flags::AREA)?;
            return picture::to_yuv(&rgb);
        }
        let mut scaler = Scaler::get(
            frame.format(),
            frame.width(),
            frame.height(),
            Pixel::YUV420P,
            self.scaled.0,
            self.scaled.1,
            Flags::BICUBIC,
        )?;
        let matrix = raw::matrix(frame);
        raw::set_colours(&mut scaler, (matrix, raw::is_full_range(frame)), (matrix, false));
        let mut made = frame::Video::empty();
        scaler.run(frame, &mut made)?;
        Ok(if self.turn == Turn::default() { made } else { turned(&made, self.turn) })
    }
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
    raw::set_encoded_colours(&mut encoder, of.hdr.is_none().then_some(stream));
    let mut options = Dictionary::new();
    options.set("profile", "high");
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
