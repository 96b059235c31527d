//! The file that is written: in memory, its index in a place that was kept free in front.

use std::{
    io::{self, Cursor, Seek, SeekFrom, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ffmpeg_next::{
    Dictionary, Error, Packet, Rational, Stream, encoder,
    format::{
        self,
        context::{Output, StreamIo},
    },
};
use photovault_domain::{Video, limits::MAX_RENDITION_BYTES};

use crate::raw;

/// Bytes of the index for one sample at most: its size, place, time, and order.
const INDEX_BYTES_A_SAMPLE: u64 = 32;
/// Packets of sound a second, and a few to spare.
const SOUND_RATE: f64 = 60.0;

/// A track of the file, and the time of its packets before.
#[derive(Clone, Copy)]
pub(super) struct Track {
    index: usize,
    unit: Rational,
    /// What is taken from every time, in that unit.
    start: i64,
    /// How long a packet lasts that does not say it, in that unit: without it the last picture would have no length.
    step: i64,
}

pub(super) struct Mp4 {
    output: Output,
}

impl Mp4 {
    /// A file that is written into `sink`.
    pub(super) fn onto(sink: impl Write + Seek + Send + 'static) -> Result<Self, Error> {
        let output = format::output_to_stream(StreamIo::from_write_seek(sink)?, None, Some("mp4"))?;
        Ok(Self { output })
    }

    /// A track with the packets of a stream.
    pub(super) fn copy_of(&mut self, stream: &Stream, start_us: i64) -> Result<Track, Error> {
        let mut added = self.output.add_stream(encoder::find(ffmpeg_next::codec::Id::None))?;
        added.set_parameters(stream.parameters());
        let index = added.index();
        raw::copy_to_mp4(&mut self.output, index, stream);
        let unit = stream.time_base();
        let start = (start_us as f64 / 1e6 / f64::from(unit)).round() as i64;
        let step = 1.0 / f64::from(stream.avg_frame_rate()) / f64::from(unit);
        Ok(Track { index, unit, start, step: if step.is_finite() { step.round() as i64 } else { 0 } })
    }

    /// A track with what an encoder gives, whose times begin at 0.
    pub(super) fn track_of(
        &mut self,
        encoder: impl AsRef<ffmpeg_next::codec::Context>,
        unit: Rational,
        step: i64,
    ) -> Result<Track, Error> {
        let mut added = self.output.add_stream(encoder::find(ffmpeg_next::codec::Id::None))?;
        added.set_parameters(encoder);
        added.set_time_base(unit);
        Ok(Track { index: added.index(), unit, start: 0, step })
    }

    /// Writes the header, behind which room is kept for the index.
    pub(super) fn begin(&mut self, video: &Video) -> Result<(), Error> {
        let rate = video.picture.frame_rate.unwrap_or(60.0).clamp(1.0, 480.0) + SOUND_RATE;
        let samples = (video.duration_ms as f64 / 1000.0 + 2.0) * rate;
        let mut options = Dictionary::new();
        options.set("moov_size", &(16_384 + samples as u64 * INDEX_BYTES_A_SAMPLE).to_string());
        self.output.write_header_with(options).map(|_| ())
    }

    /// Writes a packet.
    pub(super) fn write(&mut self, packet: &mut Packet, track: Track) -> Result<(), Error> {
        packet.set_pts(packet.pts().map(|at| at - track.start));
        packet.set_dts(packet.dts().map(|at| at - track.start));
        if packet.duration() == 0 {
            packet.set_duration(track.step);
        }
        packet.set_stream(track.index);
        packet.set_position(-1);
        let unit = self.output.stream(track.index).ok_or(Error::StreamNotFound)?.time_base();
        packet.rescale_ts(track.unit, unit);
        packet.write_interleaved(&mut self.output)
    }

    /// Writes the index.
    pub(super) fn end(mut self) -> Result<(), Error> {
        self.output.write_trailer()
    }
}

/// A file in memory, within the limit.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Cursor<Vec<u8>>>>, Arc<AtomicBool>);

impl Memory {
    /// The file.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut())
    }

    /// Whether it would have become larger than it may.
    pub(super) fn is_full(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if file.position() + bytes.len() as u64 > MAX_RENDITION_BYTES {
            self.1.store(true, Ordering::Relaxed);
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seek(to)
    }
}
