//! What the video stage knows of an item. Shapes only; `shared/movie` finds the values.

use serde::{Deserialize, Serialize};

use crate::{Derivative, Derivatives, Facts, Look, ledger::is_zero};

/// All that the video stage writes on an item: the poster frame's derivatives and the facts stand where a photo's stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VideoFacet {
    /// What was found and made of the moving picture.
    pub video: Video,
    /// When, where and with what it was taken.
    pub facts: Facts,
    /// Of the poster frame.
    pub derivatives: Derivatives,
    /// What the poster frame looks like.
    pub look: Look,
}

/// What is known of a video.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Video {
    /// The demuxer that read it, in FFmpeg's word: `mov`, `matroska`, `avi`, `mpegts`, `mpeg`, `mpegvideo`.
    pub container: String,
    /// Milliseconds; 0 where neither the file nor its streams say it.
    pub duration_ms: u64,
    /// The moving picture.
    pub picture: MovingPicture,
    /// The sound that is played with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
    /// Apple's content identifier: the same in the still and in the video of one Live Photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_identifier: Option<String>,
    /// Where the poster frame was taken, in milliseconds after the first frame.
    pub poster_ms: u64,
    /// Seconds of a function's work that its copy for browsers takes, as reckoned, where the worker makes it.
    #[serde(skip_serializing_if = "is_zero")]
    pub work_s: u32,
    /// What was made besides the poster frame: `preview`, `sprite`, `index`, `rendition`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Derivative>,
}

/// The stream of pictures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MovingPicture {
    /// FFmpeg's name of the codec, such as `h264`, `hevc`, `av1`.
    pub codec: String,
    /// Its profile, such as `High` or `Main 10`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Pixels as coded.
    pub coded_width: u32,
    /// Pixels as coded.
    pub coded_height: u32,
    /// Square pixels, upright.
    pub width: u32,
    /// Square pixels, upright.
    pub height: u32,
    /// By how many degrees it is turned clockwise for display: 0, 90, 180 or 270.
    #[serde(skip_serializing_if = "is_upright")]
    pub rotation: u16,
    /// Whether it is mirrored left to right before it is turned.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// Frames a second, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<f64>,
    /// Whether frames come at uneven times, as phones write them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_variable: bool,
    /// Bits of a sample.
    pub bits: u8,
    /// How light is coded, where it is more than a screen of today shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hdr: Option<Hdr>,
    /// The Dolby Vision profile, where the file declares one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dolby_vision: Option<u8>,
    /// Bits a second; absent where neither the file nor its length tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_rate: Option<u64>,
}

/// A transfer characteristic of high dynamic range (ITU-R BT.2100).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hdr {
    /// Perceptual quantizer, SMPTE ST 2084.
    Pq,
    /// Hybrid log-gamma, ARIB STD-B67.
    Hlg,
}

/// The stream of sound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sound {
    /// FFmpeg's name of the codec, such as `aac`.
    pub codec: String,
    /// Channels.
    pub channels: u16,
    /// Samples a second.
    pub sample_rate: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_upright(rotation: &u16) -> bool {
    *rotation == 0
}
