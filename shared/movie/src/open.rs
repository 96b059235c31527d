//! Opens one file, and nothing that it points to.

use std::{
    io::{Read, Seek},
    sync::Once,
    time::Instant,
};

use ffmpeg_next::{
    Dictionary, Error, format,
    format::context::{Input, StreamIo},
    log,
};
use photovault_domain::Format;

use crate::{Unplayable, raw};

/// Decoders that may be opened: what phones and cameras write, and have written since they film. FFmpeg has ten times as many.
pub(crate) const DECODERS: &str = "h264,hevc,av1,libdav1d,vp8,vp9,libvpx-vp9,mpeg4,msmpeg4v2,msmpeg4,h263,mpeg1video,mpeg2video,\
    mjpeg,prores,dvvideo,svq1,svq3,cinepak,rawvideo,aac,aac_latm,ac3,eac3,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,flac,alac,\
    amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_u8,pcm_mulaw,pcm_alaw,adpcm_ima_qt,\
    qdm2,qdmc,mace6";
/// Bytes that are read before the file counts as opened: an index may stand behind the pictures, where it is sought directly.
const PROBE_BYTES: &str = "5000000";
/// Microseconds of the streams that are read for what their headers do not say.
const ANALYSE_US: &str = "5000000";

/// Opens `file`, whose first bytes said `format`.
pub(crate) fn open(file: impl Read + Seek + Send + 'static, format: Format, deadline: Instant) -> Result<Input, Unplayable> {
    prepare();
    let mut options = Dictionary::new();
    // FFmpeg tells the format from the bytes again, and both must agree: a playlist called .mp4 is no video.
    options.set("format_whitelist", demuxers(format));
    // There is no protocol of this name.
    options.set("protocol_whitelist", "none");
    options.set("codec_whitelist", DECODERS);
    options.set("probesize", PROBE_BYTES);
    options.set("analyzeduration", ANALYSE_US);
    options.set("max_streams", "64");
    let io = StreamIo::from_read_seek(file).map_err(unreadable)?;
    let opened = format::input_from_stream_with_interrupt(io, None, Some(options), move || Instant::now() >= deadline);
    opened.map_err(unreadable)
}

/// FFmpeg's names of the demuxers for a format.
const fn demuxers(format: Format) -> &'static str {
    match format {
        Format::Mkv | Format::Webm => "matroska",
        Format::Avi => "avi",
        Format::Mpeg => "mpeg,mpegvideo",
        Format::Ts => "mpegts",
        _ => "mov",
    }
}

fn prepare() {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        ffmpeg_next::util::error::register_all();
        raw::limit_allocations();
        log::set_level(log::Level::Error);
    });
}

/// A sentence for what FFmpeg says to a file.
pub(crate) fn unreadable(error: Error) -> Unplayable {
    Unplayable::new(match error {
        Error::Exit => "This video cannot be shown: reading it took too long.".to_owned(),
        Error::DecoderNotFound => "This video cannot be shown: its codec is not one that can be decoded here.".to_owned(),
        Error::Other { errno: ffmpeg_next::error::ENOMEM } => {
            "This video cannot be shown: reading it needs more memory than the limit for one video.".to_owned()
        }
        // The format that its bytes have to FFmpeg is not the one that they had to us.
        Error::Other { errno: ffmpeg_next::error::EINVAL } => {
            "This video is damaged: its container is not what its first bytes say.".to_owned()
        }
        error => format!("This video is damaged: {}.", error.to_string().to_lowercase()),
    })
}
