//! Makes the files that screens show of a still: decode at a useful size, shrink, convert to sRGB, turn upright, encode.
//!
//! Everything after the decoder works on small frames: the largest derivative is made first, and the others from it. What
//! came in planes of brightness and colour stays in them, unless its colours have to be converted.

mod baseline;
mod colour;
mod encode;
mod generic;
mod heif;
mod jpeg;
mod orient;
mod planes;
mod resize;
mod turbo;

use std::borrow::Cow;

use photovault_domain::{DERIVATIVE_SIZES, Format, Kind, Look};

use crate::{
    cpu::counted,
    inspect::inspect,
    look::{self, Luma},
};
use planes::Planar;
use resize::fit;

/// What is made of a still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One for each of `photovault_domain::DERIVATIVE_SIZES`, in its order.
    pub files: Vec<RenderedFile>,
    /// A placeholder of 20–30 bytes (<https://evanw.github.io/thumbhash/>).
    pub thumbhash: Vec<u8>,
    /// What it looks like.
    pub look: Look,
    /// What was worked around, in sentences for the owner.
    pub warnings: Vec<String>,
}

/// One derivative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// Its name in `photovault_domain::DERIVATIVE_SIZES`.
    pub name: &'static str,
    /// IANA media type.
    pub mime: &'static str,
    /// Pixels, upright.
    pub width: u32,
    /// Pixels, upright.
    pub height: u32,
    /// The file: sRGB, without metadata.
    pub bytes: Vec<u8>,
}

/// Why nothing can be shown of a still.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// A sentence for the owner.
    pub reason: String,
}

impl Unreadable {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Sharpness is measured on the first derivative of at most this many pixels a side.
const SHARPNESS_SIDE: u32 = 1024;

/// How a frame's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Three bytes a pixel.
    Rgb,
    /// Four bytes a pixel, 255 = full ink.
    Cmyk,
}

/// Which colours a frame's numbers mean.
#[derive(Clone, Debug, Default, PartialEq)]
enum Colours {
    /// sRGB, or unknown and taken for it.
    #[default]
    Srgb,
    /// An ICC profile.
    Icc(Vec<u8>),
    /// Code points of ITU-T H.273: primaries and transfer.
    Cicp(u8, u8),
}

/// Pixels one after the other, without gaps.
struct Packed {
    size: (u32, u32),
    layout: Layout,
    pixels: Vec<u8>,
}

/// A picture in memory.
enum Picture {
    Packed(Packed),
    Planar(Planar),
}

impl Picture {
    fn size(&self) -> (u32, u32) {
        match self {
            Self::Packed(packed) => packed.size,
            Self::Planar(planar) => planar.size(),
        }
    }

    fn shrink(self, to: (u32, u32)) -> Result<Self, Unreadable> {
        Ok(match self {
            Self::Packed(packed) => Self::Packed(resize::packed(packed, to)?),
            Self::Planar(planar) => Self::Planar(planar.shrink(to)?),
        })
    }

    /// How bright each pixel of sRGB is.
    fn brightness(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Packed(packed) => look::brightness(&packed.pixels).into(),
            Self::Planar(planar) => planar.brightness.tight(),
        }
    }

    /// Its pixels, as RGB where they were in planes. Planes have to be shrunk before.
    fn into_packed(self) -> Result<Packed, Unreadable> {
        match self {
            Self::Packed(packed) => Ok(packed),
            Self::Planar(planar) => turbo::rgb(&planar),
        }
    }

    fn upright(self, orientation: u8) -> Result<Self, Unreadable> {
        Ok(match self {
            Self::Planar(planar) if planar.turns(orientation) => Self::Planar(orient::planar(planar, orientation)),
            other => Self::Packed(orient::packed(other.into_packed()?, orientation)),
        })
    }
}

/// What a decoder gives, and what is still to be done with it.
struct Frame {
    /// At full size or at a fraction of it.
    picture: Picture,
    /// The picture's own size.
    full: (u32, u32),
    colours: Colours,
    /// Exif orientation, 1..=8, that is not applied yet.
    orientation: u8,
    warnings: Vec<String>,
}

/// Derivatives of a still, per `photovault_domain::DERIVATIVE_SIZES`.
///
/// # Errors
/// [`Unreadable`] if no picture can be made of the bytes, or a limit is exceeded.
pub fn derive(bytes: &[u8], format: Format) -> Result<Rendered, Unreadable> {
    if format.kind() == Kind::Video {
        return Err(Unreadable::new("This is a video; its pictures are made elsewhere."));
    }
    counted(|| {
        // The limits hold for whoever calls: no decoder sees a size that was not looked at.
        inspect(std::io::Cursor::new(bytes), bytes.len() as u64).map_err(|refused| Unreadable::new(refused.reason))?;
        std::panic::catch_unwind(|| render(bytes, format))
            .unwrap_or_else(|_| Err(Unreadable::new("This photo cannot be shown: the decoder gave up on its data.")))
    })
}

fn render(bytes: &[u8], format: Format) -> Result<Rendered, Unreadable> {
    let frame = match format {
        Format::Jpeg => jpeg::decode(bytes)?,
        Format::Heic | Format::Avif => heif::decode(bytes)?,
        _ => generic::decode(bytes, format)?,
    };
    let Frame { picture, full, colours, orientation, mut warnings } = frame;
    let largest = DERIVATIVE_SIZES.last().map_or(0, |size| size.longest_side);
    let mut picture = picture.shrink(fit(full, largest))?;
    if matches!(picture, Picture::Packed(_)) || colour::converts(&colours) {
        let Packed { size, layout, pixels } = picture.into_packed()?;
        let pixels = colour::to_srgb(pixels, layout, &colours, &mut warnings);
        picture = Picture::Packed(Packed { size, layout: Layout::Rgb, pixels });
    }
    picture = picture.upright(orientation)?;
    let full = orient::turned(full, orientation);

    let mut files: Vec<RenderedFile> = Vec::with_capacity(DERIVATIVE_SIZES.len());
    let mut sharpness = None;
    for derivative in DERIVATIVE_SIZES.iter().rev() {
        picture = picture.shrink(fit(full, derivative.longest_side))?;
        let (width, height) = picture.size();
        if derivative.longest_side <= SHARPNESS_SIDE {
            sharpness.get_or_insert_with(|| look::sharpness(luma((width, height), &picture.brightness())));
        }
        let bytes = encode::jpeg(&picture, derivative.quality)?;
        files.push(RenderedFile { name: derivative.name, mime: Format::Jpeg.mime(), width, height, bytes });
    }
    files.reverse();
    let small = picture.into_packed()?;
    let look = look::look(luma(small.size, &look::brightness(&small.pixels)), &small.pixels, sharpness.unwrap_or(0));
    Ok(Rendered { files, thumbhash: encode::thumbhash(small)?, look, warnings })
}

fn luma((width, height): (u32, u32), samples: &[u8]) -> Luma<'_> {
    Luma { width: width as usize, height: height as usize, samples }
}
