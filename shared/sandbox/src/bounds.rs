//! What a decoder may use: its process is ended where it wants more.

use photovault_domain::limits::{
    MAX_DECODE_S, MAX_DECODER_BYTES, MAX_JOINED_BYTES, MAX_VIDEO_DECODE_S, MAX_VIDEO_DECODER_BYTES, MAX_VIDEO_FILES_BYTES,
};

/// The limits of one kind of decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What it works on, for the sentence that its owner reads.
    pub what: &'static str,
    /// Address space in bytes.
    pub memory_bytes: u64,
    /// Seconds for one file, waiting included.
    pub seconds: u64,
    /// Seconds of CPU time for one file.
    pub cpu_seconds: u64,
    /// What it may make of one file, in bytes, all together.
    pub made_bytes: usize,
    /// How long a file may become that it is given for writing.
    pub written_bytes: u64,
}

/// Photos: one JPEG of at most `MAX_FULL_PIXELS`, and others of at most 2048² pixels.
pub const PHOTO: Bounds = Bounds {
    what: "photo",
    memory_bytes: MAX_DECODER_BYTES,
    seconds: MAX_DECODE_S,
    cpu_seconds: MAX_DECODE_S,
    made_bytes: 128 * 1024 * 1024,
    written_bytes: 0,
};

/// Videos, whose codecs work in several threads.
pub const VIDEO: Bounds = Bounds {
    what: "video",
    memory_bytes: MAX_VIDEO_DECODER_BYTES,
    seconds: MAX_VIDEO_DECODE_S,
    cpu_seconds: 4 * MAX_VIDEO_DECODE_S,
    made_bytes: MAX_VIDEO_FILES_BYTES,
    written_bytes: MAX_JOINED_BYTES,
};
