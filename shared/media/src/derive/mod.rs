//! Makes the files that screens show of a still: decode at a useful size, shrink, convert to sRGB, turn upright, encode.
//!
//! Everything after the decoder works on small frames: the largest derivative is made first, and the others from it. What
//! came in planes of brightness and colour stays in them, unless its colours have to be converted.

mod avif;
mod baseline;
mod check;
mod colour;
mod encode;
mod full;
mod generic;
mod hdr;
mod heif;
mod jpeg;
mod jxl;
#[cfg(target_arch = "x86_64")]
mod lanczos;
mod orient;
mod planes;
mod raw;
mod resize;
mod turbo;
mod webp;

use std::borrow::Cow;

use photovault_domain::{DERIVATIVE_SIZES, Format, GainMap, Kind, LARGEST_SIDE, Look, Outputs, fit};

use crate::{
    container::gainmap,
    cpu::counted,
    inspect::inspect,
    look::{self, Luma},
};
use planes::Planar;

/// What is made of a still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// A JPEG file for each of `photovault_domain::DERIVATIVE_SIZES`, in its order; then those of `Outputs`: WebP and AVIF
    /// files, by size, and the full-size JPEG.
    pub files: Vec<RenderedFile>,
    /// A placeholder of 20–30 bytes (<https://evanw.github.io/thumbhash/>).
    pub thumbhash: Vec<u8>,
    /// What it looks like.
    pub look: Look,
    /// How the photo carries what a brighter screen shows, if it does.
    pub gain_map: Option<GainMap>,
    /// What was worked around, in sentences for the owner.
    pub warnings: Vec<String>,
}

/// One derivative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// The name of its `photovault_domain::DerivativeSize`.
    pub name: &'static str,
    /// IANA media type.
    pub mime: &'static str,
    /// Pixels, upright.
    pub width: u32,
    /// Pixels, upright.
    pub height: u32,
    /// The file. The full-size one has its own profile and orientation; all others are upright, in sRGB, without metadata but for
    /// a gain map's.
    pub bytes: Vec<u8>,
}

impl RenderedFile {
    /// What it is called where it is stored, such as `small.jpg`.
    pub fn stored_as(&self) -> String {
        let formats = [(Format::Webp, "webp"), (Format::Avif, "avif")];
        let extension = formats.iter().find(|(format, _)| format.mime() == self.mime).map_or("jpg", |(_, extension)| extension);
        format!("{}.{extension}", self.name)
    }
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

/// What is said of pictures whose brightness goes beyond eight bits.
const HDR_WARNING: &str = "This is a high dynamic range picture; it is shown with the range of a common screen.";

/// Pixels one after the other, without gaps.
#[derive(Clone)]
struct Packed {
    size: (u32, u32),
    layout: Layout,
    pixels: Vec<u8>,
}

/// A picture in memory.
#[derive(Clone)]
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

/// JPEG files of a still, per `photovault_domain::DERIVATIVE_SIZES`.
///
/// # Errors
/// [`Unreadable`] if no picture can be made of the bytes, or a limit is exceeded.
pub fn derive(bytes: &[u8], format: Format) -> Result<Rendered, Unreadable> {
    derive_as(bytes, format, Outputs::JPEG)
}

/// The same, with what else is wanted.
///
/// # Errors
/// [`Unreadable`] if no picture can be made of the bytes, or a limit is exceeded.
pub fn derive_as(bytes: &[u8], format: Format, outputs: Outputs) -> Result<Rendered, Unreadable> {
    if format.kind() == Kind::Video {
        return Err(Unreadable::new("This is a video; its pictures are made elsewhere."));
    }
    counted(|| {
        // The limits hold for whoever calls: no decoder sees a size that was not looked at.
        inspect(std::io::Cursor::new(bytes), bytes.len() as u64).map_err(|refused| Unreadable::new(refused.reason))?;
        std::panic::catch_unwind(|| render(bytes, format, outputs))
            .unwrap_or_else(|_| Err(Unreadable::new("This photo cannot be shown: the decoder gave up on its data.")))
    })
}

/// JPEG files of a picture in memory, such as a video's poster frame: upright, in sRGB, three bytes a pixel.
///
/// # Errors
/// [`Unreadable`] if a file cannot be written.
pub fn derive_pixels(size: (u32, u32), pixels: Vec<u8>) -> Result<Rendered, Unreadable> {
    let picture = Picture::Packed(Packed { size, layout: Layout::Rgb, pixels });
    let frame = Frame { picture, full: size, colours: Colours::Srgb, orientation: 1, warnings: Vec::new() };
    Ok(finish(frame, Outputs::JPEG)?.0)
}

fn render(bytes: &[u8], format: Format, outputs: Outputs) -> Result<Rendered, Unreadable> {
    let is_full = outputs.full && !format.is_shown_by_browsers();
    let mut frame = match format {
        Format::Jpeg => jpeg::decode(bytes)?,
        Format::Heic | Format::Avif => heif::decode(bytes, if is_full { u32::MAX } else { LARGEST_SIDE })?,
        Format::Jxl => jxl::decode(bytes)?,
        format if format.is_raw() => raw::decode(bytes, format)?,
        _ => generic::decode(bytes, format)?,
    };
    let full_size = if is_full { full::file(bytes, format, &mut frame) } else { None };
    let orientation = frame.orientation;
    let (mut rendered, small) = finish(frame, outputs)?;
    let gain_map = gainmap::find(bytes, format);
    if let (Some(found), Some(large)) = (gain_map, rendered.files.get_mut(DERIVATIVE_SIZES.len() - 1)) {
        hdr::keep(large, found, bytes, orientation);
    }
    rendered.gain_map = gain_map.map(|found| found.kind);
    rendered.files.extend(full_size);
    rendered.warnings.extend(check::warning(bytes, format, orientation, &small));
    Ok(rendered)
}

/// What every picture becomes, and the smallest of it in sRGB.
fn finish(frame: Frame, outputs: Outputs) -> Result<(Rendered, Packed), Unreadable> {
    let Frame { picture, full, colours, orientation, mut warnings } = frame;
    let mut picture = picture.shrink(fit(full, LARGEST_SIDE))?;
    if matches!(picture, Picture::Packed(_)) || colour::converts(&colours) {
        let Packed { size, layout, pixels } = picture.into_packed()?;
        let pixels = colour::to_srgb(pixels, layout, &colours, &mut warnings);
        picture = Picture::Packed(Packed { size, layout: Layout::Rgb, pixels });
    }
    picture = picture.upright(orientation)?;
    let full = orient::turned(full, orientation);

    let (mut files, mut more) = (Vec::with_capacity(2 * DERIVATIVE_SIZES.len()), Vec::new());
    let mut sharpness = None;
    for derivative in DERIVATIVE_SIZES.iter().rev() {
        picture = picture.shrink(fit(full, derivative.longest_side))?;
        let (width, height) = picture.size();
        if derivative.longest_side <= SHARPNESS_SIDE {
            sharpness.get_or_insert_with(|| look::sharpness(luma((width, height), &picture.brightness())));
        }
        let bytes = encode::jpeg(&picture, derivative.quality)?;
        files.push(RenderedFile { name: derivative.name, mime: Format::Jpeg.mime(), width, height, bytes });
        if let Some(quantizer) = derivative.avif_quantizer.filter(|_| outputs.avif) {
            more.push(avif::file(derivative.name, &picture, quantizer)?);
        }
        if let Some(quality) = derivative.webp_quality.filter(|_| outputs.webp) {
            more.push(webp::file(derivative.name, &picture, quality)?);
        }
    }
    files.reverse();
    files.extend(more.into_iter().rev());

    let small = picture.into_packed()?;
    let look = look::look(luma(small.size, &look::brightness(&small.pixels)), &small.pixels, sharpness.unwrap_or(0));
    let thumbhash = encode::thumbhash(small.clone())?;
    Ok((Rendered { files, thumbhash, look, gain_map: None, warnings }, small))
}

fn luma((width, height): (u32, u32), samples: &[u8]) -> Luma<'_> {
    Luma { width: width as usize, height: height as usize, samples }
}
