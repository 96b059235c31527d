//! What a file is, told from its bytes.

use serde::{Deserialize, Serialize};

/// Whether an original is looked at or played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A still image, animations included.
    Photo,
    /// A moving picture.
    Video,
}

/// The formats that the vault accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JPEG, ITU-T T.81.
    Jpeg,
    /// PNG, APNG included.
    Png,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
    /// TIFF, `BigTIFF` excluded.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// HEIF with HEVC pictures.
    Heic,
    /// HEIF with AV1 pictures.
    Avif,
    /// MPEG-4 part 14 and its 3GPP relatives.
    Mp4,
    /// Apple `QuickTime`.
    Mov,
    /// Matroska.
    Mkv,
    /// `WebM`.
    Webm,
    /// AVI.
    Avi,
    /// MPEG program or elementary stream.
    Mpeg,
    /// MPEG transport stream.
    Ts,
}

impl Format {
    /// Photo or video.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Jpeg | Self::Png | Self::Webp | Self::Gif | Self::Tiff | Self::Bmp | Self::Heic | Self::Avif => Kind::Photo,
            Self::Mp4 | Self::Mov | Self::Mkv | Self::Webm | Self::Avi | Self::Mpeg | Self::Ts => Kind::Video,
        }
    }

    /// The registered media type (IANA), which the stored original is served with.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Tiff => "image/tiff",
            Self::Bmp => "image/bmp",
            Self::Heic => "image/heic",
            Self::Avif => "image/avif",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::Mkv => "video/x-matroska",
            Self::Webm => "video/webm",
            Self::Avi => "video/x-msvideo",
            Self::Mpeg => "video/mpeg",
            Self::Ts => "video/mp2t",
        }
    }
}
