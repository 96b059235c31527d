//! The sound of a rendition: AAC as it is, anything else as AAC in stereo.

use ffmpeg_next::{
    ChannelLayout, Error, Packet, Rational, Stream, codec, decoder, encoder,
    format::{Sample, sample::Type},
    frame,
    software::resampling::Context as Resampler,
};

use super::mp4::{Mp4, Track};
use crate::open::DECODERS;

/// Samples a second, and bits.
const RATE: u32 = 48_000;
const BIT_RATE: usize = 128_000;

/// What becomes of it.
pub(super) enum Sounds {
    /// There is none, or none that can be decoded.
    None,
    /// Packets go as they come.
    Copied(Track),
    /// Packets are decoded and encoded.
    Encoded(Box<Encoded>),
}

pub(super) struct Encoded {
    decoder: decoder::Audio,
    resampler: Option<Resampler>,
    encoder: encoder::Audio,
    track: Track,
    /// Samples of both channels that do not fill a frame yet.
    waiting: [Vec<f32>; 2],
    /// Samples that were sent.
    sent: i64,
}

impl Sounds {
    pub(super) fn new(stream: &Stream, start_us: i64, mp4: &mut Mp4) -> Result<Self, Error> {
        if stream.parameters().id() == codec::Id::AAC {
            return Ok(Self::Copied(mp4.copy_of(stream, start_us)?));
        }
        Ok(Encoded::new(stream, start_us, mp4)?.map_or(Self::None, |encoded| Self::Encoded(Box::new(encoded))))
    }

    /// Takes a packet, or the end.
    pub(super) fn take(&mut self, packet: Option<&mut Packet>, mp4: &mut Mp4) -> Result<(), Error> {
        match (self, packet) {
            (Self::Copied(track), Some(packet)) => mp4.write(packet, *track),
            (Self::Encoded(encoded), packet) => encoded.take(packet.as_deref(), mp4),
            _ => Ok(()),
        }
    }
}

impl Encoded {
    fn new(stream: &Stream, start_us: i64, mp4: &mut Mp4) -> Result<Option<Self>, Error> {
        let mut context = codec::context::Context::from_parameters(stream.parameters())?.decoder();
        context.set_packet_time_base(stream.time_base());
        let known = decoder::find(context.id()).filter(|codec| DECODERS.split(',').any(|name| name == codec.name()));
        let (Some(known), Some(aac)) = (known, encoder::find(codec::Id::AAC)) else { return Ok(None) };
        let Ok(decoder) = context.open_as(known).and_then(decoder::Opened::audio) else { return Ok(None) };
        let mut encoder = codec::context::Context::new_with_codec(aac).encoder().audio()?;
        encoder.set_rate(RATE as i32);
        encoder.set_format(Sample::F32(Type::Planar));
        encoder.set_channel_layout(ChannelLayout::STEREO);
        encoder.set_bit_rate(BIT_RATE);
        encoder.set_time_base(Rational(1, RATE as i32));
        encoder.set_flags(codec::Flags::GLOBAL_HEADER);
        let encoder = encoder.open_as(aac)?;
        let track = mp4.track_of(&encoder, Rational(1, RATE as i32), 0)?;
        let late_s = stream.start_time().max(0) as f64 * f64::from(stream.time_base()) - start_us as f64 / 1e6;
        let sent = (late_s.max(0.0) * f64::from(RATE)).round() as i64;
        Ok(Some(Self { decoder, resampler: None, encoder, track, waiting: [Vec::new(), Vec::new()], sent }))
    }

    fn take(&mut self, packet: Option<&Packet>, mp4: &mut Mp4) -> Result<(), Error> {
        let _ = match packet {
            Some(packet) => self.decoder.send_packet(packet),
            None => self.decoder.send_eof(),
        };
        let mut frame = frame::Audio::empty();
        while self.decoder.receive_frame(&mut frame).is_ok() {
            if frame.channel_layout().is_empty() {
                frame.set_channel_layout(ChannelLayout::default(i32::from(frame.channels())));
            }
            self.resample(&frame)?;
            self.encode(false, mp4)?;
        }
        if packet.is_none() {
            self.encode(true, mp4)?;
            self.encoder.send_eof()?;
            self.write(mp4)?;
        }
        Ok(())
    }

    fn resample(&mut self, frame: &frame::Audio) -> Result<(), Error> {
        let resampler = match &mut self.resampler {
            Some(resampler) => resampler,
            none => none.insert(Resampler::get(
                frame.format(),
                frame.channel_layout(),
                frame.rate(),
                Sample::F32(Type::Planar),
                ChannelLayout::STEREO,
                RATE,
            )?),
        };
        // Room for what is converted, and for what the filter held back.
        let room = (frame.samples() as u64 * u64::from(RATE) / u64::from(frame.rate().max(1)) + 256) as usize;
        let mut made = frame::Audio::new(Sample::F32(Type::Planar), room, ChannelLayout::STEREO);
        resampler.run(frame, &mut made)?;
        for (channel, waiting) in self.waiting.iter_mut().enumerate() {
            waiting.extend_from_slice(&made.plane::<f32>(channel)[..made.samples()]);
        }
        Ok(())
    }

    fn encode(&mut self, is_end: bool, mp4: &mut Mp4) -> Result<(), Error> {
        let size = self.encoder.frame_size().max(1) as usize;
        while self.waiting[0].len() >= size || (is_end && !self.waiting[0].is_empty()) {
            let samples = self.waiting[0].len().min(size);
            let mut frame = frame::Audio::new(Sample::F32(Type::Planar), samples, ChannelLayout::STEREO);
            frame.set_rate(RATE);
            frame.set_pts(Some(self.sent));
            for (channel, waiting) in self.waiting.iter_mut().enumerate() {
                frame.plane_mut::<f32>(channel).copy_from_slice(&waiting[..samples]);
                waiting.drain(..samples);
            }
            self.sent += samples as i64;
            self.encoder.send_frame(&frame)?;
            self.write(mp4)?;
        }
        Ok(())
    }

    fn write(&mut self, mp4: &mut Mp4) -> Result<(), Error> {
        let mut packet = Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            mp4.write(&mut packet, self.track)?;
        }
        Ok(())
    }
}
