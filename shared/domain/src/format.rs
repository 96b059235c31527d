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
    /// JPEG XL.
    Jxl,
    /// Adobe Digital Negative, and what cameras write as such.
    Dng,
    /// Canon raw, up to 2018.
    Cr2,
    /// Canon raw, from 2018 on.
    Cr3,
    /// Nikon raw.
    Nef,
    /// Sony raw.
    Arw,
    /// Fujifilm raw.
    Raf,
    /// Olympus raw.
    Orf,
    /// Panasonic raw, and Leica's of the same make.
    Rw2,
    /// Pentax raw.
    Pef,
    /// Samsung raw.
    Srw,
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
            Self::Mp4 | Self::Mov | Self::Mkv | Self::Webm | Self::Avi | Self::Mpeg | Self::Ts => Kind::Video,
            _ => Kind::Photo,
        }
    }

    /// Whether it holds what a sensor saw, before it is a picture. What can be shown of it is the preview that the camera put in.
    pub const fn is_raw(self) -> bool {
        matches!(
            self,
            Self::Dng | Self::Cr2 | Self::Cr3 | Self::Nef | Self::Arw | Self::Raf | Self::Orf | Self::Rw2 | Self::Pef | Self::Srw
        )
    }

    /// Whether every browser shows it.
    pub const fn is_shown_by_browsers(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp | Self::Gif | Self::Bmp | Self::Avif)
    }

    /// The media type (IANA's; of raw photos, which have none there, the usual one), which the stored original is served with.
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
            Self::Jxl => "image/jxl",
            Self::Dng => "image/x-adobe-dng",
            Self::Cr2 => "image/x-canon-cr2",
            Self::Cr3 => "image/x-canon-cr3",
            Self::Nef => "image/x-nikon-nef",
            Self::Arw => "image/x-sony-arw",
            Self::Raf => "image/x-fuji-raf",
            Self::Orf => "image/x-olympus-orf",
            Self::Rw2 => "image/x-panasonic-rw2",
            Self::Pef => "image/x-pentax-pef",
            Self::Srw => "image/x-samsung-srw",
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
