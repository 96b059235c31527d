//! Videos that the tests make: four fields of colour and a moving bar, so that a picture tells how it is held.

use std::{
    io::{self, Cursor, Seek, SeekFrom, Write},
    sync::{Arc, Mutex, PoisonError},
};

use ffmpeg_next::{
    ChannelLayout, Dictionary, Packet, Rational, codec, encoder,
    format::{self, Pixel, context::StreamIo},
    frame,
    util::color::{Primaries, Space, TransferCharacteristic},
};

/// What a video is to be.
#[derive(Clone, Debug)]
pub struct Film {
    /// FFmpeg's name of the muxer.
    pub container: &'static str,
    /// FFmpeg's name of the encoder: `mpeg4`, or `prores_ks` with ten bits a sample.
    pub encoder: &'static str,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames in all, 25 a second.
    pub frames: u32,
    /// Frames of them, at the beginning, that are black.
    pub black: u32,
    /// Frames from one key frame to the next.
    pub every: u32,
    /// Frames in a row, at most, that refer to later ones.
    pub reordered: usize,
    /// Degrees that the file asks to be turned by, clockwise.
    pub rotation: u16,
    /// The transfer characteristic that it declares.
    pub transfer: TransferCharacteristic,
    /// Whether a tone of 440 Hz is heard, in one channel of 16 bits.
    pub tone: bool,
    /// Tags of the container.
    pub tags: Vec<(&'static str, &'static str)>,
}

impl Default for Film {
    fn default() -> Self {
        Self {
            container: "mov",
            encoder: "mpeg4",
            width: 320,
            height: 240,
            frames: 50,
            black: 0,
            every: 12,
            reordered: 0,
            rotation: 0,
            transfer: TransferCharacteristic::Unspecified,
            tone: false,
            tags: Vec::new(),
        }
    }
}

impl Film {
    /// The video's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.written().expect("FFmpeg writes what it is told");
        if self.rotation != 0 {
            turn(&mut bytes, self.rotation);
        }
        bytes
    }

    fn written(&self) -> Result<Vec<u8>, ffmpeg_next::Error> {
        let file = Shared::default();
        let mut output = format::output_to_stream(StreamIo::from_write_seek(file.clone())?, None, Some(self.container))?;
        let mut tags = Dictionary::new();
        self.tags.iter().for_each(|(name, value)| tags.set(name, value));
        output.set_metadata(tags);
        let mut encoder = self.encoder(output.format().flags().contains(format::Flags::GLOBAL_HEADER))?;
        let index = {
            let mut stream = output.add_stream(encoder::find_by_name(self.encoder))?;
            stream.set_parameters(&encoder);
            stream.set_time_base(TIME_BASE);
            stream.set_avg_frame_rate(Rational(25, 1));
            stream.index()
        };
        let tone = if self.tone { Some(Tone::new(&mut output)?) } else { None };
        let mut options = Dictionary::new();
        options.set("movflags", "use_metadata_tags");
        output.write_header_with(options)?;
        let unit = output.stream(index).expect("it was added").time_base();
        let mut packet = Packet::empty();
        for number in 0..=self.frames {
            if let Some(tone) = tone.as_ref().filter(|_| number < self.frames) {
                tone.during(number, &mut output)?;
            }
            if number < self.frames {
                encoder.send_frame(&self.frame(number))?;
            } else {
                encoder.send_eof()?;
            }
            while encoder.receive_packet(&mut packet).is_ok() {
                packet.set_stream(index);
                packet.set_duration(1);
                packet.rescale_ts(TIME_BASE, unit);
                packet.write_interleaved(&mut output)?;
            }
        }
        output.write_trailer()?;
        drop(output);
        Ok(file.take())
    }

    fn encoder(&self, global_header: bool) -> Result<encoder::Video, ffmpeg_next::Error> {
        let found = encoder::find_by_name(self.encoder).ok_or(ffmpeg_next::Error::EncoderNotFound)?;
        let mut encoder = codec::context::Context::new_with_codec(found).encoder().video()?;
        encoder.set_width(self.width);
        encoder.set_height(self.height);
        encoder.set_format(self.pixel());
        encoder.set_time_base(TIME_BASE);
        encoder.set_frame_rate(Some(Rational(25, 1)));
        encoder.set_gop(self.every);
        encoder.set_max_b_frames(self.reordered);
        encoder.set_bit_rate(2_000_000);
        if global_header {
            encoder.set_flags(codec::Flags::GLOBAL_HEADER);
        }
        if self.transfer != TransferCharacteristic::Unspecified {
            encoder.set_color_transfer_characteristic(self.transfer);
            encoder.set_color_primaries(Primaries::BT2020);
            encoder.set_colorspace(Space::BT2020NCL);
        }
        encoder.open_as(found)
    }

    fn pixel(&self) -> Pixel {
        if self.encoder == "prores_ks" { Pixel::YUV422P10LE } else { Pixel::YUV420P }
    }

    /// Red, green, blue and white, from the upper left to the lower right, and a dark bar that moves.
    fn frame(&self, number: u32) -> frame::Video {
        let mut frame = frame::Video::new(self.pixel(), self.width, self.height);
        frame.set_pts(Some(i64::from(number)));
        if self.transfer != TransferCharacteristic::Unspecified {
            frame.set_color_transfer_characteristic(self.transfer);
            frame.set_color_primaries(Primaries::BT2020);
            frame.set_color_space(Space::BT2020NCL);
        }
        let (deep, half_high) = if self.pixel() == Pixel::YUV420P { (false, true) } else { (true, false) };
        for plane in 0..3 {
            let (across, down) = (if plane == 0 { 1 } else { 2 }, if plane > 0 && half_high { 2 } else { 1 });
            let (wide, high, stride) = (self.width / across, self.height / down, frame.stride(plane));
            let data = frame.data_mut(plane);
            for (x, y) in (0..high).flat_map(|y| (0..wide).map(move |x| (x, y))) {
                let sample = self.sample(number, (x * across, y * down))[plane];
                if deep {
                    let at = y as usize * stride + x as usize * 2;
                    data[at..at + 2].copy_from_slice(&(u16::from(sample) * 4).to_le_bytes());
                } else {
                    data[y as usize * stride + x as usize] = sample;
                }
            }
        }
        frame
    }

    /// Brightness and two colour differences (BT.601, video range).
    fn sample(&self, number: u32, (x, y): (u32, u32)) -> [u8; 3] {
        if number < self.black {
            return [16, 128, 128];
        }
        let is_bar = x.abs_diff(number * 8 % self.width) < 6;
        match (is_bar, x < self.width / 2, y < self.height / 2) {
            (true, ..) => [60, 128, 128],
            (_, true, true) => [82, 90, 240],
            (_, false, true) => [145, 54, 34],
            (_, true, false) => [41, 240, 110],
            (_, false, false) => [210, 128, 128],
        }
    }
}

/// A tone, as PCM that needs no encoder.
struct Tone(usize);

impl Tone {
    const RATE: u32 = 48_000;
    const SAMPLES_A_FRAME: u32 = Self::RATE / 25;

    fn new(output: &mut format::context::Output) -> Result<Self, ffmpeg_next::Error> {
        let pcm = encoder::find(codec::Id::PCM_S16LE).ok_or(ffmpeg_next::Error::EncoderNotFound)?;
        let mut encoder = codec::context::Context::new_with_codec(pcm).encoder().audio()?;
        encoder.set_rate(Self::RATE as i32);
        encoder.set_format(format::Sample::I16(format::sample::Type::Packed));
        encoder.set_channel_layout(ChannelLayout::MONO);
        encoder.set_time_base(Rational(1, Self::RATE as i32));
        let encoder = encoder.open_as(pcm)?;
        let mut stream = output.add_stream(pcm)?;
        stream.set_parameters(&encoder);
        stream.set_time_base(Rational(1, Self::RATE as i32));
        Ok(Self(stream.index()))
    }

    fn during(&self, frame: u32, output: &mut format::context::Output) -> Result<(), ffmpeg_next::Error> {
        let first = frame * Self::SAMPLES_A_FRAME;
        let sample = |number: u32| {
            let turns = f64::from(number) * 440.0 / f64::from(Self::RATE);
            ((turns * std::f64::consts::TAU).sin() * 16_000.0) as i16
        };
        let samples: Vec<u8> = (first..first + Self::SAMPLES_A_FRAME).flat_map(|number| sample(number).to_le_bytes()).collect();
        let mut packet = Packet::copy(&samples);
        packet.set_stream(self.0);
        packet.set_pts(Some(i64::from(first)));
        packet.set_dts(Some(i64::from(first)));
        packet.set_duration(i64::from(Self::SAMPLES_A_FRAME));
        let unit = output.stream(self.0).expect("it was added").time_base();
        packet.rescale_ts(Rational(1, Self::RATE as i32), unit);
        packet.write_interleaved(output)
    }
}

const TIME_BASE: Rational = Rational(1, 25);

/// Writes a display matrix into the track's header (ISO/IEC 14496-12, 8.3.2): 40 bytes behind its type.
fn turn(bytes: &mut [u8], degrees: u16) {
    let header = bytes.windows(4).position(|kind| kind == b"tkhd").expect("a track has a header");
    let (sine, cosine) = match degrees {
        90 => (1, 0),
        180 => (0, -1),
        270 => (-1, 0),
        _ => (0, 1),
    };
    let one = 1 << 16;
    let matrix = [cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1_i32 << 30];
    for (number, at) in matrix.iter().zip((header + 44..).step_by(4)) {
        bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    }
}

/// A file in memory that its writer gives away.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Shared {
    fn take(&self) -> Vec<u8> {
        std::mem::take(self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut())
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seek(to)
    }
}
